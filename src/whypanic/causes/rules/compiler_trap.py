"""The compiler's own trap was executed: `__builtin_trap`, or code it took for unreachable.

Supported by: BRK with the immediate of a compiler's trap.
Refuted by: any other immediate.
Sources: Linux arch/arm64/include/asm/brk-imm.h (the other immediates).
From memory: GCC aarch64 (`brk #1000`), LLVM AArch64 (`brk #1`).
"""

from whypanic.arch.brk import brk_meaning
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import Statements, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="compiler-trap",
    title="code that the compiler took for unreachable was executed",
    kinds=frozenset({Kind.BRK, Kind.BAD_MODE, Kind.HYP_PANIC}),
    specificity=6,
)
def compiler_trap(case: CaseView) -> Statements:
    """Yield whose trap the immediate is."""
    immediate = case.esr.brk_immediate if case.esr is not None else None
    if immediate is None or case.syndrome is None:
        return
    meaning = brk_meaning(immediate)
    if meaning.kind == "compiler-trap":
        yield supports(f"BRK {immediate:#x}: {meaning.text}", case.syndrome)
    elif case.kind is not Kind.HYP_PANIC:
        yield refutes(f"BRK {immediate:#x} is no compiler's trap: {meaning.text}", case.syndrome)
