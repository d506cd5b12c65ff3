"""An indirect branch reached an instruction that is no landing pad for it.

Stated by: a Branch Target exception (EC 0x0d, `Oops - BTI`) at the entry of a function, after a branch that any
`bti c` would have accepted.
Supported by: the exception elsewhere; after BR with BTYPE=j- (0b11) the entry may carry a pad of the other kind.
Refuted by: another exception class, although PSTATE.BTYPE is set.
From memory: Arm ARM DDI 0487 L, ESR_EL1 ISS for a Branch Target exception (BTYPE), BTI instruction.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import Statements, consistent, refutes, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.registers import PstateText

_EC_BTI = 0x0D
_BTYPE = {
    0b01: "BR through x16 or x17, or from an unguarded page",
    0b10: "BLR",
    0b11: "BR through a register other than x16 and x17",
}
_PAD_C = (0b01, 0b10)
"""BTYPE values that `bti c` accepts."""


@cause(
    id="bti-missing-landing-pad",
    title="an indirect branch reached no landing pad",
    kinds=frozenset({Kind.BTI, Kind.BAD_MODE, Kind.HYP_PANIC}),
    needs=(Headline,),
    specificity=7,
)
def bti_missing_landing_pad(case: CaseView) -> Statements:
    """Yield which branch reached which place."""
    esr, syndrome = case.esr, case.syndrome
    if esr is None or syndrome is None or esr.ec != _EC_BTI:
        if case.kind is Kind.BTI:
            yield supports("the kernel says: BTI", case.one(Headline))
        elif esr is not None and syndrome is not None and _branched(case):
            yield refutes(f"EC {esr.ec:#04x} is no Branch Target exception", syndrome)
        return
    btype = syndrome.esr & 0b11
    branch = _BTYPE.get(btype, "an indirect branch")
    ref = case.pc_ref
    pc = case.registers.get("pc")
    if pc is None or ref is None:
        yield stated(f"EC 0x0d, a Branch Target exception, after {branch}", syndrome)
    elif ref.offset == 0 and btype in _PAD_C:
        yield stated(
            f"EC 0x0d: {branch} reached the entry of {ref.symbol}, which has no `bti c`",
            syndrome,
            pc,
        )
    elif ref.offset == 0:
        yield supports(
            f"EC 0x0d: {branch} reached the entry of {ref.symbol}; a `bti c` there does not accept it",
            syndrome,
            pc,
        )
    else:
        yield supports(
            f"EC 0x0d: {branch} reached {ref.symbol}+{ref.offset or 0:#x}, past the entry",
            syndrome,
            pc,
        )
    if case.headline is not None and "BTI" in case.headline.message:
        yield consistent("the kernel says: BTI", case.headline)


def _branched(case: CaseView) -> bool:
    """True where PSTATE.BTYPE shows that an indirect branch came just before."""
    return any("BTYPE=" in p.flags and "BTYPE=--" not in p.flags for p in case.all(PstateText))
