"""Stage 1 page tables of EL2, written into the machine's memory: 48-bit addresses, 4 KiB pages, TTBR0_EL2.

Source: Arm ARM DDI 0487, "VMSAv8-64 descriptor formats", EL2 translation regime without E2H.
"""

import mmap
import struct
from collections.abc import Mapping

from whypanic.replay.protocol import PAGE_BYTES, Permission
from whypanic.replay.qemu_wire import RAM_BASE

VA_LIMIT = 1 << 48
MAX_RAM_BYTES = 1 << 30

_ENTRY = struct.Struct("<Q")
_TABLE = 0b11
# Page, Attr0 of MAIR, inner shareable, access flag; AP[1] is RES1 where there is one privilege level.
_PAGE = 0b11 | 1 << 6 | 3 << 8 | 1 << 10
_READ_ONLY = 1 << 7
_EXECUTE_NEVER = 1 << 54
_ATTRIBUTES = {
    Permission.READ: _PAGE | _READ_ONLY | _EXECUTE_NEVER,
    Permission.READ_WRITE: _PAGE | _EXECUTE_NEVER,
    Permission.EXECUTE: _PAGE | _READ_ONLY,
}


class Ram:
    """The machine's memory, given out from an address upwards and never back."""

    def __init__(self, view: mmap.mmap, first_pa: int) -> None:
        self._view = view
        self._next = first_pa
        self._pages: dict[bytes, int] = {}

    @property
    def used_bytes(self) -> int:
        """Bytes from the start of RAM up to the last one given out."""
        return self._next - RAM_BASE

    def allocate(self, n_bytes: int) -> int:
        """Return the PA of zeroed whole pages.

        :raises MemoryError: if the machine has no more.
        """
        pa = self._next
        self._next += -(-n_bytes // PAGE_BYTES) * PAGE_BYTES
        if self.used_bytes > MAX_RAM_BYTES:
            raise MemoryError
        return pa

    def write(self, pa: int, data: bytes) -> None:
        """Put bytes at an address that was given out."""
        offset = pa - RAM_BASE
        self._view[offset : offset + len(data)] = data

    def read(self, pa: int, n_bytes: int) -> bytes:
        """Return bytes as they are now."""
        offset = pa - RAM_BASE
        return self._view[offset : offset + n_bytes]

    def page(self, data: bytes, *, shared: bool) -> int:
        """Return the PA of a page with these bytes; a shared one must not be mapped writable."""
        pa = self._pages.get(data) if shared else None
        if pa is None:
            pa = self.allocate(PAGE_BYTES)
            self.write(pa, data)
            if shared:
                self._pages[data] = pa
        return pa

    def read_word(self, pa: int) -> int:
        """Return a little-endian doubleword."""
        value: int = _ENTRY.unpack_from(self._view, pa - RAM_BASE)[0]
        return value

    def write_word(self, pa: int, value: int) -> None:
        """Write a little-endian doubleword."""
        _ENTRY.pack_into(self._view, pa - RAM_BASE, value)


class Tables:
    """Page tables that share what maps the harness' vectors."""

    def __init__(self, ram: Ram) -> None:
        self._ram = ram
        self._shared: dict[tuple[int, ...], int] = {}

    def build(self, pages: Mapping[int, tuple[int, Permission]], vectors: Mapping[int, int]) -> int:
        """Return TTBR0_EL2 for tables that map exactly these pages.

        :param pages: VA below VA_LIMIT -> PA and permission; multiples of PAGE_BYTES.
        :param vectors: VA -> PA of pages mapped read-only and executable, all in one 512 GiB.
        """
        root = self._ram.allocate(PAGE_BYTES)
        tables: dict[tuple[int, int], int] = {}
        for va, (pa, permission) in pages.items():
            self._map(root, tables, va, pa, permission)
        first = min(vectors)
        if (39, first >> 39) in tables:
            for va, pa in vectors.items():
                self._map(root, tables, va, pa, Permission.EXECUTE)
        else:
            self._ram.write_word(root + _place(first, 39), self._shared_entry(vectors))
        return root

    def _shared_entry(self, vectors: Mapping[int, int]) -> int:
        key = tuple(vectors)
        if key not in self._shared:
            root = self._ram.allocate(PAGE_BYTES)
            tables: dict[tuple[int, int], int] = {}
            for va, pa in vectors.items():
                self._map(root, tables, va, pa, Permission.EXECUTE)
            self._shared[key] = self._ram.read_word(root + _place(key[0], 39))
        return self._shared[key]

    def _map(
        self,
        table: int,
        tables: dict[tuple[int, int], int],
        va: int,
        pa: int,
        permission: Permission,
    ) -> None:
        for shift in (39, 30, 21):
            below = tables.get((shift, va >> shift))
            if below is None:
                below = tables[shift, va >> shift] = self._ram.allocate(PAGE_BYTES)
                self._ram.write_word(table + _place(va, shift), below | _TABLE)
            table = below
        self._ram.write_word(table + _place(va, 12), pa | _ATTRIBUTES[permission])


def _place(va: int, shift: int) -> int:
    """Return the offset of an address' entry in the table of its level."""
    return (va >> shift & 511) * 8
