"""Finds the lines of a big text that may begin a report, and those that tell of a boot.

A search for many words at once passes over what holds none of them. Where it halts the line is read as any other; it
counts if a section knows it, or if it has words that say enough by themselves.

The words are those of the tables of rules. Where one of them is so short or so common that ordinary text is full of
it, `SHARPER` has others for the same lines.
"""

from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from whypanic.crashlog.headlines import TABLE
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.mail import unquote
from whypanic.crashlog.prefixes import second_stamp, strip_prefix
from whypanic.crashlog.recognise import SECTIONS
from whypanic.crashlog.sections.rule import Part, compiled

if TYPE_CHECKING:
    import re

OPENING = frozenset(
    {Part.HEADLINE, Part.PANIC, Part.END_PANIC, Part.ERROR, Part.HYP, Part.HYP_VALUES, Part.ABORT_HEAD, Part.ABORT,
     Part.PC, Part.TRACE}
)  # fmt: skip
"""Parts that `blocks` begins a report at."""
CONTEXT = frozenset({Part.BOOT, Part.RESET})
STRONG = (
    "Unable to handle kernel", "Internal error:", "ernel panic", "HYP panic", "nVHE hyp", "cut here", "BUG: K",
    "all trace:", "abort info:", "ernel BUG at", "Modules linked", "UBSAN: ",
)  # fmt: skip
"""Words that only a crash has: a line with them counts even where it is cut or wrapped."""
SHORTEST = 4
"""Characters of a rule's word that is searched for as it is."""

# fmt: off
SHARPER: dict[str, tuple[str, ...]] = {
    # word of a rule: what to search for
    "[ ":         ("[ BUG", "[ INFO"),
    "INFO: ":     ("INFO: trying",),
    "stall":      ("INFO: rcu",),
    "detected ":  ("detected field", "detected buffer", *(f"detected {digit}" for digit in range(10))),
    "corruption": ("list_add", "list_del", "list_lru"),
    "skb_":       ("skb_over", "skb_under"),
    "p":          ("pc : [<",),
    "c : ":       ("pc : ",),
    " is at ":    ("PC is at ", "LR is at "),
    " = ":        (),               # fields of an abort: its head, or ESR, stands above them
    "TC:":        ("E/TC:",),
    "PS:":        ("PS:",),
    "detected":   ("detected: ", "detected feature", "features: "),
    "hyp":        ("kvm:", "kvm ["),
    "Hyp":        ("kvm:", "kvm ["),
    "W+X":        ("W+X",),
}
# fmt: on


class Sense(IntEnum):
    """What a line is to the screen."""

    NOTHING = 0
    CONTEXT = 1
    OPENING = 2


class Hit(NamedTuple):
    """A line that counts."""

    start: int
    end: int
    """Offsets of the line, its line end included."""
    sense: Sense


def needles() -> tuple[str, ...]:
    """Return the words that are searched for."""
    found: dict[str, None] = dict.fromkeys(STRONG)
    words = [rule.needle for rule in TABLE]
    words += [rule.needle for rule in SECTIONS if rule.part in OPENING | CONTEXT]
    for word in words:
        found.update(dict.fromkeys(SHARPER.get(word, (word,))))
    return tuple(found)


@cache
def _search() -> "re.Pattern[bytes]":
    """Return the compiled search, of RE2: linear, some hundred MB/s. The only place that imports it."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    words = b"|".join(re2.escape(word.encode()) for word in needles())
    search: re.Pattern[bytes] = re2.compile(words, options)
    return search


def hits(data: bytes, start: int, end: int) -> Iterator[Hit]:
    """Yield the lines that count, in order.

    :param data: whole lines between `start` and `end`.
    """
    search = _search().search
    match = search(data, start, end)
    while match is not None:
        first = data.rfind(b"\n", start, match.start()) + 1 or start
        stop = data.find(b"\n", match.end(), end) + 1 or end
        words = set()
        while match is not None and match.end() <= stop:
            words.add(match[0])
            match = search(data, match.end(), end)
        sense = sense_of(data[first:stop], words)
        if sense:
            yield Hit(first, stop, sense)


def sense_of(line: bytes, words: set[bytes]) -> Sense:
    """Return what one line is, in which the search found these words."""
    if not _STRONG.isdisjoint(words):
        return Sense.OPENING
    rules = {rule for word in words for rule in _rules_of(word)}
    best = Sense.NOTHING
    for text in _texts(line):
        for needle, pattern, sense in rules:
            if sense > best and needle in text and compiled(pattern).match(text) is not None:
                best = sense
    return best


_STRONG = frozenset(word.encode() for word in STRONG)


def _texts(line: bytes) -> Iterator[str]:
    """Yield the words of a line without what stands before them; of several where they ran together."""
    if line.isascii() and b"&" not in line:
        text = line.decode().rstrip()
        if text.isprintable():
            body = unquote(text).rest
            body = body[strip_prefix(body).end :]
            if "[" not in body or second_stamp(body) is None:
                yield body.strip()
                return
    yield from (each.text for each in read_lines(line).lines)


_Rule = tuple[str, str, Sense]


@cache
def _rules_of(word: bytes) -> tuple[_Rule, ...]:
    """Return needle and pattern of every rule that a line in which the search halts at this word may satisfy.

    The search takes no notice of a word that overlaps one it found.
    """
    senses = {**dict.fromkeys(CONTEXT, Sense.CONTEXT), **dict.fromkeys(OPENING, Sense.OPENING)}
    rules = [(rule.needle, rule.pattern, Sense.OPENING) for rule in TABLE]
    rules += [(r.needle, r.pattern, senses[r.part]) for r in SECTIONS if r.part in senses]
    found = word.decode()
    return tuple(
        rule
        for rule in rules
        if any(_overlap(found, wanted) for wanted in SHARPER.get(rule[0], (rule[0],)))
    )


def _overlap(first: str, second: str) -> bool:
    """Return whether a text can hold the two words at places that share a character."""
    if first in second or second in first:
        return True
    shorter = min(len(first), len(second))
    return any(first.endswith(second[:n]) or second.endswith(first[:n]) for n in range(1, shorter))
