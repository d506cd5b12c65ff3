"""What an image says of the pointer behind a fault at EL1: the variable that held it, and the member accessed."""

from whypanic.arch.esr import FaultKind
from whypanic.arch.pstate import decode_pstate
from whypanic.causes.aborts import is_data_access
from whypanic.causes.branches import Fetch
from whypanic.causes.case import CaseView
from whypanic.causes.image import (
    code_is_as_built,
    from_image,
    pc_location,
    reading_of,
    used_image,
)
from whypanic.causes.pointers import How, Pointer
from whypanic.code.faulting import Agreement
from whypanic.model.claims import Statements
from whypanic.model.image import CallThrough, Match

_AGREE = (Agreement.EQUAL, Agreement.EQUAL_BUT_TAG, Agreement.WITHIN_ACCESS)


def pointer_in_image(case: CaseView, pointer: Pointer) -> Statements:
    """Yield what held the pointer, in terms of the source.

    It proves where the word at PC is the image's, the address it makes of the printed registers is FAR, the syndrome
    says the same kind of access, and the image names the variable.
    """
    access, faulting = case.effective_address, case.faulting
    if access is None or faulting is None or pointer.how is not How.WORD:
        return
    reading = reading_of(case, access.base) or (
        reading_of(case, access.index) if access.index else None
    )
    if reading is None:
        return
    at = pc_location(case)
    memory, esr = faulting.insn.memory, case.esr
    same_access = (
        memory is not None
        and esr is not None
        and is_data_access(case)
        and (esr.wnr is None or esr.wnr == (memory.store or memory.atomic))
    )
    proves = (
        reading.variable is not None
        and not reading.coincides
        and reading.pointer == pointer.value
        and access.agreement in _AGREE
        and same_access
        and at is not None
        and case.value("pstate") is not None
        and code_is_as_built(case) is not False
    )
    yield from_image(
        case, reading.sentence, reading, faulting, access, *((at,) if at else ()), proves=proves
    )


def call_in_image(case: CaseView, fetch: Fetch) -> Statements:
    """Yield the call that led to a bad PC, where the image shows it before the return address."""
    call, identity = case.get(CallThrough), used_image(case)
    if call is None or identity is None or identity.match is Match.MISMATCH or fetch.returned:
        return
    if call.value is not None and call.value != fetch.target:
        return
    # The identity is the kernel's where PC is in no image: it does not vouch for a module.
    proves = call.value == fetch.target and call.module is None and _is_of_a_call(case)
    yield from_image(case, call.statement, call, *fetch.facts, proves=proves)


def _is_of_a_call(case: CaseView) -> bool:
    """Tell whether ESR and PSTATE are printed and are those of a BLR at EL1 to an address without a page."""
    esr, pstate = case.esr, case.value("pstate")
    if esr is None or pstate is None or not esr.is_instruction_abort or not esr.same_el:
        return False
    if esr.fault_kind is not FaultKind.TRANSLATION:
        return False
    view = decode_pstate(pstate)
    # BTYPE stays 0 without FEAT_BTI.
    return view.el in (1, 2) and view.btype in (0b00, 0b10)
