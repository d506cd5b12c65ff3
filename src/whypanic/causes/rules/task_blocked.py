"""A task slept on a lock or on I/O that never completed.

Stated by: the hung task detector.
Consistent with: a workqueue lockup with work in flight.
Refuted by: a lockup, in which the task runs.
Sources: Linux 6.12.117 kernel/hung_task.c (check_hung_task()), kernel/sched/core.c (sched_show_task()),
kernel/workqueue.c (show_pwq()).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.progress import holdings
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.progress import WorkerPool
from whypanic.model.trace import Frame
from whypanic.symbolize.blame import strip_suffixes

_WAITS = (
    (("mutex",), "a mutex"),
    (("rwsem", "down_read", "down_write"), "a read-write semaphore"),
    (("down",), "a semaphore"),
    (("folio_wait_bit", "folio_lock", "wait_on_page", "lock_page", "io_schedule"), "I/O on a page"),
    (("bit_wait", "wait_on_bit"), "a bit, of a buffer or page"),
    (("wait_for_common", "wait_for_completion"), "a completion"),
    (("synchronize_", "rcu_barrier", "wait_rcu_gp"), "a grace period of RCU"),
    (("flush_work", "flush_workqueue", "drain_workqueue"), "work that does not end"),
    (("msleep", "schedule_timeout"), "a timeout or an event"),
)
"""By part of a function's name, the first that a trace has: what a sleeping task waits for."""
_TOP = 12
"""Frames of a trace that are looked at."""


@cause(
    id="task-blocked",
    title="a task waited for what did not come",
    kinds=frozenset({Kind.HUNG_TASK, Kind.WORKQUEUE_LOCKUP, Kind.SOFT_LOCKUP, Kind.HARD_LOCKUP}),
    needs=(Headline,),
    specificity=5,
)
def task_blocked(case: CaseView) -> Statements:
    """Yield the detector's words, what the task waits for, and who else has the lock."""
    words = case.one(Headline)
    if case.kind is Kind.WORKQUEUE_LOCKUP:
        yield from _in_flight(case)
        return
    if case.kind is not Kind.HUNG_TASK:
        yield refutes("the task was running, not asleep", words)
        return
    task = "a task" if words.comm is None else f"{words.comm} [{words.pid}]"
    time = "" if words.seconds is None else f" for more than {words.seconds} s"
    yield stated(f"the kernel says that {task} slept{time} and was not woken", words)
    found = _waits_for(case)
    if found is not None:
        yield consistent(f"it waits for {found[1]}", found[0])
    yield from _other_holders(case, words)
    yield NextStep(
        text="look for who should release or complete it: sysrq w lists blocked tasks, sysrq d held locks"
    )


def _waits_for(case: CaseView) -> tuple[Frame, str] | None:
    for words, what in _WAITS:
        for frame in case.frames[:_TOP]:
            name = strip_suffixes(frame.ref.symbol) if frame.ref is not None else ""
            if any(word in name for word in words):
                return frame, what
    return None


def _other_holders(case: CaseView, words: Headline) -> Statements:
    """Yield who else has a lock of the blocked task: lockdep lists the lock that is waited for among those held."""
    found = tuple(holdings(case))
    mine = [h.lock.name for h in found if h.pid is not None and h.pid == words.pid]
    for name in dict.fromkeys(mine):
        others = [h for h in found if h.lock.name == name and h.pid != words.pid]
        for other in others[:2]:
            place = f", taken in {other.lock.ref.symbol}" if other.lock.ref else ""
            yield consistent(f"{other.comm} [{other.pid}] has {name} too{place}", other.lock)


def _in_flight(case: CaseView) -> Statements:
    for pool in case.all(WorkerPool):
        if pool.running:
            yield consistent(f"work was started and did not end: {', '.join(pool.running)}", pool)
            return
