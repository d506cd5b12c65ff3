"""What a 64-bit register value looks like when it is no ordinary pointer.

Poison values: Linux include/linux/poison.h (opened: 3.x, 5.x, 6.x), include/linux/stackleak.h,
arch/arm64/kvm/sys_regs.h `reset_unknown()`; `POISON_POINTER_DELTA` is
CONFIG_ILLEGAL_POINTER_VALUE, 0xdead000000000000 on arm64. From memory: the releases in which list
poisons changed, and what compilers fill stack variables with.

The kernel may print a fault address with its top byte replaced by copies of bit 55
(`untagged_addr()`), so every comparison here accepts both forms.
"""

from typing import Final, NamedTuple

from whypanic.arch.errno import COMMON_ERRNOS, ERRNO_NAMES, MAX_ERRNO

MASK64: Final = (1 << 64) - 1
_LOW56: Final = (1 << 56) - 1
_LIST_REACH: Final = 0x1000
_FILL_REACH: Final = 0x1000


class Poison(NamedTuple):
    """A poison value, or an address computed from one."""

    name: str
    base: int
    """The poison itself, 64 bits (32 for values that fill one word only)."""
    offset: int
    """Value minus base: the member or index that was added (negative for `container_of`)."""
    story: str

    @property
    def sentence(self) -> str:
        """`LIST_POISON1 + 0x8: ...`"""
        if not self.offset:
            return f"{self.name}: {self.story}"
        sign = "-" if self.offset < 0 else "+"
        return f"{self.name} {sign} {abs(self.offset):#x}: {self.story}"


class ErrorPointer(NamedTuple):
    errno: int
    """Positive."""
    name: str
    """`ENODEV`, or `errno 200` where no name exists."""


class NearErrorPointer(NamedTuple):
    """One reading of a value as error pointer plus member offset."""

    errno: int
    name: str
    offset: int


class _Known(NamedTuple):
    name: str
    low: int
    """Added to POISON_POINTER_DELTA."""
    story: str


_DELTA: Final = 0xDEAD000000000000

# fmt: off
_LIST_POISON1 = _Known("LIST_POISON1", 0x100, "`next` of a list entry that was deleted")
_LIST_POISON2 = _Known("LIST_POISON2", 0x122, "`prev` of a list entry that was deleted")
_OLD_POISON2  = _Known("LIST_POISON2", 0x200, "`prev` of a list entry that was deleted (4.3..5.x)")

# The order is that of the offsets.
_DELTA_POISONS: Final = (
    _Known("PP_SIGNATURE",         0x40,     "mark of a page that belongs to a page_pool"),
    _Known("VFS_PTR_POISON",       0xF5,     "pointer that the VFS has retired"),
    _LIST_POISON1,
    _LIST_POISON2,
    _OLD_POISON2,
    _Known("TIMER_ENTRY_STATIC",   0x300,    "timer that was initialised statically or detached"),
    _Known("TAIL_MAPPING",         0x400,    "`mapping` of a tail page of a compound page"),
    _Known("MUTEX_POISON_WW_CTX",  0x500,    "context of a ww_mutex that is no longer held"),
    _Known("SKB_LIST_POISON_NEXT", 0x800,    "`next` of an skb that was taken off a list"),
    _Known("NET_PTR_POISON",       0x801,    "pointer that the network stack has retired"),
    _Known("STACK_DEPOT_POISON",   0xD390,   "stack depot entry that was removed"),
    _Known("BPF_PTR_POISON",       0xEB9F,   "pointer that BPF has retired"),
    _Known("LIST_POISON1",         0x100100, "`next` of a deleted list entry (before 4.3)"),
    _Known("LIST_POISON2",         0x200200, "`prev` of a deleted list entry (before 4.3)"),
)

# byte, name, story; each fills memory.
_FILLS: Final = (
    (0x5A, "POISON_INUSE",        "slab memory that was allocated and never written"),
    (0x5B, "JBD_POISON_FREE",     "freed jbd memory"),
    (0x5C, "JBD2_POISON_FREE",    "freed jbd2 memory"),
    (0x6B, "POISON_FREE",         "slab memory that was freed"),
    (0xA7, "POOL_POISON_FREED",   "freed DMA pool memory"),
    (0xA9, "POOL_POISON_ALLOCATED", "DMA pool memory that was allocated and never written"),
    (0xAA, "PAGE_POISON",         "freed page, or a stack variable that clang filled"),
    (0xBB, "SLUB_RED_INACTIVE",   "red zone of a free slab object"),
    (0xBD, "KEY_DESTROY",         "destroyed key"),
    (0xCC, "POISON_FREE_INITMEM", "freed init memory, or the red zone of a slab object in use"),
    (0xFE, "stack fill",          "stack variable that GCC filled"),
)

_EXACT: Final = (
    (0x09F911029D74E35B, "RED_INACTIVE",     "red zone of a free SLAB object"),
    (0xD84156C5635688C0, "RED_ACTIVE",       "red zone of a SLAB object in use"),
    (0xA56B6B6B6B6B6B6B, "POISON_FREE",      "the last bytes of a freed slab object"),
    (0xA55A5A5A5A5A5A5A, "POISON_INUSE",     "the last bytes of an unwritten slab object"),
    (0x1DE7EC7EDBADC0DE, "KVM reset poison", "what KVM gives guest registers of unknown reset value"),
    (0xFFFFFFFFFFFF4111, "STACKLEAK_POISON", "kernel stack that was erased after a system call"),
)

_WORDS: Final = (
    (0xDEADBEEF, "0xdeadbeef",            "ATM_POISON, or anyone's own mark"),
    (0xDEAD57AC, "NETFILTER_LINK_POISON", "netfilter link that was removed"),
    (0x74737461, "TIMER_ENTRY_STATIC",    "timer that was initialised statically (3.x)"),
    (0x6B6B6B6B, "POISON_FREE",           "32 bits of slab memory that was freed"),
    (0x5A5A5A5A, "POISON_INUSE",          "32 bits of slab memory that was never written"),
    (0xAAAAAAAA, "PAGE_POISON",           "32 bits of a freed page or unwritten variable"),
    (0xCCCCCCCC, "POISON_FREE_INITMEM",   "32 bits of freed init memory or of a red zone"),
)
# fmt: on


def find_poison(value: int) -> Poison | None:
    """Return the poison that a value is, or was computed from by a member offset, or None."""
    value &= MASK64
    for base, name, story in _EXACT:
        if _same(value, base):
            return Poison(name, base, 0, story)
    if value & 0xFF0000FF_FFFFFFFF == 0x1D00007E_DBADC0DE:
        story = "what KVM gives guest registers of unknown reset value, RES0 bits dropped"
        return Poison("KVM reset poison", 0x1DE7EC7EDBADC0DE, 0, story)
    for base, name, story in _WORDS:
        if value == base:
            return Poison(name, base, 0, story)
    return _delta_poison(value) or _fill_poison(value)


def _same(value: int, base: int) -> bool:
    return (value & _LOW56) == (base & _LOW56) and _top_fits(value, base)


def _top_fits(value: int, base: int) -> bool:
    top = value >> 56
    return top in (base >> 56, 0xFF if base >> 55 & 1 else 0)


def _delta_poison(value: int) -> Poison | None:
    """Exact values first, then the list poisons with a member offset: code follows those."""
    low = (value & _LOW56) - (_DELTA & _LOW56)
    if not _top_fits(value, _DELTA) or not -_LIST_REACH < low < 0x300000:
        return None
    exact = next((k for k in _DELTA_POISONS if k.low == low), None)
    known = exact or _list_poison_below(low)
    if known is None:
        return None
    return Poison(known.name, _DELTA + known.low, low - known.low, known.story)


def _list_poison_below(low: int) -> _Known | None:
    for old in _DELTA_POISONS[-2:]:
        if abs(low - old.low) < _LIST_REACH:
            return old
    if low == _OLD_POISON2.low + 8:
        return _OLD_POISON2
    if low >= _LIST_POISON1.low + _LIST_REACH:
        return None
    # Members are aligned: the low three bits tell 0x100 from 0x122.
    return _LIST_POISON2 if low % 8 == 2 else _LIST_POISON1


def _fill_poison(value: int) -> Poison | None:
    byte = value >> 40 & 0xFF
    for fill, name, story in _FILLS:
        if abs(byte - fill) > 1:
            continue
        base = fill * 0x0101010101010101
        offset = (value & _LOW56) - (base & _LOW56)
        if -_FILL_REACH <= offset <= _FILL_REACH and _top_fits(value, base):
            return Poison(name, base, offset, story)
    return None


def error_pointer(value: int) -> ErrorPointer | None:
    """Return the error that `ERR_PTR()` made into this value: -4095..-1; else None."""
    number = (1 << 64) - (value & MASK64)
    if not 1 <= number <= MAX_ERRNO:
        return None
    return ErrorPointer(number, ERRNO_NAMES.get(number, f"errno {number}"))


def near_error_pointer(value: int, max_offset: int) -> tuple[NearErrorPointer, ...]:
    """Return how a value could be `ERR_PTR(-errno)` plus a member offset that is a multiple of 8.

    :param value: a fault address; 0x3cd is -ENODEV + 0x3e0.
    :param max_offset: largest member offset to consider, in bytes.
    :return: likeliest errno first; () where no common errno fits. Several readings are normal.
    """
    found = []
    for number in COMMON_ERRNOS:
        offset = (value + number) & MASK64
        if 0 < offset <= max_offset and offset % 8 == 0:
            found.append(NearErrorPointer(number, ERRNO_NAMES[number], offset))
    return tuple(found)


def ascii_text(value: int, min_chars: int = 6) -> str | None:
    r"""Return the characters that a value holds in memory order (little-endian), or None.

    Bytes above the last character may be zero (the string ended, or the top byte was cleared as a
    tag); one NUL inside separates two strings and is shown as `\0`. Every other byte must be
    printable ASCII, and at least `min_chars` bytes must belong to the text. A canonical kernel
    address never qualifies: its top bytes are 0xff.
    """
    data = (value & MASK64).to_bytes(8, "little").rstrip(b"\0")
    if len(data) < min_chars or data[:1] == b"\0" or data.count(0) > 1:
        return None
    if not all(0x20 <= b < 0x7F or b == 0 for b in data):
        return None
    return data.decode("ascii").replace("\0", "\\0")


def text_plus_offset(value: int) -> str | None:
    """Return the characters above the lowest byte where that byte alone is none: text plus an offset.

    Six or more of them, up to the end of the word or a zero top byte.
    """
    value &= MASK64
    if 0x20 <= value & 0xFF < 0x7F:
        return None
    text = ascii_text(value >> 8)
    return None if text is None or "\\0" in text else text


def pointer_tag(value: int) -> int | None:
    """Return the tag in bits 63:56, or None where they are copies of bit 55."""
    value &= MASK64
    return None if value == strip_tag(value) else value >> 56


def strip_tag(value: int) -> int:
    """Return the address without its tag: bits 63:56 replaced by copies of bit 55."""
    return value & _LOW56 | (0xFF << 56 if value >> 55 & 1 else 0)


def strip_pac(value: int, va_bits: int) -> int:
    """Return the address without tag and PAC: bits 63:va_bits become copies of bit 55."""
    low = (1 << va_bits) - 1
    return value & low | (MASK64 ^ low if value >> 55 & 1 else 0)


def nature(value: int) -> tuple[str, ...]:
    """Return what a value may be, for showing beside a register; () for an ordinary one."""
    value &= MASK64
    if value == 0:
        return ("NULL",)
    stories = []
    if (poison := find_poison(value)) is not None:
        stories.append(poison.sentence)
    if value == MASK64:
        stories.append("all ones: -1")
    if (error := error_pointer(value)) is not None:
        stories.append(f"error pointer -{error.name} (-{error.errno})")
    if poison is None and (text := ascii_text(value)) is not None:
        stories.append(f'text "{text}"')
    if value == 0x10:
        stories.append("ZERO_SIZE_PTR: what kmalloc(0) returns")
    elif value <= 0xFFFF:
        stories.append(f"small integer {value}")
    elif value == 0xFFFFFFFF:
        stories.append("32-bit -1")
    return tuple(stories)
