"""Where the token table of kallsyms lies in the bytes of a kernel: 256 short strings, and behind them their offsets.

Every byte that names use stands for itself in the table, so the ten digits follow one another in it; the bytes that no
name uses stand for the substrings that names have most often, or for nothing. The table of offsets, 256 u16, proves it.
Source: Linux scripts/kallsyms.c `insert_real_symbols_in_table()`, `write_src()`, read in 6.1 and 6.12.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_DIGITS = b"".join(bytes([c, 0]) for c in b"0123456789")
_FIRST_DIGIT = ord("0")
_N_TOKENS = 256
_INDEX_BYTES = 2 * _N_TOKENS
_MAX_TOKEN_BYTES = 1024
_MAX_GAP = 256
"""`.align 8` of arm64's assembler (Linux before 5.0) means 2^8 bytes."""
_MAX_TABLES = 16


class TokenTable(NamedTuple):
    """What each of 256 codes stands for, with offsets in the bytes that were searched."""

    start: int
    index_end: int
    """First byte behind the table of offsets."""
    pool: bytes
    """All tokens, NUL-terminated."""
    offsets: NDArray[np.int64]
    """Of each token in `pool`, int64[256]."""
    lengths: NDArray[np.int64]


def find_token_tables(data: bytes) -> Iterator[TokenTable]:
    """Yield every token table, in the order of the bytes."""
    at, n_found = data.find(_DIGITS), 0
    while at >= 0 and n_found < _MAX_TABLES:
        found = _table_at(data, at)
        if found is not None:
            yield found
        n_found += 1
        at = data.find(_DIGITS, at + 1)


def _table_at(data: bytes, digit: int) -> TokenTable | None:
    """Return the table whose token `0` lies at an offset."""
    starts, at = [], digit
    for _ in range(_FIRST_DIGIT, _N_TOKENS):
        starts.append(at - digit)
        end = data.find(b"\0", at, at + _MAX_TOKEN_BYTES)
        if end < 0:
            return None
        at = end + 1
    behind = np.array(starts, np.int64)
    for place in range(at + (-at) % 2, at + _MAX_GAP + 2, 2):
        if place + _INDEX_BYTES > len(data) or any(data[at:place]):
            return None
        index = np.frombuffer(data, "<u2", _N_TOKENS, place).astype(np.int64)
        first = int(index[_FIRST_DIGIT])
        if index[0] or not first or not np.array_equal(index[_FIRST_DIGIT:] - first, behind):
            continue
        start = digit - first
        if start < 0:
            return None
        pool = data[start:at]
        ends = np.append(index[1:], len(pool)) - 1
        whole = bool(np.all(np.diff(index) > 0)) and pool.count(b"\0") == _N_TOKENS
        if whole and all(pool[end] == 0 for end in ends.tolist()):
            return TokenTable(start, place + _INDEX_BYTES, pool, index, ends - index)
    return None
