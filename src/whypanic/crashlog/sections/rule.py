"""The shape of a recogniser: a cheap substring, an anchored pattern, and what it builds."""

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from whypanic.model.provenance import Fact, Source
from whypanic.model.registers import SymbolRef

MAX_TEXT = 400
"""Characters of a line that a pattern sees as a fact's words; a console line is shorter."""


class Part(IntEnum):
    """Which part of a report a line is; the blocks are cut by the order of these."""

    NONE = 0
    HEADLINE = 1
    HINT = 2
    ABORT = 3
    ABORT_HEAD = 4
    WALK = 5
    ERROR = 6
    MODULES = 7
    IDENTITY = 8
    REGISTERS = 9
    PC = 10
    STACK = 11
    TRACE = 12
    FRAME = 13
    CODE = 14
    CUT = 15
    END_TRACE = 16
    PANIC = 17
    ENDING = 18
    END_PANIC = 19
    HYP = 20
    HYP_VALUES = 21
    DETAIL = 22
    BOOT = 23
    RESET = 24
    """A boot line that says a new kernel started."""
    FOREIGN = 25
    """A line that only another architecture prints."""
    FOREIGN_HINT = 26
    """A line that is usual elsewhere and unusual here."""
    SNIP = 27


Facts = tuple[Fact, ...]
Build = Callable[[re.Match[str], Source], Facts]


class Rule(NamedTuple):
    """One kind of line."""

    needle: str
    """A substring every such line has: tested before the pattern is compiled."""
    pattern: str
    """Matched from the first character of the line; may hold the macros of `expand`."""
    build: Build
    part: Part


_MACROS = {
    "{HEX}": r"(?:0x)?[0-9a-fA-F]{1,16}",
    "{REF}": (
        r"(?P<sym>[A-Za-z_.$][\w.$@]*)\+0x(?P<off>[0-9a-f]{1,16})(?:/0x(?P<size>[0-9a-f]{1,16}))?"
        r"(?: \[(?P<mod>[\w-]+)(?: (?P<mod_id>[0-9a-f]{20,40}))?\])?"
    ),
    "{FUNC}": r"[A-Za-z_.$][\w.$@]*",
    "{FILE}": r"[\w./+~-]+\.(?:c|h|S|rs|inc|cpp)",
}


def expand(pattern: str) -> str:
    """Return the pattern with its macros written out."""
    for macro, text in _MACROS.items():
        pattern = pattern.replace(macro, text)
    return pattern


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the compiled pattern; at its first use, so that imports stay cheap."""
    return re.compile(expand(pattern), re.ASCII)


def first_match(rules: Sequence[Rule], text: str) -> tuple[Rule, re.Match[str]] | None:
    """Return the first rule that matches, with its match."""
    for rule in rules:
        if rule.needle in text:
            match = compiled(rule.pattern).match(text)
            if match is not None:
                return rule, match
    return None


def number(digits: str) -> int:
    """Return a hexadecimal number, with or without 0x."""
    return int(digits, 16)


def hex_digits(digits: str) -> int:
    """Return how many hex digits were printed."""
    return len(digits) - 2 if digits[:2] in ("0x", "0X") else len(digits)


def optional_int(digits: str | None) -> int | None:
    """Return a decimal number, or None for a group that did not take part."""
    return int(digits) if digits else None


def ref_of(match: re.Match[str]) -> SymbolRef | None:
    """Return the symbol of the {REF} macro's groups, or None where they did not take part."""
    symbol = match["sym"]
    if not symbol:
        return None
    offset, size = match["off"], match["size"]
    return SymbolRef(
        symbol=symbol,
        offset=int(offset, 16) if offset else None,
        size=int(size, 16) if size else None,
        module=match["mod"],
        build_id=match.groupdict().get("mod_id"),
    )


def read_ref(text: str) -> SymbolRef | None:
    """Return the symbol that a text begins with: with `+0xo/0xs [mod]`, or bare."""
    match = compiled(r"{REF}").match(text)
    if match is not None:
        return ref_of(match)
    bare = compiled(r"{FUNC}(?=$|[\s,:!)(])").match(text)
    return SymbolRef(symbol=bare[0]) if bare is not None else None
