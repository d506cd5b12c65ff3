"""Header fields of a mail or of one of its parts."""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from whypanic.crashlog.places import Row

MAX_HEADER_LINES = 2000
MAX_FIELD = 1 << 16
"""Characters kept of one field."""
_MAX_TYPE = 1000
"""Characters looked at of a field with parameters."""
_TELLING = frozenset(
    {"from", "to", "subject", "date", "message-id", "received", "return-path", "mime-version",
     "content-type", "content-transfer-encoding", "delivered-to", "in-reply-to", "references",
     "reply-to", "cc", "list-id", "sender"}
)  # fmt: skip


class ContentType(NamedTuple):
    """What `Content-Type` says."""

    name: str = "text/plain"
    charset: str = ""
    boundary: str = ""
    flowed: bool = False
    delete_space: bool = False
    """`delsp=yes`: the blank of a soft break is no text."""


class Headers(NamedTuple):
    """The fields in front of a body."""

    fields: dict[str, str]
    """First field of each name, lower-case name to its unfolded value."""
    n_rows: int
    """Lines up to the body, the blank one included."""

    def get(self, name: str) -> str:
        """Return a field, or an empty string."""
        return self.fields.get(name, "")

    @property
    def is_mail(self) -> bool:
        """At least two of the fields are those of mail."""
        return len(_TELLING & self.fields.keys()) >= 2


def read_headers(rows: Sequence[Row], start: int = 0, stop: int | None = None) -> Headers:
    """Return the header fields that begin at `start`; a line that is no field ends them."""
    stop = min(len(rows) if stop is None else stop, start + MAX_HEADER_LINES)
    pieces: dict[str, list[bytes]] = {}
    last: list[bytes] = []
    index = start
    while index < stop:
        data = rows[index].data.rstrip(b"\r")
        if data[:1] in (b" ", b"\t") and pieces and data.strip():
            last.append(data)
        elif match := _field().match(data):
            last = [data[match.end() :]]
            pieces.setdefault(match[1].decode("ascii").lower(), last)
        else:
            index += not data.strip()
            break
        index += 1
    fields = {
        name: b"".join(value)[:MAX_FIELD].decode("utf-8", "backslashreplace").strip()
        for name, value in pieces.items()
    }
    return Headers(fields, index - start)


def content_type(value: str, default: str = "text/plain") -> ContentType:
    """Return type and parameters of a `Content-Type`; where it is malformed, `default`."""
    if not value:
        return ContentType(default)
    from email.message import Message

    holder: Message[str, str] = Message()
    try:
        holder["Content-Type"] = value[:_MAX_TYPE].replace("\r", " ").replace("\n", " ")
        holder.set_default_type(default)
        return ContentType(
            holder.get_content_type() if "/" in value else default,
            str(holder.get_content_charset() or ""),
            str(holder.get_boundary() or ""),
            str(holder.get_param("format") or "").lower() == "flowed",
            str(holder.get_param("delsp") or "").lower() == "yes",
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return ContentType(default)


def decoded_words(value: str) -> str:
    """Return a field with its RFC 2047 words (`=?utf-8?q?...?=`) decoded."""
    if "=?" not in value:
        return value
    from email.errors import MessageError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value[:_MAX_TYPE])))
    except (MessageError, ValueError, LookupError, TypeError):
        return value


@functools.cache
def _field() -> re.Pattern[bytes]:
    return re.compile(rb"([!-9;-~]{1,76})[ \t]{0,4}:(?=[ \t]|\r?$)[ \t]?")
