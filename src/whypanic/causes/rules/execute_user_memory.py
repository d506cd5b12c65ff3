"""Kernel mode fetched an instruction from a page of user space.

Supported by: a permission fault of an instruction fetch at a user address (PXN refused it).
Refuted by: PC at NULL, where no page of user space can be (mmap_min_addr).
Sources: Linux arch/arm64/mm/fault.c (`execution of user memory`), include/linux/security.h (mmap_min_addr).
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch
from whypanic.causes.case import CaseView
from whypanic.causes.natures import NULLS, Nature, in_kernel_thread
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="execute-user-memory",
    title="kernel mode executed user memory",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=6,
)
def execute_user_memory(case: CaseView) -> Statements:
    """Yield whether PC lies in memory of a process."""
    fetch = bad_fetch(case)
    if fetch is None:
        return
    if fetch.nature in NULLS:
        if case.kind is Kind.USER_ACCESS:
            yield refutes("PC is in the first page, which no process can map", *fetch.facts)
        return
    if fetch.nature not in (Nature.USER, Nature.SMALL):
        return
    if in_kernel_thread(case) and case.far is not None:
        yield refutes("no user page table was active", case.far)
    elif fetch.permission:
        yield supports(f"{fetch.claim}, and it is mapped", *fetch.facts)
    else:
        yield consistent(fetch.claim, *fetch.facts)
