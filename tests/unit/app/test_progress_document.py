"""Locks and stall statistics in the document."""

from whypanic.app.analysis import explain_text
from whypanic.app.progress_document import locks_of, stall_of
from whypanic.causes.case import CaseView

STALL = """[   60.1] rcu: INFO: rcu_preempt self-detected stall on CPU
[   60.1] rcu: \t2-....: (5249 ticks this GP) idle=1c4c/1/0x4000000000000002 softirq=810/812 fqs=2611
[   60.1] rcu: \t         hardirqs   softirqs   csw/system
[   60.1] rcu: \t number:      420        419            0
[   60.1] rcu: \tcputime:      690        330        10020   ==> 10500(ms)
[   60.1] rcu: \t(t=5251 jiffies g=1201 q=33 ncpus=4)
[   60.1] rcu: rcu_preempt kthread starved for 5251 jiffies! g1201 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=2
[   60.2] CPU: 2 PID: 410 Comm: reader Not tainted 6.6.30 #4
[   60.2] pc : gadget_poll+0x18/0x40
"""
BLOCKED = """[  300.1] INFO: task gadgetd:512 blocked for more than 122 seconds.
[  300.1] task:gadgetd         state:D stack:0     pid:512   ppid:1      flags:0x00000208
[  300.1] Call trace:
[  300.1]  __switch_to+0xe0/0x120
[  300.1]  gadget_open+0x30/0x70
[  300.1] 1 lock held by gadgetd/512:
[  300.1]  #0: ffff000081f0c0a8 (&gadget->lock){+.+.}-{3:3}, at: gadget_open.isra.0+0x30/0x70
"""


def _case(text: str) -> CaseView:
    return explain_text(text.encode())[1][0].case


def test_rcu_stall() -> None:
    stall = stall_of(_case(STALL))
    assert stall is not None
    assert (stall.cpus, stall.jiffies, stall.ticks) == ([2], 5251, 5249)
    assert (stall.softirq, stall.fqs, stall.kthread_starved) == ([810, 812], 2611, 5251)
    assert stall.load is not None
    assert (stall.load.unit, stall.load.system, stall.load.percent) == ("ms", 10020, 9)


def test_hung_task() -> None:
    case = _case(BLOCKED)
    stall = stall_of(case)
    assert stall is not None
    assert (stall.task, stall.pid, stall.seconds, stall.cpus) == ("gadgetd", 512, 122, [])
    (lock,) = locks_of(case)
    assert (lock.holder, lock.pid, lock.lock) == ("gadgetd", 512, "&gadget->lock")
    assert (lock.place, lock.state) == ("gadget_open", "listed")


def test_other_reports_have_neither() -> None:
    case = _case("[    1.1] Kernel panic - not syncing: gadget: lost\n")
    assert stall_of(case) is None
    assert locks_of(case) == []
