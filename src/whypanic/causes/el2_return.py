"""The rival at EL2: a return to a value that is no return address there."""

from whypanic.arch.insn import decode
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import (
    El2,
    function_of_pc,
    listing_of_pc,
    location_of_pc,
    pc_addresses,
    read_el2,
    solution_of,
    upper_fault_contradicted,
)
from whypanic.code.indirect_branch import instruction_text, is_whole
from whypanic.code.switch_values import flags_at_return
from whypanic.model.claims import Statements, consistent, refutes
from whypanic.model.code import ListingLine
from whypanic.model.hyp import HypPanic, VmidBits
from whypanic.model.provenance import Finding


def returned_to_el1_address(case: CaseView) -> Statements:
    """Yield what speaks for and against a RET to an EL1 address as the way PC came about."""
    if case.get(HypPanic) is None:
        return
    el2 = read_el2(case)
    if not el2.fetch or el2.pc is None or not el2.pc_is_upper or not el2.nvhe:
        return
    contradiction = upper_fault_contradicted(el2)
    if contradiction is not None:
        yield refutes(contradiction, el2.panic)
        return
    listing = listing_of_pc(case)
    yield from _flags(case, el2)
    location = location_of_pc(case)
    function = function_of_pc(case)
    if listing is not None and function is not None:
        calls = [line for line in listing.lines if _is_call(line)]
        if not calls and is_whole(listing):
            yield refutes(
                f"PC lies inside {function}, which contains no call: no return address lies in it",
                listing,
                *((location,) if location else ()),
            )
            return
    if listing is not None:
        places = [place - 4 for place in pc_addresses(case)]
        before = next((line for line in listing.lines if line.address in places), None)
        if before is not None and not _is_call(before):
            yield refutes(
                f"the instruction before PC, `{instruction_text(before)}`, is no call: PC is no return address",
                before,
                el2.panic,
            )
            return
    yield consistent(
        f"PC {el2.pc:#018x} may be a return address or link register value of the host",
        el2.panic,
    )


def _is_call(line: ListingLine) -> bool:
    if line.word is None:
        return True
    branch = decode(line.word).branch
    return branch is not None and branch.link


def _flags(case: CaseView, el2: El2) -> Statements:
    solution = solution_of(case)
    if solution is None or solution.path.target is None:
        return
    vmid = case.get(VmidBits)
    flags = flags_at_return(solution.survey, solution.path.target, vmid)
    if flags is None or vmid is None or flags != el2.nzcv:
        return
    yield consistent(
        f"at the function's return NZCV would be {flags:04b} too on a CPU with {vmid.bits}-bit VMIDs: "
        "the flags alone do not single out the table branch",
        vmid,
        Finding(
            source=el2.panic.source,
            because=(el2.panic,),
            sentence=f"PS {el2.panic.ps or 0:#x}: NZCV {el2.nzcv:04b}",
        ),
    )
