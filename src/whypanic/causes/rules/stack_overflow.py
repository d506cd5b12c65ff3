"""The kernel ran off its stack.

Stated by: `Insufficient stack space to handle exception!`, `kernel stack overflow`.
Refuted by: a stack pointer and FAR that lie far from every stack printed.
Sources: Linux arch/arm64/kernel/traps.c (panic_bad_stack), arch/arm64/kernel/entry.S (kernel_ventry),
kernel/sched/core.c (schedule_debug()).
"""

from collections import Counter

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.endings import panic_words
from whypanic.model.claims import (
    NextStep,
    Remedy,
    Statements,
    consistent,
    refutes,
    stated,
    supports,
)
from whypanic.model.fault import Headline, StackRange
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.trace import Frame
from whypanic.symbolize.blame import strip_suffixes

_REPEATS = 3
_SHOWN = 4
_NEARLY_FULL = 8
"""The last eighth of a stack."""
_GUARD_BYTES = 0x10000
_NEAR_BYTES = 0x10_0000
_N_STACKS = 3
"""Task, IRQ and overflow stack."""


@cause(
    id="stack-overflow",
    title="the kernel ran off its stack",
    kinds=frozenset({Kind.STACK_OVERFLOW, Kind.PANIC}),
    needs=(Headline,),
    specificity=6,
)
def stack_overflow(case: CaseView) -> Statements:
    """Yield the kernel's words, where FAR and sp lie, and what repeats in the trace."""
    if case.kind is Kind.PANIC:
        yield from _corrupted_end(case)
        return
    lost = _lost_stack_pointer(case)
    if lost is not None:
        yield refutes("sp is nowhere near a stack: it was overwritten, not exhausted", lost)
        return
    yield stated("the kernel says that the stack is exhausted", case.one(Headline))
    yield from _places(case)
    yield from _recursion(case)


def _places(case: CaseView) -> Statements:
    far, sp = case.far, case.registers.get("sp")
    for stack in case.all(StackRange):
        size = stack.last - stack.first
        if far is not None and 0 < stack.first - far.va <= _GUARD_BYTES:
            below = stack.first - far.va
            yield consistent(f"FAR is {below:#x} below `{stack.name}`", far, stack)
        if sp is None or sp.value is None or not stack.first:
            continue
        if 0 <= sp.value - stack.first < size // _NEARLY_FULL:
            left = sp.value - stack.first
            yield consistent(
                f"sp has {left:#x} of {size:#x} bytes left of `{stack.name}`", sp, stack
            )
        elif 0 < stack.first - sp.value <= _GUARD_BYTES:
            below = stack.first - sp.value
            yield consistent(f"sp is {below:#x} below `{stack.name}`", sp, stack)


def _recursion(case: CaseView) -> Statements:
    """Yield the functions that stand again and again in one trace; they call each other."""
    frames = [f for f in case.all(Frame) if f.ref is not None]
    counts = Counter(_name(f) for f in frames)
    most = max(counts.values(), default=0)
    if most >= _REPEATS:
        names = [name for name, n in counts.items() if n > most // 2 and n >= _REPEATS]
        first = next(f for f in frames if _name(f) == names[0])
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        yield consistent(f"recursion: {shown}, {most} times in the trace", first)
        yield Remedy("end the recursion, or make it a loop")
    else:
        yield NextStep(
            "sum the stack that the functions of the trace use (scripts/checkstack.pl): look for large local variables"
        )


def _corrupted_end(case: CaseView) -> Statements:
    """Yield the magic word at the end of a stack that schedule() found overwritten."""
    said = panic_words(case)
    if said is not None and "corrupted stack end" in said[0]:
        yield supports("the word at the end of the stack was overwritten", said[1])


def _name(frame: Frame) -> str:
    return strip_suffixes(frame.ref.symbol) if frame.ref is not None else ""


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
