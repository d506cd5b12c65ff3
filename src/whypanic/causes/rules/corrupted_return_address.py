"""A function returned to a value that is no return address: its frame was overwritten, or lr was.

Supported by: PC == lr with neither in code: `ret` leaves lr as it is, a call would have replaced it.
Refuted by: PSTATE.BTYPE of a call; lr in live code with the target in another register. At EL2: PC inside a function
that makes no call, so that no return address lies in it.
From memory: Arm ARM DDI 0487 L, RET, BLR and PSTATE.BTYPE (set by BLR and BR, zero after RET).
"""

from collections.abc import Iterator

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import Fetch, bad_fetch, pac_key, unloaded
from whypanic.causes.case import CaseView
from whypanic.causes.el2_return import returned_to_el1_address
from whypanic.causes.natures import Nature
from whypanic.model.claims import Claim, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind
from whypanic.model.registers import PstateText

_EC_GCS = 0x2D
_RETURNS = {0: "RET", 2: "RETAA", 3: "RETAB"}
"""IT of a GCS data check. Linux arch/arm64/include/asm/esr.h (ESR_ELx_IT_*)."""
_INDIRECT = ("BTYPE=-c", "BTYPE=jc", "BTYPE=j-")


@cause(
    id="corrupted-return-address",
    title="a return went to a value that is no return address",
    kinds=FAULT_KINDS | {Kind.GCS},
    specificity=6,
)
def corrupted_return_address(case: CaseView) -> Statements:
    """Yield whether PC was reached by a return."""
    if case.kind is Kind.HYP_PANIC:
        yield from returned_to_el1_address(case)
        return
    if case.kind is Kind.GCS:
        yield from _refused_by_gcs(case)
        return
    fetch = bad_fetch(case)
    if fetch is not None:
        yield from returned_wrong(case, fetch)


def _refused_by_gcs(case: CaseView) -> Iterator[Claim]:
    """Yield what a Guarded Control Stack exception says: a data check at a return, or something else."""
    esr, syndrome = case.esr, case.syndrome
    if esr is None or syndrome is None or esr.ec != _EC_GCS:
        return
    kind, instruction = esr.iss >> 20 & 0xF, esr.iss & 0x1F
    if kind == 0 and instruction in _RETURNS:
        yield supports(
            f"EC 0x2d, a data check at {_RETURNS[instruction]}: the address is not the one on the guarded stack",
            syndrome,
        )
    else:
        yield refutes("EC 0x2d, but not for a data check at a return", syndrome)


def returned_wrong(case: CaseView, fetch: Fetch) -> Iterator[Claim]:
    """Yield the claims at EL1 for a fetch that failed."""
    if not fetch.returned or fetch.caller is case.registers.get("lr"):
        return
    if fetch.nature in (Nature.MAPPING, Nature.IMAGE) and unloaded(case) is not None:
        return  # code that was there when it was called: freed-code
    lr = case.registers["lr"]
    for flags in case.all(PstateText):
        if any(kind in flags.flags for kind in _INDIRECT):
            yield refutes("PSTATE.BTYPE: the branch was indirect and no return", flags)
            return
    say = consistent if pac_key(fetch.target) is not None else supports
    if fetch.nature in (Nature.MAPPING, Nature.IMAGE):
        say = consistent
    yield say("lr equals PC: it was returned to, a call would have set lr", lr, *fetch.facts)
