"""What a kernel wrote to its ring buffer and no console ever printed."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from whypanic.lab.printk_ring import Record

_MAX_LINES = 200
_MAX_LEVEL = 7
"""KERN_DEBUG."""


@cache
def _prefix() -> re.Pattern[str]:
    """Match what a console puts before a line: level, time, caller."""
    return re.compile(
        r"(?:<\d{1,3}>)?(?:\[ {0,8}\d{1,10}\.\d{6}\] ?)?(?:\[ {0,8}[TC]\d{1,10}\] ?)?"
    )


def last_words(records: Iterable[Record], console: str) -> tuple[str, ...]:
    """Return the lines behind the last one that the console has whole, with their times.

    Lines before it that a console does not have are too quiet for it (`loglevel`), not too late; so are those behind it
    of a level of which nothing was printed.
    """
    shown, _, _ = console.replace("\r\n", "\n").rpartition("\n")
    printed = Counter(_plain(line) for line in shown.split("\n"))
    lines = [(line, record.level) for record in records for line in record.lines()]
    seen: Counter[str] = Counter()
    begin = 0
    levels: set[int] = set()
    for i, (line, level) in enumerate(lines):
        text = _plain(line)
        seen[text] += 1
        if text and seen[text] <= printed[text]:
            begin = i + 1
            levels.add(level)
    quietest = max(levels, default=_MAX_LEVEL)
    tail = [line for line, level in lines[begin:] if level <= quietest]
    return tuple(tail[-_MAX_LINES:])


def with_last_words(console: bytes, words: str) -> bytes:
    """Return what the console would hold, had it printed the last words too."""
    if not words:
        return console
    return console + b"\n" * (not console.endswith(b"\n")) + words.encode() + b"\n"


def _plain(line: str) -> str:
    match = _prefix().match(line)
    return line[match.end() if match else 0 :].rstrip()
