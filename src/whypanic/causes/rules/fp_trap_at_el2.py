"""FP/SIMD/SVE instruction at EL2 while trapped.

Supported by: the trap's exception class at EL2 (0x07 FP/SIMD, 0x19 SVE, 0x1d SME).
Refuted by: a faulting word that is no such instruction; the trap taken from a lower level (a guest or the host).
Sources: Linux arch/arm64/Makefile (all of the kernel, hyp code too, is built with -mgeneral-regs-only).
From memory: Arm ARM DDI 0487 L, ESR_EL2.EC and CPTR_EL2.
"""

from whypanic.arch.insn import Group
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import read_el2
from whypanic.model.claims import NextStep, Remedy, Statements, refutes, supports
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind

_TRAPS = {0x07: "FP or SIMD", 0x19: "SVE", 0x1D: "SME"}
_FP_GROUPS = (Group.FP_SIMD, Group.SVE, Group.SME)


@cause(
    id="fp-trap-at-el2",
    title="FP/SIMD/SVE instruction at EL2 while trapped",
    kinds=frozenset({Kind.HYP_PANIC}),
    needs=(HypPanic,),
    specificity=8,
)
def fp_trap_at_el2(case: CaseView) -> Statements:
    """Yield what the exception class and the faulting word say."""
    el2 = read_el2(case)
    if el2.esr is None or el2.esr.ec not in _TRAPS:
        return
    name = _TRAPS[el2.esr.ec]
    faulting = case.faulting
    if faulting is not None:
        memory = faulting.insn.memory
        is_fp = faulting.insn.group in _FP_GROUPS or (memory is not None and memory.fp)
        if not is_fp:
            yield refutes(f"{faulting.statement}: it uses no {name} register", faulting, el2.panic)
            return
        yield supports(faulting.statement, faulting)
    yield supports(
        f"ESR {el2.panic.esr or 0:#x}: EC {el2.esr.ec:#x}, a trapped {name} instruction in hyp code",
        el2.panic,
    )
    yield Remedy(
        "build the object with -mgeneral-regs-only, or save and untrap the FP state before it is used"
    )
    yield NextStep(
        "find the instruction at PC and the loop or structure copy that the compiler vectorised"
    )
