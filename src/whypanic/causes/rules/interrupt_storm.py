"""A CPU had no time for anything but interrupts or softirqs.

Supported by: the kernel's count of interrupt time or of interrupts of the stuck CPU.
Consistent with: a CPU caught in a softirq, or in the thread of an interrupt.
Refuted by: a count that shows the time went elsewhere.
Sources: Linux 6.12.117 kernel/watchdog.c (print_cpustat(), print_irq_counts()), kernel/rcu/tree_stall.h
(print_cpu_stat_info()).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.progress import Load, interrupt_load, interrupts_per_ms
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.context import Task
from whypanic.model.kinds import Kind
from whypanic.model.progress import BusyInterrupt, InterruptTime
from whypanic.model.trace import Frame
from whypanic.symbolize.blame import strip_suffixes

_MOST, _HARDLY = 50, 10
"""Percent of the time."""
_STORM_PER_MS = 20
"""A CPU that does other work takes a few interrupts a millisecond at most."""
_SOFTIRQ = frozenset({"__do_softirq", "handle_softirqs", "_stext", "____do_softirq"})
_LOCKUPS = frozenset({Kind.SOFT_LOCKUP, Kind.HARD_LOCKUP})


@cause(
    id="interrupt-storm",
    title="a CPU was kept busy by interrupts or softirqs",
    kinds=_LOCKUPS | {Kind.RCU_STALL},
    specificity=6,
)
def interrupt_storm(case: CaseView) -> Statements:
    """Yield counts of interrupts, and whether the CPU was caught serving one."""
    load, rate = interrupt_load(case), interrupts_per_ms(case)
    yield from _counted(case, load)
    if rate is not None and rate[0] >= _STORM_PER_MS:
        yield supports(f"{rate[0]} interrupts and softirqs a millisecond", *rate[1])
    if case.kind in _LOCKUPS:
        yield from _caught(case)


def _counted(case: CaseView, load: Load | None) -> Statements:
    time = case.get(InterruptTime)
    if time is not None:
        busiest = max(case.all(BusyInterrupt), key=lambda i: i.count, default=None)
        facts = (time, busiest) if busiest is not None else (time,)
        which = "" if busiest is None else f", interrupt {busiest.irq} {busiest.count} times"
        yield supports(f"interrupts took more than {time.percent} % of the time{which}", *facts)
    if load is None:
        return
    if load.percent >= _MOST:
        yield supports(f"interrupts and softirqs took {load.percent} % of the time", *load.facts)
        yield NextStep(text="read /proc/interrupts and /proc/softirqs twice: which count runs away")
    elif load.percent <= _HARDLY and time is None:
        yield refutes(
            f"interrupts and softirqs took only {load.percent} % of the time", *load.facts
        )


def _caught(case: CaseView) -> Statements:
    softirq = next((f for f in case.frames if _name(f) in _SOFTIRQ), None)
    if softirq is not None:
        place = "the loop over softirqs" if softirq is case.frames[0] else "a softirq"
        yield consistent(f"the CPU was caught in {place}", softirq)
    task = case.get(Task)
    comm = case.headline.comm if case.headline is not None and case.headline.comm else None
    comm = comm or (task.comm if task is not None else None)
    source = case.headline if case.headline is not None and case.headline.comm else task
    if comm is not None and comm.startswith("irq/") and source is not None:
        yield consistent(f"the task is the thread of interrupt {comm[4:].split('-')[0]}", source)


def _name(frame: Frame) -> str:
    return strip_suffixes(frame.ref.symbol) if frame.ref is not None else ""
