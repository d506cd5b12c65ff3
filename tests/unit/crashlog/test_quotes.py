"""The same report twice in one text."""

from builders.log_lines import report, reports
from whypanic.crashlog.quotes import fingerprint, is_same_crash

CRASH = """\
Unable to handle kernel paging request at virtual address ffff800012345678
Internal error: Oops: 0000000096000006 [#1] SMP
CPU: 2 PID: 71 Comm: quux-worker Not tainted 6.1.0-test #4
pc : quux_read+0x18/0x40
x2 : 0000000000000000 x1 : 0000000000000000 x0 : ffff800012345670
Call trace:
 quux_read+0x18/0x40
"""


def test_quoted_copy_is_folded() -> None:
    quoted = "".join(f"> {line}\n" for line in CRASH.splitlines())
    found = report(CRASH + "\nHello,\n\n" + quoted)
    assert (found.span.first_line, found.span.last_line) == (1, 7)
    assert [(d.span.first_line, d.span.last_line) for d in found.damage] == [(11, 17)]


def test_the_more_complete_copy_is_kept() -> None:
    short = CRASH[: CRASH.index("Call")]
    quoted = "".join(f"> {line}\n" for line in CRASH.splitlines())
    found = report(short + "\n\n\n" + quoted)
    assert found.span.first_line == 1
    assert len(found.facts) == len(report(CRASH).facts)


def test_another_crash_is_not_folded() -> None:
    other = CRASH.replace("x0 : ffff800012345670", "x0 : ffff800099945670")
    other = other.replace("address ffff800012345678", "address ffff800099945678")
    assert len(reports(CRASH + "\n\n" + other)) == 2


def test_the_same_words_at_another_time_are_another_crash() -> None:
    def stamped(second: int) -> str:
        return "".join(f"[{second:5d}.000000] {line}\n" for line in CRASH.splitlines())

    assert len(reports(stamped(1) + stamped(2))) == 2
    assert len(reports(stamped(1) + stamped(1))) == 1


def test_little_is_never_enough() -> None:
    small = fingerprint(report("kernel BUG at a/b.c:1!\n").facts)
    assert not is_same_crash(small, small)


TRACE = """\
Kernel panic - not syncing: Asynchronous SError Interrupt
CPU: 3 PID: 612 Comm: quux-worker Not tainted 5.19.0-test #9
Call trace:
 panic+0x14c/0x32c
 arm64_serror_panic+0x78/0x84
 el1h_64_error+0x68/0x6c
 quux_stop+0x40/0x88
"""


def test_copy_without_registers_is_folded() -> None:
    quoted = "".join(f"> {line}\n" for line in TRACE.splitlines())
    assert report(TRACE + "\nHello,\n\n" + quoted).span.last_line == 7
    other = quoted.replace("PID: 612", "PID: 613")
    assert len(reports(TRACE + "\nHello,\n\n" + other)) == 2


def test_header_alone_is_folded_only_where_one_is_quoted_deeper() -> None:
    header = "Unable to handle kernel paging request at virtual address dead00000000014f\n"
    assert len(reports(header + "\nAs I wrote:\n\n> " + header)) == 1
    assert len(reports(header + "\nAnd the other board says:\n\n" + header)) == 2
