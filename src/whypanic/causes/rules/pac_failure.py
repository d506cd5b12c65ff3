"""Authentication of a signed pointer failed.

Stated by: `Oops - FPAC`, EC 0x1c.
Supported by: a BUG in do_ptrauth_fault (how kernels up to 6.0 reported FPAC at EL1); without FPAC, a PC whose
bits 62:61 carry the mark of a failed authentication.
Refuted by: a PC between the ranges without that mark.
Sources: Linux arch/arm64/kernel/traps.c (do_el1_fpac).
From memory: Arm ARM DDI 0487 L, Auth(), ESR_EL1 ISS for FPAC.
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch, pac_key
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.model.claims import Statements, consistent, refutes, stated, supports
from whypanic.model.fault import InternalError
from whypanic.model.kinds import Kind

_EC_FPAC = 0x1C


@cause(
    id="pac-failure",
    title="a signed pointer failed authentication",
    kinds=FAULT_KINDS | {Kind.FPAC},
    specificity=8,
)
def pac_failure(case: CaseView) -> Statements:
    """Yield what says that authentication failed."""
    esr = case.esr
    said = next((e for e in case.all(InternalError) if "FPAC" in e.name), None)
    if said is not None:
        yield stated("the kernel says: FPAC", said)
    if esr is not None and esr.ec == _EC_FPAC and case.syndrome is not None:
        say = stated if case.kind in (Kind.FPAC, Kind.HYP_PANIC) else supports
        yield say("EC 0x1c: a pointer authentication instruction failed", case.syndrome)
    elif case.kind is Kind.FPAC and said is None and case.headline is not None:
        yield supports("the exception entry is that for FPAC", case.headline)
    fetch = bad_fetch(case)
    key = pac_key(fetch.target) if fetch is not None else None
    if fetch is not None and key is not None:
        yield supports(
            f"bits 62:61 of PC carry the mark of a failed authentication with an {key} key",
            *fetch.facts,
        )
    if fetch is not None and key is None and fetch.nature is Nature.NON_CANONICAL:
        yield refutes(
            "bits 62:61 of PC do not carry the mark of a failed authentication", *fetch.facts
        )
        return
    lr = case.registers.get("lr")
    if (said is not None or key is not None) and lr is not None and lr.value == 0:
        yield consistent("lr is 0: the return address was replaced before authentication", lr)
