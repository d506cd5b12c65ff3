"""Relocations of ELF files: dynamic ones of a linked kernel, and static ones of objects, applied to their bytes.

What each relocation makes of a word is the table of `arch.relocations`; here it is done to all places of one type at
once. Source: ELF for the Arm 64-bit Architecture (aaelf64.rst), tables of static and dynamic relocations; System V
gABI, ch. 5, Relative Relocation Table (SHT_RELR).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.arch.relocations import BY_NAME, BY_NUMBER, Operation, Relocation
from whypanic.formats.elf import (
    SHT_DYNSYM,
    SHT_REL,
    SHT_RELA,
    SHT_RELR,
    ElfFile,
    ElfSection,
    relocation_name,
)
from whypanic.formats.elf_symbols import ElfSymbols, read_symbols
from whypanic.formats.kernel_image import (
    NO_RELOCATIONS,
    Addresses,
    Extent,
    ObjectRelocations,
    RelativeRelocations,
)

_RELATIVE = BY_NAME["R_AARCH64_RELATIVE"].number
_NONE = (0, 256)
_MAX_RELOCATIONS = 1 << 22
_MAX_RELR_WORDS = 1 << 18
_RELR_SPAN = 63
"""Slots that one bitmap of RELR stands for."""
_AT_ONCE = 1 << 18
_PAGE = np.uint64(0xFFFF_FFFF_FFFF_F000)
_WORD_BYTES = 4

Offsets = NDArray[np.int64]

RELA = np.dtype([("offset", "<u8"), ("info", "<u8"), ("addend", "<i8")])


class SectionLayout(NamedTuple):
    """Where the sections of a file are, by their number."""

    starts: Addresses
    placed: NDArray[np.bool_]
    """The section has a place in the image."""


def relative_relocations(elf: ElfFile, extents: Sequence[Extent]) -> RelativeRelocations:
    """Return the slots that a linked kernel relocates when it boots, of .rela.dyn and .relr.dyn."""
    slots: list[Addresses] = []
    values: list[Addresses] = []
    for rows in _dynamic_tables(elf):
        relative = rows[_types(rows) == _RELATIVE]
        slots.append(relative["offset"])
        values.append(relative["addend"].view(np.uint64))
    for section in elf.sections:
        if section.is_allocated and (section.type == SHT_RELR or section.name == ".relr.dyn"):
            data = elf.bytes_of(section)
            words = np.frombuffer(data, "<u8", min(len(data) // 8, _MAX_RELR_WORDS))
            found = decode_relr(words)
            if found is None or len(data) // 8 > len(words):
                elf.note_missing(f"{section.name} is too large or damaged: not all of it is read")
            if found is not None:
                held, there = values_at(extents, found)
                slots.append(found[there])
                values.append(held[there])
    if not slots:
        return NO_RELOCATIONS
    every, held = np.concatenate(slots), np.concatenate(values)
    every, first = np.unique(every, return_index=True)
    return RelativeRelocations(every, held[first])


def decode_relr(words: NDArray[np.uint64]) -> Addresses | None:
    """Return the slots that the words of a RELR table stand for, in its order; None for a damaged or huge one.

    An even word is the address of a slot; an odd one a bitmap of the 63 slots behind those before.
    """
    if not len(words):
        return np.empty(0, np.uint64)
    is_address = words & np.uint64(1) == 0
    number = np.arange(len(words))
    last = np.maximum.accumulate(np.where(is_address, number, -1))
    if last[0] < 0 or int(np.bitwise_count(words).sum()) > _MAX_RELOCATIONS:
        return None
    maps = np.flatnonzero(~is_address)
    behind = (maps - last[maps] - 1) * (8 * _RELR_SPAN) + 8
    bases = words[last[maps]] + behind.astype(np.uint64)
    octets = np.ascontiguousarray(words[maps], "<u8").view(np.uint8).reshape(-1, 8)
    rows, bits = np.nonzero(np.unpackbits(octets, axis=1, bitorder="little")[:, 1:])
    marked = bases[rows] + bits.astype(np.uint64) * np.uint64(8)
    found: Addresses = np.concatenate([words[is_address], marked])
    return found


def values_at(
    extents: Sequence[Extent], places: Addresses
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the eight bytes at each address as numbers, and which of them are in the file."""
    values = np.zeros(len(places), np.uint64)
    there = np.zeros(len(places), np.bool_)
    for extent in extents:
        if len(extent.data) < 8:
            continue
        first, last = np.uint64(extent.address), np.uint64(extent.end - 8)
        inside = np.flatnonzero((places >= first) & (places <= last))
        octets = np.frombuffer(extent.data, np.uint8)
        for i in range(0, len(inside), _AT_ONCE):
            part = inside[i : i + _AT_ONCE]
            offsets = (places[part] - first).astype(np.int64)
            values[part] = octets[offsets[:, None] + np.arange(8)].view("<u8")[:, 0]
        there[inside] = True
    return values, there


def open_relocations(elf: ElfFile, layout: SectionLayout) -> ObjectRelocations:
    """Return the dynamic relocations of a linked kernel that are not RELATIVE: it does not apply them itself.

    Their symbols are in .dynsym; Linux' linker script throws that away, and the section that sh_link then names is
    another table with other numbers: those relocations have neither name nor target then.
    """
    table = next((s for s in elf.sections if s.type == SHT_DYNSYM), None)
    rows = np.concatenate([np.empty(0, RELA), *_dynamic_tables(elf)])
    types = _types(rows)
    rows = rows[(types != _RELATIVE) & ~np.isin(types, _NONE)]
    symbols = read_symbols(elf, table) if len(rows) and table is not None else None
    return _resolve(elf, rows, rows["offset"], symbols, layout)


_NOWHERE: Addresses = np.empty(0, np.uint64)


def object_relocations(
    elf: ElfFile, symbols: ElfSymbols | None, layout: SectionLayout
) -> ObjectRelocations:
    """Return the relocations of those sections of a relocatable object that have a place."""
    rows: list[NDArray[np.void]] = []
    places: list[Addresses] = []
    left = min(len(elf.data) // RELA.itemsize, _MAX_RELOCATIONS)
    for section in elf.sections:
        if section.type not in (SHT_RELA, SHT_REL) or not 0 < section.info < len(elf.sections):
            continue
        if not layout.placed[section.info]:
            continue
        if section.type == SHT_REL:
            elf.note_missing(f"{section.name}: relocations without addends are not read")
            continue
        found = _rela_rows(elf, section)
        found = found[found["offset"] < np.uint64(elf.sections[section.info].size)]
        if len(found) > left:
            elf.note_missing("there are more relocations than are read")
            found = found[:left]
        left -= len(found)
        rows.append(found)
        places.append(found["offset"] + layout.starts[section.info])
    if not rows:
        return _resolve(elf, np.empty(0, RELA), _NOWHERE, symbols, layout)
    return _resolve(elf, np.concatenate(rows), np.concatenate(places), symbols, layout)


def apply_relocations(
    octets: NDArray[np.uint8],
    positions: Offsets,
    room: Offsets,
    relocations: ObjectRelocations,
) -> dict[int, int]:
    """Put the targets of defined relocations into the bytes of an object.

    :param octets: bytes of the sections, changed in place.
    :param positions: int64[n], index of each place in `octets`; negative: it has no bytes.
    :param room: int64[n], bytes from each place to the end of its section.
    :return: number of places by type that stay as they were: not a relocation of the table, or one that does not fit.
    """
    kept: dict[int, int] = {}
    there = relocations.is_defined & (positions >= 0) & ~np.isin(relocations.types, _NONE)
    for number in np.unique(relocations.types[there]).tolist():
        which = np.flatnonzero(there & (relocations.types == number))
        kind = BY_NUMBER.get(number)
        done = 0
        if kind is not None and not kind.is_got:
            n_bytes = kind.width // 8 if kind.is_data else _WORD_BYTES
            fitting = which[room[which] >= n_bytes]
            for i in range(0, len(fitting), _AT_ONCE):
                part = fitting[i : i + _AT_ONCE]
                done += _apply(octets, positions[part], kind, n_bytes, relocations.chosen(part))
        if done < len(which):
            kept[number] = len(which) - done
    return kept


def describe_kept(kept: dict[int, int]) -> str | None:
    """Return what `apply_relocations` left as one clause; None where it left nothing."""
    if not kept:
        return None
    rows = ", ".join(f"{count} {relocation_name(number)}" for number, count in sorted(kept.items()))
    return f"relocations left open in the bytes: {rows}"


def _apply(
    octets: NDArray[np.uint8],
    positions: Offsets,
    kind: Relocation,
    n_bytes: int,
    relocations: ObjectRelocations,
) -> int:
    """Apply one type at all its places; return at how many it was possible."""
    index = positions[:, None] + np.arange(n_bytes)
    stored, fits = _stored(kind, relocations.targets, relocations.places)
    if kind.is_data:
        new = stored.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :n_bytes]
    else:
        words = octets[index].view("<u4")[:, 0]
        is_encoding = np.zeros(len(words), np.bool_)
        for field in kind.encodings:
            is_encoding |= words & np.uint32(field.mask) == np.uint32(field.value)
        if kind.scales_with_access:
            is_quad = (words >> 26 & 1 != 0) & (words >> 23 & 1 != 0) & (words >> 30 == 0)
            is_encoding &= np.where(is_quad, 4, words >> 30) == kind.shift
        fits &= is_encoding
        new = _insert(words, kind, stored).astype("<u4").view(np.uint8).reshape(-1, 4)
    octets[index[fits]] = new[fits]
    return int(np.count_nonzero(fits))


def _insert(
    words: NDArray[np.uint32], kind: Relocation, stored: NDArray[np.uint64]
) -> NDArray[np.uint32]:
    bits = stored.astype(np.uint32)
    if kind.is_split:
        low, high = (bits & np.uint32(3)) << np.uint32(29), bits >> np.uint32(2) << np.uint32(5)
        split: NDArray[np.uint32] = words & np.uint32(0x9F00001F) | low | high
        return split
    mask = 0xFFF if kind.scales_with_access else (1 << kind.width) - 1
    cleared = words & np.uint32(~(mask << kind.field.lo) & 0xFFFF_FFFF)
    changed: NDArray[np.uint32] = cleared | bits << np.uint32(kind.field.lo)
    return changed


def _stored(
    kind: Relocation, targets: Addresses, places: Addresses
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the bits of X that are stored, and where X fits."""
    if kind.operation is Operation.PLACE:
        x = targets - places
    elif kind.operation is Operation.PAGE:
        x = (targets & _PAGE) - (places & _PAGE)
    else:
        x = targets
    fits = np.ones(len(x), np.bool_)
    if kind.first is not None and kind.last is not None:
        if kind.first < 0:
            signed = x.view(np.int64)
            fits = (signed >= np.int64(kind.first)) & (signed < np.int64(kind.last))
        else:
            fits = (x >= np.uint64(kind.first)) & (x < np.uint64(kind.last))
    if kind.aligned:
        fits &= x & np.uint64((1 << kind.shift) - 1) == 0
    return x >> np.uint64(kind.shift) & np.uint64((1 << kind.width) - 1), fits


def _dynamic_sections(elf: ElfFile) -> list[ElfSection]:
    return [s for s in elf.sections if s.type == SHT_RELA and s.is_allocated]


def _dynamic_tables(elf: ElfFile) -> list[NDArray[np.void]]:
    left = min(len(elf.data) // RELA.itemsize, _MAX_RELOCATIONS)
    tables = []
    for section in _dynamic_sections(elf):
        rows = _rela_rows(elf, section)
        if len(rows) > left:
            elf.note_missing("there are more relocations than are read")
            rows = rows[:left]
        left -= len(rows)
        tables.append(rows)
    return tables


def _rela_rows(elf: ElfFile, section: ElfSection) -> NDArray[np.void]:
    data = elf.bytes_of(section)
    count = len(data) // RELA.itemsize
    if count > _MAX_RELOCATIONS:
        elf.note_missing("there are more relocations than are read")
        count = _MAX_RELOCATIONS
    return np.frombuffer(data, RELA, count)


def _types(rows: NDArray[np.void]) -> NDArray[np.uint32]:
    found: NDArray[np.uint32] = (rows["info"] & np.uint64(0xFFFF_FFFF)).astype(np.uint32)
    return found


def _resolve(
    elf: ElfFile,
    rows: NDArray[np.void],
    places: Addresses,
    symbols: ElfSymbols | None,
    layout: SectionLayout,
) -> ObjectRelocations:
    """Find the addresses that relocations of one symbol table lead to."""
    order = np.argsort(places, kind="stable")
    rows, places = rows[order], places[order]
    wanted = (rows["info"] >> np.uint64(32)).astype(np.int64)
    n_symbols = 0 if symbols is None else len(symbols.rows)
    values = np.zeros(n_symbols + 1, np.uint64)
    defined = np.zeros(n_symbols + 1, np.bool_)
    if symbols is not None and n_symbols:
        inside = np.maximum(symbols.sections, 0)
        placed = (symbols.sections >= 0) & layout.placed[inside]
        values[:-1] = symbols.rows["value"] + np.where(placed, layout.starts[inside], np.uint64(0))
        defined[:-1] = placed | symbols.is_absolute
    defined[0] = True  # the symbol of number 0 stands for the value 0
    values[0] = 0
    known = np.minimum(wanted, n_symbols)
    if n_symbols == 0:
        defined[0] = False
    return ObjectRelocations(
        places=places,
        types=_types(rows),
        addends=rows["addend"],
        targets=values[known] + rows["addend"].view(np.uint64),
        is_defined=defined[known],
        symbols=known,
        name_of=_namer(elf, symbols),
    )


def _namer(elf: ElfFile, symbols: ElfSymbols | None) -> Callable[[int], str]:
    def name_of(i: int) -> str:
        if symbols is None or i >= len(symbols.rows):
            return ""
        section = int(symbols.sections[i])
        if symbols.is_section(i) and section >= 0:
            return elf.sections[section].name
        return symbols.name(i)

    return name_of
