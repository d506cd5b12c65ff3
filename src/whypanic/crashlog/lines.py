"""Bytes to lines: decoded, unquoted, without prefixes, wrapped ones rejoined.

Total over all bytes and linear in them. Nothing is dropped: every physical line is in one `Line`,
and what was repaired on the way is a `Damage`.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

from whypanic.crashlog.mail import is_snip, plain_dashes, plain_entities, unquote
from whypanic.crashlog.prefixes import second_stamp, strip_prefix
from whypanic.crashlog.wrapping import rejoin
from whypanic.model.provenance import Damage, Origin, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 1 << 16
"""Characters kept of one physical line."""
_ESCAPED = "\\x0a"
"""A line end inside a message, as /dev/kmsg writes it (Documentation/ABI/testing/dev-kmsg)."""
_SPLITS = 256
"""Lines found in one physical line at most."""

_PLAIN = re.compile(
    r"\[ {0,12}(\d{1,9})\.(\d{6})\](?:\[ {0,8}([CT]\d{1,7})\])? ([ \t]{0,40})"
    r"(?=[A-Za-z_=\x22'/%|>~^`])"
)
"""The one form nearly all lines of a console have; behind it no second prefix may begin."""
_TWICE = ("\\bkernel(?:\\[\\d+\\])?: ", "(?:_decode|show_pte|_fault|_regs|_instr|_stack|__die)")


class Line(NamedTuple):
    """One line as the kernel printed it."""

    number: int
    """1-based physical line where it begins."""
    last_number: int
    """Physical line where it ends; above `number` when rejoined."""
    text: str
    """The words without quoting, prefixes and indentation; printable, tabs kept."""
    indent: int
    """Columns of white space before `text`, behind the prefix; frames of a trace have 1."""
    quote: int
    """Depth of `>` and `|` quoting."""
    usec: int | None
    """printk's stamp in microseconds."""
    caller: str | None
    """`T1` or `C3` where CONFIG_PRINTK_CALLER is on."""
    cpu: int | None
    """The CPU, where a vendor's or RT's prefix has it."""
    level: int | None
    """printk's level, 0..7."""
    prefixed: bool
    """A stamp, level or host stood before it."""
    raw: bytes
    """The physical line, or lines joined by newlines."""

    def span(self, input: int = 0) -> Span:
        """Return the physical lines."""
        return Span(input=input, first_line=self.number, last_line=self.last_number)

    def source(self, input: int = 0) -> Source:
        """Return the place in the log for a fact read from this line."""
        last = self.last_number if self.last_number != self.number else None
        return Source(
            origin=Origin.LOG, input=input, line=self.number, last_line=last, text=self.text
        )


class Reading(NamedTuple):
    """What `read_lines` yields."""

    lines: tuple[Line, ...]
    damage: tuple[Damage, ...]


def read_lines(data: bytes, input: int = 0, first: int = 1) -> Reading:
    """Return the lines of a log and what was damaged in it.

    :param data: the whole input; UTF-8 where it is valid, else byte by byte.
    :param input: index of the input, for the spans.
    :param first: number of its first line.
    """
    if b"\n" not in data and b"\r" in data:
        data = data.replace(b"\r", b"\n")
    reader = _Reader(input)
    lines = reader.read(data, first)
    joined, rejoined = rejoin(lines, input)
    damage = reader.damage + rejoined
    damage.sort(key=lambda item: item.span)
    return Reading(tuple(joined), tuple(damage))


class _Reader:
    """Reads physical lines and collects damage."""

    def __init__(self, input: int) -> None:
        self.input = input
        self.damage: list[Damage] = []

    def read(self, data: bytes, first: int) -> list[Line]:
        raws = data.split(b"\n")
        texts = data.decode("utf-8", "surrogateescape").split("\n")
        if not raws[-1]:
            raws.pop()
            texts.pop()
        lines: list[Line] = []
        append, plain = lines.append, _PLAIN.match
        twice = any(re.search(pattern.encode(), data) for pattern in _TWICE)
        for number, (raw, text) in enumerate(zip(raws, texts, strict=True), first):
            if not text:
                append(Line(number, number, "", 0, 0, None, None, None, None, False, raw))
                continue
            match = plain(text)
            if match is not None and not twice and text.isprintable() and len(raw) < _LONGEST:
                body = text[match.end() :].rstrip()
                if not (
                    ("[" in body and second_stamp(body) is not None)
                    or "\ufffd" in body
                    or "&" in body
                    or _ESCAPED in body
                    or not body.isascii()
                ):
                    seconds, fraction, caller, blanks = match.groups()
                    usec = int(seconds) * 1_000_000 + int(fraction)
                    n = number
                    append(Line(n, n, body, len(blanks), 0, usec, caller, None, None, True, raw))
                    self._note_console(number, body)
                    continue
            lines.extend(self._physical(number, raw, text))
        return lines

    def _physical(self, number: int, raw: bytes, text: str) -> "Iterator[Line]":
        """Yield the lines of one physical line; more than one where several ran together."""
        if len(text) > _LONGEST:
            text, raw = text[:_LONGEST], raw[:_LONGEST]
            self._note(number, "line too long, cut")
        text = text.rstrip("\r")
        if not text.isprintable() or "\ufffd" in text:
            text = self._printable(number, text)
        if "&" in text:
            text = plain_entities(text)
        if not text.isascii():
            dashed = plain_dashes(text)
            if dashed != text:
                self._note(number, "dashes replaced by a mailer or editor, put back")
                text = dashed
        pieces = [text]
        if _ESCAPED in text:
            self._note(number, "line ends escaped by the logger, put back")
            text = text.replace(_ESCAPED, "\r")
        if "\r" in text:
            pieces = [piece for piece in text.split("\r", _SPLITS) if piece.strip()] or [""]
        for piece in pieces:
            depth, body = unquote(piece)
            yield from self._logged(number, raw, depth, body)

    def _logged(self, number: int, raw: bytes, depth: int, body: str) -> "Iterator[Line]":
        for left in range(_SPLITS, 0, -1):
            prefix = strip_prefix(body)
            rest = body[prefix.end :]
            cut = second_stamp(rest) if left > 1 else None
            if cut is not None and not rest[:cut].strip():
                cut = None
            text = rest if cut is None else rest[:cut]
            words = text.strip()
            blanks = text[: len(text) - len(text.lstrip())].expandtabs(8)
            if prefix.cut:
                self._note(number, "timestamp cut off")
            if words:
                self._note_console(number, words)
                if depth < 64 and is_snip(words):
                    self._note(number, "lines left out by the author")
            yield Line(
                number,
                number,
                words,
                len(blanks),
                depth,
                prefix.usec,
                prefix.caller,
                prefix.cpu,
                prefix.level,
                prefix.stamped,
                raw,
            )
            if cut is None:
                return
            self._note(number, "two log lines on one physical line, split")
            body = rest[cut:]

    def _printable(self, number: int, text: str) -> str:
        """Return the text with control characters, stray bytes and odd blanks made harmless."""
        if "\x00" in text:
            self._note(number, "NUL bytes")
            text = text.strip("\x00")
        if "\x1b" in text or "^[[" in text:
            text = re.sub(r"(?:\x1b|\^\[)\[[0-9;?]{0,16}[A-Za-z]", "", text)
            self._note(number, "terminal escape sequences")
        shown = text.translate(_SHOWN)
        if len(shown) != len(text):
            self._note(number, "control characters or bytes of another character set")
        return shown

    def _note(self, number: int, reason: str) -> None:
        span = Span(input=self.input, first_line=number, last_line=number)
        if not self.damage or self.damage[-1].span != span or self.damage[-1].reason != reason:
            self.damage.append(Damage(span=span, reason=reason))

    def _note_console(self, number: int, text: str) -> None:
        """Note what the console itself lost or overwrote."""
        first = text[:1]
        if first in "*.0123456789":
            if re.search(r"\d+ (?:printk )?messages? (?:suppressed|dropped)", text[:80]):
                self._note(number, "printk messages dropped")
            elif text.startswith("** replaying previous printk message"):
                self._note(number, "console replayed a message")
        elif first in "MDCKE" and re.match(
            r"(?:Mem abort info|Data abort info|Call trace):(?=[^\s(])"
            r"|ESR = 0x(?=[0-9a-f]{9,15}$)"
            r"|Kernel panic - not syncing: Asynchronous SError Interrupt(?=\S)",
            text,
        ):
            self._note(number, "console text overwritten")


class _Shown(dict[int, str]):
    """str.translate table: printable characters stay, others become blanks or escapes."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in "\t\r" or (char.isprintable() and char != "\ufffd"):
            shown = char
        elif code in _BLANKS or (char.isspace() and code > 0x7F and code not in _BREAKS):
            shown = " "
        elif code == 0xFEFF:
            shown = ""
        elif 0xDC80 <= code <= 0xDCFF:
            shown = f"\\x{code - 0xDC00:02x}"
        elif code < 0x100:
            shown = f"\\x{code:02x}"
        else:
            shown = f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        self[code] = shown
        return shown


_BREAKS = frozenset({0x85, 0x2028, 0x2029})
_BLANKS = frozenset({0x0B, 0x0C, 0xFFFD, 0xDCA0})
"""Vertical tab, form feed, the replacement character, a no-break space in Latin-1."""
_SHOWN = _Shown()
