"""The rows of `Memory state around the buggy address`: what the shadow or the tags said when they were printed.

Sources: mm/kasan/kasan.h of Debian's linux-source-6.12 for the values (0xf8..0xfa meant others before 5.8..5.11, from
memory); mm/kasan/report.c (print_memory_metadata): 16 granules a row, of 8 bytes, with tags of 16.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from whypanic.causes.case import CaseView
from whypanic.model.sanitizer import Access, BadObject, ShadowRow, TagPair

GENERIC_GRANULE = 8
TAG_GRANULE = 16
INVALID_TAG = 0xFE
"""KASAN_TAG_INVALID: memory that is not allocated, or a redzone."""
_MASK56 = (1 << 56) - 1
_MAX_GRANULES = 64

# fmt: off
MARKS: dict[int, str] = {
    0xFF: "freed page",
    0xFE: "redzone of a large allocation",
    0xFC: "redzone of a slab object",
    0xFB: "freed slab object",
    0xF1: "left redzone of a stack variable",
    0xF2: "redzone between stack variables",
    0xF3: "right redzone of a stack variable",
    0xF4: "partial redzone of a stack variable",
    0xCA: "left redzone of an alloca",
    0xCB: "right redzone of an alloca",
}
"""Shadow bytes of generic KASAN that mean the same in every kernel."""
# fmt: on
FREED_MARKS = frozenset({0xFF, 0xFB})
STACK_MARKS = frozenset({0xF1, 0xF2, 0xF3, 0xF4})


class Granule(NamedTuple):
    """One granule of the access."""

    address: int
    value: int
    row: ShadowRow


def granule_bytes(case: CaseView) -> int:
    """Return the size of a granule: from the distance of two rows, else by the mode."""
    rows = case.all(ShadowRow)
    for first, second in pairwise(rows):
        size = (second.address - first.address) // len(first.values)
        if size in (GENERIC_GRANULE, TAG_GRANULE):
            return size
    return TAG_GRANULE if case.get(TagPair) is not None else GENERIC_GRANULE


def granules(case: CaseView) -> Iterator[Granule]:
    """Yield the granules that the access touched, as far as the rows show them."""
    access = case.get(Access)
    if access is None or access.address is None:
        return
    size = granule_bytes(case)
    first = (access.address & _MASK56) // size
    last = ((access.address & _MASK56) + max(access.size or 1, 1) - 1) // size
    rows = {(row.address & _MASK56) // size: row for row in case.all(ShadowRow)}
    count = 0
    for start, row in sorted(rows.items()):
        for index in range(max(first, start), min(last, start + len(row.values) - 1) + 1):
            yield Granule(index * size, row.values[index - start], row)
            count += 1
            if count >= _MAX_GRANULES:
                return


def first_marked(case: CaseView) -> Granule | None:
    """Return the first granule of the access that generic KASAN forbids; None where the rows allow all of it."""
    return next((g for g in granules(case) if g.value), None)


class NearObject(NamedTuple):
    """The object that the report names."""

    facts: tuple[BadObject, ...]
    cache: str | None
    size: int | None
    distance: int | None
    side: str
    state: str

    @property
    def words(self) -> str:
        """Return place and object in words."""
        size = f"{self.size}-byte " if self.size is not None else ""
        cache = f" of {self.cache}" if self.cache else ""
        side = {"inside": "inside", "left": "before", "right": "behind the end of"}.get(self.side)
        if side is None or self.distance is None:
            return f"near a {size}object{cache}"
        state = {"allocated": "an allocated ", "freed": "a freed "}.get(self.state, "a ")
        return f"{self.distance} bytes {side} {state}{size}object{cache}"


def near_object(case: CaseView) -> NearObject | None:
    """Return the object near the bad address, its lines put together; None where the report names none."""
    facts = case.all(BadObject)
    if not facts:
        return None
    region = next((f for f in reversed(facts) if f.size is not None), None)
    return NearObject(
        facts=facts,
        cache=next((f.cache for f in facts if f.cache), None),
        size=region.size if region else None,
        distance=next((f.distance for f in facts if f.distance is not None), None),
        side=next((f.side for f in facts if f.side), ""),
        state=next((f.state for f in facts if f.state), ""),
    )
