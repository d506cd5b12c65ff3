"""Where the direct branches of a domain lead, and what stands at their targets."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain, Range
from whypanic.code.masks import signed_field
from whypanic.formats.kernel_image import Addresses, KernelImage, ObjectRelocation, Words

_FIELDS = {"b|bl": (0, 26), "b.cond": (5, 19), "cbz|cbnz": (5, 19), "tbz|tbnz": (5, 14)}
_TYPES = (279, 280, 282, 283)
"""R_AARCH64_TSTBR14, CONDBR19, JUMP26, CALL26."""
_LDR = {0x58000050: 16, 0x58000051: 17}
"""LDR X16|X17 of the eight bytes behind the next instruction."""
_BR = {16: 0xD61F0200, 17: 0xD61F0220}
_BTI, _BTI_MASK = 0xD503241F, 0xFFFFFF3F
LONG_THUNK = "__AArch64AbsLongThunk_"
_VENEER_NAMES = (
    *("__AArch64ADRPThunk_", "__AArch64BTIThunk_", "__CortexA53843419_"),
    *("e843419@", "__erratum_835769_veneer_", "__erratum_843419_veneer_"),
)
MAX_BRANCHES = 1 << 20


class Branches(NamedTuple):
    """Direct branches as they run, by place."""

    places: Addresses
    targets: Addresses
    words: Words
    from_alternative: NDArray[np.bool_]

    def where(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> "Branches":
        """Return those that a mask picks, or those of some numbers."""
        return Branches(
            self.places[keep], self.targets[keep], self.words[keep], self.from_alternative[keep]
        )

    def outside(self, ranges: Sequence[Range]) -> "Branches":
        """Return those that lead out of all ranges."""
        out = np.ones(len(self.places), np.bool_)
        for first, end in ranges:
            out &= self.targets - np.uint64(first) >= np.uint64(max(end - first, 0))
        return self.where(out)

    def rows(self) -> Iterator[tuple[int, int, int, bool]]:
        """Yield place, target, word, and whether an alternative puts it there."""
        return zip(
            self.places.tolist(),
            self.targets.tolist(),
            self.words.tolist(),
            self.from_alternative.tolist(),
            strict=True,
        )


def branches_of(view: AuditView, domain: Domain) -> Branches:
    """Return every B, BL, B.cond, CBZ, CBNZ, TBZ and TBNZ of a domain's code.

    Of an object those whose relocation is open and undefined lead to themselves.
    """
    code = view.instructions(domain)
    parts: list[Branches] = []
    for name, at in _FIELDS.items():
        found = code.found(name)
        targets = found.places + (signed_field(found.words, *at) * 4).astype(np.uint64)
        parts.append(Branches(found.places, targets, found.words, found.from_alternative))
    found_all = Branches(
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.targets for part in parts]),
        np.concatenate([part.words for part in parts]),
        np.concatenate([part.from_alternative for part in parts]),
    )
    return found_all.where(np.argsort(found_all.places, kind="stable")[:MAX_BRANCHES])


def undefined_branches(view: AuditView, domain: Domain) -> Iterator[ObjectRelocation]:
    """Yield the branches of a domain of an object to symbols that it does not define, by place."""
    for first, end in domain.code:
        for entry in view.image.relocations_within(first, end):
            if entry.type in _TYPES and entry.target is None:
                yield entry


class Veneer(NamedTuple):
    """Code that a linker put between a branch and its target."""

    address: int
    name: str | None
    register: int | None
    """16 or 17: it loads an absolute address into it and branches there."""
    slot: int | None
    """Where that address is held."""
    value: int | None


def veneers_at(image: KernelImage, targets: Addresses) -> dict[int, Veneer]:
    """Return the veneers among the targets of branches, by address.

    Told by what the code does, for absolute ones; by the names that linkers give, for all.
    """
    unique = np.unique(targets)
    found: dict[int, Veneer] = {}
    first = _words_at(image, unique)
    pads = (first & np.uint32(_BTI_MASK)) == np.uint32(_BTI)
    load = np.where(pads, _words_at(image, unique + np.uint64(4)), first)
    for i in np.flatnonzero(np.isin(load, np.array(list(_LDR), np.uint32))).tolist():
        at = int(unique[i]) + (4 if pads[i] else 0)
        register = _LDR[int(load[i])]
        branch = image.words(at + 4, at + 8)
        if branch is not None and int(branch[0]) == _BR[register]:
            address = int(unique[i])
            held = _held(image, at + 8)
            found[address] = Veneer(address, _veneer_name(image, address), register, at + 8, held)
    for name in (LONG_THUNK, *_VENEER_NAMES):
        for symbol in image.symbols.find_starting((name,)).get(name, ()):
            i = int(np.searchsorted(unique, np.uint64(symbol.address)))
            is_target = i < len(unique) and int(unique[i]) == symbol.address
            if is_target and symbol.address not in found:
                found[symbol.address] = Veneer(symbol.address, symbol.name, None, None, None)
    return found


def _held(image: KernelImage, slot: int) -> int | None:
    for entry in image.relocations_within(slot, slot + 1):
        return entry.target
    return image.read_u64(slot)


def _veneer_name(image: KernelImage, address: int) -> str | None:
    names = [s.name for s in image.symbols.all_at(address)]
    return next((n for n in names if n.startswith((LONG_THUNK, "__"))), names[0] if names else None)


def _words_at(image: KernelImage, addresses: Addresses) -> Words:
    """Return the word at each address, as the file has it; 0 where it has none."""
    words = np.zeros(len(addresses), np.uint32)
    for extent in image.extents:
        offsets = addresses - np.uint64(extent.address)
        size = len(extent.data) & ~3
        inside = (offsets < np.uint64(size)) & (offsets % np.uint64(4) == 0)
        if inside.any() and extent.address % 4 == 0:
            held = np.frombuffer(extent.data[:size], "<u4")
            words[inside] = held[(offsets[inside] // np.uint64(4)).astype(np.int64)]
    return words
