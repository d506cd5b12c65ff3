"""The kernel's own symbol table, kallsyms, read from the bytes of an image that has no other.

Tables in the order of their addresses, by version:

=============  =====================================================================================================
to 4.5         addresses u64, count, names, markers, tokens, index
4.6 to 6.3     offsets u32, base u64, count, names, markers, (6.2: order of names), tokens, index
6.4 to 6.x     count, names, markers, tokens, index, offsets u32, base u64, order of names
7.x            count, names, markers, tokens, index, offsets s32 from each offset itself, order of names
=============  =====================================================================================================

Nothing says which it is. Every reading must hold: markers at every 256th name, as many names as the count says,
addresses that rise, the lowest equal to the base. In a relocatable kernel the base (or every address) is a slot that is
zero in the file and comes from its relocation. With `--absolute-percpu`, which arm64 does not use by itself, offsets
below 0 count down from the base and others are absolute.

Sources: Linux scripts/kallsyms.c `write_src()` and kernel/kallsyms.c `kallsyms_sym_address()`, `get_symbol_pos()`, read
in 5.10, 6.1, 6.2 and 6.12; the last form read off the tables of a 7.2 kernel and its `offset_to_ptr()`; up to 4.19 from
memory. Commit "scripts/kallsyms: change the output order" (6.4), from memory.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.kallsyms_names import ExpandedNames, expand_names, find_names
from whypanic.formats.kallsyms_tokens import find_token_tables
from whypanic.formats.kernel_image import (
    NO_RELOCATIONS,
    Addresses,
    KernelImage,
    RelativeRelocations,
)
from whypanic.formats.symbol_table import FUNCTION, OBJECT, OTHER, SymbolTable

_KERNEL_HALF = 0xFFFF << 48
_MAX_SPAN = 4 << 30
_LETTERS = {**dict.fromkeys("tTwWiI", FUNCTION), **dict.fromkeys("dDbBrRvVgGsS", OBJECT)}
_KINDS = np.full(256, OTHER, np.uint8)
for _letter, _kind in _LETTERS.items():
    _KINDS[ord(_letter)] = _kind


class AddressForm(StrEnum):
    """How a table says addresses."""

    ABSOLUTE = "addresses"
    BASE = "offsets from a base"
    BASE_PERCPU = "offsets from a base, some absolute"
    PLACE = "offsets from themselves"


class Kallsyms(NamedTuple):
    """One table, in its own order."""

    form: AddressForm
    addresses: Addresses
    names: ExpandedNames
    start: int
    """Offset of the first of its parts in the bytes that were searched."""

    def table(self, end: int | None = None) -> SymbolTable:
        """Return the symbols with the sizes that the kernel prints: the distance to the next address that differs.

        That is not a size of ELF's: what pads a function counts as part of it.

        :param end: link VA behind the image, where the last symbol ends.
        """
        letters = self.names.letters
        return SymbolTable(
            self.addresses,
            sizes_to_next(self.addresses, end),
            kinds_of_letters(letters),
            self.names.offsets.astype(np.uint32),
            self.names.blob,
            (letters >= ord("A")) & (letters <= ord("Z")),
        )


def sizes_to_next(addresses: Addresses, end: int | None) -> Addresses:
    """Return the distance from each address to the next that differs; of the last to `end`, or 0 where it is none."""
    rising = np.sort(addresses)
    behind = np.searchsorted(rising, addresses, side="right")
    last = behind == len(rising)
    following = rising[np.minimum(behind, len(rising) - 1)]
    highest = int(rising[-1]) if len(rising) else 0
    following[last] = end if end is not None and highest < end < 1 << 64 else highest
    return following - addresses


def kinds_of_letters(letters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return FUNCTION, OBJECT or OTHER for letters of `nm`."""
    return _KINDS[letters]


def symbols_from_image(image: KernelImage) -> SymbolTable | None:
    """Return the symbols that kallsyms in an image's bytes names: for an ELF file without a symbol table."""
    for extent in image.extents:
        found = find_kallsyms(extent.data, extent.address, image.relative)
        if found is not None:
            return found.table(image.end)
    return None


def find_kallsyms(
    data: memoryview, base: int | None = None, relative: RelativeRelocations = NO_RELOCATIONS
) -> Kallsyms | None:
    """Return the kernel's symbol table; None where there is none, or none that reads as it must.

    :param data: of the kernel or of the section that holds its read-only data, aligned as there.
    :param base: link VA of the first byte; None: not known, and then a table of offsets from themselves counts from 0.
    """
    text = data.obj if isinstance(data.obj, bytes) and len(data.obj) == len(data) else bytes(data)
    for tokens in find_token_tables(text):
        names = find_names(text, tokens)
        if names is None:
            continue
        expanded = expand_names(text, names, tokens)
        if expanded is None:
            continue
        reader = _Reader(text, base, relative, len(names.starts))
        for form, addresses, start in reader.readings(names.count_at, tokens.index_end):
            return Kallsyms(form, addresses, expanded, min(start, names.count_at))
    return None


class _Reader:
    """Readings of the table of addresses that hold."""

    def __init__(
        self, text: bytes, base: int | None, relative: RelativeRelocations, n_symbols: int
    ) -> None:
        self.text = text
        self.base = base
        self.relative = relative
        self.n_symbols = n_symbols

    def readings(
        self, count_at: int, tokens_end: int
    ) -> Iterator[tuple[AddressForm, Addresses, int]]:
        """Yield form, addresses and offset of each reading that holds."""
        after = tokens_end + (-tokens_end) % 8
        end = after + 4 * self.n_symbols
        yield from self._from_base(after, end + (-end) % 8)
        for start in self._starts_before(count_at, 8):
            yield from self._absolute(start)
        for base_at in (count_at - 8, count_at - 256):
            for start in self._starts_before(base_at, 4):
                yield from self._from_base(start, base_at)
        for start in dict.fromkeys(tokens_end + (-tokens_end) % a for a in (4, 8)):
            yield from self._from_place(start)

    def _starts_before(self, end: int, width: int) -> Iterator[int]:
        """Yield where a table may begin that ends at an offset, but for zeros that align what follows."""
        first = end - width * self.n_symbols
        for start in dict.fromkeys(first - first % a for a in (256, 8)):
            if start >= 0 and not any(self.text[start + width * self.n_symbols : end]):
                yield start

    def _offsets(self, start: int) -> NDArray[np.int64] | None:
        if start < 0 or start + 4 * self.n_symbols > len(self.text):
            return None
        return np.frombuffer(self.text, "<i4", self.n_symbols, start).astype(np.int64)

    def _from_base(self, start: int, base_at: int) -> Iterator[tuple[AddressForm, Addresses, int]]:
        offsets, lowest = self._offsets(start), self._word(base_at)
        if offsets is None or lowest is None or lowest < _KERNEL_HALF:
            return
        unsigned = offsets & 0xFFFFFFFF
        told = self.n_symbols == 1 or unsigned[-1] > 0
        if told and unsigned[0] == 0 and _rises(unsigned) and lowest + int(unsigned[-1]) < 1 << 64:
            yield AddressForm.BASE, unsigned.astype(np.uint64) + np.uint64(lowest), start
            return
        relative = offsets < 0
        down = offsets[relative]
        if len(down) and down[0] == -1 and _rises(-down) and _rises(offsets[~relative]):
            addresses = np.where(
                relative,
                (-1 - offsets).astype(np.uint64) + np.uint64(lowest),
                offsets.astype(np.uint64),
            )
            yield AddressForm.BASE_PERCPU, addresses, start

    def _absolute(self, start: int) -> Iterator[tuple[AddressForm, Addresses, int]]:
        if start < 0 or start + 8 * self.n_symbols > len(self.text):
            return
        addresses = np.frombuffer(self.text, "<u8", self.n_symbols, start).astype(np.uint64)
        slots = self.relative.slots
        if self.base is not None and len(slots):
            places = np.arange(self.n_symbols, dtype=np.uint64) * 8 + np.uint64(self.base + start)
            at = np.minimum(np.searchsorted(slots, places), len(slots) - 1)
            addresses = np.where(slots[at] == places, self.relative.values[at], addresses)
        kernel = addresses >= np.uint64(_KERNEL_HALF)
        if 2 * int(np.count_nonzero(kernel)) > len(addresses) and _rises(addresses):
            yield AddressForm.ABSOLUTE, addresses, start

    def _from_place(self, start: int) -> Iterator[tuple[AddressForm, Addresses, int]]:
        offsets = self._offsets(start)
        if offsets is None:
            return
        places = start + 4 * np.arange(self.n_symbols, dtype=np.int64) + offsets
        # With nothing but offsets to go by, the order of names that follows them has to be one.
        end = start + 4 * self.n_symbols
        ordered = any(self._is_order(end + (-end) % a) for a in (4, 8))
        if not ordered or not _rises(places) or int(places[-1]) - int(places[0]) >= _MAX_SPAN:
            return
        base = self.base if self.base is not None else 0
        least = _KERNEL_HALF if base >= _KERNEL_HALF else 0
        if least <= base + int(places[0]) and base + int(places[-1]) < 1 << 64:
            yield AddressForm.PLACE, places.astype(np.uint64) + np.uint64(base), start

    def _is_order(self, at: int) -> bool:
        """Tell whether every number of a symbol stands here once, three bytes each."""
        if at + 3 * self.n_symbols > len(self.text):
            return False
        rows = np.frombuffer(self.text, np.uint8, 3 * self.n_symbols, at).reshape(-1, 3)
        numbers = rows.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
        return bool(np.array_equal(np.sort(numbers), np.arange(self.n_symbols)))

    def _word(self, at: int) -> int | None:
        """Return eight bytes as the relocated kernel holds them."""
        if at < 0 or at + 8 > len(self.text):
            return None
        if self.base is not None:
            value = self.relative.value_at(self.base + at)
            if value is not None:
                return value
        return int.from_bytes(self.text[at : at + 8], "little")


def _rises(values: NDArray[np.int64] | Addresses) -> bool:
    return bool(np.all(values[1:] >= values[:-1]))
