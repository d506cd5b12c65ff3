"""The CPU does not know the instruction at PC, or has it disabled.

Supported by: an exception with EC 0x00.
Refuted by: EC 0x3c, a breakpoint.
Sources: Arm ARM DDI 0487 L, ESR_EL1 (EC 0b000000); Linux arch/arm64/kernel/traps.c (do_el1_undef; before 6.1 a BUG in
do_undefinstr).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.code import CodeLine
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

_EC_UNKNOWN = 0x00
_EC_BRK = 0x3C
_BUG = 0xD4210000
"""BRK #0x800: the `Code:` line is that of the handler which called BUG()."""


@cause(
    id="undefined-instruction",
    title="the instruction at PC is undefined here",
    kinds=frozenset({Kind.UNDEFINED_INSTRUCTION, Kind.BRK, Kind.HYP_PANIC}),
    needs=(Headline,),
    specificity=4,
)
def undefined_instruction(case: CaseView) -> Statements:
    """Yield the kernel's words and the word at PC."""
    if case.kind is Kind.HYP_PANIC:
        if case.esr is not None and case.syndrome is not None and case.esr.ec == _EC_UNKNOWN:
            yield supports("EC 0x00 at EL2: the instruction at PC is undefined", case.syndrome)
        return
    if case.kind is Kind.BRK:
        if case.esr is not None and case.syndrome is not None and case.esr.ec == _EC_BRK:
            yield refutes("EC 0x3c: BRK is a defined instruction", case.syndrome)
        return
    yield supports("the exception is that for undefined instructions", case.one(Headline))
    code = case.get(CodeLine)
    if code is not None and code.faulting is not None and code.words[code.faulting] != _BUG:
        yield consistent(f"the word at PC is {code.words[code.faulting]:08x}", code)
