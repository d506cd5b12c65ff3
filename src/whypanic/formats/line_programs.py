"""Line tables whose addresses go back: what readers that search by halves get wrong.

A sequence of a line table must not go back (DWARF 5, 6.2.5). LLVM's assembler writes one that does where a file moves
code with `.subsection`, as every alternative of the kernel does: host.S and hyp-init.S of nVHE among them. drgn (libdw)
then answers with the row before the gap for all that follows, llvm-symbolizer with the last row for what was moved.
Here rows are put in order before they are searched.

Source: DWARF 5 standard, 6.2 (versions 2 to 5 of the header and the line-number program), from memory, held against
llvm-dwarfdump.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from whypanic.formats.elf import ElfFile

_MAX_TABLE_BYTES = 256 << 20
_MAX_UNITS = 1 << 20
_MAX_ROWS = 1 << 18
"""Of one unit: an assembler file has some thousands."""
_MASK = (1 << 64) - 1
_PATH, _STRING, _LINE_STRP, _STRP = 1, 0x08, 0x1F, 0x0E
_FIXED_BYTES = {_LINE_STRP: 4, _STRP: 4, 0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}
"""data1, data2, data4, data8, data16 and offsets of the 32-bit format, by DW_FORM."""
_UDATA = 0x0F
_WITHOUT_OPERANDS = {6, 7, 0x0A, 0x0B}


class Row(NamedTuple):
    address: int
    file: int
    line: int
    column: int


class _Unit(NamedTuple):
    """What the header of one line table says."""

    end: int
    version: int
    program: int
    """Where the line-number program begins."""
    minimum: int
    line_base: int
    line_range: int
    opcode_base: int
    operands: tuple[int, ...]
    name: bytes
    """The first file, the one that was assembled."""


class LineTables:
    """The line tables of a linked image, read where they are asked for."""

    def __init__(self, elf: ElfFile) -> None:
        self._elf = elf
        self._sequences: dict[bytes, list[tuple[int, int, list[Row]]]] = {}

    def disordered(self, address: int, file: str) -> tuple[int, int] | None:
        """Return line and column of an address in a file whose table goes back; None where it does not, or has it not.

        :param file: name of an assembler file; the last part of its path counts.
        """
        wanted = file.rpartition("/")[2].encode()
        if wanted not in self._sequences:
            self._sequences[wanted] = list(self._disordered_in(wanted))
        for first, end, rows in self._sequences[wanted]:
            if first <= address < end:
                row = rows[bisect_right(rows, address, key=lambda r: r.address) - 1]
                return (row.line, row.column) if row.file in (0, 1) else None
        return None

    def _contents(self, name: str) -> bytes:
        section = self._elf.section(f".{name}") or self._elf.section(f".z{name}")
        data = None if section is None else self._elf.contents(section, _MAX_TABLE_BYTES)
        return b"" if data is None else bytes(data)

    @cached_property
    def _table(self) -> bytes:
        return self._contents("debug_line")

    @cached_property
    def _strings(self) -> bytes:
        return self._contents("debug_line_str")

    def _disordered_in(self, wanted: bytes) -> Iterator[tuple[int, int, list[Row]]]:
        for unit in self._units():
            if unit.name.rpartition(b"/")[2] != wanted:
                continue
            for rows in _sequences(self._table, unit):
                if any(b.address < a.address for a, b in pairwise(rows)):
                    ordered = sorted(rows[:-1], key=lambda row: row.address)
                    end = max(rows[-1].address, ordered[-1].address + 4)
                    yield ordered[0].address, end, ordered

    def _units(self) -> Iterator[_Unit]:
        at = 0
        for _ in range(_MAX_UNITS):
            if at + 16 > len(self._table):
                return
            (length,) = struct.unpack_from("<I", self._table, at)
            if length >= 0xFFFFFFF0 or at + 4 + length > len(self._table):
                return  # the 64-bit format: no kernel has it
            try:
                unit = self._unit(at + 4, at + 4 + length)
            except (struct.error, IndexError, ValueError):
                unit = None
            if unit is not None:
                yield unit
            at += 4 + length

    def _unit(self, at: int, end: int) -> _Unit | None:
        data = self._table
        (version,) = struct.unpack_from("<H", data, at)
        at += 2
        if version == 5:
            at += 2
        elif not 2 <= version <= 4:
            return None
        (header,) = struct.unpack_from("<I", data, at)
        at += 4
        program = at + header
        minimum = data[at]
        at += 2 if version >= 4 else 1
        line_base, line_range, opcode_base = struct.unpack_from("<xbBB", data, at)
        at += 4
        operands = tuple(data[at : at + opcode_base - 1])
        at += opcode_base - 1
        if not line_range or not opcode_base or program > end:
            return None
        name = self._first_name_5(at) if version == 5 else _first_name(data, at, program)
        return _Unit(
            end, version, program, minimum, line_base, line_range, opcode_base, operands, name
        )

    def _first_name_5(self, at: int) -> bytes:
        forms, at = _entry_format(self._table, at)
        count, at = _uleb(self._table, at)
        at = _skip(self._table, at, forms, count)
        forms, at = _entry_format(self._table, at)
        count, at = _uleb(self._table, at)
        for kind, form in forms if count else ():
            if kind != _PATH:
                at = _skip(self._table, at, [(kind, form)], 1)
            elif form == _STRING:
                return self._table[at : self._table.index(b"\0", at)]
            elif form == _LINE_STRP:
                (offset,) = struct.unpack_from("<I", self._table, at)
                return self._strings[offset : self._strings.index(b"\0", offset)]
            else:
                break
        return b""


def _first_name(data: bytes, at: int, end: int) -> bytes:
    """Return the first file of a header of version 2 to 4, behind its folders."""
    while at < end and data[at]:
        at = data.index(b"\0", at) + 1
    return data[at + 1 : data.index(b"\0", at + 1)]


def _entry_format(data: bytes, at: int) -> tuple[Sequence[tuple[int, int]], int]:
    count = data[at]
    at += 1
    forms = []
    for _ in range(count):
        kind, at = _uleb(data, at)
        form, at = _uleb(data, at)
        forms.append((kind, form))
    return forms, at


def _skip(data: bytes, at: int, forms: Sequence[tuple[int, int]], count: int) -> int:
    if all(form in _FIXED_BYTES for _, form in forms):
        return at + count * sum(_FIXED_BYTES[form] for _, form in forms)
    for _ in range(count):
        for _, form in forms:
            if form == _STRING:
                at = data.index(b"\0", at) + 1
            elif form == _UDATA:
                _, at = _uleb(data, at)
            else:
                at += _FIXED_BYTES[form] if form in _FIXED_BYTES else len(data)
    return at


def _sequences(data: bytes, unit: _Unit) -> Iterator[list[Row]]:
    """Yield the rows of each sequence in the order of the program; the last row is the end of the sequence."""
    rows: list[Row] = []
    try:
        for row, is_end in _rows(data, unit):
            rows.append(row)
            if is_end:
                if len(rows) > 1:
                    yield rows
                rows = []
            if len(rows) > _MAX_ROWS:
                return
    except (IndexError, struct.error):
        return


def _rows(data: bytes, unit: _Unit) -> Iterator[tuple[Row, bool]]:
    at = unit.program
    address, file, line, column = 0, 1, 1, 0
    while at < unit.end:
        opcode = data[at]
        at += 1
        if opcode >= unit.opcode_base:
            step = opcode - unit.opcode_base
            address += step // unit.line_range * unit.minimum
            line += unit.line_base + step % unit.line_range
            yield Row(address & _MASK, file, line, column), False
        elif opcode == 0:
            length, at = _uleb(data, at)
            kind = data[at]
            if kind == 1:
                yield Row(address & _MASK, file, line, column), True
                address, file, line, column = 0, 1, 1, 0
            elif kind == 2:
                address = int.from_bytes(data[at + 1 : at + min(length, 9)], "little")
            at += length
        elif opcode == 1:
            yield Row(address & _MASK, file, line, column), False
        elif opcode == 2:
            step, at = _uleb(data, at)
            address += step * unit.minimum
        elif opcode == 3:
            step, at = _sleb(data, at)
            line += step
        elif opcode == 4:
            file, at = _uleb(data, at)
        elif opcode == 5:
            column, at = _uleb(data, at)
        elif opcode == 8:
            address += (255 - unit.opcode_base) // unit.line_range * unit.minimum
        elif opcode == 9:
            (step,) = struct.unpack_from("<H", data, at)
            address += step
            at += 2
        elif opcode not in _WITHOUT_OPERANDS:
            for _ in range(unit.operands[opcode - 1]):
                _, at = _uleb(data, at)


def _uleb(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        octet = data[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            break
    return value, at


def _sleb(data: bytes, at: int) -> tuple[int, int]:
    value, end = _uleb(data, at)
    bits = 7 * (end - at)
    return (value - (1 << bits) if data[end - 1] & 0x40 else value), end
