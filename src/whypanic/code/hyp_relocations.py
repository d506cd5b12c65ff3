"""The slots that KVM itself relocates for EL2: .hyp.reloc, a list of signed 32-bit distances from entry to slot.

Source: Linux arch/arm64/kvm/hyp/nvhe/gen-hyprel.c and kvm_apply_hyp_relocations() of arch/arm64/kvm/va_layout.c.
"""

import struct
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from whypanic.formats.kernel_image import Addresses, KernelImage

_RELATIVE = 1027
_RECORD = struct.Struct("<QQQ")
_ENTRY_BYTES = 4
MAX_ENTRIES = 1 << 16


class HypRelocations(NamedTuple):
    """What .hyp.reloc lists."""

    slots: Addresses
    """Link VAs, sorted."""
    recovered: bool
    """Found by its shape, in an image without sections or symbols that name it."""

    def covers(self, slot: int) -> bool:
        """Tell whether a slot is listed."""
        i = int(np.searchsorted(self.slots, np.uint64(slot)))
        return i < len(self.slots) and int(self.slots[i]) == slot

    def count_in(self, first: int, end: int) -> int:
        """Return how many slots of [first, end) are listed."""
        lo, hi = np.searchsorted(self.slots, np.array([first, end], np.uint64))
        return int(hi - lo)


_KEPT: WeakKeyDictionary[KernelImage, HypRelocations | None] = WeakKeyDictionary()


def hyp_relocations(image: KernelImage) -> HypRelocations | None:
    """Return what .hyp.reloc of an image lists; None where it has none that is known.

    A kernel before 5.12 has none: every absolute address at EL2 is then wrong.
    """
    if image not in _KEPT:
        _KEPT[image] = _find(image)
    return _KEPT[image]


def _find(image: KernelImage) -> HypRelocations | None:
    section = image.section(".hyp.reloc")
    if section is not None:
        return _read(image, section.address, section.end)
    named = image.symbols.find_each(("__hyp_reloc_begin", "__hyp_reloc_end"))
    if len(named) == 2:
        return _read(
            image, named["__hyp_reloc_begin"][0].address, named["__hyp_reloc_end"][0].address
        )
    return _recover(image)


def _read(image: KernelImage, first: int, end: int) -> HypRelocations | None:
    size = min(end - first, MAX_ENTRIES * _ENTRY_BYTES) & ~3
    data = image.read(first, size) if size > 0 else b""
    if data is None:
        return None
    distances = np.frombuffer(data, "<i4").astype(np.int64).astype(np.uint64)
    places = np.uint64(first) + np.arange(len(distances), dtype=np.uint64) * np.uint64(4)
    return HypRelocations(np.sort(places + distances), recovered=False)


def _recover(image: KernelImage) -> HypRelocations | None:
    """Return the entries that stand before .rela.dyn: each leads to a slot of it.

    vmlinux.lds places .hyp.reloc right before it. Source: HYPERVISOR_RELOC_SECTION in arch/arm64/kernel/vmlinux.lds.S.
    """
    start = _rela_start(image)
    if start is None:
        return None
    before = next((e.address for e in image.extents if e.address < start <= e.end), start)
    size = min(start - before, MAX_ENTRIES * _ENTRY_BYTES) & ~3
    data = image.read(start - size, size)
    if not data:
        return None
    distances = np.frombuffer(data, "<i4").astype(np.int64).astype(np.uint64)
    places = np.uint64(start - len(data)) + np.arange(len(distances), dtype=np.uint64) * np.uint64(
        4
    )
    slots = places + distances
    known = np.isin(slots, image.relative.slots)
    # .rela.dyn is aligned to eight bytes: one word of padding may stand between.
    last = len(known)
    if last and not known[last - 1] and not int(distances[last - 1]):
        last -= 1
    others = np.flatnonzero(~known[:last])
    first = int(others[-1]) + 1 if len(others) else 0
    if first == last:
        return None
    return HypRelocations(np.sort(slots[first:last]), recovered=True)


def _rela_start(image: KernelImage) -> int | None:
    section = image.section(".rela.dyn")
    if section is not None:
        return section.address
    relative = image.relative
    if not len(relative.slots):
        return None
    pattern = _RECORD.pack(int(relative.slots[0]), _RELATIVE, int(relative.values[0]))
    for extent in image.extents:
        at = bytes(extent.data).find(pattern)
        if at < 0:
            continue
        records = np.frombuffer(extent.data[at % 8 : at], "<u8")
        records = records[len(records) % 3 :].reshape(-1, 3)
        others = np.flatnonzero((records[:, 1] != _RELATIVE) | (records[:, 0] % 4 != 0))
        n_before = len(records) - (int(others[-1]) + 1 if len(others) else 0)
        return extent.address + at - n_before * _RECORD.size
    return None
