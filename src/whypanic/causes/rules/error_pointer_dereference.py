"""An ERR_PTR value was used as a pointer: a failed call's error code was never checked.

Supported by: a base register that holds -4095..-1, or FAR there; for a member address, a register with the error value.
Refuted by: a base register that is something else while FAR lies next to the error values.
Sources: Linux include/linux/err.h (MAX_ERRNO), include/uapi/asm-generic/errno*.h.
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch
from whypanic.causes.case import CaseView
from whypanic.causes.image_pointers import pointer_in_image
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import How, data_pointer
from whypanic.model.claims import Statements, consistent, refutes, supports

_NEAR = 1 << 64
_REACH = 0x2000


@cause(
    id="error-pointer-dereference",
    title="an error value was used as a pointer",
    kinds=FAULT_KINDS,
    specificity=8,
)
def error_pointer_dereference(case: CaseView) -> Statements:
    """Yield what the value used as a pointer says for and against an error value."""
    fetch = bad_fetch(case)
    if fetch is not None:
        if fetch.nature is Nature.ERROR:
            yield supports(fetch.claim, *fetch.facts)
        return
    pointer = data_pointer(case)
    if pointer is None:
        return
    story = pointer.story
    if story.nature is Nature.ERROR:
        strong = story.how is not How.FAR
        say = supports if strong or story.value % 4 else consistent
        offset = f", accessed at {story.offset:+#x}" if story.offset else ""
        yield say(story.claim + offset, *story.facts)
        yield from pointer_in_image(case, story)
    elif story.also is Nature.ERROR:
        yield consistent(f"{story.value:#x} is also in the range of error values", *story.facts)
    elif story.how is not How.FAR and case.far is not None and case.far.va > _NEAR - _REACH:
        yield refutes(story.claim, *story.facts)
