"""Tables of kallsyms as every version of the kernel lays them out, made by our own encoder."""

import struct
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

FIRST_ANYWAY = b"0123456789"


class Era(StrEnum):
    ABSOLUTE = "4.4"
    """addresses u64, count u64, names, markers u64."""
    WIDE = "4.9"
    """offsets, base, count u64, names, markers u64, everything at multiples of 256."""
    BEFORE = "5.10"
    """offsets, base, count u32, names, markers u32."""
    SORTED = "6.1.192"
    """The same with the order of names between markers and tokens."""
    BEHIND = "6.12"
    """count, names, markers, tokens, index, offsets, base, order of names."""
    PLACE = "7.2"
    """The same without a base: each offset counts from itself."""


class Entry(NamedTuple):
    address: int
    letter: str
    name: str


class Encoded(NamedTuple):
    data: bytes
    base_at: int | None
    """Offset of kallsyms_relative_base."""
    addresses_at: int
    tokens_at: int


class _Writer:
    def __init__(self, alignment: int, start: int) -> None:
        self.data = bytearray()
        self.alignment = alignment
        self.start = start

    def label(self, alignment: int | None = None) -> int:
        at = self.start + len(self.data)
        self.data += bytes(-at % (alignment or self.alignment))
        return len(self.data)


def encode(
    symbols: Sequence[Entry],
    era: Era,
    *,
    base: int | None = None,
    tokens: Sequence[str] = ("sched_", "__kvm_nvhe_", "irq", "TT"),
    start: int = 0,
    place: int = 0,
    percpu: bool = False,
    write_base: bool = True,
    long_names: bool = True,
) -> Encoded:
    """Return the tables of symbols, which must be sorted by address.

    :param base: kallsyms_relative_base; None: the lowest address.
    :param start: file offset of the first byte, which decides alignment.
    :param place: link VA of the file's first byte, for offsets from themselves.
    :param percpu: addresses below the base are absolute (`--absolute-percpu`).
    :param write_base: False: the base (or every address) is zero in the file, and a relocation says it.
    """
    table = _token_table(symbols, tokens)
    writer = _Writer({Era.WIDE: 256, Era.PLACE: 4}.get(era, 8), start)
    lowest = min(s.address for s in symbols if not percpu or s.address >= 1 << 63)
    origin = lowest if base is None else base
    base_at: int | None = None
    addresses_at = 0

    def offsets() -> None:
        nonlocal base_at, addresses_at
        addresses_at = writer.label()
        for i, symbol in enumerate(symbols):
            if era is Era.PLACE:
                value = symbol.address - (place + start + addresses_at + 4 * i)
            elif percpu and symbol.address < 1 << 63:
                value = symbol.address
            elif percpu:
                value = origin - symbol.address - 1
            else:
                value = symbol.address - origin
            writer.data += struct.pack("<I", value & 0xFFFFFFFF)
        if era is not Era.PLACE:
            base_at = writer.label()
            writer.data += struct.pack("<Q", origin if write_base else 0)

    if era is Era.ABSOLUTE:
        addresses_at = writer.label()
        writer.data += b"".join(struct.pack("<Q", s.address if write_base else 0) for s in symbols)
    elif era in {Era.WIDE, Era.BEFORE, Era.SORTED}:
        offsets()
    wide = era in {Era.ABSOLUTE, Era.WIDE}
    writer.label()
    writer.data += struct.pack("<Q" if wide else "<I", len(symbols))
    _names(writer, symbols, table, wide=wide, long_names=long_names)
    if era is Era.SORTED:
        _order(writer, symbols)
    tokens_at = writer.label()
    _tokens(writer, table)
    if era in {Era.BEHIND, Era.PLACE}:
        offsets()
        _order(writer, symbols)
    return Encoded(bytes(writer.data), base_at, addresses_at, tokens_at)


def _token_table(symbols: Sequence[Entry], tokens: Sequence[str]) -> list[bytes]:
    used = set(FIRST_ANYWAY) | {b for s in symbols for b in (s.letter + s.name).encode()}
    table = [bytes([code]) if code in used else b"" for code in range(256)]
    free = [code for code in range(255, -1, -1) if code not in used]
    for token in tokens:
        table[free.pop()] = token.encode()
    return table


def _names(
    writer: _Writer,
    symbols: Sequence[Entry],
    table: list[bytes],
    *,
    wide: bool,
    long_names: bool,
) -> None:
    names_at = writer.label()
    markers = []
    longest = sorted((c for c in range(256) if table[c]), key=lambda c: -len(table[c]))
    for i, symbol in enumerate(symbols):
        if i % 256 == 0:
            markers.append(len(writer.data) - names_at)
        text, codes = (symbol.letter + symbol.name).encode(), bytearray()
        while text:
            code = next(c for c in longest if text.startswith(table[c]))
            codes.append(code)
            text = text[len(table[code]) :]
        if long_names and len(codes) > 0x7F:
            writer.data += bytes([len(codes) & 0x7F | 0x80, len(codes) >> 7])
        else:
            writer.data.append(len(codes))
        writer.data += codes
    writer.label()
    writer.data += b"".join(struct.pack("<Q" if wide else "<I", m) for m in markers)


def _order(writer: _Writer, symbols: Sequence[Entry]) -> None:
    writer.label()
    for i in sorted(range(len(symbols)), key=lambda i: symbols[i].name):
        writer.data += i.to_bytes(3, "big")


def _tokens(writer: _Writer, table: list[bytes]) -> None:
    at, offsets = 0, []
    for token in table:
        offsets.append(at)
        at += len(token) + 1
    writer.data += b"".join(token + b"\0" for token in table)
    writer.label()
    writer.data += struct.pack("<256H", *offsets)
