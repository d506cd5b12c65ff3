"""Roles of frames."""

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput

HEAD = """\
[ 5.1] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
[ 5.2] Internal error: Oops: 0000000096000006 [#1] SMP
[ 5.2] CPU: 1 PID: 77 Comm: probe Not tainted 6.1.9 #1
"""


def roles(text: str) -> list[tuple[str | None, str]]:
    found = build_document([explain_input(RawInput("log", text.encode()))]).reports[0]
    return [(f.symbol, f.role) for f in found.frames]


def test_the_frame_at_pc_faulted() -> None:
    text = (
        HEAD
        + """\
[ 5.2] pc : widget+0x24/0x80
[ 5.2] Call trace:
[ 5.2]  widget+0x24/0x80
[ 5.2]  ? stale+0x8/0x10
[ 5.2]  widget+0x44/0x80
[ 5.2]  el1h_64_irq+0x64/0x68
[ 5.2]  waiter+0x4/0x10 (P)
[ 5.2]  panic+0x10/0x20
"""
    )
    assert roles(text) == [
        ("widget", "fault"),
        ("stale", "unreliable"),
        ("widget", "call"),
        ("el1h_64_irq", "exception"),
        ("waiter", "exception"),
        ("panic", "call"),
    ]


def test_a_frame_past_the_trap_in_the_same_function() -> None:
    text = (
        HEAD
        + """\
[ 5.2] pc : widget+0x24/0x80
[ 5.2] Call trace:
[ 5.2]  widget+0x28/0x80
[ 5.2]  caller+0x4/0x10
"""
    )
    assert roles(text) == [("widget", "fault"), ("caller", "call")]


def test_no_frame_faulted_where_pc_is_in_none() -> None:
    text = HEAD + "[ 5.2] pc : leaf+0x24/0x80\n[ 5.2] Call trace:\n[ 5.2]  caller+0x4/0x10\n"
    assert roles(text) == [("caller", "call")]


def test_without_pc_the_first_that_does_not_report() -> None:
    trace = """\
[ 5.2] Call trace:
[ 5.2]  dump_backtrace.part.0+0xdc/0xf0
[ 5.2]  show_stack+0x18/0x30
[ 5.2]  el1h_64_sync+0x64/0x68
[ 5.2]  widget+0x24/0x80
"""
    assert roles(HEAD + trace) == [
        ("dump_backtrace.part.0", "reporting"),
        ("show_stack", "reporting"),
        ("el1h_64_sync", "exception"),
        ("widget", "fault"),
    ]


def test_marked_by_the_kernel() -> None:
    trace = "[ 5.2] Call trace:\n[ 5.2]  show_stack+0x18/0x30 (C)\n[ 5.2]  other+0x1/0x8\n[ 5.2]  widget+0x24/0x80 (P)\n"
    assert roles(HEAD + trace)[-1] == ("widget", "fault")


def test_a_stall_has_no_fault() -> None:
    text = """\
[ 9.1] watchdog: BUG: soft lockup - CPU#2 stuck for 22s! [spinner:31]
[ 9.1] CPU: 2 PID: 31 Comm: spinner Not tainted 6.1.9 #1
[ 9.1] pc : spin_here+0x10/0x40
[ 9.1] Call trace:
[ 9.1]  spin_here+0x10/0x40
[ 9.1]  caller+0x4/0x10
"""
    assert roles(text) == [("spin_here", "call"), ("caller", "call")]
