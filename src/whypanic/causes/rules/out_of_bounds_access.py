"""Memory outside an object was read or written.

Stated by: KASAN's `*-out-of-bounds`, KFENCE's `out-of-bounds`.
Supported by: KFENCE's damaged canary, SLUB's overwritten redzone; tags that change within one access, or an address
behind the object's end, where KASAN only says `invalid-access`.
Refuted by: words that say use-after-free.
Sources: Linux mm/kasan/report_generic.c (get_shadow_bug_type), mm/kasan/report_tags.c, mm/kfence/core.c
(kfence_handle_page_fault), mm/kfence/report.c, mm/slub.c (check_bytes_and_report).
From memory: the layout of a stack frame, of LLVM's ASanStackFrameLayout.cpp; the redzones of GCC are smaller.
"""

from collections.abc import Iterator

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import (
    MEMORY_KINDS,
    OUT_OF_BOUNDS,
    TAG_MISMATCH,
    doubt,
    stack_claims,
    tag_guess,
    verdict_claim,
    wording_of,
)
from whypanic.causes.shadow import (
    FREED_MARKS,
    MARKS,
    STACK_MARKS,
    first_marked,
    granules,
    near_object,
)
from whypanic.model.claims import Claim, Sense, Statements, consistent, supports
from whypanic.model.sanitizer import Access, ShadowRow, StackObject, StackPlace, TagPair

_FAR_OFF_BYTES = 64
_REDZONES = ((128, 32), (512, 64), (4096, 128))
"""Sizes of variables, and the redzone behind one of at most this size."""
_LARGEST_REDZONE = 256
_ALIGNMENT = 32


@cause(
    id="out-of-bounds-access",
    title="memory outside an object was accessed",
    kinds=MEMORY_KINDS,
    specificity=6,
)
def out_of_bounds_access(case: CaseView) -> Statements:
    """Yield the checker's words, the object and the marks there."""
    said = wording_of(case)
    if said is not None and TAG_MISMATCH in said[0].causes:
        yield from _told_by_tags(case)
        return
    verdict = verdict_claim(case, OUT_OF_BOUNDS)
    if verdict is None:
        return
    yield verdict
    if verdict.sense is Sense.REFUTES:
        return
    yield from _object_claims(case)
    yield from _shadow_claims(case)
    yield from stack_claims(case, "allocated")
    if said is not None and "vmalloc" in said[0].words:
        yield doubt("memory that vfree() gave back carries the same mark", said[1])
    guess = tag_guess(case)
    if guess is not None:
        yield guess


def _object_claims(case: CaseView) -> Iterator[Claim]:
    near = near_object(case)
    if near is None:
        return
    yield consistent(f"the address is {near.words}", *near.facts)
    beyond = near.distance if near.side in ("left", "right") else None
    if beyond is not None and beyond >= max(near.size or 0, _FAR_OFF_BYTES):
        yield doubt(
            "that object is only the nearest one: an access so far off may belong to another",
            *near.facts,
        )


def _shadow_claims(case: CaseView) -> Iterator[Claim]:
    """Yield what the shadow says; generic KASAN only."""
    if case.get(TagPair) is not None or case.get(ShadowRow) is None:
        return
    marked = first_marked(case)
    if marked is None:
        row = next(granules(case), None)
        if row is not None:
            yield doubt("the shadow as printed allows the access: it changed meanwhile", row.row)
        return
    if marked.value in MARKS:
        yield consistent(f"shadow byte {marked.value:#04x}: {MARKS[marked.value]}", marked.row)
    if marked.value in FREED_MARKS:
        yield doubt("the shadow as printed marks freed memory: it changed meanwhile", marked.row)
    if marked.value in STACK_MARKS:
        yield from _stale_stack(case)


def _stale_stack(case: CaseView) -> Iterator[Claim]:
    """Yield the doubt where the mark belongs to no frame: the nearest frame below ends before the address."""
    place, variables = case.get(StackPlace), case.all(StackObject)
    if place is None or not variables:
        return
    last = max(variables, key=lambda v: v.end)
    size = last.end - last.first
    redzone = next((zone for limit, zone in _REDZONES if size <= limit), _LARGEST_REDZONE)
    end = -(-(last.end + redzone) // _ALIGNMENT) * _ALIGNMENT + _ALIGNMENT
    if place.offset >= end:
        yield doubt(
            f"the frame ends before offset {end}, the address is at {place.offset}: the mark is "
            "no frame's that is alive; stale poison of a stack that was left without returning",
            place,
            *variables,
        )


# Tags ------------------------------------------------------------------------------------------


def _told_by_tags(case: CaseView) -> Statements:
    """Yield what supports an overrun where KASAN only says that tags differ."""
    near = near_object(case)
    if near is not None and near.side in ("left", "right"):
        yield supports(f"the address is {near.words}", *near.facts)
        yield from stack_claims(case, "allocated")
    run_off = _run_off(case)
    if run_off is not None:
        yield run_off


def _run_off(case: CaseView) -> Claim | None:
    """Return the claim that the access left its memory: its first granules have the pointer's tag, the rest have not.

    The rows are printed around the first bad granule, so that of a long access they may not show the beginning.
    """
    tags, access = case.get(TagPair), case.get(Access)
    if tags is None or access is None:
        return None
    touched = list(granules(case))
    matching = [granule.value == tags.pointer for granule in touched]
    if not matching or matching[0] is False or all(matching):
        return None
    change = matching.index(False)
    if any(matching[change:]):
        return None
    bad = touched[change]
    return supports(
        f"the access runs from memory with its tag {tags.pointer:#04x} into memory with tag "
        f"{bad.value:#04x}",
        access,
        tags,
        bad.row,
    )
