"""Register dumps: every layout from 3.x to 7.x.

Source: arch/arm64/kernel/process.c `__show_regs()`, `print_pstate()`; layouts by era in the catalogue of formats.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import (
    Facts,
    Part,
    Rule,
    compiled,
    hex_digits,
    number,
    read_ref,
)
from whypanic.model.fault import Detail
from whypanic.model.provenance import Fact, Source
from whypanic.model.registers import PstateText, Register

_PAIR = r"\b(x[0-9]{1,2}|sp|lr|pc|pstate) ?: (?:\[<)?(?:0x)?([0-9a-f]{8,16})\b"
_GENERAL = r"\bx([0-9]{1,2}) ?: ?(?:(?:0x)?([0-9a-fA-F]{16})\b|(\(_*ptrval_*\)))"
_LAST_GENERAL = 30


def general(match: re.Match[str], source: Source) -> Facts:
    """Return the x-registers of a line, masked ones with no value."""
    facts: list[Fact] = []
    for found in compiled(_GENERAL).finditer(match.string):
        index = int(found[1])
        if index <= _LAST_GENERAL:
            digits = found[2]
            facts.append(
                Register(name=f"x{index}", value=number(digits) if digits else None, source=source)
            )
    return tuple(facts)


def brackets(match: re.Match[str], source: Source) -> Facts:
    """Return pc, lr and pstate of the one-line form before 4.15."""
    return tuple(
        Register(name=found[1], value=number(found[2]), n_digits=len(found[2]), source=source)
        for found in compiled(_PAIR).finditer(match.string)
    )


def location(match: re.Match[str], source: Source) -> Facts:
    """Return pc or lr printed as a symbol or as a bare number."""
    name, where = match["name"].lower(), match["where"].strip()
    raw = compiled(r"(?:\[<)?(?:0x)?([0-9a-fA-F]{1,16})(?:>\])?(?=$|[\s(:])").match(where)
    if raw is not None:
        digits = raw[1]
        return (Register(name=name, value=number(digits), n_digits=len(digits), source=source),)
    ref = read_ref(where)
    return (Register(name=name, value=None, ref=ref, source=source),) if ref else ()


def _stack_pointer(match: re.Match[str], source: Source) -> Facts:
    digits = match["sp"]
    return (Register(name="sp", value=number(digits), n_digits=len(digits), source=source),)


def _pstate(match: re.Match[str], source: Source) -> Facts:
    digits, flags = match["value"], match["flags"]
    facts: list[Fact] = [
        Register(name="pstate", value=number(digits), n_digits=hex_digits(digits), source=source)
    ]
    if flags:
        facts.append(PstateText(flags=flags.strip(), source=source))
    return tuple(facts)


def _priority_mask(match: re.Match[str], source: Source) -> Facts:
    digits = match["value"]
    return (Register(name="pmr_save", value=number(digits), n_digits=len(digits), source=source),)


def _memory(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="memory-dump", value=match.string, source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("x",       r"x[0-9]{1,2} ?: ?(?:[0-9a-fA-F]{16}\b|\(_*ptrval|0x[0-9a-fA-F]{16}|$)",          general,       Part.REGISTERS),
    Rule("p",       r"pc : \[<[0-9a-f]{16}>\] +lr : \[<",                                             brackets,      Part.PC),
    Rule("c : ",    r"(?P<name>pc) : (?P<where>(?:0x)?[0-9a-f]{1,16}(?=$| \()|\[<[0-9a-f]{16}>\]|[A-Za-z_.$].*)", location, Part.PC),
    Rule("lr : ",   r"(?P<name>lr) : (?P<where>(?:0x)?[0-9a-f]{1,16}(?=$| \()|\[<[0-9a-f]{16}>\]|[A-Za-z_.$].*)", location, Part.PC),
    Rule(" is at ", r"(?P<name>PC|LR) is at (?P<where>.+)",                                           location,      Part.PC),
    Rule("sp : ",   r"sp : (?P<sp>[0-9a-f]{16})\b",                                                   _stack_pointer, Part.REGISTERS),
    Rule("pstate: ", r"pstate: (?P<value>[0-9a-f]{8,16})\b(?: ?\((?P<flags>[^)]*)\)?)?",               _pstate,        Part.PC),
    Rule("pmr",     r"pmr(?:_save)?: (?P<value>[0-9a-f]{1,16})\b",                                    _priority_mask, Part.REGISTERS),
    Rule(": 0x",    r"(?:X[0-9]{1,2}|PC|LR|SP): 0x[0-9a-f]{16}:",                                     _memory,        Part.STACK),
)
# fmt: on
