"""Something that may sleep was called where sleeping is forbidden.

Stated by: __might_resched() and __schedule_bug().
Refuted by: the opposite report, per-CPU data used where the task may migrate.
Sources: Linux 6.12.117 kernel/sched/core.c (__might_resched(), __schedule_bug()).
From memory: Linux lib/smp_processor_id.c, include/linux/preempt.h.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.progress import contexts_of, holdings
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.progress import Context

_OWN = 1
"""schedule() itself disables preemption once before it prints preempt_count."""


@cause(
    id="sleep-in-atomic",
    title="something slept where sleeping is forbidden",
    kinds=frozenset({Kind.SLEEP_IN_ATOMIC, Kind.LOCKDEP}),
    needs=(Headline,),
    specificity=6,
)
def sleep_in_atomic(case: CaseView) -> Statements:
    """Yield the kernel's words, and what made the context atomic."""
    words = case.one(Headline)
    if case.kind is Kind.LOCKDEP:
        if "Invalid wait context" in words.message:
            yield supports("a lock that may sleep was taken inside one that may not", words)
        return
    if "preemptible" in words.message:
        yield refutes(
            "the task may be preempted and migrate: the contrary of an atomic context", words
        )
        return
    place = f" at {words.file}:{words.line}" if words.file else ""
    yield stated(f"the kernel says so: {words.message}{place}", words)
    is_schedule = words.message.startswith("scheduling")
    for context in case.all(Context):
        text = _context(context, own=_OWN if is_schedule else 0)
        if text:
            yield consistent(text, context)
    for holding in tuple(holdings(case))[:3]:
        ref = holding.lock.ref
        taken = f" in {ref.symbol}" if ref else ""
        yield consistent(f"held: {holding.lock.name}, taken{taken}", holding.lock)
    yield NextStep(
        text="find who made the context atomic (the spinlock, or the softirq or interrupt in the trace), "
        "or use a variant that does not sleep"
    )


def _context(context: Context, *, own: int) -> str:
    if context.preempt_count is not None:
        count = context.preempt_count
        words = contexts_of(count - own if count & 0xFF >= own else count)
        return f"preempt_count {count:#x}: {words}" if words else ""
    if context.irqs_disabled:
        return "interrupts are disabled"
    if context.rcu_depth:
        return f"inside rcu_read_lock(), depth {context.rcu_depth}"
    return ""
