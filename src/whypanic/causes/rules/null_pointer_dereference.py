"""A NULL pointer was dereferenced, a NULL per-cpu pointer and container_of(NULL) among them.

Supported by: a base register of 0 (or a small member address) in the faulting word; FAR in the first page.
Refuted by: a base register that is something else; an instruction fetch.
Sources: Linux arch/arm64/mm/fault.c (the header says NULL for any address below one page, whatever the pointer was),
include/linux/container_of.h, arch/arm64/include/asm/percpu.h.
From memory: Arm ARM DDI 0487 L, ESR_EL1 ISS for a Data Abort.
"""

from whypanic.causes.aborts import FAULT_KINDS, is_fetch
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.image_pointers import pointer_in_image
from whypanic.causes.natures import NULLS, PAGE_BYTES, Nature
from whypanic.causes.pointers import How, data_pointer, null_hint
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="null-pointer-dereference",
    title="a NULL pointer was dereferenced",
    kinds=FAULT_KINDS,
    specificity=7,
)
def null_pointer_dereference(case: CaseView) -> Statements:
    """Yield what the pointer behind the access says for and against NULL."""
    pointer = data_pointer(case)
    if pointer is None:
        if case.syndrome is not None and is_fetch(case) and _worded_null(case):
            yield refutes("an instruction fetch faulted, not a data access", case.syndrome)
        elif case.kind is Kind.NULL_DEREFERENCE and case.headline is not None and case.far is None:
            yield consistent("the kernel says: NULL pointer; the address is missing", case.headline)
        return
    story = pointer.story
    if story.nature in NULLS:
        offset = f", accessed at {story.offset:+#x}" if story.offset else ""
        yield supports(story.claim + offset, *story.facts)
        yield from pointer_in_image(case, story)
        if story.nature is Nature.CONTAINER_OF_NULL:
            yield consistent(
                "the distance is a multiple of 8, as offsets of list heads are; few error values are",
                *story.facts,
            )
        hint = null_hint(case)
        if pointer.nature is Nature.SHADOW and hint is not None:
            yield supports("KASAN's line names the address behind the shadow: null-ptr-deref", hint)
    elif story.how is not How.FAR and _worded_null(case):
        yield refutes(story.claim, *story.facts)


def _worded_null(case: CaseView) -> bool:
    far = case.far
    return case.kind is Kind.NULL_DEREFERENCE or (far is not None and far.va < PAGE_BYTES)
