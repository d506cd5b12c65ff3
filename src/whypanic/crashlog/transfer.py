"""What mail does to a text on its way, taken back line by line: quoted-printable, base64, character sets, flowed text.

The `email` package of the standard library decodes a body as a whole and so loses which line of the file held what;
here every decoded line knows its physical lines. Total: what is malformed stays as it is.

Sources: RFC 2045 6.7 and 6.8, RFC 3676 4.1 to 4.4, RFC 4880 7.1 (from memory).
"""

import functools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from whypanic.crashlog.places import Row

_UNTOUCHED = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit", "default"})
"""The reader of lines takes UTF-8 where it is valid and single bytes elsewhere."""
_WIDE = ("utf-16", "utf-32", "utf-7", "utf16", "utf32", "utf7", "ucs-2", "ucs-4")
"""A line end is no single byte here: such a text is decoded as a whole."""
_NO_CHARACTER_SETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "mbcs"})
"""Codecs of Python that a mail cannot mean."""
_FLOW_COLUMNS = 64
"""A soft break stands where the next word no longer fitted into 66 to 78 columns."""
_MARKS_NEEDED = 3


def quoted_printable(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the lines decoded; one is all the physical lines that soft breaks cut it into."""
    pieces: list[bytes] = []
    first = last = 0
    for row in rows:
        data = row.data.rstrip(b" \t\r")
        soft = data.endswith(b"=")
        first = first if pieces else row.first
        last = row.last
        pieces.append(unescaped(data[:-1] if soft else data))
        if not soft:
            yield from _split(b"".join(pieces), first, last)
            pieces = []
    if pieces:
        yield from _split(b"".join(pieces), first, last)


def unescaped(data: bytes) -> bytes:
    """Return the bytes with every `=XX` decoded; any other `=` stays."""
    if b"=" not in data:
        return data
    return _pattern(rb"=([0-9A-Fa-f]{2})").sub(lambda match: bytes((int(match[1], 16),)), data)


def _split(data: bytes, first: int, last: int) -> Iterator[Row]:
    for line in data.split(b"\n"):
        yield Row(line, first, last)


def is_quoted_printable(data: bytes) -> bool:
    """Return whether a text that says nothing of its encoding is quoted-printable beyond doubt.

    Every tenth `=` at most may be one that means no escape: a kernel writes ` = 0x`, `=0`, `=====`. Beside it stand
    three escapes, `=3D` or both others (a blank at a line's end, a soft break) among them; or one in a place where
    a kernel writes an equals sign; or a soft break in a text of which no line is too long for the encoding.
    """
    n_equals = data.count(b"=")
    n_signs = data.count(b"=3D")
    n_blanks = len(_pattern(rb"=(?:20|09)\r?$").findall(data))
    n_soft = len(_pattern(rb"[^=\s]=\r?$").findall(data))
    n_marks = n_signs + n_blanks + n_soft
    n_other = n_equals - len(_pattern(rb"=(?:[0-9A-F]{2}|\r?$)").findall(data))
    if not n_marks or n_other * 10 > n_marks:
        return False
    if n_marks >= _MARKS_NEEDED and (n_signs or (n_blanks and n_soft)):
        return True
    if n_other:
        return False
    if _pattern(rb"(?:\s=3D\s|=3D0x|=3D=3D)").search(data):
        return True
    return (
        _pattern(rb"^[^\n]{73,75}=\r?$").search(data) is not None
        and _pattern(rb"^[^\n]{78}").search(data) is None
    )


def stray_quoted_printable(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the lines of a fragment decoded; a line with a `=` that is no escape stays as it is."""
    held: list[Row] = []
    for row in rows:
        if _pattern(rb"=(?![0-9A-F]{2}|\r?$)").search(row.data):
            yield from quoted_printable(held)
            held = []
            yield row
        else:
            held.append(row)
    yield from quoted_printable(held)


def base64(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the lines decoded, each with the physical lines where its characters stand.

    What follows the first line that is no base64, such as a list's footer, is text.
    """
    chunk: list[bytes] = []
    starts: list[int] = []
    lines: list[int] = []
    length = 0
    for index, row in enumerate(rows):
        data = row.data.strip()
        if not data:
            continue
        if not _pattern(rb"[A-Za-z0-9+/]*={0,2}").fullmatch(data):
            yield from _decoded(b"".join(chunk), starts, lines)
            yield from rows[index:]
            return
        chunk.append(data)
        starts.append(length)
        lines.append(row.first)
        length += len(data)
        if data.endswith(b"="):
            yield from _decoded(b"".join(chunk), starts, lines)
            chunk, starts, lines, length = [], [], [], 0
    yield from _decoded(b"".join(chunk), starts, lines)


def _decoded(chunk: bytes, starts: Sequence[int], lines: Sequence[int]) -> Iterator[Row]:
    import binascii

    chunk = chunk.rstrip(b"=")
    chunk = chunk[: len(chunk) - (len(chunk) % 4 == 1)]
    if not chunk:
        return
    data = binascii.a2b_base64(chunk + b"=" * (-len(chunk) % 4))
    offset = 0
    pieces = data.split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    for piece in pieces:
        end = offset + len(piece)
        first, last = (
            lines[bisect_right(starts, byte // 3 * 4) - 1]
            for byte in (offset, max(offset, end - 1))
        )
        yield Row(piece, first, last)
        offset = end + 1


def in_utf8(rows: Sequence[Row], charset: str) -> Iterator[Row]:
    """Yield the lines in UTF-8; those of a character set that nobody knows stay as they are.

    Latin-1 and US-ASCII mean Windows-1252 where they are used for mail, as the WHATWG Encoding Standard says of
    their labels: only control characters differ.
    """
    name = charset.strip().lower()
    name = "cp1252" if name in ("iso-8859-1", "latin-1", "latin1") else name
    name = "gb18030" if name in ("gb2312", "gbk") else name
    if name in _UNTOUCHED or not _is_character_set(name):
        yield from rows
    elif name.startswith(_WIDE):
        text = _text(b"\n".join(row.data for row in rows), name)
        for index, line in enumerate(text.split("\n")):
            place = rows[min(index, len(rows) - 1)] if rows else Row(b"", 1, 1)
            yield Row(line.encode("utf-8", "replace"), place.first, place.last)
    else:
        for row in rows:
            if row.data.isascii() and not name.startswith(("iso-2022", "hz")):
                yield row
            else:
                yield row._replace(data=_text(row.data, name).encode("utf-8", "replace"))


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode(name, "backslashreplace")
    except (UnicodeError, ValueError, TypeError):
        return data.decode("latin-1")


@functools.cache
def _is_character_set(name: str) -> bool:
    import codecs

    try:
        b"xxxx".decode(name, "replace")
        return codecs.lookup(name).name not in _NO_CHARACTER_SETS
    except (LookupError, UnicodeError, ValueError):
        return False


def flowed(rows: Iterable[Row], *, delete_space: bool = False) -> Iterator[Row]:
    """Yield the lines of a `format=flowed` text with their soft breaks taken out.

    A blank at the end is a soft break only where the line is about as long as the sender's mailer makes them and the
    next one, at the same depth of quoting, is no line of a console: kernels before 5.x print blanks at the ends of
    register lines.
    """
    held: Row | None = None
    for row in rows:
        depth, text = _unstuffed(row.data.rstrip(b"\r"))
        line = row._replace(data=_mark(depth) + text)
        if held is not None:
            old_depth, old_text = _unstuffed(held.data)
            if depth == old_depth and text.strip() and _is_soft(old_text, text):
                glued = old_text[:-1] if delete_space else old_text
                line = Row(_mark(depth) + glued + text, held.first, row.last)
            else:
                yield held
        held = None
        if text.endswith(b" ") and text != b"-- ":
            held = line
        else:
            yield line
    if held is not None:
        yield held


def _mark(depth: int) -> bytes:
    return b">" * depth + b" " if depth else b""


def _unstuffed(data: bytes) -> tuple[int, bytes]:
    text = data.lstrip(b">")
    depth = len(data) - len(text)
    return depth, text[1:] if text.startswith(b" ") and (depth or text.strip()) else text


def _is_soft(text: bytes, rest: bytes) -> bool:
    word = rest.split(None, 1)[0]
    if len(text) + len(word) < _FLOW_COLUMNS:
        return False
    return _pattern(rb"\[ *\d+\.\d+\]|<\d>|[\w.$]+\+0x|-{3}|={3}|[>|]").match(rest) is None


def without_dash_escapes(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the lines of an OpenPGP clear-signed text without the `- ` before those that begin with a dash."""
    signed = False
    for row in rows:
        if row.data.startswith(b"-----BEGIN PGP SIGN"):
            signed = b"SIGNED MESSAGE" in row.data
        yield row._replace(data=row.data[2:]) if signed and row.data.startswith(b"- -") else row


@functools.cache
def _pattern(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.MULTILINE)
