"""Where reports begin, what belongs to them, which follows which."""

from builders.log_lines import of, report, reports
from whypanic.crashlog.blocks import MAX_REPORTS, split_blocks
from whypanic.crashlog.lines import read_lines
from whypanic.model.fault import Detail, Headline, InternalError
from whypanic.model.kinds import Kind

OOPS = """\
Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
Mem abort info:
  ESR = 0x0000000096000006
  EC = 0x25: DABT (current EL), IL = 32 bits
Data abort info:
  ISV = 0, ISS = 0x00000006
  CM = 0, WnR = 0
Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP
Modules linked in: quux
CPU: 2 PID: 71 Comm: quux-worker Not tainted 6.1.0-test #4
Hardware name: Test Board (DT)
pc : quux_read+0x18/0x40 [quux]
lr : quux_poll+0x64/0x90 [quux]
sp : ffff80000b2b3cf0
x29: ffff80000b2b3cf0 x28: 0000000000000000 x27: 0000000000000000
x2 : 0000000000000000 x1 : 0000000000000000 x0 : 0000000000000000
Call trace:
 quux_read+0x18/0x40 [quux]
 quux_poll+0x64/0x90 [quux]
 kthread+0x110/0x120
 ret_from_fork+0x10/0x20
Code: aa0003f3 910003fd a90153f3 f9400401 (f9400c22)
---[ end trace 0000000000000000 ]---
"""
WARN = """\
------------[ cut here ]------------
quux: 3 widgets left
WARNING: CPU: 1 PID: 9 at drivers/quux/quux.c:77 quux_exit+0x20/0x30
Modules linked in: quux
CPU: 1 PID: 9 Comm: rmmod Not tainted 6.1.0-test #4
pc : quux_exit+0x20/0x30
Call trace:
 quux_exit+0x20/0x30
---[ end trace 0000000000000000 ]---
"""


def test_an_oops_is_one_report() -> None:
    found = report(OOPS)
    assert found.kind is Kind.NULL_DEREFERENCE
    assert (found.span.first_line, found.span.last_line) == (1, 23)
    assert found.unparsed == ()


def test_panic_behind_an_oops_belongs_to_it() -> None:
    tail = "Kernel panic - not syncing: Oops: Fatal exception\nSMP: stopping secondary CPUs\n"
    tail += (
        "Kernel Offset: disabled\n---[ end Kernel panic - not syncing: Oops: Fatal exception ]---\n"
    )
    found = report(OOPS + tail)
    assert found.kind is Kind.NULL_DEREFERENCE
    assert found.span.last_line == 27


def test_warning_then_oops_are_two() -> None:
    first, second = reports(WARN + OOPS)
    assert (first.kind, second.kind) == (Kind.WARNING, Kind.NULL_DEREFERENCE)
    assert second.follows is None


def test_words_of_a_warning_are_kept() -> None:
    details = of(report(WARN), Detail)
    assert [d.value for d in details if d.name == "message"] == ["quux: 3 widgets left"]


def test_unrelated_panic_behind_a_warning_is_its_own() -> None:
    log = WARN + "Kernel panic - not syncing: VFS: Unable to mount root fs\n"
    assert [r.kind for r in reports(log)] == [Kind.WARNING, Kind.PANIC]


def test_panic_on_warn_is_the_warning() -> None:
    log = WARN + "Kernel panic - not syncing: kernel: panic_on_warn set ...\n"
    assert [r.kind for r in reports(log)] == [Kind.WARNING]


def test_fault_while_printing_another() -> None:
    cut = OOPS[: OOPS.index("Code:")]
    overflow = (
        "Insufficient stack space to handle exception!\n"
        "ESR: 0x0000000096000047 -- DABT (current EL)\n"
        "FAR: 0xffff80000a047ff0\n"
        "Task stack:     [0xffff80000a048000..0xffff80000a04c000]\n"
        "Kernel panic - not syncing: kernel stack overflow\n"
    )
    first, second = reports(cut + overflow)
    assert (first.kind, second.kind) == (Kind.NULL_DEREFERENCE, Kind.STACK_OVERFLOW)
    assert second.follows == 0


def test_second_oops_is_another_report() -> None:
    second = OOPS.replace("[#1]", "[#2]").replace("0000000000000018", "0000000000000048")
    first, later = reports(OOPS + second)
    assert [e.count for r in (first, later) for e in of(r, InternalError)] == [1, 2]


def test_message_and_bug_are_one() -> None:
    log = (
        "list_del corruption. prev->next should be ffff000012345678, but was 0\n"
        "------------[ cut here ]------------\n"
        "kernel BUG at lib/list_debug.c:51!\n"
        "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP\n"
    )
    assert report(log).kind is Kind.LIST_CORRUPTION


def test_fragments() -> None:
    body = OOPS[OOPS.index("Mem abort") :]
    assert report(body).kind is Kind.PAGING_REQUEST
    assert report(OOPS[OOPS.index("Internal") :]).kind is Kind.PAGING_REQUEST
    registers = report(OOPS[OOPS.index("CPU: 2") :])
    assert len(of(registers, Headline)) == 1
    assert registers.span.first_line == 1
    assert report("PS:800003c9 PC:0000aa0081203abc ESR:86000006\n").kind is Kind.HYP_PANIC


def test_two_stray_register_lines_are_no_report() -> None:
    assert reports("pc : quux_read+0x18/0x40\n") == ()


def test_call_trace_alone_counts_only_where_nothing_else_is() -> None:
    trace = "Call trace:\n do_serror+0x10/0x20\n quux_read+0x18/0x40\n"
    assert report(trace).kind is Kind.SERROR
    text = trace + "\n" * 3 + OOPS
    assert [r.kind for r in reports(text)] == [Kind.NULL_DEREFERENCE]


def test_serror_and_its_panic_are_one() -> None:
    log = (
        "SError Interrupt on CPU1, code 0x00000000be000011 -- SError\n"
        "CPU: 1 PID: 1 Comm: a Not tainted 6.1.0 #1\n"
        "pc : quux_read+0x18/0x40\n"
        "Kernel panic - not syncing: Asynchronous SError Interrupt\n"
        "Call trace:\n arm64_serror_panic+0x70/0x80\n do_serror+0x28/0x68\n"
    )
    assert report(log).kind is Kind.SERROR


def test_hyp_lines_and_the_repeated_end_are_one() -> None:
    values = (
        "PS:600003c9 PC:0000aa0081203abc ESR:00000000f2000800\n"
        "FAR:0000000000001000 HPFAR:0000000000000010 PAR:0000000000000000\n"
        "VCPU:0000aa0090000000\n"
    )
    log = (
        "kvm [12]: nVHE hyp BUG at: arch/arm64/kvm/hyp/nvhe/quux.c:99!\n"
        "kvm [12]: Hyp Offset: 0xfffea6c58e1e0000\n"
        "Kernel panic - not syncing: HYP panic:\n"
        + values
        + "CPU: 3 PID: 12 Comm: a Not tainted 6.1.0 #1\n"
        "Call trace:\n dump_backtrace+0x0/0x10\n panic+0x10/0x20\n"
        "---[ end Kernel panic - not syncing: HYP panic:\n" + values.rstrip() + " ]---\n"
    )
    found = report(log)
    assert found.kind is Kind.HYP_PANIC
    assert found.span.last_line == len(log.splitlines())


def test_prose_behind_a_report_is_not_swallowed() -> None:
    prose = "\nSo I had a look at this, and it seems to me that the lock is gone.\n" * 3
    assert report(OOPS + prose).span.last_line == 23


def test_mail_prose_inside_a_report() -> None:
    first, second = OOPS.split("Call trace:")
    prose = "\nwhich means that the pointer is not there any more.\n\n"
    found = report(first + prose + "Call trace:" + second)
    assert found.unparsed == ()
    assert found.span.last_line == 26


def test_writers_are_kept_apart() -> None:
    first = [f"[    1.000000][   T71] {line}" for line in OOPS.splitlines()]
    other = [f"[    1.000000][    C3] {line}" for line in WARN.splitlines()]
    mixed: list[str] = []
    for index, line in enumerate(first):
        mixed.append(line)
        if index < len(other):
            mixed.append(other[index])
    found = reports("\n".join(mixed))
    assert sorted(r.kind for r in found) == [Kind.NULL_DEREFERENCE, Kind.WARNING]


def test_other_architectures_are_left_out() -> None:
    log = (
        "Unable to handle kernel NULL pointer dereference at virtual address 00000018\n"
        "pgd = c0004000\n"
        "Internal error: Oops: 17 [#1] SMP ARM\n"
        "pc : [<c01f3218>]    lr : [<c01f3200>]    psr: 60000013\n"
    )
    assert reports(log) == ()


def test_reports_are_bounded() -> None:
    lines = read_lines(b"kernel BUG at a/b.c:1!\n" * (MAX_REPORTS + 5)).lines
    split = split_blocks(lines, set())
    assert len(split.blocks) == MAX_REPORTS
    assert len(split.damage) == 1


def test_bug_line_that_die_prints_of_any_pc_belongs_to_the_fault() -> None:
    unlisted = "Kernel BUG at quux_read+0x18/0x40 [verbose debug info unavailable]\n"
    head, _, rest = OOPS.partition("Internal error")
    only = report(head + unlisted + "Internal error" + rest)
    assert only.kind is Kind.NULL_DEREFERENCE
    after = reports(OOPS + unlisted)
    assert [item.kind for item in after] == [Kind.NULL_DEREFERENCE, Kind.KERNEL_BUG]


def test_line_of_the_hyp_handler_behind_a_hyp_panic_begins_another() -> None:
    one = (
        "kvm [61]: Hyp Offset: 0xfff1305c3fe00000\n"
        "Kernel panic - not syncing: HYP panic:\n"
        "PS:204023c9 PC:000e4fa4413e39bc ESR:00000000f2000800\n"
        "FAR:ffff800083733d3c HPFAR:0000000000500000 PAR:0000000000000000\n"
        "VCPU:0000000000000000\n"
    )
    quoted = "".join(f"> {line}\n" for line in one.splitlines())
    assert report(one + quoted).span.last_line == 5
    assert len(reports(one + one.replace("fff1305c", "fff2305c").replace("4413e", "5513e"))) == 2


def test_only_the_end_marker_of_a_panic_is_left() -> None:
    found = report(
        "[ 1.5]  widget_probe+0x10/0x20\n"
        "[ 1.5] SMP: stopping secondary CPUs\n"
        "[ 1.5] Kernel Offset: disabled\n"
        "[ 1.8] ---[ end Kernel panic - not syncing: Asynchronous SError Interrupt ]---\n"
    )
    assert found.kind is Kind.SERROR
    assert (found.span.first_line, found.span.last_line) == (2, 4)


def test_an_end_marker_of_a_panic_that_was_reported_is_none() -> None:
    panic = "[ 1.5] Kernel panic - not syncing: Widget gone\n[ 1.5] Call trace:\n"
    gap = "[ 1.6] other: words\n" * 130
    text = f"{panic}{gap}[ 9.9] ---[ end Kernel panic - not syncing: Widget gone ]---\n"
    assert len(reports(text)) == 1
