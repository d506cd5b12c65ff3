"""What the rest of a log gives to each of its reports."""

from whypanic.app.analysis import explain_text
from whypanic.app.surroundings import MAX_OF_TYPE, MAX_ROWS, NEAR_LINES, Surroundings
from whypanic.crashlog.read import read_log
from whypanic.model.code import Listing
from whypanic.model.context import Compiler, KernelVersion
from whypanic.model.provenance import Fact, Span
from whypanic.model.registers import Register
from whypanic.model.report import LogText
from whypanic.model.sections import SectionBytes, SectionRelocation
from whypanic.model.trace import Frame

OOPS = """\
[    5.100000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
[    5.100100] Internal error: Oops: 0000000096000006 [#1] SMP
[    5.100200] CPU: 1 PID: 77 Comm: probe Not tainted {release} #1
[    5.100300] pc : {symbol}+0x24/0x80
"""
BANNER = "[    0.000000] Linux version {} (u@h) (gcc version 12.2.0) #1 SMP\n"
STRAY = "[    4.000000] x2 : 0000000000000000 x1 : ffff800008a00000 x0 : 0000000000000007\n"
QUIET = "[    4.500000] eth0: link is up\n"


def oops(symbol: str = "widget", release: str = "6.1.9") -> str:
    return OOPS.format(symbol=symbol, release=release)


def around(text: str, report: int = 0) -> tuple[Fact, ...]:
    log: LogText = read_log(text.encode())
    return Surroundings(log).context_of(log.reports[report])


def releases(facts: tuple[Fact, ...]) -> list[str]:
    return [f.release for f in facts if isinstance(f, KernelVersion)]


def listing(symbol: str) -> str:
    lines = "".join(f"{0x1000 + 4 * i:16x}:\td503201f \tnop\n" for i in range(3))
    return f"\n0000000000001000 <{symbol}>:\n{lines}\n"


def test_the_boot_of_each_report() -> None:
    text = BANNER.format("5.4.1") + QUIET * 5 + oops(release="5.4.1")
    text += BANNER.format("6.1.9") + QUIET * 5 + oops("gadget")
    assert releases(around(text, 0)) == ["5.4.1"]
    assert releases(around(text, 1)) == ["6.1.9"]


def test_what_an_earlier_kernel_printed_is_not_of_a_later_report() -> None:
    text = BANNER.format("5.4.1") + QUIET * 5 + oops(release="5.4.1") + QUIET * 3
    assert releases(around(text + oops("gadget", "6.1.9"), 1)) == []
    assert releases(around(text + oops("gadget", "5.4.1"), 1)) == ["5.4.1"]
    three = text + oops("gadget", "6.1.9") + QUIET * 3 + oops("third", "5.4.1")
    assert releases(around(three, 2)) == []


def test_a_piece_of_a_dump_counts_near_its_report_only() -> None:
    near = around(STRAY + QUIET * 3 + oops())
    assert any(isinstance(f, Register) for f in near)
    far = around(STRAY + QUIET * (NEAR_LINES + 1) + oops())
    assert not any(isinstance(f, Register) for f in far)


def test_the_listing_of_a_function_that_the_report_names_is_found_among_many() -> None:
    many = "".join(listing(f"other_{n}") for n in range(MAX_OF_TYPE + 5))
    found = [f for f in around(oops() + many + listing("widget")) if isinstance(f, Listing)]
    assert len(found) == MAX_OF_TYPE + 1
    assert found[-1].function == "widget"


def test_facts_come_by_line() -> None:
    facts = around(BANNER.format("6.1.9") + oops() + listing("widget") + BANNER.format("6.1.9"))
    lines = [f.source.line or 0 for f in facts]
    assert lines == sorted(lines)
    assert not any(isinstance(f, Compiler) for f in around(oops()))


def test_branches_are_found_once() -> None:
    text = oops() + listing("widget").replace("d503201f \tnop", "d61f0100 \tbr\tx8")
    log = read_log(text.encode())
    here = Surroundings(log)
    (known,) = [f for f in here.context_of(log.reports[0]) if isinstance(f, Listing)]
    assert len(here.branches_of(known)) == 3
    assert here.branches_of(known) is here.branches_of(known)


def test_damage_of_the_lines_of_a_report() -> None:
    text = "a\x07b\n" + oops().replace("Oops:", "Oops:\x07") + "c\x07d\n"
    log, (explained,) = explain_text(text.encode())
    assert [d.span.first_line for d in explained.damage] == [3]
    inside = Surroundings(log).damage_within(Span(input=0, first_line=1, last_line=9))
    assert [d.span.first_line for d in inside] == [1, 3, 6]


def test_stray_frames_do_not_join_a_report_that_has_a_trace() -> None:
    stray = "[    5.000000]  other_function+0x10/0x20\n"
    trace = "[    5.200000] Call trace:\n[    5.200001]  widget+0x24/0x80\n"
    assert any(isinstance(f, Frame) for f in around(stray + oops()))
    assert not any(isinstance(f, Frame) for f in around(stray + oops() + trace))


def test_dumps_and_relocations_count_wherever_they_stand() -> None:
    dump = "Contents of section .rodata:\n 0000 00112233 44556677 8899aabb ccddeeff  ................\n"
    rows = "".join(
        f"{8 * n:016x} R_AARCH64_ABS64   .text+0x{n:016x}\n" for n in range(MAX_ROWS + 9)
    )
    found = around(oops() + listing("widget") + dump + "RELOCATION RECORDS FOR [.rodata]:\n" + rows)
    assert sum(isinstance(f, SectionBytes) for f in found) == 1
    assert sum(isinstance(f, SectionRelocation) for f in found) == MAX_ROWS
