"""The symbol table of an ELF file as arrays: no loop over symbols, of which a kernel has 140,000 and more.

Source: System V gABI, ch. 4, Symbol Table; ELF for the Arm 64-bit Architecture (aaelf64.rst), Symbol table.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.elf import SHT_SYMTAB, SHT_SYMTAB_SHNDX, ElfFile, ElfSection
from whypanic.formats.symbol_table import FUNCTION, OBJECT, OTHER, SymbolTable, symbol_table

_NOTYPE, _OBJECT, _FUNC, _SECTION, _FILE, _COMMON, _TLS, _IFUNC = 0, 1, 2, 3, 4, 5, 6, 10
_NAMED = (_NOTYPE, _OBJECT, _FUNC, _IFUNC)
_UNDEF, _LORESERVE, _ABS, _XINDEX = 0, 0xFF00, 0xFFF1, 0xFFFF
_MAX_SYMBOLS = 1 << 22
_MAX_STRING_BYTES = 256 << 20
_NO_SECTION = -1
_ABSOLUTE = -2

SYMBOL = np.dtype(
    [
        ("name", "<u4"),
        ("info", "u1"),
        ("other", "u1"),
        ("shndx", "<u2"),
        ("value", "<u8"),
        ("size", "<u8"),
    ]
)


class ElfSymbols(NamedTuple):
    """One symbol table, in the order of the file."""

    rows: NDArray[np.void]
    """Of dtype SYMBOL."""
    sections: NDArray[np.int64]
    """Number of the section that each is defined in; -1: undefined, common, or out of range; -2: absolute."""
    names: bytes
    """Behind each offset a NUL-terminated name."""

    @property
    def types(self) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self.rows["info"] & np.uint8(15)
        return found

    @property
    def is_absolute(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.sections == _ABSOLUTE
        return found

    def is_section(self, i: int) -> bool:
        """Tell whether symbol number `i` stands for a section."""
        return int(self.rows["info"][i]) & 15 == _SECTION

    def name(self, i: int) -> str:
        """Return the name of symbol number `i`; empty where it has none."""
        start = int(self.rows["name"][i])
        end = self.names.find(b"\0", start)
        return self.names[start : end if end >= 0 else None].decode("utf-8", "backslashreplace")


def read_symbols(elf: ElfFile, table: ElfSection | None = None) -> ElfSymbols | None:
    """Return a symbol table of a file; None where it has none that can be read.

    :param table: the section; None: the first SHT_SYMTAB.
    """
    if table is None:
        table = next((s for s in elf.sections if s.type == SHT_SYMTAB), None)
    if table is None:
        return None
    data = elf.contents(table)
    strings = elf.linked(table)
    names = None if strings is None else elf.contents(strings)
    if data is None or names is None:
        elf.note_missing(f"{table.name} or its names cannot be read")
        return None
    count = len(data) // SYMBOL.itemsize
    if count > _MAX_SYMBOLS or len(names) > _MAX_STRING_BYTES:
        elf.note_missing(f"of {count} symbols only {min(count, _MAX_SYMBOLS)} are read")
        count = min(count, _MAX_SYMBOLS)
    rows = np.frombuffer(data, SYMBOL, count)
    return ElfSymbols(rows, _sections(elf, table, rows), bytes(names[:_MAX_STRING_BYTES]))


def _sections(elf: ElfFile, table: ElfSection, rows: NDArray[np.void]) -> NDArray[np.int64]:
    short = rows["shndx"]
    found = short.astype(np.int64)
    found[short >= _LORESERVE] = _NO_SECTION
    extended = short == _XINDEX
    if extended.any():
        wide = next(
            (s for s in elf.sections if s.type == SHT_SYMTAB_SHNDX and s.link == table.number),
            None,
        )
        if wide is not None:
            data = elf.bytes_of(wide)
            indices = np.frombuffer(data, "<u4", min(len(data) // 4, len(rows)))
            usable = np.flatnonzero(extended[: len(indices)])
            found[usable] = indices[usable]
    found[found >= len(elf.sections)] = _NO_SECTION
    found[found == _UNDEF] = _NO_SECTION
    found[short == _ABS] = _ABSOLUTE
    return found


def table_of(
    symbols: ElfSymbols | None,
    *,
    shifts: NDArray[np.uint64],
    in_image: NDArray[np.bool_],
    executable: NDArray[np.bool_],
    span: tuple[int, int],
) -> SymbolTable:
    """Return the named symbols of an image.

    Undefined symbols, those of sections, files and threads, and those outside the image are left out; absolute ones
    count where their value lies in the image. Code without a type that has a size (SYM_CODE_START of Linux) is a
    function.

    :param shifts: uint64[sections], what is added to the value of a symbol of that section.
    :param in_image: bool[sections], the section has a place in the image.
    :param executable: bool[sections].
    :param span: first and last address of the image, for absolute symbols.
    """
    if symbols is None or not len(shifts):
        return symbol_table(())
    rows, sections, types = symbols.rows, symbols.sections, symbols.types
    inside = np.maximum(sections, 0)
    placed = (sections >= 0) & in_image[inside]
    first, last = np.uint64(span[0]), np.uint64(span[1])
    absolute = symbols.is_absolute & (rows["value"] >= first) & (rows["value"] <= last)
    letters = np.frombuffer(symbols.names + b"\0", np.uint8)
    named = (letters[np.minimum(rows["name"], len(symbols.names))] != 0) & np.isin(types, _NAMED)
    keep = np.flatnonzero(named & (placed | absolute))
    rows, types, inside = rows[keep], types[keep], inside[keep]
    is_placed = placed[keep]
    code = (types == _NOTYPE) & (rows["size"] > 0) & executable[inside] & is_placed
    kinds = np.full(len(keep), OTHER, np.uint8)
    kinds[(types == _FUNC) | (types == _IFUNC) | code] = FUNCTION
    kinds[types == _OBJECT] = OBJECT
    addresses = rows["value"] + np.where(is_placed, shifts[inside], np.uint64(0))
    is_global = rows["info"] >> 4 != 0
    return SymbolTable(addresses, rows["size"], kinds, rows["name"], symbols.names, is_global)
