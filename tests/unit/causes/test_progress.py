"""What the text says of CPUs and tasks that make no progress."""

import pytest

from builders.log_lines import facts
from whypanic.causes.case import CaseView
from whypanic.causes.progress import (
    contexts_of,
    holdings,
    interrupt_load,
    interrupts_per_ms,
    is_spinning,
    named_function,
    nesting_of,
    unstopped_cpus,
)
from whypanic.model.kinds import Kind
from whypanic.model.locks import LockStep
from whypanic.model.progress import StalledCpu
from whypanic.model.provenance import Fact, Source
from whypanic.model.registers import SymbolRef


def _case(kind: Kind, *lines: str) -> CaseView:
    return CaseView(kind, [f for line in lines for f in facts(line, Fact)])


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, ""),
        (1, "preemption disabled 1 time"),
        (0x102, "serving a softirq, preemption disabled 2 times"),
        (0x200, "softirqs disabled"),
        (0x10000, "in hardirq context"),
        (0x110000, "in NMI context, in hardirq context"),
    ],
)
def test_contexts(count: int, words: str) -> None:
    assert contexts_of(count) == words


def test_nesting() -> None:
    source = Source(line=1)
    assert nesting_of(StalledCpu(cpu=1, idle="05a/1/0x4000000000000000", source=source)) == 1
    assert nesting_of(StalledCpu(cpu=1, idle="05a/0/0x0", source=source)) == 0
    assert nesting_of(StalledCpu(cpu=1, idle="05a", source=source)) is None


def test_spinning() -> None:
    assert is_spinning(SymbolRef(symbol="native_queued_spin_lock_slowpath.constprop.0"))
    assert not is_spinning(SymbolRef(symbol="gadget_loop"))
    assert not is_spinning(None)


def test_holdings() -> None:
    found = list(
        holdings(
            _case(
                Kind.LOCKDEP,
                "foo/12 is trying to acquire lock:",
                "ffff0000c2bb7080 (a){+.+.}-{3:3}, at: f+0x10/0x20",
                "but task is already holding lock:",
                "ffff0000c2bb7180 (b){+.+.}-{3:3}, at: g+0x10/0x20",
                "1 lock held by bar/13:",
                " #0: ffff0000c2bb7180 (b){+.+.}-{3:3}, at: g+0x10/0x20",
            )
        )
    )
    assert [(h.comm, h.lock.name, h.step) for h in found] == [
        ("foo", "a", LockStep.TAKES),
        ("foo", "b", LockStep.HOLDS),
        ("bar", "b", LockStep.OTHER),
    ]


def test_load() -> None:
    percent = _case(
        Kind.SOFT_LOCKUP,
        "#1:   0% system,\t 10% softirq,\t 80% hardirq,\t  0% idle",
        "#2:   0% system,\t 20% softirq,\t 60% hardirq,\t  0% idle",
    )
    load = interrupt_load(percent)
    assert load is not None
    assert load.percent == 85
    assert interrupt_load(_case(Kind.SOFT_LOCKUP)) is None


def test_load_without_accounting_is_unknown() -> None:
    stall = _case(Kind.RCU_STALL, "rcu: \tcputime:        0          0            0   ==> 5250(ms)")
    assert interrupt_load(stall) is None


def test_rate() -> None:
    stall = _case(
        Kind.RCU_STALL,
        "rcu: \t number:    20000      10000            4",
        "rcu: \tcputime:      100        200          300   ==> 1000(ms)",
    )
    rate = interrupts_per_ms(stall)
    assert rate is not None
    assert rate[0] == 30


def test_named_function() -> None:
    taken = _case(
        Kind.LOCKDEP, "foo/12 takes:", "ffff0000c2bb7080 (a){+.+.}-{3:3}, at: f+0x10/0x20"
    )
    assert named_function(taken) == "f"
    work = _case(Kind.RCU_STALL, "Workqueue: gadget_wq gadget_work_fn")
    assert named_function(work) == "gadget_work_fn"
    assert named_function(_case(Kind.KASAN, "Workqueue: gadget_wq gadget_work_fn")) is None


def test_unstopped() -> None:
    stopped = unstopped_cpus(_case(Kind.PANIC, "SMP: failed to stop secondary CPUs 0-2,5"))
    assert stopped is not None
    assert stopped.value == "failed to stop secondary CPUs 0-2,5"
    assert unstopped_cpus(_case(Kind.PANIC, "SMP: stopping secondary CPUs")) is None
