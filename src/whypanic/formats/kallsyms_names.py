"""The compressed names of kallsyms: found before the token table by their markers and their count, and written out.

A marker is the offset of every 256th name, 32 bits wide since 4.20 and 64 before; the count of all names stands before
the first one. Each name is a length (ULEB128 of up to two bytes since 6.1, one byte before) and that many codes; its
first character is the letter of `nm`. Linux 6.2 and 6.3, and stable kernels that took it over, have a table of three
bytes a name between markers and tokens, of which nothing is needed here.

Source: Linux scripts/kallsyms.c and kernel/kallsyms.c, read in 5.10, 6.1, 6.2 and 6.12; commits "kallsyms: reduce size
a little on 64-bit" (4.20) and "kallsyms: support "big" kernel symbols" (6.1), from memory.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.kallsyms_tokens import TokenTable

_BLOCK = 256
"""Names from one marker to the next."""
_MAX_NAME_BYTES = 0x3FFF + 2
_MAX_BLOCK_BYTES = _BLOCK * 600
_MAX_BYTES_BEFORE = 16 << 20
"""From the first marker to the token table."""
_MAX_TEXT_BYTES = 64 << 20
_MAX_GAP = 256
_MAX_MARKER_LISTS = 160
_MAX_STEPS = 2_000_000
_MAX_WALKS = 64
_COUNT_BEFORE = (8, 4, 256)
"""Bytes from the count to the first name: 64 bits or an aligned 32, packed (7.x), `.align 8` of 2^8."""
_END, _SECOND = 256, 257
"""Codes put in place of the first and the second byte of a length."""


class CompressedNames(NamedTuple):
    """Where the names of a table lie, in the bytes that were searched."""

    count_at: int
    """Offset of kallsyms_num_syms."""
    starts: NDArray[np.int64]
    """Offset of the length of each name."""
    end: int
    long_names: bool
    """A length whose top bit is set goes on in the next byte."""
    marker_bytes: int


class ExpandedNames(NamedTuple):
    """Names written out."""

    blob: bytes
    """Every name with its letter before it and NUL behind it."""
    offsets: NDArray[np.int64]
    """Of each name, behind its letter, in `blob`."""
    letters: NDArray[np.uint8]


class _Budget:
    """What one search may still spend."""

    def __init__(self) -> None:
        self.n_steps = _MAX_STEPS
        self.n_walks = _MAX_WALKS

    @property
    def is_spent(self) -> bool:
        return self.n_steps <= 0 or self.n_walks <= 0


def find_names(data: bytes, tokens: TokenTable) -> CompressedNames | None:
    """Return the names before a token table; None where they do not read as they must."""
    budget = _Budget()
    for width, at, n_markers in _marker_lists(data, tokens.start):
        markers = np.frombuffer(data, f"<u{width}", n_markers, at).astype(np.int64)
        for first, count_at, n_names in _counts(data, at, markers):
            for long_names in (True, False):
                found = _walk(data, first, at, markers, n_names, long_names, budget)
                if budget.is_spent:
                    return None
                if found is not None:
                    return CompressedNames(count_at, found[0], found[1], long_names, width)
    return None


def _marker_lists(data: bytes, end: int) -> list[tuple[int, int, int]]:
    """Return width, offset and number of each run of words that may be markers, the longest first."""
    found = []
    for width in (4, 8):
        first = max(end - _MAX_BYTES_BEFORE, 0)
        first += -first % width
        n_words = (end - first) // width
        if n_words <= 0:
            continue
        words = np.frombuffer(data, f"<u{width}", n_words, first)
        steps = np.diff(np.minimum(words, np.uint64(1 << 40)).astype(np.int64))
        broken = np.flatnonzero((steps < 2 * _BLOCK) | (steps > _MAX_BLOCK_BYTES))
        zeros = np.flatnonzero(words == 0)
        stops = np.append(broken, n_words - 1)
        lengths = stops[np.searchsorted(stops, zeros)] - zeros + 1
        best = np.argsort(lengths, kind="stable")[::-1][:_MAX_MARKER_LISTS]
        found += [(int(lengths[i]), int(first + zeros[i] * width), width) for i in best.tolist()]
    found.sort(key=lambda one: (-one[0], -one[1]))
    return [(width, at, n) for n, at, width in found]


def _counts(
    data: bytes, markers_at: int, markers: NDArray[np.int64]
) -> Iterator[tuple[int, int, int]]:
    """Yield where the first name may begin, where its count stands, and the count.

    The list of markers may seem up to two longer than it is: what follows it may happen to go on rising.
    """
    n_markers = len(markers)
    nearest = int(markers[max(n_markers - 3, 0)]) + 2
    farthest = int(markers[-1]) + _MAX_BLOCK_BYTES
    lo = max(markers_at - farthest - _MAX_GAP, 0)
    lo += -lo % 4
    places = np.arange(lo, markers_at - nearest + 1, 4)
    if not len(places):
        return
    words = np.frombuffer(data, "<u4", markers_at // 4)
    least, most = max(n_markers - 3, 0) * _BLOCK, n_markers * _BLOCK
    for before in _COUNT_BEFORE:
        usable = places[places >= before]
        counts = words[(usable - before) // 4]
        for i in np.flatnonzero((counts > least) & (counts <= most))[::-1].tolist():
            yield int(usable[i]), int(usable[i]) - before, int(counts[i])


def _walk(
    data: bytes,
    first: int,
    markers_at: int,
    markers: NDArray[np.int64],
    n_names: int,
    long_names: bool,
    budget: _Budget,
) -> tuple[NDArray[np.int64], int] | None:
    """Return where each name begins and where the last ends; None where markers or the end disagree."""
    n_blocks = (n_names + _BLOCK - 1) // _BLOCK
    in_last = n_names - (n_blocks - 1) * _BLOCK
    goal = first + int(markers[1]) if n_blocks > 1 else None
    end = _walk_block(data, first, min(n_names, _BLOCK), long_names, goal or markers_at, budget)
    if end is None or (goal is not None and end != goal):
        return None
    if n_blocks == 1 and markers_at - end >= _MAX_GAP:
        return None
    budget.n_walks -= 1
    text = np.frombuffer(data, np.uint8, markers_at)
    at = first + markers[:n_blocks]
    if int(at[-1]) >= markers_at:
        return None
    starts = np.empty((_BLOCK + 1, n_blocks), np.int64)
    for k in range(_BLOCK):
        starts[k] = at
        inside = np.minimum(at, markers_at - 2)
        length = text[inside].astype(np.int64)
        if long_names:
            big = length >= 0x80
            length += np.where(big, ((text[inside + 1].astype(np.int64) - 1) << 7) + 1, 0)
        at = inside + 1 + length
    starts[_BLOCK] = at
    end = int(starts[in_last, -1])
    if n_blocks > 1 and not np.array_equal(starts[_BLOCK, :-1], first + markers[1:n_blocks]):
        return None
    if not 0 <= markers_at - end < _MAX_GAP or any(data[end:markers_at]):
        return None
    found = starts[:_BLOCK].T.reshape(-1)[:n_names].copy()
    return (found, end) if bool(np.all(text[found])) else None


def _walk_block(
    data: bytes, at: int, n_names: int, long_names: bool, limit: int, budget: _Budget
) -> int | None:
    """Return where a block of names ends; None where it does not end by `limit`."""
    for _ in range(n_names):
        budget.n_steps -= 1
        if at + 1 >= limit:
            return None
        length = data[at]
        at += 1
        if long_names and length >= 0x80:
            length = (length & 0x7F) | (data[at] << 7)
            at += 1
        if not length:
            return None
        at += length
    return at if at <= limit else None


def expand_names(data: bytes, names: CompressedNames, tokens: TokenTable) -> ExpandedNames | None:
    """Return the names written out; None where they come out too long or are no names."""
    first = int(names.starts[0])
    codes = np.frombuffer(data, np.uint8, names.end - first, first).astype(np.int64)
    begin = names.starts - first
    is_long = names.long_names & (codes[begin] >= 0x80)
    codes[begin + 1] = np.where(is_long, _SECOND, codes[begin + 1])
    codes[begin] = _END
    lengths = np.append(tokens.lengths, (1, 0))[codes]
    n_bytes = int(lengths.sum())
    if n_bytes > _MAX_TEXT_BYTES:
        return None
    offsets = np.append(tokens.offsets, (len(tokens.pool) - 1, 0))[codes]
    ends = np.cumsum(lengths)
    places = np.repeat((offsets - (ends - lengths)).astype(np.int32), lengths)
    places += np.arange(n_bytes, dtype=np.int32)
    text = np.frombuffer(tokens.pool, np.uint8)[places]
    # A NUL stands where each length was: before a name and so behind the one before it.
    where = (ends - lengths)[begin]
    if int(where[-1]) + 1 >= n_bytes:
        return None
    letters = text[where + 1]
    is_letter = ((letters | 0x20) >= ord("a")) & ((letters | 0x20) <= ord("z"))
    if not bool(np.all(is_letter | (letters == ord("?")))):
        return None
    return ExpandedNames(text.tobytes() + b"\0", where + 2, letters)
