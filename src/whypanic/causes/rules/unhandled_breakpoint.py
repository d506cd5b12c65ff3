"""A BRK was executed that nobody in the kernel claims.

Supported by: a BRK report with an immediate that is no compiler's trap.
Refuted by: the immediate of a compiler's trap.
Sources: Linux arch/arm64/include/asm/brk-imm.h, arch/arm64/kernel/debug-monitors.c (brk_handler).
"""

from whypanic.arch.brk import brk_meaning
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

_LEFT_BEHIND = {
    "kprobe": "who had a probe there? It was disarmed or its tables were lost while the BRK stayed in the text",
    "kgdb": "was a kernel debugger attached, and is its breakpoint still in the text?",
    "fault": "code was poisoned on purpose (freed or not yet written by the BPF or ftrace code): who branched there?",
}


@cause(
    id="unhandled-breakpoint",
    title="a breakpoint that nobody claims was executed",
    kinds=frozenset({Kind.BRK}),
    needs=(Headline,),
    specificity=5,
)
def unhandled_breakpoint(case: CaseView) -> Statements:
    """Yield the immediate."""
    immediate = case.esr.brk_immediate if case.esr is not None else None
    if immediate is None or case.syndrome is None:
        headline = case.one(Headline)
        yield consistent(f"the kernel says: {headline.message}", headline)
        return
    meaning = brk_meaning(immediate)
    if meaning.kind == "compiler-trap":
        yield refutes(f"BRK {immediate:#x} is a compiler's trap", case.syndrome)
        return
    yield supports(
        f"BRK {immediate:#x} had no handler that claims it: {meaning.text}", case.syndrome
    )
    if meaning.kind in _LEFT_BEHIND:
        yield NextStep(_LEFT_BEHIND[meaning.kind])
