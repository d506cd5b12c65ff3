"""A poison value was used as a pointer: the object was freed, or the element is no longer on its list.

Supported by: a base register, or FAR, that is a known poison value plus a small offset.
Refuted by: a base register that is something else while another register holds poison.
Sources: Linux include/linux/poison.h, mm/slub.c (POISON_FREE), arch/arm64 Kconfig (ILLEGAL_POINTER_VALUE).
"""

from whypanic.arch.values import find_poison
from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch
from whypanic.causes.case import CaseView
from whypanic.causes.image_pointers import pointer_in_image
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import How, Pointer, data_pointer
from whypanic.model.claims import Statements, refutes, supports


@cause(
    id="poisoned-pointer",
    title="a poison value was used as a pointer",
    kinds=FAULT_KINDS,
    specificity=8,
)
def poisoned_pointer(case: CaseView) -> Statements:
    """Yield which poison the value used as a pointer is."""
    fetch = bad_fetch(case)
    if fetch is not None:
        if fetch.nature is Nature.POISON:
            yield supports(fetch.claim, *fetch.facts)
        return
    pointer = data_pointer(case)
    if pointer is None:
        return
    story = pointer.story
    if story.nature is not Nature.POISON:
        if story.how is How.WORD:
            yield from _only_bystander(case, story)
        return
    offset = f", accessed at {story.offset:+#x}" if story.offset else ""
    yield supports(story.claim + offset, *story.facts)
    yield from pointer_in_image(case, story)


def _only_bystander(case: CaseView, story: Pointer) -> Statements:
    """Poison in a register that the faulting access did not use is no cause."""
    for name, register in case.registers.items():
        poison = find_poison(register.value) if register.value and name.startswith("x") else None
        if poison is not None and not poison.offset:
            yield refutes(f"{name} holds {poison.name}, but {story.claim}", *story.facts, register)
            return
