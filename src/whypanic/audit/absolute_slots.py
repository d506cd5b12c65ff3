"""Slots of eight bytes that hold an absolute address of the image, and which of them a domain finds fixed up."""

from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from whypanic.arch.relocations import BY_NUMBER
from whypanic.audit.naming import GATHERED, NVHE_OBJECTS
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.kernel_image import Addresses, ObjectRelocations

_ABS64, _GLOB_DAT = 257, 1025
_SLOT = 8
_LAST = (1 << 64) - 1
_MAX_SCAN = 1 << 28
_HYP = ("hyp", "hyp-idmap")
_HYP_SECTIONS = ("__hyp_section_.hyp.", "__kvm_nvhe___hyp_section_.hyp.")
_GOT_SECTIONS = (".got", ".got.plt", ".igot", ".igot.plt")
MAX_GOT = 1 << 12
"""Slots looked at behind _GLOBAL_OFFSET_TABLE_."""


class Slots(NamedTuple):
    """Slots, by place."""

    places: Addresses
    targets: Addresses
    """Link VA held; 0 where the symbol is not in this file."""

    def within(self, first: int, end: int) -> "Slots":
        """Return the slots that begin in [first, end)."""
        span = np.array([max(first, 0), min(max(end, 0), _LAST)], np.uint64)
        lo, hi = np.searchsorted(self.places, span)
        return Slots(self.places[lo:hi], self.targets[lo:hi])

    def where(self, keep: NDArray[np.bool_]) -> "Slots":
        return Slots(self.places[keep], self.targets[keep])

    def has_each(self, places: Addresses) -> NDArray[np.bool_]:
        """Tell which addresses are a slot, bool[n]."""
        if not len(self.places):
            return np.zeros(len(places), np.bool_)
        i = np.minimum(np.searchsorted(self.places, places), len(self.places) - 1)
        found: NDArray[np.bool_] = self.places[i] == places
        return found

    def has(self, place: int) -> bool:
        i = int(np.searchsorted(self.places, np.uint64(place)))
        return i < len(self.places) and int(self.places[i]) == place


class SlotIndex:
    """The absolute slots of one image.

    Of a relocatable one those that the kernel relocates when it boots; of an object the places of R_AARCH64_ABS64; of
    a kernel that is not relocatable every aligned eight bytes whose value is an address of the image.
    """

    def __init__(self, view: AuditView) -> None:
        self._view = view
        self.image = view.image
        self._open: dict[bool, Slots] = {}

    @cached_property
    def all(self) -> Slots:
        image = self.image
        if self._view.is_object or len(image.relative.slots):
            places, targets = image.relative.slots, image.relative.values
            opened = image.relocations
            if isinstance(opened, ObjectRelocations) and len(opened):
                more = self._of_relocations(opened)
                places = np.concatenate([places, more.places])
                targets = np.concatenate([targets, more.targets])
        else:
            places, targets = self._scanned()
        order = np.argsort(places, kind="stable")
        return Slots(places[order], targets[order])

    def _of_relocations(self, opened: ObjectRelocations) -> Slots:
        base, end = np.uint64(self.image.base), np.uint64(min(self.image.end, _LAST))
        is_address = (opened.types == _ABS64) | (opened.types == _GLOB_DAT)
        inside = (opened.targets >= base) & (opened.targets < end)
        # A defined symbol that is not in the image is an absolute one: a constant. In a linked kernel an undefined
        # one is weak, and zero.
        keep = is_address & (opened.is_defined & inside)
        if self._view.is_object:
            keep |= is_address & ~opened.is_defined
        targets = np.where(opened.is_defined[keep], opened.targets[keep], np.uint64(0))
        return Slots(opened.places[keep], targets)

    def _scanned(self) -> tuple[Addresses, Addresses]:
        base, end = np.uint64(self.image.base), np.uint64(min(self.image.end, _LAST))
        places, values = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        for extent in self.image.extents:
            start = -extent.address % _SLOT
            count = min((len(extent.data) - start) // _SLOT, _MAX_SCAN // _SLOT)
            if count <= 0:
                continue
            held = np.frombuffer(extent.data[start : start + count * _SLOT], "<u8")
            hits = np.flatnonzero(held - base < end - base)
            places.append(np.uint64(extent.address + start) + hits.astype(np.uint64) * np.uint64(8))
            values.append(held[hits].astype(np.uint64))
        return np.concatenate(places), np.concatenate(values)

    def open_to(self, domain: Domain) -> Slots:
        """Return the slots that nothing makes addresses of this domain: for hyp code all but those of .hyp.reloc."""
        is_hyp = domain.name in _HYP
        if is_hyp not in self._open:
            found = self.all
            self._open[is_hyp] = found.where(~self.is_listed(found.places)) if is_hyp else found
        return self._open[is_hyp]

    def is_listed(self, places: Addresses) -> NDArray[np.bool_]:
        """Return which places .hyp.reloc lists, or will: gen-hyprel takes every slot of a hyp object's sections."""
        listed = self._view.hyp_relocations
        if listed is not None:
            return Slots(listed.slots, listed.slots).has_each(places)
        found = np.zeros(len(places), np.bool_)
        for section in self.image.sections:
            if self._will_list(section.name):
                first, end = np.uint64(section.address), np.uint64(min(section.end, _LAST))
                found |= (places >= first) & (places < end)
        return found

    def _will_list(self, section: str) -> bool:
        """Tell whether slots of a section will be listed once the objects of the hyp code are linked together."""
        if self.will_be_listed:
            return section.startswith(".hyp")
        if not self._is_single:
            return False
        # Up to 5.11 nothing lists them; the object does not tell its kernel.
        return section.startswith(".hyp") or any(
            section == name or section.startswith(f"{name}.") for name in GATHERED
        )

    @cached_property
    def _is_single(self) -> bool:
        return any(domain.era.startswith(NVHE_OBJECTS) for domain in self._view.domains)

    @cached_property
    def will_be_listed(self) -> bool:
        """An object of the hyp build before .hyp.reloc is made for it.

        Since 5.12 the linker script of nVHE code names the beginning of each of its sections, for gen-hyprel.
        """
        if not self._view.is_object or self._view.hyp_relocations is not None:
            return False
        return bool(self.image.symbols.find_starting(_HYP_SECTIONS))

    @cached_property
    def got(self) -> tuple[tuple[int, int], ...]:
        """Ranges of the GOT: its sections, or what follows its symbol where it was linked into .text."""
        found = [(s.address, s.end) for s in self.image.sections if s.name in _GOT_SECTIONS]
        for symbol in self.image.symbols.find("_GLOBAL_OFFSET_TABLE_")[:1]:
            first = symbol.address
            after = next(
                (
                    s.address
                    for s in self.image.symbols.between(first + 1, first + _SLOT * MAX_GOT)
                    if s.kind == "function"
                ),
                first + _SLOT * MAX_GOT,
            )
            section = self.image.section_at(first)
            if section is not None and section.name not in _GOT_SECTIONS:
                found.append((first, min(after, section.end)))
        return tuple(found)

    def in_got(self, place: int) -> bool:
        return any(first <= place < end for first, end in self.got)

    def how(self, place: int) -> str:
        """Return what makes a slot absolute, in words."""
        for entry in self.image.relocations_within(place, place + 1):
            kind = BY_NUMBER.get(entry.type)
            name = kind.name if kind is not None else f"relocation {entry.type}"
            named = f" against {entry.symbol}" if entry.symbol else ""
            offset = f"+{entry.addend:#x}" if entry.symbol and entry.addend else ""
            return name + named + offset
        if self.image.relative.value_at(place) is not None:
            return "R_AARCH64_RELATIVE"
        return "the link address itself"

    def names_of(self, place: int) -> tuple[str, ...]:
        """Return the symbols at the address that a slot holds."""
        for entry in self.image.relocations_within(place, place + 1):
            if entry.target is None:
                return (entry.symbol,)
        if not self.all.has(place):
            return ()
        i = int(np.searchsorted(self.all.places, np.uint64(place)))
        return tuple(s.name for s in self.image.symbols.all_at(int(self.all.targets[i])))

    def target_words(self, place: int) -> str:
        """Return what a slot holds, in words."""
        i = int(np.searchsorted(self.all.places, np.uint64(place)))
        target = int(self.all.targets[i]) if self.all.has(place) else 0
        if not target:
            return self.how(place)
        symbol = self.image.symbol_at(target)
        name = ""
        if symbol is not None and target - symbol.address < max(symbol.size, 0x1000):
            offset = target - symbol.address
            name = f" ({symbol.name}{f'+{offset:#x}' if offset else ''})"
        return f"{target:#x}{name}"


_KEPT: WeakKeyDictionary[AuditView, SlotIndex] = WeakKeyDictionary()


def slots_of(view: AuditView) -> SlotIndex:
    """Return the absolute slots of the image that a view is of."""
    kept = _KEPT.get(view)
    if kept is None:
        kept = _KEPT[view] = SlotIndex(view)
    return kept
