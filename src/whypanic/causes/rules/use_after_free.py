"""Freed memory was read or written.

Stated by: KASAN's and KFENCE's `use-after-free`.
Supported by: SLUB's overwritten poison; where KASAN only says `invalid-access`, tag 0xfe inside an object that has a
free stack.
Refuted by: words that say out-of-bounds.
Sources: Linux mm/kasan/report_generic.c (get_shadow_bug_type), mm/kasan/report_tags.c,
mm/kasan/kasan.h (KASAN_TAG_INVALID), mm/kfence/core.c (kfence_handle_page_fault), mm/slub.c (check_bytes_and_report).
"""

from collections.abc import Iterator

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import (
    MEMORY_KINDS,
    TAG_MISMATCH,
    USE_AFTER_FREE,
    doubt,
    has_stack,
    stack_claims,
    tag_guess,
    verdict_claim,
    wording_of,
)
from whypanic.causes.shadow import (
    FREED_MARKS,
    INVALID_TAG,
    MARKS,
    first_marked,
    granules,
    near_object,
)
from whypanic.model.claims import Claim, Sense, Statements, consistent, supports
from whypanic.model.sanitizer import ShadowRow, TagPair


@cause(
    id="use-after-free",
    title="freed memory was accessed",
    kinds=MEMORY_KINDS,
    specificity=6,
)
def use_after_free(case: CaseView) -> Statements:
    """Yield the checker's words, the object and who freed it."""
    said = wording_of(case)
    if said is not None and TAG_MISMATCH in said[0].causes:
        yield from _told_by_tags(case)
        return
    verdict = verdict_claim(case, USE_AFTER_FREE)
    if verdict is None:
        return
    yield verdict
    if verdict.sense is Sense.REFUTES:
        return
    near = near_object(case)
    if near is not None:
        yield consistent(f"the address is {near.words}", *near.facts)
    yield from _shadow_claims(case)
    yield from stack_claims(case, "freed", "rcu freeing", "allocated", "last potentially")
    guess = tag_guess(case)
    if guess is not None:
        yield guess


def _shadow_claims(case: CaseView) -> Iterator[Claim]:
    """Yield what the shadow says; generic KASAN only."""
    if case.get(TagPair) is not None or case.get(ShadowRow) is None:
        return
    marked = first_marked(case)
    if marked is None:
        first = next(granules(case), None)
        if first is not None:
            yield doubt("the shadow as printed allows the access: allocated anew", first.row)
    elif marked.value in FREED_MARKS:
        yield consistent(f"shadow byte {marked.value:#04x}: {MARKS[marked.value]}", marked.row)
    elif marked.value in MARKS:
        yield doubt(
            f"shadow byte {marked.value:#04x} as printed is a {MARKS[marked.value]}: it changed "
            "meanwhile",
            marked.row,
        )


def _told_by_tags(case: CaseView) -> Statements:
    """Yield what supports it where KASAN only says that tags differ."""
    tags, near = case.get(TagPair), near_object(case)
    freed = has_stack(case, "freed")
    if tags is None or near is None or near.side != "inside":
        return
    if tags.memory == INVALID_TAG and freed is not None:
        yield supports(
            f"{near.words}; tag {INVALID_TAG:#04x} marks memory that is not allocated, and the "
            "object has a free stack",
            tags,
            freed,
            *near.facts,
        )
    elif tags.memory != INVALID_TAG:
        yield consistent(
            f"{near.words}, which carries another tag than the pointer: as after it was freed and "
            "allocated anew",
            tags,
            *near.facts,
        )
    else:
        return
    yield from stack_claims(case, "freed", "allocated")
