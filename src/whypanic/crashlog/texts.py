"""The texts that one file holds: itself, a mail decoded, the threads of an mbox, a dump put in order."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from whypanic.crashlog.places import Places, Row, joined, rows_of
from whypanic.crashlog.pstore import has_parts, in_printed_order
from whypanic.crashlog.transfer import is_quoted_printable

if TYPE_CHECKING:
    from whypanic.crashlog.mbox import Letter, Letterhead

MAX_UNPACKED = 64 << 20
"""Bytes that a gzip file may hold."""
_SNIFFED = 1 << 12
_HEADER = 1 << 18
"""Bytes at a file's start that are looked at for the header of a mail."""


class Text(NamedTuple):
    """One text to be read on its own."""

    data: bytes
    places: Places | None
    """Where its lines stand in the file; None: line N is physical line N."""
    mails: "tuple[Letterhead, ...]" = ()
    """Of the mails that it is made of."""


def open_texts(data: bytes) -> tuple[Text, ...]:
    """Return the texts of a file; one, the file itself, where nothing is to be decoded.

    The mails of one thread are one text, so that what a reply adds (a listing, the PC's source line) is known to the
    report and what it quotes again is no second one. Total: any bytes give an answer. Lines of a gzip file are
    counted in what it holds.
    """
    if data.startswith(b"\x1f\x8b"):
        from whypanic.crashlog.mime import unpack

        data = unpack(data, MAX_UNPACKED) or data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and data.count(b"\0") * 3 > len(data):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    if _is_mail(data[:_HEADER]):
        return _mails(data)
    if b"-----BEGIN PGP SIGNED" in data or is_quoted_printable(data):
        from whypanic.crashlog.mime import tidied

        return (_text(tidied(rows_of(data))),)
    return (_text(rows_of(data)) if has_parts(data) else Text(data, None),)


def is_plain(start: bytes) -> bool:
    """Return whether a file that begins so is one text that is read as it stands, line by line."""
    return not (
        start.startswith((b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff"))
        or has_parts(start)
        or is_quoted_printable(start)
        or _is_mail(start)
    )


def _is_mail(start: bytes) -> bool:
    """Return whether a file that begins so is a mail or an mbox."""
    sniffed = start[:_SNIFFED].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t ")
    if not re.match(rb"From [^\n]{3,}\n|[A-Za-z][!-9;-~]{0,75}[ \t]{0,4}:[ \t\r\n]", sniffed):
        return False
    from whypanic.crashlog.headers import read_headers
    from whypanic.crashlog.mbox import is_mbox, without_blank_start

    rows = list(without_blank_start(rows_of(start)))
    return is_mbox(rows) or read_headers(rows).is_mail


def _mails(data: bytes) -> tuple[Text, ...]:
    from whypanic.crashlog.mbox import is_mbox, letter_of, split_mbox, threads, without_blank_start

    rows = list(without_blank_start(rows_of(data)))
    if is_mbox(rows):
        return tuple(_text_of(thread) for thread in threads(split_mbox(rows)))
    text = _text_of([letter_of(rows)])
    same = text.data in (data, data + b"\n")
    return (text._replace(data=data, places=None) if same else text,)


def _text_of(letters: "Sequence[Letter]") -> Text:
    from whypanic.crashlog.mime import read_mail

    rows: list[Row] = []
    for letter in letters:
        rows.extend(read_mail(letter.rows))
    return _text(rows, (letter.head for letter in letters))


def _text(rows: list[Row], mails: "Iterable[Letterhead]" = ()) -> Text:
    data = joined(rows)
    if has_parts(data):
        rows = in_printed_order(rows)
        data = joined(rows)
    return Text(data, Places(rows), tuple(mails))
