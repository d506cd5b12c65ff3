"""The page-table lines behind a fault header.

Source: arch/arm64/mm/fault.c `show_pte()`; shapes by era in the catalogue of formats (from memory here).
"""

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, number
from whypanic.model.fault import FaultAddress, PageTable, PageWalk, WalkEntry
from whypanic.model.provenance import Source

_ENTRY = r"\*?(?P<name>pgd|p4d|pud|pmd|pte)=(?:0x)?(?P<value>[0-9a-fA-F]{1,16})"


def entries_of(text: str) -> tuple[WalkEntry, ...]:
    """Return the `name=value` pairs of a line, in order."""
    return tuple(
        WalkEntry(name=found["name"], value=number(found["value"]))
        for found in compiled(_ENTRY).finditer(text)
    )


def _table(match: re.Match[str], source: Source) -> Facts:
    digits = match["pgd"]
    return (
        PageTable(
            owner=match["owner"],
            page_kib=int(match["kib"]),
            va_bits=int(match["bits"]),
            pgd=number(digits) if digits else None,
            source=source,
        ),
    )


def _pgd(match: re.Match[str], source: Source) -> Facts:
    return (
        PageTable(owner="", page_kib=None, va_bits=None, pgd=number(match["pgd"]), source=source),
    )


def walk(match: re.Match[str], source: Source) -> Facts:
    """Return the walk, and the bracketed address as a fault address of its own."""
    va = number(match["va"])
    note = match["note"].strip()
    entries = entries_of(note)
    return (
        PageWalk(va=va, entries=entries, note="" if entries else note, source=source),
        FaultAddress(va=va, place="page-walk", n_digits=len(match["va"]), source=source),
    )


def rest(match: re.Match[str], source: Source) -> Facts:
    """Return entries that a broken pr_cont() left on a line of their own."""
    return (PageWalk(va=None, entries=entries_of(match.string), source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule(" pgtable:", r"(?P<owner>\w{1,20}) pgtable: (?P<kib>\d{1,3})k pages, (?P<bits>\d{1,2})-bit VAs"
                      r"(?:, (?:pgdp?|pgd) ?= ?(?:(?:0x)?(?P<pgd>[0-9a-fA-F]{8,16})\b)?.*)?", _table, Part.WALK),
    Rule("pgd = ",    r"pgd = (?:0x)?(?P<pgd>[0-9a-fA-F]{8,16})$",                      _pgd,  Part.WALK),
    Rule("]",         r"\[(?P<va>[0-9a-fA-F]{8,16})\] (?P<note>\*?pgd=.*)",             walk, Part.WALK),
    Rule("]",         r"\[(?P<va>[0-9a-fA-F]{8,16})\] (?P<note>(?:user address|address between|virtual address).*)",
                                                                                        walk, Part.WALK),
    Rule("=",         r",? ?\*?(?:p4d|pud|pmd|pte)=[0-9a-fA-F]{8,16}\b",                rest, Part.WALK),
    Rule("*pgd=",     r"\*pgd=[0-9a-fA-F]{8,16}\b",                                     rest, Part.WALK),
)
# fmt: on
