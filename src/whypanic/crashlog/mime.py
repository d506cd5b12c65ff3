"""One mail to the text that its sender meant: parts chosen and decoded, each line with its place in the file.

The structure is walked by line here, as the `email` package keeps no positions; it reads the fields with parameters.
Of alternatives the plain text is taken, HTML only where there is none. Attachments that are text are text, packed
ones (gzip) are unpacked. Everything is bounded, and what is malformed is taken as the plain text that it looks like.

Places: exact for 7bit, 8bit, quoted-printable and base64; every line of a gzip attachment is at the attachment's
first line; in HTML a line is where its words stand.

Sources: RFC 2045, RFC 2046 5.1 and 5.2.1, RFC 5322 2.2 (from memory).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whypanic.crashlog.headers import ContentType, content_type, read_headers
from whypanic.crashlog.html import strip_tags
from whypanic.crashlog.places import Row
from whypanic.crashlog.transfer import (
    base64,
    flowed,
    in_utf8,
    is_quoted_printable,
    quoted_printable,
    stray_quoted_printable,
    without_dash_escapes,
)

MAX_DEPTH = 16
MAX_PARTS = 1000
MAX_UNPACKED = 16 << 20
"""Bytes that the gzip attachments of one mail may hold; as many lines as a thirty-second of that."""
_BYTES_OF_A_LINE = 32
_SAMPLE = 1 << 16
_NEVER_TEXT = ("image/", "audio/", "video/", "font/")
_NO_TEXT = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
     "application/pdf", "application/pgp-keys", "text/calendar", "text/vcard"}
)  # fmt: skip


class _Entity(NamedTuple):
    """What came out of one part."""

    rows: list[Row]
    plain: bool
    """There is text in it that was no HTML."""


_NOTHING = _Entity([], plain=False)


def read_mail(rows: Sequence[Row]) -> list[Row]:
    """Return the lines of a mail: its header as it is, then the decoded text of its body.

    :param rows: the physical lines of the mail.
    """
    return _Walker().mail(rows, 0, len(rows), 0).rows


class _Walker:
    """Walks the parts of one mail."""

    def __init__(self) -> None:
        self.n_parts = 0
        self.n_unpacked = 0

    def mail(self, rows: Sequence[Row], start: int, stop: int, depth: int) -> _Entity:
        """Return a whole mail; its header is text too, for it may hold words of the report."""
        headers = read_headers(rows, start, stop)
        body = self.entity(rows, start, stop, depth, "text/plain")
        return _Entity([*rows[start : start + headers.n_rows], *body.rows], body.plain)

    def entity(
        self, rows: Sequence[Row], start: int, stop: int, depth: int, default: str
    ) -> _Entity:
        """Return the text of one part, header left out."""
        self.n_parts += 1
        if self.n_parts > MAX_PARTS or depth > MAX_DEPTH:
            return _Entity(list(rows[start:stop]), plain=True)
        headers = read_headers(rows, start, stop)
        kind = content_type(headers.get("content-type"), default)
        body = rows[min(start + headers.n_rows, stop) : stop]
        encoding = headers.get("content-transfer-encoding").split(";")[0].strip().strip('"').lower()
        if kind.name.startswith("multipart/") and kind.boundary:
            found = self.multipart(body, kind, depth)
            if found is not None:
                return found
        body = _transferred(body, encoding)
        if kind.name in ("message/rfc822", "message/global"):
            return self.mail(body, 0, len(body), depth + 1)
        return self.leaf(body, kind, encoding)

    def multipart(self, body: Sequence[Row], kind: ContentType, depth: int) -> _Entity | None:
        """Return the parts one after another, of alternatives the best; None: the boundary stands nowhere."""
        mark = b"--" + kind.boundary.encode("utf-8", "surrogateescape")
        cuts: list[int] = []
        end = len(body)
        for index, row in enumerate(body):
            if row.data.startswith(mark):
                rest = row.data[len(mark) :].rstrip()
                if rest == b"--":
                    end = index
                    break
                if not rest:
                    cuts.append(index)
        if not cuts:
            return None
        default = "message/rfc822" if kind.name == "multipart/digest" else "text/plain"
        parts = [
            self.entity(body, first + 1, last, depth + 1, default)
            for first, last in zip(cuts, [*cuts[1:], end], strict=True)
        ]
        if kind.name == "multipart/alternative":
            told = [part for part in parts if any(row.data.strip() for row in part.rows)]
            parts = [next((part for part in told if part.plain), told[-1])] if told else []
        joined = [row for row in body[: cuts[0]] if row.data.strip()]
        for part in parts:
            if joined and part.rows:
                joined.append(Row(b"", part.rows[0].first, part.rows[0].first))
            joined.extend(part.rows)
        joined.extend(body[end + 1 :])
        return _Entity(joined, any(part.plain for part in parts))

    def leaf(self, body: Sequence[Row], kind: ContentType, encoding: str) -> _Entity:
        """Return a part that has no parts, as text; nothing where it is none."""
        if kind.name.startswith(_NEVER_TEXT) or kind.name in _NO_TEXT:
            return _NOTHING
        if not kind.name.startswith("text/"):
            if body and body[0].data.startswith(b"\x1f\x8b"):
                body = self.unpacked(body)
            if not _is_text(body):
                return _NOTHING
        rows = list(in_utf8(body, kind.charset))
        if kind.name == "text/html":
            return _Entity(list(strip_tags(rows)), plain=False)
        if kind.flowed:
            rows = list(flowed(rows, delete_space=kind.delete_space))
        return _Entity(tidied(rows, quoted=encoding == "quoted-printable"), plain=True)

    def unpacked(self, body: Sequence[Row]) -> list[Row]:
        """Return what a gzip attachment holds, every line where the attachment begins."""
        first = body[0].first
        left = MAX_UNPACKED - self.n_unpacked
        if left <= 0:
            return []
        data = unpack(b"\n".join(row.data for row in body), left)
        self.n_unpacked += len(data)
        return [Row(line, first, first) for line in data.split(b"\n")]


def _transferred(body: Sequence[Row], encoding: str) -> Sequence[Row]:
    if encoding == "quoted-printable":
        return list(quoted_printable(body))
    if encoding == "base64":
        return list(base64(body))
    return body


def tidied(rows: list[Row], *, quoted: bool = False) -> list[Row]:
    """Return a text without what signing and encoding it twice left in it.

    :param quoted: it was declared as quoted-printable and decoded: a `=3D` in it is the sender's own.
    """
    if not quoted and any(_is_marked(row.data) for row in rows):
        data = b"\n".join(row.data for row in rows)
        if is_quoted_printable(data):
            rows = list(stray_quoted_printable(rows))
    if any(row.data.startswith(b"-----BEGIN PGP SIGNED") for row in rows):
        rows = list(without_dash_escapes(rows))
    return rows


def _is_marked(data: bytes) -> bool:
    return b"=3D" in data or data.rstrip(b"\r").endswith((b"=", b"=20", b"=09"))


def unpack(data: bytes, limit: int) -> bytes:
    """Return what a gzip file holds as far as it is whole, up to `limit` bytes and a thirty-second as many lines.

    What is cut off there is marked as lines left out: a small file can hold gigabytes.
    """
    whole = _inflated(data, limit + 1)
    text = whole[:limit]
    n_lines = max(limit // _BYTES_OF_A_LINE, 1)
    if text.count(b"\n") > n_lines:
        text = b"\n".join(text.split(b"\n", n_lines)[:-1])
    return text if text == whole else text + b"\n[...]\n"


def _inflated(data: bytes, limit: int) -> bytes:
    import zlib

    found: list[bytes] = []
    n_left = limit
    for _ in range(MAX_PARTS):
        reader = zlib.decompressobj(31)
        try:
            piece = reader.decompress(data, n_left)
        except zlib.error:
            break
        found.append(piece)
        n_left -= len(piece)
        data = reader.unused_data
        if not reader.eof or not data or n_left <= 0:
            break
    return b"".join(found)


def _is_text(body: Sequence[Row]) -> bool:
    """Whether an attachment of any other type is text: few control characters, as a serial line may have."""
    sample = b"\n".join(_head(body))
    if not sample:
        return False
    n_control = sum(sample.count(code) for code in _CONTROLS)
    return n_control * 20 <= len(sample)


_CONTROLS = tuple(bytes((code,)) for code in range(32) if code not in (9, 10, 13, 27))


def _head(body: Sequence[Row]) -> Iterator[bytes]:
    left = _SAMPLE
    for row in body:
        if left <= 0:
            return
        yield row.data[:left]
        left -= len(row.data) + 1
