"""FP, SIMD, SVE or SME executed at EL1 where the kernel has it disabled.

Supported by: an exception class of such a trap, taken from EL1.
Refuted by: a word at PC that uses no such register.
Sources: Linux arch/arm64/kernel/entry-common.c (el1h_64_sync_handler has no case for these classes, so they end in
`Unhandled ... exception`).
From memory: Arm ARM DDI 0487 L, ESR_EL1 (EC 0x07, 0x19, 0x1d), CPACR_EL1.
"""

from whypanic.arch.esr import EsrView
from whypanic.arch.insn import Group, Insn
from whypanic.arch.pstate import decode_pstate
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.context import Task
from whypanic.model.kinds import Kind

_TRAPS = {0x07: "FP/SIMD", 0x19: "SVE", 0x1D: "SME"}
_GROUPS = frozenset({Group.FP_SIMD, Group.SVE, Group.SME})
_SWAPPED_NOP = 0x1F2003D5
"""NOP (d503201f) with its bytes reversed, which is FNMADD S21, S30, S0, S0: what an assembler that pads
big-endian code with little-endian NOPs gets wrong, or the other way round."""


@cause(
    id="fp-before-enable",
    title="an FP or SIMD instruction ran in the kernel while FP is disabled there",
    kinds=frozenset({Kind.BAD_MODE, Kind.PANIC, Kind.UNDEFINED_INSTRUCTION}),
    specificity=7,
)
def fp_before_enable(case: CaseView) -> Statements:
    """Yield the exception class, the word at PC and how early it was."""
    esr, syndrome = case.esr, case.syndrome
    if esr is None or syndrome is None or esr.ec not in _TRAPS or _from_user(case):
        return
    name = _TRAPS[esr.ec]
    faulting = case.faulting
    if faulting is not None and not _uses_fp(faulting.insn):
        yield refutes(f"{faulting.statement}: it uses no {name} register", faulting, syndrome)
        return
    yield supports(f"{_class(esr)}: a trapped {name} instruction, taken from EL1", syndrome)
    if faulting is not None:
        yield supports(faulting.statement, faulting)
        if faulting.word == _SWAPPED_NOP:
            yield supports("it is a NOP with its four bytes reversed: padding, not code", faulting)
            yield Remedy("build with an assembler that pads with NOPs in the order of instructions")
            return
    task = case.get(Task)
    if task is not None and task.pid == 0 and (task.comm or "").startswith("swapper"):
        yield consistent("the boot task ran: FP may not be set up yet", task)
    yield Remedy("build the object with -mgeneral-regs-only, or put kernel_neon_begin() before it")
    if faulting is None:
        yield NextStep(
            f"read the word at PC in the image: {_SWAPPED_NOP:08x} is a NOP with its bytes reversed, as assemblers pad "
            "big-endian code wrongly"
        )


def _class(esr: EsrView) -> str:
    return f"EC {esr.ec:#04x}"


def _from_user(case: CaseView) -> bool:
    value = case.value("pstate")
    return value is not None and decode_pstate(value).el == 0


def _uses_fp(insn: Insn) -> bool:
    return insn.group in _GROUPS or (insn.memory is not None and insn.memory.fp)
