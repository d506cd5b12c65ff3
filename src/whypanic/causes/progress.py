"""What the text says of a CPU or a task that makes no progress: read by the causes of stalls and by the document.

Sources: Linux kernel/rcu/tree_stall.h (print_cpu_stall_info()), kernel/watchdog.c, include/linux/preempt.h
(6.12.117, read).
"""

from collections.abc import Iterator
from typing import NamedTuple

from whypanic.causes.case import CaseView
from whypanic.model.context import Workqueue
from whypanic.model.fault import Detail
from whypanic.model.kinds import Kind
from whypanic.model.locks import HeldLock, LockHolder, LockStep, LockUse
from whypanic.model.progress import CpuLoad, StalledCpu
from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef
from whypanic.symbolize.blame import strip_suffixes

_OF_A_TASK = frozenset({Kind.SOFT_LOCKUP, Kind.HARD_LOCKUP, Kind.RCU_STALL, Kind.HUNG_TASK})
_FAILED = "failed to stop"
_SPINNING = ("queued_spin_lock_slowpath", "queued_read_lock_slowpath", "queued_write_lock_slowpath", "osq_lock",
             "mcs_spin_lock", "ticket_spin_lock", "do_raw_spin_lock", "smp_cond_load")  # fmt: skip

_FIELDS = (("NMI", 20, 4), ("hardirq", 16, 4), ("softirq", 8, 8), ("preemption disabled", 0, 8))
"""preempt_count since 2.6.30: include/linux/preempt.h; NMI has four bits since 5.8."""


class Holding(NamedTuple):
    """One lock in somebody's hands."""

    comm: str | None
    pid: int | None
    lock: HeldLock
    step: LockStep
    """What the report says of it: the lock taken, one that is held, or one of a task's list."""


def unstopped_cpus(case: CaseView) -> Detail | None:
    """Return the line that says which CPUs did not answer when panic() stopped the others."""
    details = (d for d in case.all(Detail) if d.name == "smp")
    return next((d for d in details if d.value.startswith(_FAILED)), None)


def is_spinning(ref: SymbolRef | None) -> bool:
    """True where the function is the slow path of a lock: its holder is somebody else."""
    return ref is not None and any(name in strip_suffixes(ref.symbol) for name in _SPINNING)


def nesting_of(cpu: StalledCpu) -> int | None:
    """Return RCU's nesting of a CPU, 0 for an idle one or one in user space; None where it is not printed."""
    parts = (cpu.idle or "").split("/")
    if len(parts) < 3 or not parts[1].isdigit():
        return None
    return int(parts[1])


def holdings(case: CaseView) -> Iterator[Holding]:
    """Yield every lock of the report with its holder, in order of appearance."""
    owner: tuple[str | None, int | None] = (None, None)
    taker: tuple[str | None, int | None] = (None, None)
    step = LockStep.OTHER
    for fact in case.facts:
        if isinstance(fact, LockHolder):
            owner, step = (fact.comm, fact.pid), LockStep.OTHER
        elif isinstance(fact, LockUse):
            step = fact.step
            taker = (fact.comm, fact.pid) if fact.comm else taker
            owner = taker
        elif isinstance(fact, HeldLock):
            yield Holding(*owner, fact, step)
            step = LockStep.OTHER


def contexts_of(count: int) -> str:
    """Return a preempt_count in words, e.g. `softirq 1, preemption disabled 1`; empty for 0."""
    parts = []
    for name, low, width in _FIELDS:
        value = count >> low & (1 << width) - 1
        if not value:
            continue
        if name == "softirq":
            parts.append("serving a softirq" if value & 1 else "softirqs disabled")
        elif name == "preemption disabled":
            parts.append(f"preemption disabled {value} time{'s' if value > 1 else ''}")
        else:
            parts.append(f"in {name} context")
    return ", ".join(parts)


def named_function(case: CaseView) -> str | None:
    """Return the function that the words of a report name beside its traces.

    Lockdep says where the lock was taken that it reports on; the work item says what a worker does.
    """
    if case.kind is Kind.LOCKDEP:
        taken = next((h for h in holdings(case) if h.step is LockStep.TAKES), None)
        return taken.lock.ref.symbol if taken is not None and taken.lock.ref else None
    if case.kind in _OF_A_TASK:
        work = case.get(Workqueue)
        return work.function if work is not None else None
    return None


class Load(NamedTuple):
    """The share of a stuck CPU's time that interrupts took."""

    percent: int
    facts: tuple[Fact, ...]


def interrupt_load(case: CaseView) -> Load | None:
    """Return the percentage of time in hard and soft interrupts, where the text counts it."""
    rows = [row for row in case.all(CpuLoad) if row.unit == "percent"]
    if rows:
        share = sum(row.hardirq + row.softirq for row in rows) // len(rows)
        return Load(min(share, 100), tuple(rows))
    for row in case.all(CpuLoad):
        if row.unit == "ms" and row.total and row.hardirq + row.softirq + row.system:
            return Load(min(100 * (row.hardirq + row.softirq) // row.total, 100), (row,))
    return None


def interrupts_per_ms(case: CaseView) -> tuple[int, tuple[Fact, ...]] | None:
    """Return hard and soft interrupts a millisecond during an RCU stall, where the text counts both."""
    rows = case.all(CpuLoad)
    number = next((r for r in rows if r.unit == "number"), None)
    time = next((r for r in rows if r.unit == "ms" and r.total), None)
    if number is None or time is None or not time.total:
        return None
    return (number.hardirq + number.softirq) // time.total, (number, time)
