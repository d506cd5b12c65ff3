"""The block of a kernel stack overflow, and hex dumps of stacks.

Source: arch/arm64/kernel/traps.c `panic_bad_stack()` (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, hex_digits, number
from whypanic.model.fault import Detail, FaultAddress, StackRange, Syndrome, SyndromePlace
from whypanic.model.provenance import Source


def _esr(match: re.Match[str], source: Source) -> Facts:
    digits = match["esr"]
    return (
        Syndrome(
            esr=number(digits),
            place=SyndromePlace.STACK_OVERFLOW,
            n_digits=hex_digits(digits),
            source=source,
        ),
    )


def _far(match: re.Match[str], source: Source) -> Facts:
    digits = match["far"]
    return (
        FaultAddress(va=number(digits), place="far", n_digits=hex_digits(digits), source=source),
    )


def _stack_range(match: re.Match[str], source: Source) -> Facts:
    return (
        StackRange(
            name=match["name"], first=number(match["a"]), last=number(match["b"]), source=source
        ),
    )


def _dump(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="stack-dump", value=match.string, source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("ESR: 0x",   r"ESR: (?P<esr>0x[0-9a-fA-F]{1,16})\b",                                       _esr,         Part.ABORT),
    Rule("FAR: 0x",   r"FAR: (?P<far>0x[0-9a-fA-F]{1,16})\b",                                       _far,         Part.ABORT),
    Rule(" stack:",   r"(?P<name>\w{1,20} stack): +\[(?P<a>0x[0-9a-f]{1,16})\.\.(?P<b>0x[0-9a-f]{1,16})\]", _stack_range, Part.STACK),
    Rule("tack",      r"(?:Stack: |Exception stack)\(0x[0-9a-f]{16} to 0x[0-9a-f]{16}\)",           _dump,        Part.STACK),
    Rule(": ",        r"[0-9a-f]{4}: {1,80}(?:[0-9a-f]{16}(?: |$)){1,4}$",                                _dump,        Part.STACK),
    Rule(": ",        r"[0-9a-f]{4}: (?:[0-9a-f]{8}(?: |$)){1,8}$",                                 _dump,        Part.STACK),
    Rule("  ",        r"[0-9a-f]{4}  (?:[0-9a-f*]{8}(?: |$)){1,8}$",                                _dump,        Part.STACK),
)
# fmt: on
