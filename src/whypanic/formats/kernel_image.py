"""What any readable image becomes: sections, bytes by link address, symbols, relative relocations.

`open_image` of `formats.images` makes one from a file. All addresses are link VAs; a relocatable object (.o, .ko) is
laid out by its reader, section behind section, from `OBJECT_BASE` up.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.symbol_table import Symbol, SymbolTable

Words = NDArray[np.uint32]
Addresses = NDArray[np.uint64]

OBJECT_BASE = 0x10000
"""Where the reader of a relocatable object puts its first section."""
_MASK = (1 << 64) - 1
_LACKS = ("no ", "relocations left open")
"""How clauses of `missing` begin that say what an image may lack, and is whole all the same."""


class ImageKind(StrEnum):
    VMLINUX = "vmlinux"
    RAW = "Image"
    """A raw Image, compressed or in an EFI zboot wrapper or not."""
    SYSTEM_MAP = "System.map"
    MODULE = "module"
    OBJECT = "object"


class Section(NamedTuple):
    """One section that occupies memory, or of a raw Image one span known from its header."""

    name: str
    address: int
    size: int
    executable: bool
    writable: bool
    has_bytes: bool = True
    """False: NOBITS."""

    @property
    def end(self) -> int:
        return self.address + self.size


class Extent(NamedTuple):
    """Consecutive bytes at a link address."""

    address: int
    data: memoryview

    @property
    def end(self) -> int:
        return self.address + len(self.data)


class RelativeRelocations(NamedTuple):
    """Slots of eight bytes that the kernel relocates when it boots: R_AARCH64_RELATIVE and RELR."""

    slots: Addresses
    """Sorted link VAs."""
    values: Addresses
    """Link VA that each slot holds, in the same order."""

    def value_at(self, slot: int) -> int | None:
        """Return the link VA that the slot at this address holds; None where no slot begins there."""
        i = int(np.searchsorted(self.slots, np.uint64(slot)))
        if i < len(self.slots) and int(self.slots[i]) == slot:
            return int(self.values[i])
        return None

    def within(self, first: int, end: int) -> "RelativeRelocations":
        """Return the slots that begin at `first` or behind it, and before `end`."""
        lo, hi = np.searchsorted(self.slots, np.array([first, end], dtype=np.uint64))
        return RelativeRelocations(self.slots[lo:hi], self.values[lo:hi])


class ObjectRelocation(NamedTuple):
    """A relocation that is still open: of a relocatable object, or a dynamic one that is not RELATIVE."""

    place: int
    """Address in this image."""
    type: int
    symbol: str
    """Symbol or section; empty where there is none."""
    addend: int
    target: int | None
    """Address in this image that symbol + addend have; None: undefined."""


class ObjectRelocations(Sequence[ObjectRelocation]):
    """Open relocations as arrays, sorted by place: a relocatable vmlinux.o has more than a million."""

    def __init__(
        self,
        *,
        places: Addresses,
        types: NDArray[np.uint32],
        addends: NDArray[np.int64],
        targets: Addresses,
        is_defined: NDArray[np.bool_],
        symbols: NDArray[np.int64],
        name_of: Callable[[int], str],
    ) -> None:
        self.places = places
        """Addresses in this image."""
        self.types = types
        self.addends = addends
        self.targets = targets
        """S + A, of no meaning where `is_defined` is false."""
        self.is_defined = is_defined
        self.symbols = symbols
        """What `name_of` names."""
        self._name_of = name_of

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, i: int) -> ObjectRelocation: ...
    @overload
    def __getitem__(self, i: slice) -> "ObjectRelocations": ...
    def __getitem__(self, i: int | slice) -> "ObjectRelocation | ObjectRelocations":
        if isinstance(i, slice):
            return self.chosen(np.arange(*i.indices(len(self))))
        return ObjectRelocation(
            int(self.places[i]),
            int(self.types[i]),
            self._name_of(int(self.symbols[i])),
            int(self.addends[i]),
            int(self.targets[i]) if self.is_defined[i] else None,
        )

    def chosen(self, which: NDArray[np.int64]) -> "ObjectRelocations":
        """Return the relocations of these numbers."""
        return ObjectRelocations(
            places=self.places[which],
            types=self.types[which],
            addends=self.addends[which],
            targets=self.targets[which],
            is_defined=self.is_defined[which],
            symbols=self.symbols[which],
            name_of=self._name_of,
        )

    def within(self, first: int, end: int) -> "ObjectRelocations":
        """Return the relocations of places in [first, end)."""
        lo, hi = np.searchsorted(self.places, np.array([first, end], dtype=np.uint64))
        return self[int(lo) : int(hi)]


NO_RELOCATIONS = RelativeRelocations(np.empty(0, np.uint64), np.empty(0, np.uint64))


class KernelImage:
    """One image, opened. Nothing is indexed that is not asked for."""

    def __init__(
        self,
        *,
        name: str,
        kind: ImageKind,
        symbols: SymbolTable,
        sections: Sequence[Section] = (),
        extents: Sequence[Extent] = (),
        relative: RelativeRelocations = NO_RELOCATIONS,
        relocations: Sequence[ObjectRelocation] = (),
        build_id: str | None = None,
        banner: str | None = None,
        path: Path | None = None,
        has_debug_info: bool = False,
        missing: Sequence[str] = (),
        module: str | None = None,
    ) -> None:
        self.name = name
        """As the user named it."""
        self.kind = kind
        self.symbols = symbols
        self.sections = tuple(sorted(sections, key=lambda s: s.address))
        self.extents = tuple(sorted(extents, key=lambda e: e.address))
        """Bytes by link address, not overlapping."""
        self.relative = relative
        self.relocations = relocations
        """Of an ELF file an `ObjectRelocations`: its arrays are for those that look at all of them."""
        self.build_id = build_id
        """Lower-case hexadecimal."""
        self.banner = banner
        """`Linux version ...`, without its newline."""
        self.path = path
        """The ELF file that debuggers may read; None for an image that is no file of that form."""
        self.has_debug_info = has_debug_info
        self.missing = tuple(missing)
        """What this image lacks, one lower-case clause each: `no symbol table: names come from kallsyms`."""
        self.module = module
        """Name of the module, with _ for -, for a .ko."""

    @cached_property
    def base(self) -> int:
        """Lowest link VA."""
        places = [s.address for s in self.sections] or [e.address for e in self.extents]
        return min(places) if places else int(self.symbols.addresses[0]) if len(self.symbols) else 0

    @cached_property
    def end(self) -> int:
        """First address behind the image."""
        ends = [s.end for s in self.sections] or [e.end for e in self.extents]
        if ends:
            return max(ends)
        return int(self.symbols.addresses[-1]) + 1 if len(self.symbols) else 0

    @property
    def damage(self) -> tuple[str, ...]:
        """The clauses of `missing` that say that the file is not whole, or not all of it was read."""
        return tuple(clause for clause in self.missing if not clause.startswith(_LACKS))

    @property
    def has_code(self) -> bool:
        """Bytes of an executable section are there."""
        return any(self.extent_at(s.address) is not None for s in self.executable_sections())

    @property
    def lists_tables(self) -> bool:
        """A table that neither a section nor a symbol names is not there; not so of a raw Image: its names are few."""
        return self.kind in (ImageKind.VMLINUX, ImageKind.MODULE, ImageKind.OBJECT) and bool(
            len(self.symbols)
        )

    def contains(self, address: int) -> bool:
        """Tell whether a link VA lies in the image."""
        return self.base <= address < self.end

    def section_at(self, address: int) -> Section | None:
        """Return the section that holds a link VA; of overlapping ones the smallest."""
        found = [s for s in self.sections if s.address <= address < s.end]
        return min(found, key=lambda s: s.size) if found else None

    def section(self, name: str) -> Section | None:
        """Return the first section of this name."""
        return next((s for s in self.sections if s.name == name), None)

    def read(self, address: int, n_bytes: int) -> bytes | None:
        """Return bytes as the relocated kernel would hold them at its link address; None where not all are in the file.

        Slots of `relative` hold their value, whatever the file has there.
        """
        data = self.raw(address, n_bytes)
        return None if data is None else self._relocated(address, data)

    def raw(self, address: int, n_bytes: int) -> bytes | None:
        """Return bytes as the file has them, slots of `relative` not filled; None where not all are in the file."""
        extent = self.extent_at(address)
        if extent is None or address + n_bytes > extent.end:
            return None
        start = address - extent.address
        return bytes(extent.data[start : start + n_bytes])

    @cached_property
    def _extent_starts(self) -> list[int]:
        return [extent.address for extent in self.extents]

    def extent_at(self, address: int) -> Extent | None:
        """Return the extent that holds a link VA."""
        i = bisect_right(self._extent_starts, address) - 1
        return self.extents[i] if i >= 0 and address < self.extents[i].end else None

    def _relocated(self, address: int, data: bytes) -> bytes:
        if not len(self.relative.slots):
            return data
        near = self.relative.within(max(address - 7, 0), min(address + len(data), _MASK))
        if not len(near.slots):
            return data
        patched = np.frombuffer(data, np.uint8).copy()
        starts = near.slots.astype(np.int64) - np.uint64(address).astype(np.int64)
        places = (starts[:, None] + np.arange(8)).ravel()
        inside = (places >= 0) & (places < len(patched))
        patched[places[inside]] = near.values.astype("<u8").view(np.uint8)[inside]
        return patched.tobytes()

    @property
    def is_object(self) -> bool:
        """A relocatable object: its sections have no addresses yet. Linked images may have open relocations, too."""
        return self.kind in (ImageKind.OBJECT, ImageKind.MODULE)

    def relocations_within(self, first: int, end: int) -> Sequence[ObjectRelocation]:
        """Return the open relocations of places in [first, end)."""
        if isinstance(self.relocations, ObjectRelocations):
            return self.relocations.within(max(first, 0), max(end, 0))
        return [r for r in self.relocations if first <= r.place < end]

    def read_u64(self, address: int) -> int | None:
        """Return eight bytes as a number."""
        data = self.read(address, 8)
        return None if data is None else int.from_bytes(data, "little")

    def words(self, first: int, end: int) -> Words | None:
        """Return the 32-bit words of [first, end), uint32[n]; None where not all are in the file."""
        data = self.read(first, max(end - first, 0) & ~3)
        return None if data is None else np.frombuffer(data, dtype="<u4")

    def value_of(self, name: str) -> int | None:
        """Return the address of the first symbol of this name."""
        found = self.symbols.find(name)
        return found[0].address if found else None

    def symbol_at(self, address: int) -> Symbol | None:
        """Return the symbol that a link VA belongs to."""
        return self.symbols.at(address)

    def string_at(self, address: int, limit: int = 256) -> str | None:
        """Return NUL-terminated text at a link VA, at most `limit` bytes; None where there is none."""
        extent = self.extent_at(address)
        if extent is None:
            return None
        start = address - extent.address
        text, found, _ = bytes(extent.data[start : start + limit]).partition(b"\0")
        return text.decode("utf-8", "backslashreplace") if found else None

    def executable_sections(self) -> Iterator[Section]:
        """Yield sections of code that have bytes."""
        return (s for s in self.sections if s.executable and s.has_bytes and s.size)
