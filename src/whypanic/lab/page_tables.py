"""Translation of a kernel's virtual addresses by the page tables that lie in RAM.

Source: Arm ARM DDI 0487 L, D8 The AArch64 Virtual Memory System Architecture: TCR_EL1 (T0SZ, T1SZ, TG0, TG1),
TCR_EL2, VMSAv8-64 descriptors. Bits of an output address from 48 up are taken as 0: the guest's RAM ends far below, and
where they are used (LPA, LPA2) they lie elsewhere in the descriptor.
"""

from collections.abc import Mapping
from typing import Protocol

_VALID, _TABLE = 1, 2
_ENTRY_BYTES = 8
_OUTPUT_BITS = 48
_TG0 = {0: 12, 1: 16, 2: 14}
_TG1 = {1: 14, 2: 12, 3: 16}
"""Bits of a page, by TCR_EL1.TG0 and TG1."""
_E2H = 1 << 34
"""HCR_EL2.E2H."""
_EPD1 = 1 << 23
"""TCR_ELx.EPD1: no walks by TTBR1."""
_TG, _TG1_AT = 14, 30
_ROOT_MASK = ((1 << _OUTPUT_BITS) - 1) & ~1
"""TTBR: ASID above, CnP in bit 0."""
_PAGE_BITS = 12
"""The smallest page: what is mapped in one piece at least."""


class Memory(Protocol):
    """Physical memory."""

    def read(self, pa: int, n_bytes: int) -> bytes | None: ...


class PageTables:
    """The tables of one range of virtual addresses: a TTBR with its half of TCR."""

    def __init__(
        self, memory: Memory, ttbr: int, *, size_bits: int, page_bits: int, upper: bool
    ) -> None:
        """Take the root of the tables.

        :param size_bits: T0SZ or T1SZ: bits by which the range is smaller than 2^64.
        :param upper: the range ends at the top: TTBR1.
        """
        self._memory = memory
        self._root = ttbr & _ROOT_MASK
        self.va_bits = 64 - size_bits
        self._page_bits = page_bits
        self._upper = upper

    def contains(self, va: int) -> bool:
        """Return whether a virtual address is one of this range."""
        return va >> self.va_bits == ((1 << 64) - 1 >> self.va_bits if self._upper else 0)

    def translate(self, va: int) -> int | None:
        """Return the physical address; None where nothing is mapped there, or tables are no RAM."""
        stride = self._page_bits - 3
        if not self.contains(va):
            return None
        n_levels = -(-(self.va_bits - self._page_bits) // stride)
        table = self._root
        for left in range(n_levels - 1, -1, -1):
            shift = self._page_bits + left * stride
            bits = min(stride, self.va_bits - shift)
            index = va >> shift & ((1 << bits) - 1)
            entry = self._memory.read(table + index * _ENTRY_BYTES, _ENTRY_BYTES)
            value = 0 if entry is None else int.from_bytes(entry, "little")
            if not value & _VALID:
                return None
            within = (1 << shift) - 1
            output = value & ((1 << _OUTPUT_BITS) - 1)
            if not value & _TABLE or not left:
                # A block, or at the last level a page, where bit 1 must be set.
                is_leaf = bool(value & _TABLE) != bool(left)
                return (output & ~within) | (va & within) if is_leaf else None
            table = output & ~((1 << self._page_bits) - 1)
        return None


def tables_of_kernel(memory: Memory, registers: Mapping[str, int]) -> PageTables | None:
    """Return the tables of the upper range, which the kernel lives in; None before it has switched the MMU on."""
    # A kernel that runs at EL2 with VHE sets the registers of EL2 under the names of EL1; a hypervisor that does (hVHE)
    # has no upper range.
    at_el2 = registers.get("HCR_EL2", 0) & _E2H and not registers.get("TCR_EL2", 0) & _EPD1
    level = "EL2" if at_el2 and registers.get("TTBR1_EL2") else "EL1"
    ttbr, tcr = registers.get(f"TTBR1_{level}", 0), registers.get(f"TCR_{level}", 0)
    page_bits, size_bits = _TG1.get(tcr >> _TG1_AT & 3), tcr >> 16 & 0x3F
    if not ttbr or page_bits is None or not 12 <= size_bits <= 39:
        return None
    return PageTables(memory, ttbr, size_bits=size_bits, page_bits=page_bits, upper=True)


def tables_at(memory: Memory, root: int, *, size_bits: int, page_bits: int) -> PageTables:
    """Return the tables of the upper range whose root lies at a physical address: `swapper_pg_dir`."""
    return PageTables(memory, root, size_bits=size_bits, page_bits=page_bits, upper=True)


def tables_of_hyp(memory: Memory, registers: Mapping[str, int]) -> PageTables | None:
    """Return the tables of EL2's lower range, where nVHE code runs; None where there are none."""
    ttbr, tcr = registers.get("TTBR0_EL2", 0), registers.get("TCR_EL2", 0)
    page_bits, size_bits = _TG0.get(tcr >> _TG & 3), tcr & 0x3F
    if not ttbr or page_bits is None or not 12 <= size_bits <= 39:
        return None
    return PageTables(memory, ttbr, size_bits=size_bits, page_bits=page_bits, upper=False)


class Translation(Protocol):
    """What makes physical addresses of virtual ones."""

    def translate(self, va: int) -> int | None: ...


class VirtualMemory:
    """Memory by virtual address, through whichever tables hold it."""

    def __init__(self, memory: Memory, *tables: Translation | None) -> None:
        self._memory = memory
        self._tables = [t for t in tables if t is not None]

    def physical(self, va: int) -> int | None:
        """Return the physical address; None where nothing is mapped."""
        found = (t.translate(va) for t in self._tables)
        return next((pa for pa in found if pa is not None), None)

    def read(self, va: int, n_bytes: int) -> bytes | None:
        """Return bytes; None where not all of them are mapped to RAM."""
        pieces = []
        while n_bytes > 0:
            room = min(n_bytes, (1 << _PAGE_BITS) - va % (1 << _PAGE_BITS))
            pa = self.physical(va)
            piece = None if pa is None else self._memory.read(pa, room)
            if piece is None:
                return None
            pieces.append(piece)
            va, n_bytes = va + room, n_bytes - room
        return b"".join(pieces)

    def read_u64(self, va: int) -> int | None:
        """Return eight bytes as a number."""
        data = self.read(va, 8)
        return None if data is None else int.from_bytes(data, "little")
