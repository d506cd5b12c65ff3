"""What a value is when it is taken for a pointer: NULL, an error value, poison, text, or an address of some area.

Sources: Linux include/linux/err.h (MAX_ERRNO), include/linux/slab.h (ZERO_SIZE_PTR), include/linux/poison.h;
Arm ARM DDI 0487 L, VMSAv8-64 address ranges (bit 55 chooses the range; TBI lets the top byte be anything).
"""

from enum import StrEnum

from whypanic.arch.esr import FaultKind
from whypanic.arch.values import Poison, ascii_text, error_pointer, find_poison
from whypanic.causes.case import CaseView
from whypanic.model.fault import PageTable, PageWalk
from whypanic.model.regions import Region

PAGE_BYTES = 0x1000
"""The first page by which the kernel words its header; kernels with larger pages use a larger one."""
ZERO_SIZE_PTR = 0x10
MASK64 = (1 << 64) - 1
_MASK56 = (1 << 56) - 1
_BIT55 = 1 << 55


class Nature(StrEnum):
    """What a value used as a pointer is."""

    NULL = "null"
    CONTAINER_OF_NULL = "container-of-null"
    PER_CPU_NULL = "per-cpu-null"
    ERROR = "error"
    POISON = "poison"
    TEXT = "text"
    SHADOW = "shadow"
    NON_CANONICAL = "non-canonical"
    SMALL = "small"
    """An integer, or bytes that happen to fall in the user range: no mapping of a process lies there."""
    USER = "user"
    LINEAR = "linear"
    MAPPING = "mapping"
    """vmalloc, ioremap, modules, PCI I/O."""
    IMAGE = "image"
    ODD = "odd"
    """A kernel-range address of an area that holds no objects: vmemmap, fixmap, between areas."""


NULLS = frozenset({Nature.NULL, Nature.CONTAINER_OF_NULL, Nature.PER_CPU_NULL})


def value_nature(case: CaseView, value: int) -> tuple[Nature, str]:
    """Return what a value is when it is taken for a pointer, and that in words."""
    if value == 0:
        return Nature.NULL, "NULL"
    error = error_pointer(value)
    if error is not None:
        return Nature.ERROR, f"the error value -{error.name}"
    poison = find_poison(value)
    if poison is not None:
        return Nature.POISON, _poison_words(poison)
    text = ascii_text(value)
    if text is not None:
        return Nature.TEXT, f'the characters "{text}"'
    if value < PAGE_BYTES:
        return Nature.NULL, _small_words(value)
    if case.at_el2:
        return Nature.ODD, "an address that only the layout of EL2 explains"
    return _region_nature(case, value)


def _poison_words(poison: Poison) -> str:
    sign = "-" if poison.offset < 0 else "+"
    offset = f" {sign} {abs(poison.offset):#x}" if poison.offset else ""
    return f"{poison.name}{offset}, {poison.story}"


def _small_words(value: int) -> str:
    if value == ZERO_SIZE_PTR:
        return "ZERO_SIZE_PTR (what kmalloc(0) returns), or NULL plus 0x10"
    return f"NULL plus {value:#x}"


def _region_nature(case: CaseView, value: int) -> tuple[Nature, str]:
    place = case.classify(value)
    if place.address == value and _said_non_canonical(case, value):
        return Nature.NON_CANONICAL, "between the user and the kernel range, as the kernel says"
    match place.region:
        case Region.NULL:
            return Nature.NULL, _small_words(value)
        case Region.USER:
            return _user_nature(case, place.address)
        case Region.NON_CANONICAL | Region.TEXT | Region.POISON | Region.ERROR_POINTER:
            if value & _BIT55:
                return Nature.NON_CANONICAL, "between the user and the kernel range"
            below = value & _MASK56
            if below != value and below < 1 << va_bits(case):
                return Nature.SMALL, "no pointer of the kernel: a top byte over a user-range value"
            return Nature.NON_CANONICAL, "between the user and the kernel range"
        case Region.LINEAR:
            return Nature.LINEAR, "an address of the linear map"
        case Region.VMALLOC | Region.MODULE | Region.PCI_IO:
            return Nature.MAPPING, f"an address of the {place.region} area"
        case Region.IMAGE:
            return Nature.IMAGE, "an address inside the kernel image"
        case Region.KASAN_SHADOW:
            return Nature.SHADOW, "an address of the KASAN shadow"
        case _:
            return Nature.ODD, f"in the area {place.region}, which holds no objects"


def _said_non_canonical(case: CaseView, value: int) -> bool:
    """True where show_pte() found the fault address in neither range and the value lies beside it.

    The kernel knows its width of addresses; the text often does not tell it. A value of the user range needs more than
    that: there the word may be a user address under a tag.
    """
    if not value & _BIT55:
        return False
    return any(
        walk.note.startswith("address between")
        and walk.va is not None
        and abs(walk.va - value) < PAGE_BYTES
        for walk in case.all(PageWalk)
    )


def _user_nature(case: CaseView, value: int) -> tuple[Nature, str]:
    if not in_kernel_thread(case):
        if is_mmap_like(value, va_bits(case)):
            return Nature.USER, "an address as user space has them"
        if _is_mapped_for_user(case, value):
            return Nature.USER, "an address that the process has mapped"
    return Nature.SMALL, "a small or odd integer, no address the kernel hands out"


def va_bits(case: CaseView) -> int:
    """Return the width of virtual addresses, 48 where the text does not tell."""
    for table in case.all(PageTable):
        if table.va_bits:
            return table.va_bits
    return case.layout.va_bits or 48


def is_mmap_like(value: int, bits: int) -> bool:
    """True where Linux on arm64 places user mappings: below the top of the user range, and PIE at two thirds of it.

    Source: arch/arm64/include/asm/elf.h (ELF_ET_DYN_BASE = 2 * DEFAULT_MAP_WINDOW_64 / 3) and mm/util.c
    (mmap_base below STACK_TOP minus gap and randomisation); with 52 bits the window is still 48.
    """
    window = 1 << min(bits, 48)
    slack = window >> 6
    two_thirds = 2 * window // 3
    return window - slack <= value < window or two_thirds <= value < two_thirds + slack


def in_kernel_thread(case: CaseView) -> bool:
    """True where the walk went through swapper's table: no user memory was there to be reached."""
    if any(walk.note.startswith("user address but active_mm") for walk in case.all(PageWalk)):
        return True
    return any(table.owner == "swapper" for table in case.all(PageTable))


def _is_mapped_for_user(case: CaseView, value: int) -> bool:
    """True where a permission fault shows that the page at the value has a valid entry in the user's table."""
    esr, far = case.esr, case.far
    if esr is None or far is None or not esr.is_abort:
        return False
    return esr.fault_kind is FaultKind.PERMISSION and abs(far.va - value) < PAGE_BYTES
