"""BUG or WARN executed at EL2.

Supported by: BRK #0x800 as the syndrome at EL2; stated by `nVHE hyp BUG at:` with a file and line or a symbol.
Refuted by: a line that says BUG with a syndrome that is no BRK of BUG().
Sources: Linux arch/arm64/include/asm/brk-imm.h (BUG_BRK_IMM 0x800), arch/arm64/kvm/handle_exit.c.
"""

from whypanic.arch.brk import brk_meaning
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import at_is_meaningless, read_el2
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated, supports
from whypanic.model.hyp import HypPanic, HypPanicAt
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact

_BUG = "BUG"


@cause(
    id="hyp-assertion",
    title="BUG or WARN executed at EL2",
    kinds=frozenset({Kind.HYP_PANIC}),
    specificity=6,
)
def hyp_assertion(case: CaseView) -> Statements:
    """Yield what the line of the kernel and the syndrome say."""
    at = case.get(HypPanicAt)
    panic = case.get(HypPanic)
    el2 = read_el2(case) if panic is not None else None
    immediate = el2.esr.brk_immediate if el2 is not None and el2.esr is not None else None
    is_bug_brk = immediate is not None and brk_meaning(immediate).kind == "bug"
    if at is not None and at.what == _BUG:
        if el2 is not None and el2.esr is not None and not is_bug_brk:
            yield refutes(
                f"the line says BUG, but the syndrome is {el2.esr.ec_name}, no BRK of BUG()",
                el2.panic,
                at,
            )
            return
        named = (at.file is not None and at.line is not None) or (
            at.ref is not None and not at_is_meaningless(case)
        )
        where = f"{at.file}:{at.line}" if at.file else (at.ref.symbol if at.ref else "PC")
        if named:
            facts: tuple[Fact, ...] = (at,) if panic is None else (at, panic)
            yield stated(f"the kernel says so: BUG at EL2, {where}", facts[0], *facts[1:])
        else:
            yield supports("the kernel says BUG at EL2 and names no place", at)
        yield NextStep(f"read the condition at {where}")
    elif is_bug_brk and el2 is not None:
        yield supports(
            f"ESR {el2.panic.esr or 0:#x} is BRK #{immediate:#x}, the instruction of BUG() and WARN()",
            el2.panic,
        )
        yield from _judged_meaningless(case)
        yield NextStep(
            "name the assertion: the line `nVHE hyp BUG at:` above the panic, or PC + Hyp Offset in the image"
        )


def _judged_meaningless(case: CaseView) -> Statements:
    el2 = read_el2(case)
    if el2.esr is not None and el2.esr.far_valid is False and el2.panic.far:
        yield consistent(
            f"FAR {el2.panic.far:#x} is no part of this: a BRK does not write it",
            el2.panic,
        )
