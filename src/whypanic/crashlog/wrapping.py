"""Lines that a mailer wrapped or the console broke, put together again where that is certain.

A line is continued by the next one where its own grammar is visibly unfinished and the next one
is what is missing (the tables of `unfinished`), or where it stands between stamped lines, carries
no stamp and begins with the word that no longer fitted. A panic with line ends in its message
(`HYP panic:`, `PS:..`, `FAR:..`, `VCPU:..`) is none of these. Where in doubt lines stay apart.
"""

import functools
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from whypanic.crashlog.mail import is_snip
from whypanic.crashlog.unfinished import BY_FIRST, BY_LEAD, REF, STARTS, Unfinished
from whypanic.model.provenance import Damage, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from whypanic.crashlog.lines import Line

WRAPPED = "line wrapped by the mailer, rejoined"
BROKEN = "line printed in pieces, rejoined"

_SNIPS = "[<(."
"""How the marks begin that writers put where they left lines out."""
_PIECES = 64
"""Physical lines in one line at most."""
_TAILS = 8
"""Pieces of one line looked at before the next stamp."""
_NARROW, _WIDE = 66, 80
"""Columns at which mailers wrap; each quote level that came later adds up to three."""


def rejoin(lines: "Sequence[Line]", input: int) -> "tuple[list[Line], list[Damage]]":
    """Return the lines with wrapped and broken ones put together, and a record of each."""
    out: list[Line] = []
    damage: list[Damage] = []
    wide = _wide_depths(lines)
    index, n_lines = 0, len(lines)
    while index < n_lines:
        line = lines[index]
        index += 1
        n_pieces = 1
        while index < n_lines and n_pieces < _PIECES:
            rest = lines[index]
            if rest.prefixed:
                if rest.text[:1] not in (",", "*") and line.text[:5] not in ("Code:", "Modul"):
                    break
                glue = _continuation(line, rest, printed=True)
            elif (
                not rest.text
                or not line.text
                or rest.number == line.last_number
                or (rest.text[0] in _SNIPS and is_snip(rest.text))
            ):
                break
            else:
                glue = _continuation(line, rest, printed=False)
                if (
                    glue is None
                    and line.prefixed
                    and line.quote not in wide
                    and _overflows(line, rest)
                    and _resumes(lines, index + 1, line.quote)
                ):
                    glue = _glue(line.text, rest.text)
            if glue is None:
                break
            reason = BROKEN if rest.prefixed else WRAPPED
            tail = rest.text[1:] if rest.text.startswith("+p") else rest.text
            line = line._replace(
                last_number=rest.last_number,
                text=line.text + glue + tail,
                raw=line.raw + b"\n" + rest.raw,
            )
            span = Span(input=input, first_line=line.number, last_line=line.last_number)
            damage.append(Damage(span=span, reason=reason))
            index += 1
            n_pieces += 1
        out.append(line)
    return out, damage


def _continuation(line: "Line", rest: "Line", *, printed: bool) -> str | None:
    """Return what joins the two lines where `line` is unfinished and `rest` its end."""
    if rest.quote > line.quote or len(rest.text) > 400 or len(line.text) > 4000:
        return None
    lead = _lead(line.text)
    rules = _by_lead(lead) + (() if printed else _by_first(rest.text[0]))
    for rule in rules:
        if printed and not rule.printed:
            continue
        if not _whole(rule.begun, line.text) or not _whole(rule.rest, rest.text):
            continue
        if rule.loose and (rest.quote != line.quote or _is_start(rest.text)):
            continue
        if lead == "Modules" and printed and rest.indent != 1:
            continue
        return _glue(line.text, rest.text)
    if not printed and (
        (rest.text[-1] == ")" and _is_open_frame(line.text))
        or (line.prefixed and _is_dangling(line.text) and _whole(rf"{REF}(?: .*)?", rest.text))
    ):
        return _glue(line.text, rest.text)
    return None


def _overflows(line: "Line", rest: "Line") -> bool:
    """Return whether `rest` begins with the word that did not fit behind stamped `line`."""
    if rest.quote > line.quote or rest.last_number != rest.number or _is_start(rest.text):
        return False
    physical = line.raw.rpartition(b"\n")[2].rstrip()
    word, _, more = rest.text.partition(" ")
    slack = 3 * line.quote
    if len(physical) > _WIDE + slack and b" " in physical:
        return False
    return len(physical) + 1 + len(word) >= _NARROW + slack and (not more or len(rest.text) < _WIDE)


def _resumes(lines: "Sequence[Line]", index: int, quote: int) -> bool:
    """Return whether the stamped lines go on behind at most a few more pieces of this one."""
    for line in lines[index : index + _TAILS]:
        if line.prefixed:
            return line.quote == quote
        if not line.text or line.quote > quote or _is_start(line.text):
            return False
    return index >= len(lines)


def _wide_depths(lines: "Sequence[Line]") -> frozenset[int]:
    """Return the quote depths at which lines too long for a wrapping mailer survive."""
    longest: dict[int, int] = defaultdict(int)
    for line in lines:
        if line.prefixed and len(line.raw) > longest[line.quote]:
            longest[line.quote] = len(line.raw)
    return frozenset(depth for depth, length in longest.items() if length > _WIDE + 3 * depth + 12)


def _is_open_frame(text: str) -> bool:
    """Return whether a frame's `(file.c:12 file.h:34)` is not closed."""
    return (
        "(" in text
        and text.count("(") > text.count(")")
        and _whole(r".*\S \([\w/.+-]+\.[chS]:\d+.*", text)
    )


def _is_dangling(text: str) -> bool:
    """Return whether the line ends where a symbol is due."""
    return text.endswith((" at", " by", " from", " in", " of", " to"))


def _glue(text: str, rest: str) -> str:
    """Return nothing behind a hyphen of a version and before a comma; else a blank."""
    if rest[0] == "," or (text[-1] == "-" and text[-2:-1].isalnum() and rest[0].isalnum()):
        return ""
    return " "


def _lead(text: str) -> str:
    match = _compiled(r"[A-Za-z]+|.").match(text)
    return match[0] if match else ""


def _is_start(text: str) -> bool:
    return _compiled(STARTS).match(text) is not None


def _whole(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@functools.cache
def _by_lead(lead: str) -> tuple[Unfinished, ...]:
    return tuple(row for row in BY_LEAD if lead in row.lead.split("|"))


@functools.cache
def _by_first(first: str) -> tuple[Unfinished, ...]:
    return tuple(row for row in BY_FIRST if row.lead == first)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
