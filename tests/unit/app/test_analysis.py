"""What belongs to a report, and what follows from its facts."""

from whypanic.app.analysis import derive, explain_text
from whypanic.app.surroundings import Surroundings
from whypanic.code.faulting import EffectiveAddress, FaultingInstruction
from whypanic.code.hyp_idmap import IdmapDistance
from whypanic.code.hyp_mode import HypMode
from whypanic.code.kernel_layout import KernelLayout
from whypanic.model.context import KernelVersion
from whypanic.model.hyp import HypVaRange, VmidBits
from whypanic.model.kinds import Kind
from whypanic.model.report import LogText

OOPS = """\
[    5.100000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
[    5.100010] Mem abort info:
[    5.100020]   ESR = 0x0000000096000006
[    5.100100] Internal error: Oops: 0000000096000006 [#1] SMP
[    5.100200] CPU: 1 PID: 77 Comm: probe Not tainted 6.1.9 #1
[    5.100300] pc : widget_probe+0x24/0x80
[    5.100400] lr : widget_probe+0x18/0x80
[    5.100500] x2 : 0000000000000000 x1 : ffff800008a00000 x0 : 0000000000000000
[    5.100600] Code: a9be7bfd 910003fd f9000bf3 aa0003f3 (f9400c01)
"""
BOOT = """\
[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd034]
[    0.000000] Linux version {release} (u@h) ({compiler}) #1 SMP
[    0.900000] kvm [1]: 8-bit VMID
[    0.900100] kvm [1]: HYP VA range: 800000000000:ffffffffffff
"""


def read(text: str) -> tuple[LogText, int]:
    log, explained = explain_text(text.encode())
    return log, len(explained)


def test_boot_lines_before_the_report_belong_to_it() -> None:
    log, _ = read(BOOT.format(release="6.1.9", compiler="gcc version 12.2.0") + OOPS)
    facts = Surroundings(log).context_of(log.reports[0])
    assert any(isinstance(f, VmidBits) for f in facts)
    (banner,) = [f for f in facts if isinstance(f, KernelVersion)]
    assert banner.compiler is not None
    assert "12.2.0" in banner.compiler


def test_lines_of_an_earlier_boot_do_not() -> None:
    first = BOOT.format(release="5.4.1", compiler="gcc version 9.3.0")
    second = BOOT.format(release="6.1.9", compiler="clang version 15.0.1").splitlines()[:2]
    log, _ = read(first + "\n".join(second) + "\n" + OOPS)
    facts = Surroundings(log).context_of(log.reports[0])
    assert not any(isinstance(f, HypVaRange) for f in facts)
    assert [f.release for f in facts if isinstance(f, KernelVersion)] == ["6.1.9"]


def test_boot_lines_after_the_report_do_not() -> None:
    log, _ = read(OOPS + BOOT.format(release="6.1.9", compiler="gcc version 12.2.0"))
    facts = Surroundings(log).context_of(log.reports[0])
    assert not any(isinstance(f, VmidBits) for f in facts)


def test_the_faulting_word_gives_the_effective_address() -> None:
    _, (explained,) = explain_text(OOPS.encode())
    case = explained.case
    faulting, reached = case.get(FaultingInstruction), case.get(EffectiveAddress)
    assert faulting is not None
    assert faulting.word == 0xF9400C01
    assert reached is not None
    assert (reached.base, reached.base_value, reached.value) == ("x0", 0, 0x18)
    assert explained.assessments[0].id == "null-pointer-dereference"


def test_el2_facts_come_with_a_hyp_panic_only() -> None:
    log, _ = read(BOOT.format(release="6.1.9", compiler="gcc version 12.2.0") + OOPS)
    facts = (*log.reports[0].facts, *log.context)
    derived = derive(Kind.NULL_DEREFERENCE, facts)
    assert any(isinstance(f, HypMode) for f in derived)
    assert not any(isinstance(f, IdmapDistance) for f in derived)


def test_a_layout_is_always_there() -> None:
    assert [type(f) for f in derive(Kind.PANIC, ())] == [KernelLayout]


def test_no_report_no_case() -> None:
    assert explain_text(b"")[1] == ()


MAIL = "From a@b Thu Jan  1 00:00:00 1970\nFrom: a\nMessage-ID: <{}>\nReferences: <{}>\n\n{}\n\n"


def test_a_reply_that_quotes_the_crash_is_no_second_report() -> None:
    quoted = "\n".join(f"> {line}" for line in OOPS.splitlines())
    data = MAIL.format("1", "0", OOPS) + MAIL.format("2", "1", f"As I said:\n{quoted}")
    assert len(explain_text(data.encode())[1]) == 1


def test_threads_of_an_mbox_know_nothing_of_each_other() -> None:
    mails = [MAIL.format(n, n, OOPS) for n in (1, 2)]
    _, explained = explain_text("".join(mails).encode())
    assert [item.report.kind for item in explained] == [explained[0].report.kind] * 2
    spans = [item.places.span(item.report.span) for item in explained if item.places]
    n_lines = mails[0].count("\n")
    assert spans[1].first_line == spans[0].first_line + n_lines


def test_reports_of_threads_come_by_their_place() -> None:
    other = OOPS.replace("gadget", "widget")
    data = (
        MAIL.format("1", "0", "first") + MAIL.format("2", "9", other) + MAIL.format("3", "1", OOPS)
    )
    _, explained = explain_text(data.encode())
    lines = [item.places.span(item.report.span).first_line for item in explained if item.places]
    assert len(lines) == 2
    assert lines == sorted(lines)
