"""The kernel branched to memory that is mapped and not executable.

Stated by: the header `execute from non-executable memory`, on a permission fault; without an ESR, on a kernel address.
Supported by: an instruction fetch with a permission fault at a kernel address.
Refuted by: a translation fault: nothing is mapped there. The header does not count against that: with PAN emulated by
TTBR0 it says the same of unmapped user addresses.
Sources: Linux arch/arm64/mm/fault.c (__do_kernel_fault).
From memory: Arm ARM DDI 0487 L, ESR_EL1 (EC 0x21, IFSC).
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import FAULT_KINDS, fault_kind, is_permission_worded
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch
from whypanic.causes.case import CaseView
from whypanic.causes.natures import NULLS, Nature
from whypanic.model.claims import Statements, consistent, refutes, stated, supports
from whypanic.model.fault import PageWalk
from whypanic.model.kinds import Kind

_PXN = 1 << 53
_KERNEL_AREAS = (Nature.LINEAR, Nature.MAPPING, Nature.IMAGE)


@cause(
    id="branch-to-data",
    title="a branch reached memory that is not executable",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=6,
)
def branch_to_data(case: CaseView) -> Statements:
    """Yield the kernel's words, the fetch and the descriptor."""
    headline = case.headline
    said = headline is not None and "execute from non-executable" in headline.message
    said = said and is_permission_worded(case)
    if headline is not None and said:
        yield stated("the kernel says: execute from non-executable memory", headline)
    fetch = bad_fetch(case)
    if fetch is not None and fault_kind(case) is FaultKind.TRANSLATION and not said:
        if case.kind is Kind.PERMISSION_FAULT or fetch.nature in _KERNEL_AREAS:
            yield refutes("a translation fault: nothing is mapped at PC", *fetch.facts)
        return
    if fetch is not None and (said or fetch.permission):
        if fetch.nature in (Nature.USER, Nature.SMALL, *NULLS):
            return
        yield supports(f"{fetch.claim}, and it is mapped", *fetch.facts)
        for register in fetch.through[:2]:
            yield consistent(f"{register.name} holds the target", register)
        for walk in case.all(PageWalk):
            if walk.entries and walk.entries[-1].value & _PXN:
                yield consistent(f"the {walk.entries[-1].name} entry has PXN set", walk)
