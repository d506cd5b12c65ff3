"""Decoded values in words."""

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.report.document import DocReport
from whypanic.report.value_words import lock_words, pstate_words, stall_words, syndrome_words

FAULT = """\
Unable to handle kernel write to read-only memory at virtual address ffff000012345678
Mem abort info:
  ESR = 0x000000009600004f
Internal error: Oops: 000000009600004f [#1] SMP
CPU: 1 PID: 77 Comm: probe Not tainted 6.1.9 #1
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : widget_probe+0x24/0x80
"""
STUCK = """\
watchdog: BUG: soft lockup - CPU#2 stuck for 23s! [worker:91]
CPU: 2 PID: 91 Comm: worker Not tainted 6.1.9 #1
pc : spin_here+0x24/0x80
"""
HELD = """\
BUG: sleeping function called from invalid context at mm/page_alloc.c:4500
in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 91, name: worker
1 lock held by worker/91:
 #0: ffff000012345678 (&widget->lock){....}-{2:2}, at: widget_take+0x20/0x40
"""


def report(text: str) -> DocReport:
    (found,) = build_document([explain_input(RawInput("log", text.encode()))]).reports
    return found


def test_syndrome_and_pstate() -> None:
    fault = report(FAULT)
    words = syndrome_words(fault)
    assert "EC 0x25" in words
    assert "level 3 permission fault" in words
    assert "WnR 0x1" in words
    assert pstate_words(fault).startswith("nZCv, daif, EL1h")


def test_stall() -> None:
    stall = report(STUCK).stall
    assert stall is not None
    assert "23" in stall_words(stall)


def test_lock() -> None:
    (lock,) = report(HELD).locks
    assert "&widget->lock" in lock_words(lock)
    assert "widget_take" in lock_words(lock)
