"""Lines about CPUs and tasks that make no progress."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.fault import Detail, Headline
from whypanic.model.progress import (
    BusyInterrupt,
    CpuDump,
    CpuLoad,
    InterruptTime,
    StalledCpu,
    StalledTasks,
    StallLength,
    StarvedKthread,
    TaskState,
    WorkerPool,
)


@pytest.mark.parametrize(
    ("text", "ticks", "behind", "fqs"),
    [
        ("rcu: \t7-...!: (5250 ticks this GP) idle=9f1/1/0x4000000000000002 softirq=116/117 fqs=3 ", 5250, None, 3),
        ("\t7-....: (12 GPs behind) idle=b10c/1/0x4000000000000000 softirq=116/117 fqs=9 (false positive?)", None, 12, 9),
        ("7-..!: (1 ticks this GP) idle=c2f/140000000000001/0 softirq=116/117 last_accelerate: 1/2 fqs=8", 1, None, 8),
    ],
)  # fmt: skip
def test_stalled_cpu(text: str, ticks: int | None, behind: int | None, fqs: int) -> None:
    cpu = fact(text, StalledCpu)
    assert (cpu.cpu, cpu.ticks, cpu.behind, cpu.fqs) == (7, ticks, behind, fqs)
    assert cpu.softirq == (116, 117)


def test_idle_is_kept_as_printed() -> None:
    text = "3-...0: (0 ticks this GP) idle=05a/1/0x4000000000000000 softirq=7/7 fqs=204"
    assert fact(text, StalledCpu).idle == "05a/1/0x4000000000000000"


def test_cpus_of_an_expedited_stall() -> None:
    text = "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 2-...D 11-.... } 5309 jiffies s: 77 root: 0x4/."
    assert [cpu.cpu for cpu in facts(text, StalledCpu)] == [2, 11]


def test_cpus_of_an_old_stall() -> None:
    text = "INFO: rcu_sched detected stalls on CPUs/tasks: { 1 3} (detected by 0, t=2102 jiffies, g=5, c=4, q=9)"
    assert [cpu.cpu for cpu in facts(text, StalledCpu)] == [1, 3]


@pytest.mark.parametrize(
    ("text", "jiffies", "by"),
    [
        ("rcu: \t(t=21003 jiffies g=33 q=1 ncpus=8)", 21003, None),
        ("\t(detected by 28, t=15005 jiffies, g=449, q=174 ncpus=32)", 15005, 28),
        (" (t=2100 jiffies g=5 c=4 q=3)", 2100, None),
    ],
)
def test_length(text: str, jiffies: int, by: int | None) -> None:
    length = fact(text, StallLength)
    assert (length.jiffies, length.detected_by) == (jiffies, by)


def test_preempted_readers() -> None:
    text = "rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-7): P611 P70/1:b..l"
    assert fact(text, StalledTasks).pids == (611, 70)


def test_starved_kthread() -> None:
    text = "rcu: rcu_preempt kthread starved for 5254 jiffies! g77 f0x2 RCU_GP_WAIT_FQS(5) ->state=0x402 ->cpu=3"
    kthread = fact(text, StarvedKthread)
    assert (kthread.name, kthread.jiffies, kthread.state) == (
        "rcu_preempt",
        5254,
        "RCU_GP_WAIT_FQS",
    )
    assert (kthread.cpu, kthread.timer) == (3, False)


def test_timer_that_did_not_fire() -> None:
    text = "rcu: rcu_sched kthread timer wakeup didn't happen for 900 jiffies! g77 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402"
    assert fact(text, StarvedKthread).timer


def test_load_of_a_soft_lockup() -> None:
    load = fact("\t#3:  10% system,\t  5% softirq,\t 85% hardirq,\t  0% idle", CpuLoad)
    assert (load.unit, load.system, load.softirq, load.hardirq, load.idle) == (
        "percent",
        10,
        5,
        85,
        0,
    )


def test_load_of_a_stall() -> None:
    number = fact("rcu: \t number:     1040         12          310", CpuLoad)
    assert (number.unit, number.hardirq, number.softirq, number.system) == ("number", 1040, 12, 310)
    time = fact("rcu: \tcputime:       37        101         9988   ==> 10500(ms)", CpuLoad)
    assert (time.unit, time.hardirq, time.softirq, time.total) == ("ms", 37, 101, 10500)


def test_busy_interrupts() -> None:
    time = fact("CPU#9 Detect HardIRQ Time exceeds 50%. Most frequent HardIRQs:", InterruptTime)
    assert (time.cpu, time.percent) == (9, 50)
    busy = fact("\t#1: 330945    \tirq#37", BusyInterrupt)
    assert (busy.irq, busy.count) == (37, 330945)


def test_dump_of_a_cpu_is_the_title_of_a_stack() -> None:
    for text in ("Task dump for CPU 3:", "NMI backtrace for cpu 3"):
        assert fact(text, CpuDump).cpu == 3
        assert fact(text, Detail).name == "other-stack"


@pytest.mark.parametrize(
    ("text", "comm", "state", "pid"),
    [
        ("task:gadget flush    state:D stack:0     pid:512   ppid:1      flags:0x00000208", "gadget flush", "D", 512),
        ("task:kworker/u8:3    state:R  running task     stack:    0 pid:   34 ppid:     2 flags:0x0000000a", "kworker/u8:3", "R", 34),
        ("gadgetd         D    0   512      1 0x00000208", "gadgetd", "D", 512),
        ("reader          R  running task        0 1236  1235 0x00000202", "reader", "R", 1236),
    ],
)  # fmt: skip
def test_task_state(text: str, comm: str, state: str, pid: int) -> None:
    task = fact(text, TaskState)
    assert (task.comm, task.state, task.pid) == (comm, state, pid)


def test_worker_pools() -> None:
    running = fact(
        "    in-flight: 812:gadget_scan_work BAR(77), 34(RESCUER):other_work", WorkerPool
    )
    assert running.running == ("gadget_scan_work", "other_work")
    assert fact("    pending: a_work, 2*b_work", WorkerPool).pending == ("a_work", "b_work")
    pool = fact("pool 6: cpus=1 node=0 flags=0x0 nice=0 hung=43s workers=3 idle: 19 21", WorkerPool)
    assert pool.hung == 43


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [spinner:77]", 23),
        ("INFO: task gadgetd:512 blocked for more than 122 seconds.", 122),
        ("BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 43s!", 43),
    ],
)
def test_seconds_of_a_headline(text: str, seconds: int) -> None:
    assert fact(text, Headline).seconds == seconds


def test_prose_is_nothing() -> None:
    for text in ("we see a stall of 30 jiffies here", "the task state is bad", "number: 3"):
        assert recognised(text).part is Part.NONE
