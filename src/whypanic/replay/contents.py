"""What the text shows of the sections that a listed function refers to."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from whypanic.model.code import Listing
from whypanic.model.provenance import Fact
from whypanic.model.sections import SectionBytes, SectionRelocation

_MAX_BYTES = 1 << 20
_MAX_DUMPS = 256


class Patch(NamedTuple):
    """A place that a linker fills in."""

    offset: int
    type: str
    symbol: str | None
    """None: the function itself, and `addend` an offset in it."""
    addend: int


class Contents(NamedTuple):
    """Bytes and relocations of a section or object, by offset from its start."""

    parts: tuple[tuple[int, bytes], ...] = ()
    patches: tuple[Patch, ...] = ()

    @property
    def size(self) -> int:
        """Return the end of what is known, in bytes."""
        ends = [offset + len(data) for offset, data in self.parts]
        return max([0, *ends, *(patch.offset + 8 for patch in self.patches)])

    def read(self, offset: int, n_bytes: int) -> bytes | None:
        """Return bytes; None where they are not all shown."""
        for start, data in self.parts:
            if start <= offset and offset + n_bytes <= start + len(data):
                return data[offset - start : offset - start + n_bytes]
        return None


Own = Callable[[str, int], int | None]
"""(symbol, addend) -> offset in the function, or None."""


class Near:
    """The dumps and relocation tables that belong to one listing."""

    def __init__(self, facts: Sequence[SectionBytes | SectionRelocation], own: Own) -> None:
        self._dumps = [fact for fact in facts if isinstance(fact, SectionBytes)][:_MAX_DUMPS]
        self._relocations: dict[str, list[SectionRelocation]] = {}
        for fact in facts:
            if isinstance(fact, SectionRelocation):
                self._relocations.setdefault(fact.section, []).append(fact)
        self._dynamic = [fact for rows in self._relocations.values() for fact in rows]
        self._own = own

    @property
    def code_patches(self) -> tuple[Patch, ...]:
        """Relocations of code from a table apart; none where more than one section of code has some."""
        texts = [name for name in self._relocations if "text" in name]
        if len(texts) != 1:
            return ()
        found = []
        for fact in self._relocations[texts[0]]:
            place = self._own(fact.section, fact.offset)
            if place is not None:
                found.append(self._patch(fact, place))
        return tuple(found)

    def contents(self, symbol: str, link_address: int | None) -> Contents:
        """Return what is shown of a section of an object, or at a link address of an image."""
        if link_address is not None:
            return self._image_contents(link_address)
        parts = tuple((fact.address, fact.data) for fact in self._dumps if fact.section == symbol)
        patches = [self._patch(fact, fact.offset) for fact in self._relocations.get(symbol, ())]
        return Contents(parts, tuple(p for p in patches if 0 <= p.offset < _MAX_BYTES))

    def image_run(self, address: int) -> tuple[int, str] | None:
        """Return start and name of the dump that shows a link address."""
        for fact in self._dumps:
            if fact.address <= address < fact.address + len(fact.data):
                return fact.address, f"{fact.section} at {fact.address:#x}"
        return None

    def _image_contents(self, base: int) -> Contents:
        data = next((fact.data for fact in self._dumps if fact.address == base), b"")
        if not data:
            return Contents()
        patches = [
            self._patch(fact, fact.offset - base)
            for fact in self._dynamic
            if 0 <= fact.offset - base < len(data)
        ]
        return Contents(((0, data),), tuple(patches))

    def _patch(self, fact: SectionRelocation, offset: int) -> Patch:
        own = self._own(fact.symbol, fact.addend)
        if own is not None:
            return Patch(offset, fact.type, None, own)
        return Patch(offset, fact.type, fact.symbol, fact.addend)


def contents_of(
    listing: Listing, listings: Sequence[Listing], facts: Sequence[Fact], own: Own
) -> Near:
    """Return the dumps and relocation tables that go with a listing.

    They stand behind it and before the next one. Those of a section that are shown once in the text go with every
    listing; those shown twice, and not behind this listing alone, with none.
    """
    starts = sorted(x.source.line or 0 for x in listings if x.source.input == listing.source.input)
    mine = _group(listing.source.line or 0, starts)
    groups: dict[tuple[type, str], dict[int, list[SectionBytes | SectionRelocation]]] = {}
    for fact in facts:
        if isinstance(fact, SectionBytes | SectionRelocation):
            place = _group(fact.source.line or 0, starts)
            key = (type(fact), fact.section)
            groups.setdefault(key, {}).setdefault(place, []).append(fact)
    chosen: list[SectionBytes | SectionRelocation] = []
    for places in groups.values():
        if len(places) == 1:
            chosen += next(iter(places.values()))
        elif mine in places and 0 not in places:
            chosen += places[mine]
    return Near(chosen, own)


def _group(line: int, starts: Sequence[int]) -> int:
    """Return how many listings begin at or above a line."""
    return sum(start <= line for start in starts)
