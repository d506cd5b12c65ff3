"""`Code:` lines.

Source: arch/arm64/kernel/traps.c `dump_kernel_instr()`: four words before the faulting one, that one in parentheses,
each as eight hex digits of the value the CPU fetched (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, number
from whypanic.model.code import CodeLine
from whypanic.model.provenance import Source


def code(match: re.Match[str], source: Source) -> Facts:
    """Return the words of the line; those of other widths are not words and are left out."""
    words: list[int] = []
    faulting = None
    for found in compiled(r"(?<!\S)(\(?)([0-9a-fA-F]{8})(\)?)(?!\S)").finditer(match["words"]):
        if found[1] or found[3]:
            faulting = len(words)
        words.append(number(found[2]))
    return (CodeLine(words=tuple(words), faulting=faulting, source=source),)


def _bad(_match: re.Match[str], source: Source) -> Facts:
    return (CodeLine(words=(), faulting=None, bad_pc=True, source=source),)


def _foreign(_match: re.Match[str], _source: Source) -> Facts:
    return ()


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("Code: ",      r"(?:kvm(?: \[\d{1,7}\])?: ?)?Code: [Bb]ad PC value",                       _bad,     Part.CODE),
    Rule("Code: ",      r"(?:kvm(?: \[\d{1,7}\])?: ?)?Code: (?P<words>(?:\(?[0-9a-fA-F]{8}\)?(?:\s|$)|\.{2,3} ?|\?+ ?).*)",
                                                                                                    code,    Part.CODE),
    Rule("Code: ",      r"Code: (?:<?[0-9a-f]{2}>? ){6}",                                           _foreign, Part.FOREIGN),
)
# fmt: on
