"""Dumps of pstore: the parts of one crash put in the order in which the kernel printed them.

A backend with small records gets the newest lines first: `Panic#2 Part1` is the end of the log, `Part2` what stood
before it. Source: Linux fs/pstore/platform.c, `pstore_dump()` (`"%s#%d Part%u\\n"`), `kmsg_dump_get_buffer()`.
"""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from whypanic.crashlog.places import Row


class _Part(NamedTuple):
    dump: int
    """Place of its dump in order of appearance."""
    number: int
    rows: list[Row]


def has_parts(data: bytes) -> bool:
    """Return whether the text has the heads of at least two parts."""
    if b" Part" not in data:
        return False
    heads = _head(multiline=True).finditer(data)
    return next(heads, None) is not None and next(heads, None) is not None


def in_printed_order(rows: Sequence[Row]) -> list[Row]:
    """Return the lines with every dump's highest part first, without the heads of the parts.

    A part number that comes again belongs to another dump, whatever its name.
    """
    before: list[Row] = []
    parts: list[_Part] = []
    seen: dict[bytes, tuple[int, set[int]]] = {}
    n_dumps = 0
    for row in rows:
        match = _head().fullmatch(row.data)
        if match is None:
            (parts[-1].rows if parts else before).append(row)
            continue
        name, number = match["name"], int(match["part"])
        if name not in seen or number in seen[name][1]:
            seen[name] = (n_dumps, set())
            n_dumps += 1
        dump, numbers = seen[name]
        numbers.add(number)
        parts.append(_Part(dump, number, []))
    parts.sort(key=lambda part: (part.dump, -part.number))
    return [*before, *(row for part in parts for row in part.rows)]


def dump_and_part(data: bytes) -> tuple[str, int] | None:
    """Return dump and part of one record, (`Oops#1`, 3); None: it does not begin with the head of one."""
    match = _head().fullmatch(data[:80].split(b"\n", 1)[0])
    return None if match is None else (match["name"].decode("ascii"), int(match["part"]))


@functools.cache
def _head(*, multiline: bool = False) -> re.Pattern[bytes]:
    words = rb"(?:> ?){0,4}(?P<name>[A-Z][A-Za-z]{2,12}#\d{1,9}) Part(?P<part>\d{1,6})[ \r]{0,2}"
    return re.compile(rb"^" + words + rb"$" if multiline else words, re.MULTILINE)
