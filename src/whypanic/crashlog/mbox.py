"""Several mails in one file: where each begins, and which belong to one thread.

Source: RFC 4155; the `mboxrd` quoting of `From ` is that of qmail's mbox(5) (from memory).
"""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whypanic.crashlog.headers import Headers, read_headers
from whypanic.crashlog.places import Row

MAX_REFERENCES = 200
"""Message ids of one mail that are looked at."""


class Letterhead(NamedTuple):
    """What a reply to a mail needs of its header; each as it stands there, unfolded."""

    first_line: int
    last_line: int
    sender: str
    date: str
    subject: str
    message_id: str
    references: str
    reply_to: str
    to: str
    cc: str


class Letter(NamedTuple):
    """One mail of a file."""

    rows: Sequence[Row]
    """Without the `From ` line, its quoting taken back."""
    head: Letterhead
    ids: frozenset[str]
    """Its own message id and those it refers to."""


def is_mbox(rows: Sequence[Row]) -> bool:
    """Return whether the first line is the `From ` line of an mbox."""
    return bool(rows) and _is_separator(rows, 0)


def split_mbox(rows: Sequence[Row]) -> list[Letter]:
    """Return the mails of an mbox."""
    cuts = [
        index
        for index, row in enumerate(rows)
        if row.data.startswith(b"From ") and _is_separator(rows, index)
    ]
    return [
        letter_of([_unquoted(row) for row in rows[start + 1 : stop]])
        for start, stop in zip(cuts, [*cuts[1:], len(rows)], strict=True)
    ]


def letter_of(rows: Sequence[Row], headers: Headers | None = None) -> Letter:
    """Return one mail."""
    headers = headers or read_headers(rows)
    head = Letterhead(
        first_line=rows[0].first if rows else 1,
        last_line=rows[-1].last if rows else 1,
        sender=headers.get("from"),
        date=headers.get("date"),
        subject=headers.get("subject"),
        message_id=headers.get("message-id"),
        references=headers.get("references") or headers.get("in-reply-to"),
        reply_to=headers.get("reply-to"),
        to=headers.get("to"),
        cc=headers.get("cc"),
    )
    words = " ".join((head.message_id, head.references, headers.get("in-reply-to")))
    return Letter(rows, head, frozenset(_ids().findall(words)[:MAX_REFERENCES]))


def threads(letters: Sequence[Letter]) -> list[list[Letter]]:
    """Return the mails by thread, in order; a mail without any message id is a thread of its own."""
    leader: dict[str, int] = {}
    parent = list(range(len(letters)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for place, letter in enumerate(letters):
        for name in letter.ids:
            one, other = root(leader.setdefault(name, place)), root(place)
            parent[max(one, other)] = min(one, other)
    found: dict[int, list[Letter]] = {}
    for place, letter in enumerate(letters):
        found.setdefault(root(place), []).append(letter)
    return list(found.values())


def without_blank_start(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the lines from the first that has text; a byte order mark before it is taken off."""
    begun = False
    for row in rows:
        if not begun:
            data = row.data.removeprefix(b"\xef\xbb\xbf")
            begun = bool(data.strip())
            if begun:
                yield row._replace(data=data)
        else:
            yield row


def _is_separator(rows: Sequence[Row], index: int) -> bool:
    if not _from_line().match(rows[index].data):
        return False
    if index and rows[index - 1].data.strip() and b"@" not in rows[index].data:
        return False
    following = rows[index + 1].data if index + 1 < len(rows) else b""
    return _header_line().match(following) is not None


def _unquoted(row: Row) -> Row:
    return row._replace(data=row.data[1:]) if _quoted_from().match(row.data) else row


@functools.cache
def _from_line() -> re.Pattern[bytes]:
    return re.compile(rb"From \S{1,250}(?: at \S{1,250})? {1,3}[A-Z][a-z]{2},? .{0,16}\d\d:\d\d")


@functools.cache
def _header_line() -> re.Pattern[bytes]:
    return re.compile(rb">?[A-Za-z][A-Za-z0-9-]{0,60}:")


@functools.cache
def _quoted_from() -> re.Pattern[bytes]:
    return re.compile(rb">{1,100}From ")


@functools.cache
def _ids() -> re.Pattern[str]:
    return re.compile(r"<[^<>\s]{1,250}>")
