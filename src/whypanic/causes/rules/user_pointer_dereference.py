"""The kernel dereferenced a user-space address outside the uaccess routines.

Supported by: a base register or FAR of the form user mappings have, while a user page table was active; a permission
fault there (the page is mapped, PAN refused it).
Refuted by: a base register that is NULL or no address of user space; a kernel thread, which has no user memory.
Sources: Linux arch/arm64/mm/fault.c (is_el1_permission_fault), mm/util.c (mmap_base), arch/arm64/include/asm/elf.h.
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import FAULT_KINDS, fault_kind
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.natures import NULLS, Nature, in_kernel_thread
from whypanic.causes.pointers import How, data_pointer
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="user-pointer-dereference",
    title="a user address was dereferenced outside the uaccess routines",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=6,
)
def user_pointer_dereference(case: CaseView) -> Statements:
    """Yield whether the value is an address of user space."""
    pointer = data_pointer(case)
    if pointer is None:
        said = case.headline if case.kind is Kind.USER_ACCESS and case.far is None else None
        if said is not None and "access to user memory" in said.message:
            yield consistent("the kernel says: user memory; the address is missing", said)
        return
    if pointer.nature is Nature.USER:
        strong = pointer.how is not How.FAR or fault_kind(case) is FaultKind.PERMISSION
        say = supports if strong else consistent
        yield say(pointer.claim, *pointer.facts)
        return
    if case.kind is Kind.USER_ACCESS and pointer.nature in NULLS:
        yield refutes(
            f"{pointer.claim}; the header says user memory for any address of the lower range",
            *pointer.facts,
        )
    elif pointer.nature is Nature.SMALL and in_kernel_thread(case) and case.far is not None:
        yield refutes("no user page table was active: there is no user memory to reach", case.far)
