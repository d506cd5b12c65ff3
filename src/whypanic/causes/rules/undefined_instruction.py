"""The CPU does not know the instruction at PC, or has it disabled.

Supported by: an exception with EC 0x00.
Refuted by: EC 0x3c, a breakpoint.
Sources: Linux arch/arm64/kernel/traps.c (do_el1_undef; in 4.19 a BUG in do_undefinstr).
From memory: Arm ARM DDI 0487 L, ESR_EL1 (EC 0b000000).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.undefined import BUG_WORD, is_code, is_undefined, undefined_word
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.code import CodeLine
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

_EC_BRK = 0x3C


@cause(
    id="undefined-instruction",
    title="the instruction at PC is undefined here",
    kinds=frozenset({Kind.UNDEFINED_INSTRUCTION, Kind.BRK, Kind.HYP_PANIC}),
    needs=(Headline,),
    specificity=4,
)
def undefined_instruction(case: CaseView) -> Statements:
    """Yield the kernel's words and the word at PC."""
    syndrome = case.syndrome
    if case.kind is Kind.BRK:
        if case.esr is not None and syndrome is not None and case.esr.ec == _EC_BRK:
            yield refutes("EC 0x3c: BRK is a defined instruction", syndrome)
        return
    if not is_undefined(case):
        if case.kind is Kind.UNDEFINED_INSTRUCTION and syndrome is not None:
            yield refutes("the syndrome is that of another exception", syndrome)
        return
    if case.kind is Kind.HYP_PANIC and syndrome is not None:
        yield supports("EC 0x00 at EL2: the instruction at PC is undefined", syndrome)
    else:
        yield supports("the exception is that for undefined instructions", case.one(Headline))
    found = undefined_word(case)
    if found is not None:
        known = "defined on some CPUs" if is_code(found.insn) else "no instruction of any CPU"
        yield consistent(f"the word at PC is {found.insn.word:08x}, {known}", found.fact)
        return
    code = case.get(CodeLine)
    if code is not None and code.faulting is not None and code.words[code.faulting] == BUG_WORD:
        yield consistent(
            "PC and `Code:` are those of the handler, which called BUG(): the culprit is the frame below the "
            "exception entry",
            code,
        )
    yield NextStep("read the word at PC in the image: it tells a missing feature from damaged code")
