"""One pass over the words of a section: where its branches lead, which addresses it forms.

Addresses are uint64 throughout; sums are modulo 2^64.
"""

from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from whypanic.code.image_code import calls_without_return, data_mask, linked_words
from whypanic.code.masks import MASKS, field, signed_field
from whypanic.formats.kernel_image import Addresses, KernelImage, Section, Words

PAIR_DISTANCE = 12
"""How many words behind an ADRP are looked at for the instructions that complete its address."""
_NEAR = {"b.cond": (5, 19), "cbz|cbnz": (5, 19), "tbz|tbnz": (5, 14)}
_PAGE = np.uint64(0xFFF)
_CALL_CLOBBERED = 19


class Leads(NamedTuple):
    """Instructions and the addresses that they lead to or form, in the same order."""

    places: Addresses
    targets: Addresses

    def to(self, first: int, end: int) -> "Leads":
        """Return those that lead into [first, end)."""
        span = np.uint64(max(end - first, 0))
        inside = self.targets - np.uint64(first) < span
        return Leads(self.places[inside], self.targets[inside])

    def leaving(self, first: int, end: int) -> "Leads":
        """Return those that lead out of [first, end)."""
        outside = self.targets - np.uint64(first) >= np.uint64(max(end - first, 0))
        return Leads(self.places[outside], self.targets[outside])


class Pairs(NamedTuple):
    """Addresses formed by ADRP and the instruction that adds the low twelve bits."""

    adrp: Addresses
    places: Addresses
    """Of the second instruction."""
    targets: Addresses
    loads: NDArray[np.bool_]
    """The second instruction accesses the address, it does not only form it."""


class Sweep:
    """The words of one section, at their addresses, with data words known."""

    def __init__(self, words: Words, first: int, data: NDArray[np.bool_] | None = None) -> None:
        """Keep the words as they are.

        :param data: which words are no instructions, bool[n]; None: all are.
        """
        self.words = words
        self.first = first
        self.data = data

    @property
    def end(self) -> int:
        return self.first + 4 * len(self.words)

    def at(self, index: NDArray[np.int64]) -> Addresses:
        """Return the addresses of words by number."""
        return np.uint64(self.first) + index.astype(np.uint64) * np.uint64(4)

    def found(self, name: str) -> NDArray[np.int64]:
        """Return the numbers of the words that are an instruction of `masks.MASKS`, data left out."""
        hits = MASKS[name].hits(self.words)
        if self.data is not None:
            hits &= ~self.data
        return np.flatnonzero(hits)

    def _leads(self, index: NDArray[np.int64], lo: int, width: int) -> Leads:
        places = self.at(index)
        offsets = signed_field(self.words[index], lo, width) * 4
        return Leads(places, places + offsets.astype(np.uint64))

    @cached_property
    def branches(self) -> Leads:
        """B and BL."""
        return self._leads(self.found("b|bl"), 0, 26)

    def conditional(self) -> Leads:
        """B.cond, CBZ, CBNZ, TBZ and TBNZ."""
        parts = [self._leads(self.found(name), *at) for name, at in _NEAR.items()]
        order = np.argsort(np.concatenate([p.places for p in parts]), kind="stable")
        return Leads(
            np.concatenate([p.places for p in parts])[order],
            np.concatenate([p.targets for p in parts])[order],
        )

    def branches_to(self, target: int) -> Addresses:
        """Return every direct branch to one address, without working out the others' targets."""
        distance = (target - self.first) // 4
        found = [self._far(distance)]
        lo, hi = (max(0, min(len(self.words), distance + d)) for d in (-(1 << 18), 1 << 18))
        data = None if self.data is None else self.data[lo:hi]
        near = Sweep(self.words[lo:hi], self.first + 4 * lo, data)
        found.append(near.conditional().to(target, target + 1).places)
        return np.sort(np.concatenate(found))

    def _far(self, distance: int) -> Addresses:
        """Return every B and BL to the word of this number, which may lie outside."""
        lo, hi = (max(0, min(len(self.words), distance + d)) for d in (1 - (1 << 25), 1 << 25))
        low = np.uint32((distance - lo) & 0xFFFFFFFF) - np.arange(hi - lo, dtype=np.uint32)
        low &= np.uint32(0x03FFFFFF)
        low |= np.uint32(0x14000000)
        hits = np.flatnonzero((self.words[lo:hi] & np.uint32(0x7FFFFFFF)) == low) + lo
        return self.at(hits if self.data is None else hits[~self.data[hits]])

    def literals(self) -> Leads:
        """LDR, LDRSW and PRFM (literal), of SIMD registers too."""
        return self._leads(self.found("ldr literal"), 5, 19)

    def _relative(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        words = self.words[index]
        return signed_field(words, 5, 19) * 4 + field(words, 29, 2).astype(np.int64)

    def adr(self) -> Leads:
        """ADR."""
        index = self.found("adr")
        places = self.at(index)
        return Leads(places, places + self._relative(index).astype(np.uint64))

    @cached_property
    def _pages(self) -> tuple[NDArray[np.int64], Addresses]:
        index = self.found("adrp")
        pages = (self.at(index) & ~_PAGE) + (self._relative(index) << 12).astype(np.uint64)
        return index, pages

    def adrp(self) -> Leads:
        """ADRP and the page it names."""
        index, pages = self._pages
        return Leads(self.at(index), pages)

    @cached_property
    def pairs(self) -> Pairs:
        """ADRP with ADD, load or store on the same register, as far as nothing between writes it.

        Straight-line code within PAIR_DISTANCE words: an address completed in another block is not seen here.
        """
        starts, pages = self._pages
        words = self.words
        register = field(words[starts], 0, 5)
        alive = np.ones(len(starts), np.bool_)
        parts: list[tuple[NDArray[np.int64], NDArray[np.int64], Addresses, NDArray[np.bool_]]] = []
        for distance in range(1, PAIR_DISTANCE + 1):
            alive &= starts + distance < len(words)
            if not alive.any():
                break
            live = np.flatnonzero(alive)
            at = starts[live] + distance
            word = words[at]
            own = field(word, 5, 5) == register[live]
            adds = own & MASKS["add x imm"].hits(word)
            accesses = own & MASKS["ld/st uimm"].hits(word)
            low = field(word, 10, 12).astype(np.uint64)
            shifted = low << (field(word, 22, 1).astype(np.uint64) * np.uint64(12))
            amount = np.where(adds, shifted, low << _access_shift(word))
            hits = adds | accesses
            parts.append(
                (starts[live][hits], at[hits], pages[live][hits] + amount[hits], accesses[hits])
            )
            alive[live] &= ~(_ends(word) | _writes(word, register[live]))
        if not parts:
            none, places = np.empty(0, np.uint64), np.empty(0, np.bool_)
            return Pairs(none, none, none, places)
        first, second, targets, loads = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        order = np.argsort(second, kind="stable")
        return Pairs(self.at(first[order]), self.at(second[order]), targets[order], loads[order])


def _access_shift(words: Words) -> NDArray[np.uint64]:
    """Return log2 of the bytes of each LDR or STR (unsigned offset)."""
    size = field(words, 30, 2)
    quad = (field(words, 26, 1) == 1) & (field(words, 23, 1) == 1) & (size == 0)
    return np.where(quad, np.uint32(4), size).astype(np.uint64)


def _ends(words: Words) -> NDArray[np.bool_]:
    """Return which words do not go on to the next."""
    return MASKS["b"].hits(words) | (MASKS["any register"].hits(words) & ~MASKS["blr"].hits(words))


def _writes(words: Words, register: Words) -> NDArray[np.bool_]:
    """Return which words may write their register, by the fields that name results."""
    no_result = (
        MASKS["b.cond"].hits(words)
        | MASKS["cbz|cbnz"].hits(words)
        | MASKS["tbz|tbnz"].hits(words)
        | MASKS["b"].hits(words)
    )
    memory = (words & np.uint32(0x0A000000)) == np.uint32(0x08000000)
    stores = memory & ((words & np.uint32(0x3BC00000)) == np.uint32(0x39000000))
    first = (field(words, 0, 5) == register) & ~no_result & ~stores
    pairs = (words & np.uint32(0x3A400000)) == np.uint32(0x28400000)
    second = pairs & (field(words, 10, 5) == register)
    back = memory & (field(words, 5, 5) == register)
    back &= ((words & np.uint32(0x3B200400)) == np.uint32(0x38000400)) | (
        (words & np.uint32(0x3A800000)) == np.uint32(0x28800000)
    )
    calls = MASKS["bl"].hits(words) | MASKS["blr"].hits(words)
    clobbered = calls & ((register < _CALL_CLOBBERED) | (register == 30))
    written: NDArray[np.bool_] = first | second | back | clobbered
    return written


_KEPT: WeakKeyDictionary[KernelImage, tuple[Sweep, ...]] = WeakKeyDictionary()


def sweeps_of(image: KernelImage) -> tuple[Sweep, ...]:
    """Return the executable sections of an image, each swept, in the order of addresses.

    The words are those of the file, not copied: slots that the kernel relocates are data.
    """
    kept = _KEPT.get(image)
    if kept is None:
        kept = tuple(s for s in (sweep_of(image, x) for x in image.executable_sections()) if s)
        _KEPT[image] = kept
    return kept


def sweep_of(image: KernelImage, section: Section) -> Sweep | None:
    """Return one section swept; None where its bytes are not in the file."""
    for extent in image.extents:
        if extent.address <= section.address < extent.end:
            start = section.address - extent.address
            size = min(section.size, extent.end - section.address) & ~3
            if section.address % 4 or not size:
                return None
            words: Words | None = np.frombuffer(extent.data[start : start + size], dtype="<u4")
            if image.relocations:
                words = linked_words(image, section.address, section.address + size)
            if words is None:
                return None
            return Sweep(words, section.address, data_mask(image, section.address, words))
    return None


_FORMED: WeakKeyDictionary[KernelImage, Addresses] = WeakKeyDictionary()


def formed_addresses(image: KernelImage) -> Addresses:
    """Return every address that ADR, or ADRP with its second instruction, forms in an image: sorted, each once."""
    kept = _FORMED.get(image)
    if kept is None:
        parts = [t for s in sweeps_of(image) for t in (s.pairs.targets, s.adr().targets)]
        kept = _FORMED[image] = np.unique(np.concatenate(parts or [np.empty(0, np.uint64)]))
    return kept


def ends_of(
    image: KernelImage, words: Words, first: int, data: NDArray[np.bool_]
) -> frozenset[int]:
    """Return the numbers of the words of a function behind which it does not go on: calls that do not come back."""
    leads = Sweep(words, first, data).branches
    calls = dict(zip(leads.places.tolist(), leads.targets.tolist(), strict=True))
    return frozenset((place - first) // 4 for place in calls_without_return(image, calls))
