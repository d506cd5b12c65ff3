"""Whether an image is the crashed kernel's."""

import pytest

from builders.image_facts import BASE, SOURCE, frame, function, listed_image, register
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import symbol_table
from whypanic.model.code import CodeLine
from whypanic.model.context import BuildId, KernelVersion
from whypanic.model.image import CodeComparison, ComparedWord, ImageIdentity, Match, WordState
from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef
from whypanic.symbolize.identity import identify, read_banner

ID = "3f2a" + "17" * 18
OTHER_ID = "9c41" + "28" * 18
BANNER = (
    "Linux version 6.1.7-dist (builder@farm) (gcc-12 (Dist 12.2.0-3) 12.2.0, GNU ld (Dist) 2.40)"
    " #4 SMP Dist 6.1.7-2 (2024-01-02)"
)
SYMBOLS = tuple(function(f"step_{i}", 0x40 * i) for i in range(40))
IMAGE = listed_image(*SYMBOLS, build_id=ID, banner=BANNER)
NO_ID = listed_image(*SYMBOLS, banner=BANNER)


def frames(n: int, *, size: int = 0x40) -> list[Fact]:
    return [frame(f"step_{i}", 8, size) for i in range(n)]


def cpu_line(release: str = "6.1.7-dist", build: str | None = "#4") -> KernelVersion:
    return KernelVersion(release=release, build=build, source=SOURCE)


def boot_line(
    build: str = "#4 SMP Dist 6.1.7-2 (2024-01-02)",
    compiler: str = "gcc-12 (Dist 12.2.0-3) 12.2.0, GNU ld (Dist) 2.40",
) -> KernelVersion:
    return KernelVersion(
        release="6.1.7-dist", compiler=compiler, build=build, banner=True, source=SOURCE
    )


def compared(*states: WordState) -> CodeComparison:
    words = tuple(
        ComparedWord(address=BASE + 4 * i, word=0, built=0, expected=(0,), state=state)
        for i, state in enumerate(states)
    )
    return CodeComparison(words=words, sentence="words", source=SOURCE)


def disagreeing(identity: ImageIdentity) -> list[str]:
    return [check.text for check in identity.checks if not check.agrees]


CODE = CodeLine(words=(1, 2, 3, 4, 5), faulting=4, source=SOURCE)
FIVE_BUILT = compared(*[WordState.BUILT] * 5)


def test_build_id_decides() -> None:
    same = identify(IMAGE, [BuildId(hex=ID, source=SOURCE)])
    assert (same.match, same.certain) == (Match.MATCHES, True)
    other = identify(IMAGE, [BuildId(hex=OTHER_ID, source=SOURCE), *frames(30), cpu_line()])
    assert (other.match, other.certain, other.is_used) == (Match.MISMATCH, False, False)
    assert disagreeing(other) == [
        "build id `3f2a17171717..` in the file, `9c4128282828..` in the log"
    ]
    assert other.statement.startswith("vmlinux is not the crashed kernel's: build id")


def test_a_build_id_of_sixteen_bytes_is_printed_with_zeros() -> None:
    image = listed_image(build_id="ab" * 16)
    assert identify(image, [BuildId(hex="ab" * 16 + "0" * 8, source=SOURCE)]).certain
    assert not identify(image, [BuildId(hex="ab" * 20, source=SOURCE)]).certain


def test_a_mismatch_may_be_allowed() -> None:
    facts = [BuildId(hex=OTHER_ID, source=SOURCE)]
    allowed = identify(IMAGE, facts, allow_mismatch=True)
    assert (allowed.match, allowed.allowed, allowed.is_used) == (Match.MISMATCH, True, True)
    assert not identify(IMAGE, [BuildId(hex=ID, source=SOURCE)], allow_mismatch=True).allowed


def test_nothing_to_compare() -> None:
    identity = identify(IMAGE, [register("x3", 7)])
    assert (identity.match, identity.checks, identity.certain) == (Match.UNKNOWN, (), False)


def test_version_sizes_and_words_make_it_certain_together() -> None:
    full = identify(NO_ID, [cpu_line(), *frames(5), CODE], code=FIVE_BUILT)
    assert (full.match, full.certain) == (Match.MATCHES, True)
    assert identify(NO_ID, [boot_line(), *frames(1)]).certain
    cut = identify(NO_ID, [boot_line(build="#4 SMP Dist 6.1.7-")])
    assert (cut.match, cut.certain) == (Match.MATCHES, False)
    assert not identify(NO_ID, [cpu_line(), *frames(5), CODE]).certain
    assert not identify(NO_ID, [cpu_line(build=None), *frames(5)]).certain
    assert not identify(NO_ID, frames(5)).certain
    assert not identify(NO_ID, [cpu_line()]).certain
    assert identify(NO_ID, frames(5)).match is Match.MATCHES


def test_a_release_alone_tells_no_builds_apart() -> None:
    assert identify(NO_ID, [cpu_line(build=None)]).match is Match.UNKNOWN


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (cpu_line("6.1.9-dist"), "version 6.1.7-dist in the file, 6.1.9-dist in the log"),
        (cpu_line(build="#9"), "build #4 of 6.1.7-dist in the file, build #9 in the log"),
        (boot_line(build="#4 SMP Dist 6.1.7-1"), "build `#4 SMP Dist 6.1.7-2 (2024-01-02)` in the"),
        (boot_line(compiler="clang version 16.0.1, LLD 16.0.1"), "compiler `gcc-12 (Dist"),
    ],
)
def test_another_version(version: KernelVersion, words: str) -> None:
    identity = identify(NO_ID, [version, *frames(5)])
    assert identity.match is Match.MISMATCH
    assert disagreeing(identity)[0].startswith(words)


def test_debian_prints_its_package_on_the_cpu_line() -> None:
    image = listed_image(banner="Linux version 6.1.0-3-x (a@b) (gcc) #1 SMP Debian 6.1.8-1 (2023)")
    assert identify(image, [cpu_line("6.1.0-3-x", "#1  Debian 6.1.8-1")]).match is Match.MATCHES
    other = identify(image, [cpu_line("6.1.0-3-x", "#1  Debian 6.1.7-1")])
    assert disagreeing(other) == ["package Debian 6.1.8-1 in the file, Debian 6.1.7-1 in the log"]


def test_a_release_that_a_mailer_broke_is_no_mismatch() -> None:
    identity = identify(NO_ID, [cpu_line("6.1.7-"), *frames(5)])
    assert (identity.match, identity.certain) == (Match.MATCHES, False)


def test_sizes_are_named_precisely() -> None:
    identity = identify(NO_ID, frames(4, size=0x44))
    assert identity.match is Match.MISMATCH
    assert disagreeing(identity)[0] == "`step_0` is 0x40 bytes in the file, 0x44 in the log"


def test_one_wrong_symbol_among_many_is_said_and_condemns_nothing() -> None:
    identity = identify(NO_ID, [cpu_line(), *frames(30), frame("st3p_1", 8, 0x40)])
    assert (identity.match, identity.certain) == (Match.MATCHES, False)
    assert disagreeing(identity) == ["`st3p_1` is not in the file"]
    assert "30 of 31 printed symbols are in the file with their sizes" in [
        c.text for c in identity.checks
    ]


def test_a_third_of_wrong_symbols_is_another_image() -> None:
    wrong = [frame(f"gone_{i}", 8, 0x40) for i in range(11)]
    assert identify(NO_ID, [*frames(30), *wrong]).match is Match.MISMATCH


def test_modules_and_generated_code_are_not_looked_up_in_the_kernel() -> None:
    others = [
        frame("work", 4, 0x10, module="foo"),
        frame("bpf_prog_12ab34cd56ef7890_f", 4, 0x10, module="bpf"),
        frame("bpf_trampoline_7", 4, 0x10),
    ]
    assert identify(NO_ID, others).match is Match.UNKNOWN


def test_an_offset_behind_the_size_is_damage() -> None:
    identity = identify(NO_ID, [*frames(9), frame("step_20", 0x80, 0x40)])
    assert disagreeing(identity) == ["`step_20` is printed with offset 0x80 behind its size 0x40"]


def test_other_words() -> None:
    other = compared(*[WordState.NEITHER] * 4, WordState.BUILT)
    assert identify(NO_ID, [CODE], code=other).match is Match.MISMATCH
    damaged = identify(NO_ID, [cpu_line(), *frames(9), CODE], code=other)
    assert (damaged.match, damaged.certain) == (Match.MATCHES, False)


def test_a_flipped_bit_is_damage_where_the_build_id_agrees() -> None:
    flipped = compared(*[WordState.BUILT] * 4, WordState.BIT_FLIP)
    by_id = identify(IMAGE, [BuildId(hex=ID, source=SOURCE), CODE], code=flipped)
    assert by_id.certain
    assert by_id.checks[-1].text.endswith(
        "4 of 5 words of the `Code:` line are those of the file, 1 differs in one bit"
    )
    assert not identify(NO_ID, [cpu_line(), *frames(9), CODE], code=flipped).certain


def module_image(build_id: str | None) -> KernelImage:
    info = b"license=GPL\0vermagic=6.1.7-dist SMP mod_unload aarch64\0"
    sections = (
        Section(".text", BASE, 0x100, True, False),
        Section(".modinfo", BASE + 0x1000, len(info), False, False),
    )
    return KernelImage(
        name="foo.ko",
        kind=ImageKind.MODULE,
        symbols=symbol_table([function("work", 0), function("stop", 0x40)]),
        sections=sections,
        extents=(Extent(BASE + 0x1000, memoryview(info)),),
        build_id=build_id,
        module="foo",
    )


def test_a_module() -> None:
    ours = frame("work", 4, 0x40, module="foo", build_id=ID)
    kernel = BuildId(hex=OTHER_ID, source=SOURCE)
    assert identify(module_image(ID), [ours, kernel]).certain
    assert identify(module_image(OTHER_ID), [ours, kernel]).match is Match.MISMATCH
    plain = frame("work", 4, 0x40, module="foo")
    loaded = identify(module_image(None), [plain, cpu_line()])
    assert (loaded.match, loaded.certain) == (Match.MATCHES, False)
    wrong = identify(module_image(None), [plain, cpu_line("6.1.8-dist")])
    assert disagreeing(wrong) == ["made for version 6.1.7-dist, 6.1.8-dist in the log"]


def test_registers_name_symbols_too() -> None:
    ref = SymbolRef(symbol="step_3", offset=4, size=0x44)
    assert identify(NO_ID, [register("pc", None, ref)]).match is Match.MISMATCH


def test_compiler_and_linker() -> None:
    identity = identify(NO_ID, [])
    assert identity.compiler == "gcc-12 (Dist 12.2.0-3) 12.2.0"
    assert identity.linker == "GNU ld (Dist) 2.40"


@pytest.mark.parametrize("text", [None, "", "Linux", "Linux version", "Linux version 5.4"])
def test_a_banner_that_is_none_or_short(text: str | None) -> None:
    banner = read_banner(text)
    assert banner is None or banner.build is None
