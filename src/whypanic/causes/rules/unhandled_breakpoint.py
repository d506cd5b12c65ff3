"""A BRK was executed that nobody in the kernel claims.

Supported by: a BRK report with an immediate that is no compiler's trap.
Refuted by: the immediate of a compiler's trap.
Sources: Linux arch/arm64/include/asm/brk-imm.h, arch/arm64/kernel/debug-monitors.c (brk_handler).
"""

from whypanic.arch.brk import brk_meaning
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind


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
        yield consistent("the kernel says: unexpected BRK", case.one(Headline))
    elif brk_meaning(immediate).kind == "compiler-trap":
        yield refutes(f"BRK {immediate:#x} is a compiler's trap", case.syndrome)
    else:
        yield supports(f"BRK {immediate:#x} has no handler here", case.syndrome)
