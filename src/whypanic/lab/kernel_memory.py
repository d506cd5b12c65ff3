"""A stopped kernel's memory: RAM as one CPU sees it, and as the kernel does."""

from typing import NamedTuple

from whypanic.lab.gdb_registers import CpuRegisters
from whypanic.lab.page_tables import (
    PageTables,
    VirtualMemory,
    tables_at,
    tables_of_hyp,
    tables_of_kernel,
)
from whypanic.lab.ram import Ram
from whypanic.lab.vmcoreinfo import VmcoreInfo

_M = 1
"""SCTLR_ELx.M: the MMU is on."""
_USUAL_SIZE_BITS = 16
"""TCR_EL1.T1SZ of 48-bit addresses."""
_PAGE_BITS = {"4k": 12, "16k": 14, "64k": 16}


class Identity:
    """Addresses of a CPU whose MMU is off."""

    def translate(self, va: int) -> int:
        """Return the address."""
        return va


class KernelMemory(NamedTuple):
    """What one CPU's registers make of RAM."""

    kernel: VirtualMemory
    """By the kernel's own tables."""
    here: VirtualMemory
    """By those, and by what else the CPU runs on."""
    va_bits: int
    """Bits of an address that no signature uses."""
    is_early: bool
    """The CPU runs with the MMU off, and never had it on."""


def memory_of(
    ram: Ram, cpu: CpuRegisters, *, swapper_pa: int | None, info: VmcoreInfo | None, page: str
) -> KernelMemory:
    """Return memory as a CPU sees it.

    :param swapper_pa: physical address of `swapper_pg_dir`, for a CPU that runs user code (KPTI) or a guest.
    :param page: size of the kernel's pages: 4k, 16k, 64k.
    """
    registers = cpu.system
    own = tables_of_kernel(ram, registers)
    here: PageTables | Identity | None = None
    if cpu.el in (1, 2) and not registers.get(f"SCTLR_EL{cpu.el}", 0) & _M:
        here = Identity()
    elif cpu.el == 2:
        here = tables_of_hyp(ram, registers)
    swapper = None
    if swapper_pa is not None:
        told = None if info is None else info.number("TCR_EL1_T1SZ")
        size_bits = told if told is not None and 12 <= told <= 39 else _USUAL_SIZE_BITS
        page_bits = _PAGE_BITS.get(page, 12)
        swapper = tables_at(ram, swapper_pa, size_bits=size_bits, page_bits=page_bits)
    tables = own or swapper
    return KernelMemory(
        VirtualMemory(ram, own, swapper),
        VirtualMemory(ram, own, swapper, here),
        48 if tables is None else tables.va_bits,
        own is None and not any(registers.get(f"SCTLR_EL{el}", 0) & _M for el in (1, 2)),
    )
