"""The kernel called or branched to address zero, or so near that only NULL plus an offset explains it.

Supported by: an instruction fetch that faulted below the first page.
Refuted by: a data access, whatever the header says.
From memory: Arm ARM DDI 0487 L, ESR_EL1 ISS for an Instruction Abort (EC 0x21).
"""

from whypanic.causes.aborts import FAULT_KINDS, is_data_access
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch, unreadable_code
from whypanic.causes.case import CaseView
from whypanic.causes.image_pointers import call_in_image
from whypanic.causes.natures import NULLS, PAGE_BYTES
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="null-function-pointer",
    title="a NULL function pointer was called",
    kinds=FAULT_KINDS,
    specificity=8,
)
def null_function_pointer(case: CaseView) -> Statements:
    """Yield what the fetch says for and against a branch to zero."""
    fetch = bad_fetch(case)
    if fetch is None:
        small = case.far is not None and case.far.va < PAGE_BYTES
        if case.syndrome is not None and is_data_access(case) and small:
            yield refutes("a data access faulted, not an instruction fetch", case.syndrome)
        return
    if fetch.nature not in NULLS or fetch.target >= PAGE_BYTES:
        if case.kind is Kind.NULL_DEREFERENCE:
            yield refutes(fetch.claim, *fetch.facts)
        return
    say = consistent if fetch.returned else supports
    yield say(f"the CPU fetched from {fetch.target:#x}: PC itself is NULL", *fetch.facts)
    yield from call_in_image(case, fetch)
    if fetch.caller is not None:
        yield consistent(f"the way there led from {fetch.caller_name}", fetch.caller)
    code = unreadable_code(case)
    if code is not None:
        yield consistent("there is no code at PC", code)
