"""The page-table lines held against the syndrome: does the walk that the kernel printed explain the fault?

show_pte() walks the tables after the fault was taken, without a lock: an entry that contradicts the syndrome was
changed in between, or the CPU used a stale TLB entry.

Sources: Arm ARM DDI 0487 L, VMSAv8-64 descriptor formats and fault status codes; Linux arch/arm64/mm/fault.c
(show_pte).
"""

from typing import NamedTuple

from whypanic.arch.esr import EsrView, FaultKind
from whypanic.arch.pte import DescriptorView, decode_descriptor
from whypanic.model.fault import FaultAddress, PageTable, PageWalk

_PAGE_MASK = ~0xFFFF
"""The largest page: the line of another address is no witness."""
_CHANGED = "it was changed after the fault, or the CPU used a stale TLB entry"


class WalkCheck(NamedTuple):
    """How the printed walk stands to the fault."""

    agrees: bool
    text: str


def check_walk(
    esr: EsrView,
    far: FaultAddress | None,
    table: PageTable | None,
    walk: PageWalk,
    *,
    va_bits: int | None = None,
) -> WalkCheck | None:
    """Return whether the last printed entry explains the fault; None where it cannot tell.

    :param va_bits: width of addresses where no `pgtable:` line tells; it decides which levels are folded.
    """
    if not walk.entries or esr.fault_level is None or esr.s1ptw:
        return None
    if far is not None and walk.va is not None and (far.va ^ walk.va) & _PAGE_MASK:
        return None
    last = walk.entries[-1]
    page_kib = (table.page_kib if table else None) or 4
    bits = (table.va_bits if table else None) or va_bits
    if bits is None:
        return None
    view = decode_descriptor(last.value, last.name, page_kib=page_kib, va_bits=bits)
    name = f"the {last.name} entry {last.value:#x}"
    match esr.fault_kind:
        case FaultKind.TRANSLATION:
            return _translation(esr.fault_level, view, name)
        case FaultKind.PERMISSION:
            return _permission(esr, view, name)
        case FaultKind.ACCESS_FLAG if view.is_leaf:
            state = "set" if view.af else "clear"
            more = f": {_CHANGED}" if view.af else ", as the fault says"
            return WalkCheck(not view.af, f"{name} has its access flag {state}{more}")
    return None


def _translation(level: int, view: DescriptorView, name: str) -> WalkCheck | None:
    said = f"a level {level} translation fault"
    if view.is_leaf:
        return WalkCheck(
            False, f"{said}, but {name} is a valid {view.kind} of level {view.level}: {_CHANGED}"
        )
    if view.valid:
        return None
    if view.level == level:
        return WalkCheck(True, f"{name} is invalid, level {level}: it explains the fault")
    if view.level > level:
        return WalkCheck(False, f"{said}, but the walk goes on to level {view.level}: {_CHANGED}")
    return WalkCheck(
        False,
        f"{said}, but the walk ends at level {view.level}: the tables were changed after the fault",
    )


def _permission(esr: EsrView, view: DescriptorView, name: str) -> WalkCheck | None:
    level = esr.fault_level
    said = f"a level {level} permission fault"
    if not view.valid:
        return WalkCheck(False, f"{said}, but {name} is invalid: it was changed after the fault")
    if not view.is_leaf:
        return None
    if view.level != level:
        return WalkCheck(False, f"{said}, but {name} maps a {view.kind} of level {view.level}")
    if esr.is_instruction_abort:
        why = "not executable at EL1 (PXN)" if view.pxn else None
    elif esr.wnr and not view.writable:
        why = "read-only (AP[2])"
    else:
        why = None
    if why is None and view.user:
        why = "a page of user space (AP[1]), which PAN keeps from EL1"
    if why is None:
        return WalkCheck(False, f"{said}, but {name} permits the access: {_CHANGED}")
    return WalkCheck(True, f"{name} maps a {view.kind} that is {why}: it explains the fault")
