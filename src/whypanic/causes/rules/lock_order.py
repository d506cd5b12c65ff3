"""The rules of locking were broken: order, context, or what may be done with a lock.

Stated by: lockdep's verdict.
Consistent with: a spinlock that was found uninitialised or overwritten: the lock may be the victim.
Refuted by: a task that sleeps where it must not, and holds no lock.
Sources: Linux 6.12.117 kernel/locking/lockdep.c (print_circular_bug(), print_deadlock_bug(), print_usage_bug(),
print_bad_irq_dependency()), kernel/locking/spinlock_debug.c.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.progress import Holding, holdings
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.locks import LockChain, LockHolder, LockState, LockStep

_UNSURE = ("bad magic", "lockup suspected", "non-static key", "wrong", "DEBUG_LOCKS_WARN_ON")
"""Reports that say a lock is not as it should be, not who broke which rule."""


@cause(
    id="lock-order",
    title="the rules of locking were broken",
    kinds=frozenset({Kind.LOCKDEP, Kind.SLEEP_IN_ATOMIC}),
    needs=(Headline,),
    specificity=6,
)
def lock_order(case: CaseView) -> Statements:
    """Yield lockdep's words, and the locks it names."""
    words = case.one(Headline)
    if case.kind is Kind.SLEEP_IN_ATOMIC:
        holder = case.get(LockHolder)
        if holder is not None and not holder.count:
            yield refutes("the task holds no lock", holder)
        return
    if any(part in words.message for part in _UNSURE):
        yield supports(
            f"the kernel found a lock in a state it must not be in: {words.message}", words
        )
        if "bad magic" in words.message:
            yield NextStep(text="see whether the lock was initialised, and what wrote over it")
        return
    yield stated(f"the kernel says so: {words.message}", words)
    found = tuple(holdings(case))
    taken = next((h for h in found if h.step is LockStep.TAKES), None)
    held = next((h for h in found if h.step is LockStep.HOLDS), None)
    if taken is not None:
        yield consistent(f"{_task(taken)} takes {taken.lock.name}{_at(taken)}", taken.lock)
    if held is not None:
        yield consistent(f"it holds {held.lock.name}{_at(held)}", held.lock)
    state = case.get(LockState)
    if state is not None:
        yield consistent(f"used as {state.before} before, as {state.now} now", state)
    chain = case.get(LockChain)
    if chain is not None:
        yield consistent(f"the order known so far: {' before '.join(chain.names)}", chain)
    yield NextStep(
        text="decide which order is right; the stacks behind `-> #N` show who takes the locks the other way"
    )


def _task(holding: Holding) -> str:
    return "the task" if holding.comm is None else f"{holding.comm} [{holding.pid}]"


def _at(holding: Holding) -> str:
    ref = holding.lock.ref
    return "" if ref is None else f" in {ref.symbol}"
