"""Symbols from text: System.map, the output of `nm`, /proc/kallsyms.

One line is an address of 16 digits, a letter of `nm`, a name, and in /proc/kallsyms of a module's symbol a tab and its
name in brackets. Lines of no such form are counted and left out.
"""

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.boundary_symbols import boundary_sections, without_overlap
from whypanic.formats.kallsyms import kinds_of_letters, sizes_to_next
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import SymbolTable, symbol_table
from whypanic.model.errors import InputError

_DIGITS = 16
_NAME_AT = _DIGITS + 3
_MAX_NAME_BYTES = 1024
_KERNEL_HALF = np.uint64(0xFFFF << 48)
_NOT_HEX = 0xFF
_NIBBLES = np.full(256, _NOT_HEX, np.uint8)
for _i, _digit in enumerate(b"0123456789abcdef"):
    _NIBBLES[_digit] = _i
for _i, _digit in enumerate(b"ABCDEF", 10):
    _NIBBLES[_digit] = _i


def read_system_map(data: bytes, *, name: str) -> KernelImage:
    """Return an image that has names and nothing else; a size is the distance to the next address that differs.

    :raises InputError: if no line is that of a symbol.
    """
    blob = data.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    text = np.frombuffer(blob, np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate(([0], ends[:-1] + 1))
    lines = _Lines(text, starts, ends)
    if not np.any(lines.good):
        message = f"{name} is no System.map: no line is `ffff800010080000 T name`"
        raise InputError(message, path=name)
    missing = ["no code and no data: it holds symbols only"]
    n_damaged = int(np.count_nonzero(~lines.good & (ends > starts)))
    if n_damaged:
        missing.append(f"{n_damaged} of {len(starts)} lines are no symbols and are left out")
    of_modules = lines.good & lines.has_module
    if np.any(of_modules):
        missing.append(
            f"{np.count_nonzero(of_modules)} symbols of modules are left out; "
            "addresses are those of one boot, KASLR included"
        )
    chosen = lines.good & ~of_modules
    addresses = lines.addresses[chosen]
    if not np.any(addresses):
        missing.append(
            "no addresses: all are 0, as /proc/kallsyms shows them to users without CAP_SYSLOG"
        )
        return KernelImage(
            name=name, kind=ImageKind.SYSTEM_MAP, symbols=symbol_table(()), missing=missing
        )
    # Constants and, in some versions, offsets of per-CPU variables are no places in the image.
    kept = addresses >= _KERNEL_HALF
    symbols = _table(blob, lines, np.flatnonzero(chosen)[kept])
    sections = [s._replace(has_bytes=False) for s in without_overlap(boundary_sections(symbols))]
    return KernelImage(
        name=name,
        kind=ImageKind.SYSTEM_MAP,
        symbols=symbols,
        sections=sections,
        missing=missing,
    )


class _Lines:
    """Columns of all lines."""

    def __init__(
        self, text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> None:
        self.starts = starts
        n_bytes = ends - starts
        last = len(text) - 1
        self.addresses = np.zeros(len(starts), np.uint64)
        is_hex = np.ones(len(starts), np.bool_)
        for i in range(_DIGITS):
            digit = _NIBBLES[text[np.minimum(starts + i, last)]]
            is_hex &= digit != _NOT_HEX
            self.addresses = (self.addresses << np.uint64(4)) | digit
        self.letters = text[np.minimum(starts + _DIGITS + 1, last)]
        lower = self.letters | 0x20
        is_letter = ((lower >= ord("a")) & (lower <= ord("z"))) | (self.letters == ord("?"))
        self.good = (
            (n_bytes > _NAME_AT)
            & (n_bytes <= _NAME_AT + _MAX_NAME_BYTES)
            & is_hex
            & (text[np.minimum(starts + _DIGITS, last)] == ord(" "))
            & (text[np.minimum(starts + _NAME_AT - 1, last)] == ord(" "))
            & is_letter
        )
        # A space in what should be a name: two lines run into one another.
        odd = np.flatnonzero((text == ord(" ")) | (text == 0))
        at = np.searchsorted(odd, starts + _NAME_AT)
        self.good &= (at == len(odd)) | (np.append(odd, last + 1)[at] >= ends)
        tabs = np.flatnonzero(text == ord("\t"))
        at = np.searchsorted(tabs, starts)
        self.has_module = (at < len(tabs)) & (np.append(tabs, last + 1)[at] < ends)


def _table(blob: bytes, lines: _Lines, chosen: NDArray[np.int64]) -> SymbolTable:
    addresses, letters = lines.addresses[chosen], lines.letters[chosen]
    return SymbolTable(
        addresses,
        sizes_to_next(addresses, None),
        kinds_of_letters(letters),
        (lines.starts[chosen] + _NAME_AT).astype(np.uint32),
        blob.replace(b"\n", b"\0"),
        (letters >= ord("A")) & (letters <= ord("Z")),
    )
