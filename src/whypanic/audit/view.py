"""What a rule sees of an image: its domains, their instructions, references, tables and slots; each worked out once."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.code.alternatives import AlternativeTable, read_alternatives, render
from whypanic.code.execution_domains import (
    ALTERNATIVES,
    PLAIN_DOMAINS,
    Domain,
    DomainRow,
    domains_of,
)
from whypanic.code.hyp_relocations import HypRelocations, hyp_relocations
from whypanic.code.image_code import Span, data_words, function_span, linked_words
from whypanic.code.jump_tables import find_tables
from whypanic.code.masks import MASKS
from whypanic.code.references import references_from
from whypanic.code.sweep import Sweep
from whypanic.formats.kernel_image import Addresses, KernelImage, Words
from whypanic.model.image import CodeReference, JumpTable

_WORD_BYTES = 4
_MAX_FUNCTIONS = 20_000


class Instructions(NamedTuple):
    """Instructions that run in a domain: those of the file, and those that alternatives may put in their place."""

    places: Addresses
    """Link VAs where they run, sorted; one place may have several."""
    words: Words
    from_alternative: NDArray[np.bool_]

    def found(self, name: str) -> "Instructions":
        """Return those that are an instruction of `code.masks.MASKS`."""
        return self.where(MASKS[name].hits(self.words))

    def where(self, hits: NDArray[np.bool_]) -> "Instructions":
        """Return those that a mask picks."""
        return Instructions(self.places[hits], self.words[hits], self.from_alternative[hits])

    def __iter__(self) -> Iterator[tuple[int, int, bool]]:  # type: ignore[override]
        """Yield place, word, and whether an alternative puts it there."""
        return zip(
            self.places.tolist(), self.words.tolist(), self.from_alternative.tolist(), strict=True
        )


class AuditView:
    """One image as the rules see it."""

    def __init__(self, image: KernelImage, more: Sequence[DomainRow] = ()) -> None:
        """Keep the image.

        :param more: a user's own domains.
        """
        self.image = image
        self.domains = domains_of(image, more)
        self._own = frozenset(row.name for row in more)
        self._instructions: dict[str, Instructions] = {}
        self._references: dict[str, tuple[CodeReference, ...]] = {}
        self._tables: dict[str, tuple[JumpTable, ...]] = {}

    @property
    def is_object(self) -> bool:
        """A relocatable object: its sections have no addresses yet."""
        return self.image.is_object

    def named(self, names: Sequence[str]) -> tuple[Domain, ...]:
        """Return the domains of these names that the image has.

        `own` stands for all that the user added, `*` for every one whose code runs elsewhere than at its link address.
        """
        others = self._own if "own" in names else frozenset()
        if "*" in names:
            others = frozenset(d.name for d in self.domains) - {ALTERNATIVES, *PLAIN_DOMAINS}
        return tuple(d for d in self.domains if d.name in names or d.name in others)

    def owner(self, address: int) -> Domain | None:
        """Return the domain of code at a link VA."""
        return next((d for d in self.domains if d.holds(address)), None)

    def own_code(self, domain: Domain) -> tuple[tuple[int, int], ...]:
        """Return the code ranges of a domain without what earlier domains take of them."""
        ranges = list(domain.code)
        for other in self.domains:
            if other is domain:
                break
            for first, end in other.code:
                ranges = [piece for r in ranges for piece in _without(r, first, end)]
        return tuple(ranges)

    def sweeps(self, domain: Domain) -> Iterator[Sweep]:
        """Yield the words of a domain's code, range by range, data words marked."""
        for first, end in self.own_code(domain):
            words = linked_words(self.image, first, end)
            if words is not None and len(words):
                data = data_words(self.image, first, first + 4 * len(words))
                for start, stop in domain.tables:
                    lo, hi = (min(max(0, (a - first) // 4), len(data)) for a in (start, stop))
                    data[lo:hi] = True
                yield Sweep(words, first, data)

    def instructions(self, domain: Domain) -> Instructions:
        """Return every instruction that may run in a domain."""
        if domain.name not in self._instructions:
            self._instructions[domain.name] = self._collect(domain)
        return self._instructions[domain.name]

    def _collect(self, domain: Domain) -> Instructions:
        places: list[Addresses] = []
        words: list[Words] = []
        changed: list[NDArray[np.bool_]] = []
        for sweep in self.sweeps(domain):
            index = np.arange(len(sweep.words))
            if sweep.data is not None:
                index = np.flatnonzero(~sweep.data)
            places.append(sweep.at(index))
            words.append(sweep.words[index])
            changed.append(np.zeros(len(index), np.bool_))
            extra = self._alternatives_in(sweep)
            places.append(np.array([a for a, _ in extra], np.uint64))
            words.append(np.array([w for _, w in extra], np.uint32))
            changed.append(np.ones(len(extra), np.bool_))
        if not places:
            none = np.empty(0, np.uint64)
            return Instructions(none, np.empty(0, np.uint32), np.empty(0, np.bool_))
        at = np.concatenate(places)
        order = np.argsort(at, kind="stable")
        return Instructions(at[order], np.concatenate(words)[order], np.concatenate(changed)[order])

    def _alternatives_in(self, sweep: Sweep) -> list[tuple[int, int]]:
        """Return (place, word) of what alternatives may put into a range, at its place and re-targeted."""
        if not len(self.alternatives):
            return []
        code = render(self.image, self.alternatives, sweep.first, sweep.end, _unknown)
        return [
            (address, word)
            for address, change in code.changes.items()
            for word in change.words
            if word != change.built
        ]

    def references(self, domain: Domain) -> tuple[CodeReference, ...]:
        """Return what the code of a domain, as built, refers to outside its own ranges."""
        if domain.name not in self._references:
            found = (
                r
                for first, end in self.own_code(domain)
                for r in references_from(self.image, first, end)
            )
            self._references[domain.name] = tuple(found)
        return self._references[domain.name]

    def functions(self, domain: Domain) -> Iterator[Span]:
        """Yield the functions of a domain, by address."""
        for first, end in self.own_code(domain):
            at, n = first, 0
            while at < end and n < _MAX_FUNCTIONS:
                span = function_span(self.image, at)
                n += 1
                if span is None or span.end <= at:
                    after = [s.address for s in self.image.symbols.between(at + 1, end)][:1]
                    at = after[0] if after else end
                    continue
                yield span
                at = span.end

    def tables(self, domain: Domain) -> tuple[JumpTable, ...]:
        """Return the tables that the functions of a domain branch through."""
        if domain.name not in self._tables:
            indirect = self.instructions(domain).found("br|blr").places
            wanted = {
                (span.first, span.end)
                for place in indirect.tolist()
                if (span := function_span(self.image, place)) is not None
            }
            found = (
                t for first, end in sorted(wanted) for t in find_tables(self.image, first, end)
            )
            self._tables[domain.name] = tuple(found)
        return self._tables[domain.name]

    @cached_property
    def alternatives(self) -> AlternativeTable:
        return read_alternatives(self.image)

    @cached_property
    def hyp_relocations(self) -> HypRelocations | None:
        """What .hyp.reloc lists; None: the kernel has no such list."""
        return hyp_relocations(self.image)


def _without(piece: tuple[int, int], first: int, end: int) -> Iterator[tuple[int, int]]:
    start, stop = piece
    if first >= stop or end <= start:
        yield piece
        return
    if start < first:
        yield start, first
    if end < stop:
        yield end, stop


def _unknown(_number: int) -> bool | None:
    return None
