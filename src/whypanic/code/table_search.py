"""Tables of alternatives and jump labels found by their look, in an image that has no names for them.

A raw Image of a distribution has names of functions only. Rows of both tables point at code relative to themselves,
which nothing else in an image does in a row that often.
"""

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.kernel_image import KernelImage, Section

_SEARCHED_BYTES = 1 << 24
_MIN_ROWS = 16
_MAX_CAPABILITY = 1024
_MAX_JUMP = 1 << 21
"""Code and target lie in one function."""
_WORDS_PER_ROW = 3

_Flags = NDArray[np.bool_]
_Places = NDArray[np.int64]


def find_alternatives(image: KernelImage) -> tuple[int, int] | None:
    """Return (address, bytes) of the rows of .altinstructions, which lie behind .init.text; None: none found."""
    inits = [s for s in image.sections if s.name == ".init.text"]
    if not inits:
        return None
    first = inits[-1].end + 3 & ~3
    data = _bytes_behind(image, first)
    words = np.frombuffer(data, "<i4")
    if len(words) < _MIN_ROWS * _WORDS_PER_ROW:
        return None
    places = _offsets(first, len(words), 4) + words
    is_place = _inside(image, places) & (places % 4 == 0)
    lengths = words.view("<u4") >> 16
    n_bytes, other = lengths & 0xFF, lengths >> 8
    is_row = (
        is_place[:-2]
        & is_place[1:-1]
        & (n_bytes[2:] > 0)
        & (n_bytes[2:] % 4 == 0)
        & ((other[2:] == n_bytes[2:]) | (other[2:] == 0))
        & (words[2:] & 0x7FFF < _MAX_CAPABILITY)
    )
    runs = [(_longest(is_row[phase::_WORDS_PER_ROW]), phase) for phase in range(_WORDS_PER_ROW)]
    (start, n_rows), phase = max(runs, key=lambda run: run[0][1])
    if n_rows < _MIN_ROWS:
        return None
    row_bytes = 4 * _WORDS_PER_ROW
    return first + 4 * phase + row_bytes * start, row_bytes * n_rows


def find_jump_labels(image: KernelImage) -> tuple[int, int] | None:
    """Return (address, bytes) of the rows of __jump_table, which lie in .rodata or .data; None: none found."""
    best: tuple[int, int] | None = None
    for section in image.sections:
        if section.name in (".rodata", ".data") and section.has_bytes:
            found = _jump_labels_in(image, section)
            if found is not None and (best is None or found[1] > best[1]):
                best = found
    return best


def _jump_labels_in(image: KernelImage, section: Section) -> tuple[int, int] | None:
    first = section.address + 7 & ~7
    n_bytes = min(section.end - first, _SEARCHED_BYTES) & ~7
    data = image.raw(first, n_bytes) if n_bytes > 0 else None
    if data is None or n_bytes < 16 * _MIN_ROWS:
        return None
    halves = np.frombuffer(data, "<i4").reshape(-1, 2)
    at = _offsets(first, len(halves), 8)
    code, target = at + halves[:, 0], at + 4 + halves[:, 1]
    keys = at + np.frombuffer(data, "<i8")
    is_row = (
        _may_be_code(image, code[:-1])
        & _may_be_code(image, target[:-1])
        & (np.abs(code[:-1] - target[:-1]) < _MAX_JUMP)
        & (code[:-1] != target[:-1])
        & _inside(image, keys[1:])
    )
    runs = [(_longest(is_row[phase::2]), phase) for phase in range(2)]
    (start, n_rows), phase = max(runs, key=lambda run: run[0][1])
    return (first + 8 * phase + 16 * start, 16 * n_rows) if n_rows >= _MIN_ROWS else None


def _bytes_behind(image: KernelImage, first: int) -> bytes:
    extent = image.extent_at(first)
    n_bytes = min(extent.end - first, _SEARCHED_BYTES) & ~3 if extent else 0
    return image.raw(first, n_bytes) or b""


def _offsets(first: int, n: int, step: int) -> _Places:
    """Return addresses as signed numbers: differences of kernel addresses are small."""
    start = np.array([first], np.uint64).view(np.int64)[0]
    places: _Places = start + np.arange(n, dtype=np.int64) * step
    return places


def _signed(address: int) -> int:
    return address - (1 << 64) if address >> 63 else address


def _inside(image: KernelImage, places: _Places) -> _Flags:
    found: _Flags = (places >= _signed(image.base)) & (places < _signed(image.end))
    return found


def _may_be_code(image: KernelImage, places: _Places) -> _Flags:
    """Tell which addresses are in no known section of data; .exit.text lies in none of a raw Image."""
    found: _Flags = _inside(image, places) & (places % 4 == 0)
    for section in image.sections:
        if not section.executable:
            first, end = _signed(section.address), _signed(section.end)
            found &= _outside(places, first, end)
    return found


def _outside(places: _Places, first: int, end: int) -> _Flags:
    found: _Flags = (places < first) | (places >= end)
    return found


def _longest(flags: _Flags) -> tuple[int, int]:
    """Return (start, length) of the longest run of set flags."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    i = int(np.argmax(ends - starts))
    return int(starts[i]), int(ends[i] - starts[i])
