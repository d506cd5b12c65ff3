"""Raw kernels of a few pages: header, code, constants with kallsyms, relocations, data."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from builders.kallsyms import Entry, Era, encode

BASE = 0xFFFF_8000_0800_0000
TEXT, RODATA, DATA, END = 0x1000, 0x3000, 0x6000, 0x9000
BANNER = "Linux version 6.6.1 (me@here) (gcc 13) #7 SMP Mon"
BUILD_ID = "c1" * 20
VDSO_ID = "d0" * 20
NOP = b"\x1f\x20\x03\xd5"
SLOTS = tuple(
    DATA + 8 * i for i in (0, 1, 2, 5, 9, 70, 130, 340, 400, 401, 402, 404, 490, 491, 495, 499)
)
"""Offsets of pointers in .data."""
HYP_RELOC = DATA + 0x1000


class RawImage(NamedTuple):
    data: bytes
    base: int
    symbols: tuple[Entry, ...]
    slots: tuple[int, ...]
    """Link VAs, that of kallsyms_relative_base among them."""
    values: tuple[int, ...]


def note(build_id: str) -> bytes:
    return struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes.fromhex(build_id)


def rela(slots: Sequence[int], values: Sequence[int]) -> bytes:
    return b"".join(
        struct.pack("<QQQ", slot, 0x403, value) for slot, value in zip(slots, values, strict=True)
    )


def relr(slots: Sequence[int]) -> bytes:
    """Return the words that name slots at multiples of eight bytes."""
    words: list[int] = []
    base = 0
    for slot in slots:
        distance = (slot - base) // 8
        if words and 0 <= distance < 63 * 3:
            while distance >= 63:
                words.append(1)
                base += 63 * 8
                distance -= 63
            if words[-1] & 1 == 0:
                words.append(1)
            words[-1] |= 1 << (distance + 1)
        else:
            words.append(slot)
            base = slot + 8
    return struct.pack(f"<{len(words)}Q", *words)


def symbols_of(base: int) -> tuple[Entry, ...]:
    return (
        Entry(base, "T", "_text"),
        Entry(base + TEXT, "T", "_stext"),
        Entry(base + TEXT + 0x100, "t", "sched_one"),
        Entry(base + TEXT + 0x800, "T", "__hyp_text_start"),
        Entry(base + TEXT + 0x900, "t", "__kvm_nvhe_two"),
        Entry(base + TEXT + 0xC00, "T", "__hyp_text_end"),
        Entry(base + RODATA, "T", "_etext"),
        Entry(base + RODATA, "D", "__start_rodata"),
        Entry(base + RODATA + 0x40, "d", "linux_banner"),
        Entry(base + RODATA + 0x2000, "R", "__start_notes"),
        Entry(base + RODATA + 0x2024, "R", "__stop_notes"),
        Entry(base + DATA - 0x800, "D", "__end_rodata"),
        Entry(base + DATA, "D", "_sdata"),
        Entry(base + DATA + 0x2000, "D", "_edata"),
        Entry(base + DATA + 0x2000, "B", "__bss_start"),
        Entry(base + DATA + 0x2800, "B", "__bss_stop"),
        Entry(base + END, "B", "_end"),
    )


def raw_image(
    era: Era = Era.BEHIND,
    *,
    base: int = BASE,
    text_offset: int = 0,
    relocatable: bool = True,
    packed_slots: bool = False,
    names: bool = True,
    all_names: bool = True,
) -> RawImage:
    """Return a kernel.

    :param packed_slots: its relocations are RELR.
    :param all_names: False: names of code only, as without CONFIG_KALLSYMS_ALL.
    """
    symbols = symbols_of(base)
    if not all_names:
        symbols = tuple(s for s in symbols if s.letter in "tT" and s.name != "_text")
    image = bytearray(DATA + 0x2000)
    image[:0x20] = struct.pack("<2sHIQQQ", b"MZ", 0, 0, text_offset, END, 0xA)
    image[0x38:0x3C] = b"ARM\x64"
    image[TEXT:RODATA] = NOP * ((RODATA - TEXT) // 4)
    banner = (BANNER + "\n\0").encode()
    image[RODATA + 0x40 : RODATA + 0x40 + len(banner)] = banner
    first = RODATA + 0x100
    encoded = encode(
        symbols, era, start=first, place=base, write_base=not (relocatable and not packed_slots)
    )
    if names:
        image[first : first + len(encoded.data)] = encoded.data
    image[RODATA + 0x2000 : RODATA + 0x2024] = note(BUILD_ID)
    image[RODATA + 0x1000 : RODATA + 0x1004] = b"\x7fELF"
    image[RODATA + 0x1200 : RODATA + 0x1224] = note(VDSO_ID)
    slots = [base + at for at in SLOTS]
    values = [base + TEXT + 0x100 + 4 * i for i in range(len(slots))]
    values[0] = base
    if names and encoded.base_at is not None:
        slots.insert(0, base + first + encoded.base_at)
        values.insert(0, min(s.address for s in symbols))
    if names and era is Era.ABSOLUTE:
        slots = [base + first + encoded.addresses_at + 8 * i for i in range(len(symbols))] + slots
        values = [s.address for s in symbols] + values
    if relocatable:
        hyp = slots[-3:]
        for i, slot in enumerate(hyp):
            at = HYP_RELOC + 4 * i
            image[at : at + 4] = struct.pack("<i", slot - (base + at))
        words = relr(slots) if packed_slots else rela(slots, values)
        start = HYP_RELOC + 16
        image[start : start + len(words)] = words
    if packed_slots or not relocatable:
        for slot, value in zip(slots, values, strict=True):
            image[slot - base : slot - base + 8] = struct.pack("<Q", value)
    return RawImage(bytes(image), base, symbols, tuple(slots), tuple(values))
