"""What mailers, web pages and editors do to a pasted log: quoting, entities, dashes, fences, snips."""

import functools
import re
from typing import NamedTuple

_DEPTH = 64
"""Quote marks counted at most; what follows is text."""
_ENTITIES = {"&gt;": ">", "&lt;": "<", "&nbsp;": " ", "&quot;": '"', "&#39;": "'", "&amp;": "&"}
_DASHES = frozenset("\u2012\u2013\u2014\u2015")


class Unquoted(NamedTuple):
    """A line without its quote marks."""

    depth: int
    """Number of `>` and `|` marks."""
    rest: str
    """What follows them; one blank behind the last mark belongs to the quoting."""


def unquote(text: str) -> Unquoted:
    """Return the line behind its quote marks `>`, `>>`, `> >`, `|`, in any mixture.

    The `>` that marks the row of interest in a KASAN memory dump is text, and so are the
    operators `>=` and `||` at the start of a line of C.
    """
    depth, after, position, length = 0, 0, 0, len(text)
    while depth < _DEPTH:
        while position < length and text[position] in " \t":
            position += 1
        mark = text[position : position + 1]
        if mark == ">":
            if text.startswith("=", position + 1) or _is_row_marker(text, position):
                break
        elif mark != "|" or text[position + 1 : position + 2] not in ("", " ", "\t", "[", ">"):
            break
        depth += 1
        position += 1
        after = position
    if not depth:
        return Unquoted(0, text)
    if text.startswith(" ", after):
        after += 1
    return Unquoted(depth, text[after:])


def _is_row_marker(text: str, position: int) -> bool:
    """Return whether the `>` marks a row of a memory dump: `>ffff0000c1234580: fb fb fb`."""
    if not text[position + 1 : position + 9].isalnum():
        return False
    return _pattern(r">(?:0x)?[0-9a-f]{8,16}: +[0-9a-f]{2} ").match(text, position) is not None


def plain_entities(text: str) -> str:
    """Return the text with the entities of a web page (`&gt;`, `&nbsp;`, ...) replaced, once."""
    return _pattern(r"&(?:gt|lt|nbsp|quot|#39|amp);").sub(lambda match: _ENTITIES[match[0]], text)


def plain_dashes(text: str) -> str:
    """Return the text with typographic dashes put back where the kernel prints `-`, `--`, `---`.

    Source: `Kernel panic - not syncing` (kernel/panic.c), `---[ end trace` (ibid.),
    ` -- ` before the EC string and `BTYPE=--` (arch/arm64/kernel/traps.c, process.c).
    """
    if _DASHES.isdisjoint(text):
        return text
    dash = "[\u2012-\u2015]-?"
    text = _pattern(rf"(Kernel panic |panic ){dash}(?= not syncing)").sub(r"\1-", text)
    text = _pattern(rf"(?:{dash}){{1,3}}(?=\[)|(?<=\])(?:{dash}){{1,3}}").sub("---", text)
    text = _pattern(rf"(?<=BTYPE=){dash}(?=\))").sub("--", text)
    return _pattern(rf"((?:code|ESR:?) 0x[0-9a-f]+ ){dash}(?= )").sub(r"\1--", text)


def is_snip(text: str) -> bool:
    """Return whether the line says that its author left lines out."""
    if len(text) > 60:
        return False
    return (
        _pattern(
            r"(?i)\W{0,12}(?:snip|snipped|cut|trim|trimmed|truncated|skip|skipped)\W{0,12}(?<![\w.])"
            r"|[\[<(] ?[\w ]{0,50}(?:snip|snipped|trimmed|truncated|omitted|repeat(?:s|ed)?)\b[^\])>]*[\])>]"
            r"|\[ ?\.{2,4} ?\]|<\.{2,4}>|\(\.{2,4}\)|\. \. \.|\.{2,8}|\u2026|\[\u2026\]"
            r"|-{1,6}8<[-8< ]{0,60}|-+ ?>?8[<-]*"
        ).fullmatch(text)
        is not None
        and not text.isalpha()
    )


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
