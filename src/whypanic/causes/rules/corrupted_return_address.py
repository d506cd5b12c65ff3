"""A function returned to a value that is no return address: its frame was overwritten, or lr was.

Supported by: PC == lr with neither in code: `ret` leaves lr as it is, a call would have replaced it.
Refuted by: PSTATE.BTYPE of a call; lr in live code with the target in another register. At EL2: PC inside a function
that makes no call, so that no return address lies in it.
Sources: Arm ARM DDI 0487 L, RET, BLR and PSTATE.BTYPE (set by BLR and BR, zero after RET).
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

_INDIRECT = ("BTYPE=-c", "BTYPE=jc", "BTYPE=j-")


@cause(
    id="corrupted-return-address",
    title="a return went to a value that is no return address",
    kinds=FAULT_KINDS,
    specificity=6,
)
def corrupted_return_address(case: CaseView) -> Statements:
    """Yield whether PC was reached by a return."""
    if case.kind is Kind.HYP_PANIC:
        yield from returned_to_el1_address(case)
        return
    fetch = bad_fetch(case)
    if fetch is not None:
        yield from returned_wrong(case, fetch)


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
