"""Which kind of abort a report carries: a data access, an instruction fetch, or none."""

from whypanic.arch.esr import FaultKind
from whypanic.causes.case import CaseView
from whypanic.model.kinds import Kind
from whypanic.model.sanitizer import Access, TagPair

FAULT_KINDS = frozenset(
    {
        Kind.NULL_DEREFERENCE,
        Kind.PAGING_REQUEST,
        Kind.PERMISSION_FAULT,
        Kind.USER_ACCESS,
        Kind.ALIGNMENT_FAULT,
        Kind.BAD_MODE,
        Kind.SP_PC_ALIGNMENT,
        Kind.HYP_PANIC,
        Kind.KERNEL_BUG,
        Kind.KASAN,
        Kind.PANIC,
        Kind.WARNING,
    }
)
"""Reports that may carry a data or instruction abort; the rules are silent where they do not."""


_HEADER_KINDS = frozenset(
    {
        Kind.NULL_DEREFERENCE,
        Kind.PAGING_REQUEST,
        Kind.PERMISSION_FAULT,
        Kind.USER_ACCESS,
        Kind.ALIGNMENT_FAULT,
        Kind.WARNING,
    }
)
"""Reports whose header names a fault address; of warnings, that on a spurious translation fault."""


def is_fetch(case: CaseView) -> bool:
    """True where the fault is that of an instruction fetch."""
    esr = case.esr
    if esr is not None:
        return esr.is_instruction_abort
    headline = case.headline
    if headline is not None and "execut" in headline.message:
        return True
    pc, far = case.value("pc"), case.far
    return pc is not None and far is not None and pc == far.va


def is_data_access(case: CaseView) -> bool:
    """True where the report carries a data abort (for old reports: a fault header and no sign of a fetch)."""
    esr = case.esr
    if esr is not None:
        return esr.is_data_abort
    has_address = case.kind in _HEADER_KINDS or _is_kasan_pointer(case)
    return case.far is not None and has_address and not is_fetch(case)


def _is_kasan_pointer(case: CaseView) -> bool:
    """True where KASAN reports an address that has no shadow (get_wild_bug_type() of mm/kasan/report_generic.c)."""
    line = case.headline
    if case.kind is not Kind.KASAN or line is None:
        return False
    return line.message.startswith(_NO_SHADOW) or untagged_address(case) is not None


_NO_SHADOW = ("null-ptr-deref", "user-memory-access", "wild-memory-access")


def untagged_address(case: CaseView) -> Access | None:
    """Return the access where KASAN with tags reports an address below the kernel's range; None elsewhere.

    kasan_check_range() of mm/kasan/sw_tags.c says `invalid-access` of addresses without tags too, and print_report()
    then leaves out the line with both tags.
    """
    access, line = case.get(Access), case.headline
    if access is None or access.address is None or line is None or case.get(TagPair) is not None:
        return None
    below = not access.address & _KERNEL_RANGE
    return access if below and line.message.startswith("invalid-access") else None


def fault_kind(case: CaseView) -> FaultKind | None:
    """Return the fault of the ESR; None where there is no ESR or it is no abort."""
    esr = case.esr
    return esr.fault_kind if esr is not None and esr.is_abort else None


_KERNEL_RANGE = 1 << 55
"""The bit of an address that chooses TTBR1."""


def is_permission_worded(case: CaseView) -> bool:
    """True where the header's words about permissions can be taken literally.

    The kernel also prints them for a translation fault below its own range where PAN is emulated by swapping TTBR0:
    is_el1_permission_fault() of arch/arm64/mm/fault.c (from memory; system_uses_ttbr0_pan(), since 4.10).
    """
    fault = fault_kind(case)
    if fault is not None:
        return fault is FaultKind.PERMISSION
    return case.far is not None and bool(case.far.va & _KERNEL_RANGE)
