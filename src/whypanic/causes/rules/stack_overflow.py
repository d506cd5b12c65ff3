"""The kernel ran off its stack.

Stated by: `Insufficient stack space to handle exception!`, `kernel stack overflow`.
Refuted by: a stack pointer and FAR that lie far from every stack printed.
Sources: Linux arch/arm64/kernel/traps.c (panic_bad_stack), arch/arm64/kernel/entry.S (kernel_ventry).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import Statements, consistent, refutes, stated
from whypanic.model.fault import Headline, StackRange
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact

_GUARD_BYTES = 0x10000
_NEAR_BYTES = 0x10_0000
_N_STACKS = 3
"""Task, IRQ and overflow stack."""


@cause(
    id="stack-overflow",
    title="the kernel ran off its stack",
    kinds=frozenset({Kind.STACK_OVERFLOW}),
    needs=(Headline,),
    specificity=6,
)
def stack_overflow(case: CaseView) -> Statements:
    """Yield the kernel's words and where FAR lies."""
    lost = _lost_stack_pointer(case)
    if lost is not None:
        yield refutes("sp is nowhere near a stack: it was overwritten, not exhausted", lost)
        return
    yield stated("the kernel says that the stack is exhausted", case.one(Headline))
    far = case.far
    if far is None:
        return
    for stack in case.all(StackRange):
        if 0 < stack.first - far.va <= _GUARD_BYTES:
            below = stack.first - far.va
            yield consistent(f"FAR is {below:#x} below `{stack.name}`", far, stack)


def _lost_stack_pointer(case: CaseView) -> Fact | None:
    """Return sp where it, and FAR too, lie far from every printed stack; the entry code takes that for an overflow."""
    stacks = [s for s in case.all(StackRange) if s.first]
    sp, far = case.registers.get("sp"), case.far
    if len(stacks) < _N_STACKS or sp is None or sp.value is None or far is None:
        return None
    near = any(
        s.first - _NEAR_BYTES <= value <= s.last + _NEAR_BYTES
        for s in stacks
        for value in (sp.value, far.va)
    )
    return None if near else sp
