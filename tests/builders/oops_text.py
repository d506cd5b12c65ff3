"""Lines of an oops as Linux 6.1 prints them, around values of no meaning.

Source: Linux arch/arm64/mm/fault.c (die_kernel_fault, mem_abort_decode, show_pte), kernel/traps.c (__die),
kernel/setup.c (dump_kernel_offset), kernel/cpufeature.c (dump_cpu_features).
"""

import random
from collections.abc import Iterator
from enum import StrEnum

_MASK = (1 << 64) - 1


class Base(StrEnum):
    """What the base register of the fault holds."""

    NULL = "null"
    ERROR = "error pointer"
    POISON = "list poison"
    SLAB = "slab poison"
    WILD = "unmapped"


def pointer_of(rng: random.Random, base: Base) -> int:
    """Return a value of a kind of bad pointer."""
    if base is Base.NULL:
        return 0
    if base is Base.ERROR:
        return _MASK + 1 - rng.choice((2, 5, 12, 19, 22, 110, 517))
    if base is Base.POISON:
        return rng.choice((0xDEAD_0000_0000_0100, 0xDEAD_0000_0000_0122))
    if base is Base.SLAB:
        return 0x6B6B_6B6B_6B6B_6B6B
    return 0xFFFF_0000_0000_0000 | rng.randrange(1 << 38, 1 << 46) & ~15


def meaningless_registers(rng: random.Random, base: int) -> list[int]:
    """Return x0 to x30 and sp of no meaning: pointers to the linear map, small numbers, a stack."""
    stack = (base + (1 << 33) + (rng.randrange(1 << 16) << 14) + 0x3A00) & _MASK
    found = [
        rng.choice((0xFFFF_0000_C000_0000 | rng.randrange(1 << 28) & ~7, rng.randrange(4096)))
        for _ in range(31)
    ]
    return [*found[:29], stack + 0x40, 0, stack]


def header(rng: random.Random, pointer: int, offset: int, *, is_store: bool) -> Iterator[str]:
    """Yield what is printed before the modules, of an access at an offset from a pointer."""
    far = (pointer + offset) & _MASK
    # Linux untagged_addr(): the tag goes where bit 55 says that it is a user's.
    shown = far if far >> 55 & 1 else far & ~(0xFF << 56)
    is_user, is_kernel = shown < 1 << 48, shown >> 48 == 0xFFFF
    level = 1 if is_kernel and rng.random() < 0.5 else 0
    fsc = 4 + level
    esr = 0x9600_0000 | is_store << 6 | fsc
    what = "NULL pointer dereference" if shown < 4096 else "paging request"
    yield f"Unable to handle kernel {what} at virtual address {shown:016x}"
    yield "Mem abort info:"
    yield f"  ESR = 0x{esr:016x}"
    yield "  EC = 0x25: DABT (current EL), IL = 32 bits"
    yield "  SET = 0, FnV = 0"
    yield "  EA = 0, S1PTW = 0"
    yield f"  FSC = 0x{fsc:02x}: level {level} translation fault"
    yield "Data abort info:"
    yield f"  ISV = 0, ISS = 0x{esr & 0x1FFFFFF:08x}"
    yield f"  CM = 0, WnR = {int(is_store)}"
    if is_user or is_kernel:
        table = rng.randrange(1 << 18, 1 << 20) << 12
        yield f"{'user' if is_user else 'swapper'} pgtable: 4k pages, 48-bit VAs, pgdp={table:016x}"
        entries = "pgd=0000000000000000"
        if level:
            entry = (rng.randrange(1 << 18, 1 << 20) << 12) | 3
            entries = (
                f"pgd={entry | 1 << 60:016x}, p4d={entry | 1 << 60:016x}, pud=0000000000000000"
            )
        elif is_user:
            entries += ", p4d=0000000000000000"
        yield f"[{shown:016x}] {entries}"
    else:
        yield f"[{shown:016x}] address between user and kernel address ranges"
    yield f"Internal error: Oops: {esr:016x} [#1] SMP"


def panic_tail(
    rng: random.Random, slide: int, link_base: int, features: frozenset[int]
) -> Iterator[str]:
    """Yield what a kernel that panics on an oops prints behind it."""
    bits = sum(1 << c for c in features)
    yield "Kernel panic - not syncing: Oops: Fatal exception"
    yield "SMP: stopping secondary CPUs"
    if slide:
        yield f"Kernel Offset: {slide:#x} from {link_base:#x}"
        yield f"PHYS_OFFSET: {rng.choice((0x4000_0000, 0x8000_0000)):#x}"
    else:
        yield "Kernel Offset: disabled"
    groups = f"{bits >> 64:06x},{bits >> 32 & 0xFFFFFFFF:08x},{bits & 0xFFFFFFFF:08x}"
    yield f"CPU features: 0x{groups}"
    yield "Memory Limit: none"
    yield "---[ end Kernel panic - not syncing: Oops: Fatal exception ]---"
