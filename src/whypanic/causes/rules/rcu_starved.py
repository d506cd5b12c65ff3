"""A grace period of RCU could not end.

Stated by: RCU's stall detector.
Consistent with: a task blocked in synchronize_rcu() and the like.
Refuted by: a task blocked on something else.
Sources: Linux 6.12.117 kernel/rcu/tree_stall.h (print_other_cpu_stall(), print_cpu_stall(),
rcu_check_gp_kthread_starvation()), kernel/rcu/tree_exp.h.
From memory: Linux Documentation/RCU/stallwarn.rst.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.progress import nesting_of
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.progress import StalledCpu, StalledTasks, StallLength, StarvedKthread

_WAITS = ("synchronize_rcu", "synchronize_srcu", "__synchronize_srcu", "synchronize_net", "rcu_barrier",
          "__wait_rcu_gp", "srcu_barrier", "exp_funnel_lock", "synchronize_sched", "rcu_exp_")  # fmt: skip
_TOP = 12
"""Frames of the trace that are looked at."""


@cause(
    id="rcu-starved",
    title="a grace period could not end",
    kinds=frozenset({Kind.RCU_STALL, Kind.HUNG_TASK}),
    needs=(Headline,),
    specificity=5,
)
def rcu_starved(case: CaseView) -> Statements:
    """Yield RCU's words, and what it waits for."""
    words = case.one(Headline)
    if case.kind is Kind.HUNG_TASK:
        yield from _waits_for_grace_period(case)
        return
    length = case.get(StallLength)
    time = "" if length is None else f" after {length.jiffies} jiffies"
    facts = () if length is None else (length,)
    yield stated(f"RCU says so: {words.message}{time}", words, *facts)
    starved = case.get(StarvedKthread)
    if starved is not None:
        what = "its timer did not fire" if starved.timer else "it got no CPU"
        where = "" if starved.cpu is None else f" (last on CPU {starved.cpu})"
        yield consistent(
            f"the grace-period kthread {starved.name} did not run for {starved.jiffies} jiffies{where}: {what}",
            starved,
        )
    tasks = case.get(StalledTasks)
    if tasks is not None and tasks.pids:
        pids = ", ".join(map(str, tasks.pids[:8]))
        yield consistent(f"a reader was preempted and did not run again: pid {pids}", tasks)
    for cpu in case.all(StalledCpu)[:4]:
        if nesting_of(cpu) == 0:
            yield consistent(f"CPU {cpu.cpu} is idle for RCU: it may be no stall at all", cpu)
    if starved is not None:
        yield NextStep(
            text="find what kept the kthread from running: a real-time task, interrupts off, or a CPU that hangs"
        )
    else:
        yield NextStep(text="look at the trace of the CPU or task that RCU names: where it stays")


def _waits_for_grace_period(case: CaseView) -> Statements:
    named = [f for f in case.frames[:_TOP] if f.ref is not None]
    waits = next((f for f in named if f.ref and f.ref.symbol.startswith(_WAITS)), None)
    if waits is not None:
        yield consistent("the task waits for a grace period", waits)
    elif named:
        yield refutes("the task waits for something else than a grace period", named[-1])
