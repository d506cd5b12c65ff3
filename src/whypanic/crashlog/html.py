"""The text of an HTML mail, for those that have no plain one."""

import functools
import re
from collections.abc import Iterator, Sequence

from whypanic.crashlog.places import Row

_MAX_TAG = 4000
"""Characters that a tag may have; a `<` with no end within them is a character."""
_BREAKS = frozenset(
    {"br", "p", "div", "tr", "li", "pre", "blockquote", "table", "ul", "ol", "h1", "h2", "h3", "hr"}
)
_HIDDEN = frozenset({"script", "style", "head", "title"})


def strip_tags(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the lines that the HTML would show; line ends of the source count only inside `<pre>`."""
    import html

    text = "\n".join(row.data.decode("utf-8", "surrogateescape") for row in rows)
    place, first = 0, 0
    pieces: list[str] = []
    preformatted, hidden = 0, ""

    def shown() -> Row:
        if not pieces:
            return Row(b"", rows[first].first, rows[place].last)
        line = html.unescape("".join(pieces)).replace("\r", "").replace("\n", " ")
        pieces.clear()
        return Row(line.encode("utf-8", "surrogateescape"), rows[first].first, rows[place].last)

    for match in _token().finditer(_without_comments(text)):
        words = match[0]
        if match["name"]:
            name, closes = match["name"].lower(), words.startswith("</")
            if hidden:
                hidden = "" if closes and name == hidden else hidden
            elif name in _HIDDEN:
                hidden = "" if closes else name
            elif name in _BREAKS and (name == "br" or "".join(pieces).strip()):
                yield shown()
            if name == "pre":
                preformatted = max(0, preformatted + (-1 if closes else 1))
        elif hidden or match["skipped"]:
            pass
        elif words == "\n":
            if preformatted:
                yield shown()
            elif pieces:
                pieces.append(" ")
        else:
            if not pieces:
                first = place
            pieces.append(words)
        place = min(place + words.count("\n"), len(rows) - 1)
        if not pieces:
            first = place
    if "".join(pieces).strip():
        yield shown()


def _without_comments(text: str) -> str:
    """Return the text without `<!-- -->`; the line ends inside them stay."""
    pieces: list[str] = []
    end = 0
    while (start := text.find("<!--", end)) >= 0 and (stop := text.find("-->", start)) >= 0:
        pieces += [text[end:start], "\n" * text.count("\n", start, stop)]
        end = stop + 3
    return "".join(pieces) + text[end:]


@functools.cache
def _token() -> re.Pattern[str]:
    return re.compile(
        rf"</?(?P<name>[A-Za-z][A-Za-z0-9]{{0,15}})(?:[\s/][^<>]{{0,{_MAX_TAG}}})?>"
        rf"|(?P<skipped><[!?][^<>]{{0,{_MAX_TAG}}}>|</?[a-z]{{1,8}}:[^<>]{{0,200}}>)"
        r"|\n|[^<\n]+|<",
        re.DOTALL,
    )
