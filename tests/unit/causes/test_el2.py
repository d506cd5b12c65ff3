"""What the rules for EL2 share."""

import pytest

from whypanic.app.analysis import explain_text
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import (
    at_is_meaningless,
    flags_against_entry,
    function_of_pc,
    hyp_offset_address,
    is_upper,
    line_against_opening,
    location_of_pc,
    outside_hyp_range,
    read_el2,
)

PC = "ffff0000089e6f84"
PANIC = """\
{before}Kernel panic - not syncing: HYP panic:
PS:{ps} PC:{pc} ESR:{esr}
FAR:{far} HPFAR:0000000000000000 PAR:0000000000000000
VCPU:0000000000000000
CPU: 1 PID: 1 Comm: swapper/0 Not tainted {release} #1
{after}
"""


def case(**changes: str) -> CaseView:
    words = {
        "before": "",
        "ps": "800003c9",
        "pc": PC,
        "esr": "86000004",
        "far": changes.get("pc", PC),
        "release": "4.14.0",
        "after": "",
        **changes,
    }
    (explained,) = explain_text(PANIC.format(**words).encode())[1]
    return explained.case


def located(line: str, *, address: str = PC, file: str = "arch/arm64/kvm/hyp/s2-setup.c") -> str:
    command = f"$ addr2line -ife vmlinux {address}"
    return f"\n{command}\n__init_stage2_translation\n{file}:{line}\n"


def test_fetch_and_data() -> None:
    fetch = read_el2(case())
    assert (fetch.fetch, fetch.read_write, fetch.pc_is_upper, fetch.nvhe) == (
        True,
        False,
        True,
        True,
    )
    data = read_el2(case(esr="96000004", pc="0000800041a2b3c8", far="ffff000012345040"))
    assert (data.fetch, data.read_write, data.pc_is_upper) == (False, True, False)
    brk = read_el2(case(esr="f2000800"))
    assert (brk.fetch, brk.read_write) == (False, False)


def test_a_fetch_elsewhere_than_pc_is_none() -> None:
    assert not read_el2(case(far="ffff000000000000")).fetch


def test_an_abort_from_a_lower_level_is_no_fault_of_el2() -> None:
    lower = read_el2(case(esr="92000004", pc="0000800041a2b3c8", far="0000000012345040"))
    assert (lower.fetch, lower.read_write) == (False, False)


@pytest.mark.parametrize(
    ("va", "upper"),
    [(0xFFFF000000000000, True), (0x0000FFFFFFFFFFFF, False), (0x0080000000000000, True)],
)
def test_bit_55_decides(va: int, upper: bool) -> None:
    assert is_upper(va) is upper


def test_hyp_range() -> None:
    ranged = case(before="kvm [1]: HYP VA range: 800000000000:ffffffffffff\n")
    assert outside_hyp_range(ranged, 0x7FFFFFFFFFFF) is not None
    assert outside_hyp_range(ranged, 0x800000000000) is None
    assert outside_hyp_range(case(), 0) is None


def test_line_against_opening() -> None:
    first = line_against_opening(case(after=located("23")))
    later = line_against_opening(case(after=located("38")))
    assert first is not None
    assert first.at_start is True
    assert later is not None
    assert later.at_start is False


def test_a_line_counts_only_for_pc_and_only_where_the_source_is_known() -> None:
    assert line_against_opening(case(after=located("38", address="ffff000008000000"))) is None
    assert line_against_opening(case(after=located("38", file="drivers/x.c"))) is None
    assert line_against_opening(case(after=located("38"), release="6.1.0")) is None


def test_flags_against_entry() -> None:
    other = flags_against_entry(case())
    same = flags_against_entry(case(ps="a00003c9"))
    assert other is not None
    assert other.at_start is False
    assert same is not None
    assert same.at_start is None
    assert flags_against_entry(case(release="6.1.0")) is None


def test_function_of_pc() -> None:
    assert function_of_pc(case(after=located("38"))) == "__init_stage2_translation"
    assert location_of_pc(case()) is None
    named = case(
        before="kvm [9]: nVHE hyp panic at: [<ffff800008fa3750>] __kvm_nvhe_f+0x10/0x20!\n"
        "kvm [9]: Hyp Offset: 0xfffe8be807e00000\n",
        pc="0000f418011a3750",
        release="6.1.0",
    )
    assert function_of_pc(named) == "__kvm_nvhe_f"
    assert hyp_offset_address(named) == 0xFFFF800008FA3750
    assert not at_is_meaningless(named)


def test_the_symbol_made_from_a_kernel_address_is_not_used() -> None:
    named = case(
        before="kvm [9]: nVHE hyp panic at: [<fffe8be810da3750>] __kvm_nvhe_f+0x10/0x20!\n"
        "kvm [9]: Hyp Offset: 0xfffe8be807e00000\n",
        pc="ffff800008fa3750",
        release="6.1.0",
    )
    assert at_is_meaningless(named)
    assert function_of_pc(named) is None
    assert hyp_offset_address(named) is None
