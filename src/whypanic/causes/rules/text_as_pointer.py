"""Characters were used as a pointer: a string overran its neighbour, or the object is of another type.

Supported by: a base register, FAR or PC whose bytes are printable text.
Refuted by: bytes that are printable by accident: 0x6b of freed slab memory is `k`.
From memory: Arm ARM DDI 0487 L, address tagging (FAR of a user-range address may lack the top byte), and
little-endian data, so that the first character is the lowest byte.
"""

from whypanic.arch.values import ascii_text
from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import data_pointer
from whypanic.model.claims import Statements, refutes, supports


@cause(
    id="text-as-pointer",
    title="characters were used as a pointer",
    kinds=FAULT_KINDS,
    specificity=7,
)
def text_as_pointer(case: CaseView) -> Statements:
    """Yield which characters the value used as a pointer spells."""
    fetch = bad_fetch(case)
    if fetch is not None:
        if fetch.nature is Nature.TEXT:
            yield supports(fetch.claim, *fetch.facts)
        return
    pointer = data_pointer(case)
    if pointer is None:
        return
    story = pointer.story
    if story.nature is Nature.TEXT:
        yield supports(story.claim, *story.facts)
    elif story.nature is Nature.POISON and ascii_text(story.value) is not None:
        yield refutes(f"the bytes are printable, but {story.claim}", *story.facts)
