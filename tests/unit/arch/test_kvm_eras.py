import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whypanic.arch.kvm_eras import (
    FUNCTION_LINES,
    HYP_CALL_ERAS,
    entry_nzcv,
    function_opening_line,
    hyp_call_era,
    llvm_absolute_tables,
    panic_path,
    parse_compiler,
)


@pytest.mark.parametrize(
    ("version", "nzcv"),
    [
        ("4.5.0", None),
        ("4.6.7", 0b0110),
        ("4.9.3", 0b1010),
        ("4.14.0-rc7", 0b1010),
        ("4.19.5", 0b1010),
        ("5.4.1", 0b1010),
        ("5.8.0", 0b1010),
        ("5.10.0", None),
        (None, None),
        ("", None),
    ],
)
def test_flags_on_entry(version: str | None, nzcv: int | None) -> None:
    assert entry_nzcv(version) == nzcv


def test_comparing_a_linear_map_address_with_3_gives_those_flags() -> None:
    x0, n_calls = 0xFFFF_8000_0008_1000, 3
    result = (x0 - n_calls) % 2**64
    negative, zero, carry = result >> 63, int(result == 0), int(x0 >= n_calls)
    overflow = (x0 >> 63) & (1 - (result >> 63))
    assert negative << 3 | zero << 2 | carry << 1 | overflow == entry_nzcv("4.14.0")


def test_eras_follow_one_another_and_are_cited() -> None:
    for earlier, later in itertools.pairwise(HYP_CALL_ERAS):
        assert earlier.last < later.first
    assert all("hyp-entry.S" in era.source for era in HYP_CALL_ERAS)


def test_comparison_is_named() -> None:
    era = hyp_call_era("4.14.0")
    assert era is not None
    assert "HVC_STUB_HCALL_NR" in era.last_compare


def test_panic_paths() -> None:
    old, new = panic_path("4.14.0"), panic_path("6.6.0")
    assert old is not None
    assert new is not None
    assert old.genuine_top_frame == "panic+0x0"
    assert new.genuine_top_frame is None
    assert panic_path("5.11.0") is None
    assert panic_path("nonsense") is None


def test_opening_lines_of_4_14() -> None:
    name = "__init_stage2_translation"
    path = "arch/arm64/kvm/hyp/s2-setup.c"
    assert function_opening_line(f"/home/someone/linux/{path}", name, "4.14.0-rc7-dirty") == 23
    assert function_opening_line(path, name, "4.19.0") is None
    assert function_opening_line(path, "__kvm_flush_vm_context", "4.14.0") is None
    assert function_opening_line("s2-setup.c", name, "4.14.0") is None
    assert function_opening_line(path, name, None) is None
    assert function_opening_line("arch/arm64/kvm/hyp/tlb.c", "__kvm_tlb_flush_vmid", "4.17") == 122


def test_function_lines_do_not_overlap() -> None:
    for path in {path for path, _ in FUNCTION_LINES}:
        spans = sorted(lines[4, 14] for (p, _), lines in FUNCTION_LINES.items() if p == path)
        assert all(first <= last for first, last in spans)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))


def test_llvm_eras() -> None:
    assert [llvm_absolute_tables(major) for major in (5, 7, 8, 19)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("words", "family", "major"),
    [
        ("gcc version 6.3.1 20170404 (Linaro GCC 6.3-2017.05)", "gcc", 6),
        ("clang version 5.0.0 (tags/RELEASE_500/final)", "clang", 5),
        ("aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils) 2.40", "gcc", 12),
        ("gcc (Ubuntu/Linaro 7.4.0-1ubuntu1~18.04.1) 7.4.0", "gcc", 7),
        ("aarch64-none-linux-gnu-gcc (GNU Toolchain for the A-profile 10.3) 10.3.1", "gcc", 10),
        ("Android (7284624, based on r416183b) clang version 12.0.5 (https://x)", "clang", 12),
        ("Debian clang version 14.0.6, GNU ld (GNU Binutils for Debian) 2.40", "clang", 14),
        ("clang-5", "clang", 5),
        ("clang 5.0", "clang", 5),
        ("built with clang-5.0 here", "clang", 5),
        ("Clang/LLVM 9", "clang", 9),
        ("the Linaro 17.05 GCC 6.3.1 toolchain", "gcc", 6),
        ("gcc-linaro-7.5.0-2019.12", "gcc", 7),
        ("clang from tip of tree", "clang", None),
    ],
)
def test_compilers(words: str, family: str, major: int | None) -> None:
    compiler = parse_compiler(words)
    assert compiler is not None
    assert (compiler.family, compiler.major) == (family, major)


@pytest.mark.parametrize(
    "words", ["", "rustc 1.70", "GCC 6 works, clang 5 does not", "gcc 6 or gcc 7"]
)
def test_no_single_compiler(words: str) -> None:
    assert parse_compiler(words) is None


@given(st.text(max_size=200))
def test_any_words(words: str) -> None:
    compiler = parse_compiler(words)
    assert compiler is None or compiler.family in {"clang", "gcc"}
    assert entry_nzcv(words) in {None, 0b0110, 0b1010}
