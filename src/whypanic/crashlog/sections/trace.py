"""Frames of call traces.

Source: arch/arm64/kernel/stacktrace.c `dump_backtrace_entry()`; scripts/decode_stacktrace.sh for the symbolised forms.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, number, ref_of
from whypanic.model.fault import Detail
from whypanic.model.provenance import Fact, Source
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import Frame

# fmt: off
FRAME = (
    r"(?:kvm(?: \[\d{1,7}\])?: ? ?)?"
    r"(?:\[<(?P<addr>(?:0x)?[0-9a-f]{8,16}|\(?_*ptrval_*\)?)>\] ?)?(?:\((?=[A-Za-z_]))?(?P<unsure>\? )?"
    r"{REF}(?P<tail>.*)$"
)
RAW = r"(?:kvm(?: \[\d{1,7}\])?: ? ?)?(?:\[<(?P<addr>[0-9a-f]{16})>\] ?(?:0x[0-9a-f]{1,16}\b)?|(?P<bare>0x[0-9a-f]{1,16}))(?: \([A-Z]{1,4}\))?\)?$"
INLINE = r"(?P<sym>[A-Za-z_]\w{1,100})(?: \[(?P<mod>[\w-]+)\])? (?P<file>{FILE}):(?P<line>\d{1,7})(?: \[(?P<inline>inline)\])?$"
SYMBOLISED = r"(?P<sym>[A-Za-z_][\w.]{1,100}) \((?P<file>{FILE}|\?\?):(?P<line>\d{1,7}|\?)(?P<tail>[^()]*(?:\([^()]*\)[^()]*)*)\)(?: (?P<mod>[\w-]+))?(?: \((?P<suffix>[A-Z]{1,4})\))?$"
PLACED_AT = r"(?P<sym>[A-Za-z_][\w.]{1,100}) at (?P<file>/{FILE}):(?P<line>\d{1,7})(?: \(discriminator \d{1,5}\))?$"
BARE = r"(?P<sym>[a-z_][a-z0-9_.]{4,80})(?: \[(?P<mod>[\w-]+)\])?$"
_TAIL_SUFFIX = r" ?\((?P<suffix>[A-Z]{1,4})\)"
_TAIL_PLACE = r".{0,3}?\(?(?P<file>{FILE}):(?P<line>\d{1,7})"
# fmt: on


def _place(tail: str) -> tuple[str | None, int | None]:
    found = compiled(_TAIL_PLACE).match(tail)
    return (found["file"], int(found["line"])) if found else (None, None)


def frame(match: re.Match[str], source: Source) -> Facts:
    """Return one frame; trace number and role are the assembly's."""
    tail, digits = match["tail"], match["addr"]
    suffix = compiled(_TAIL_SUFFIX).match(tail)
    file, line = _place(tail) if tail else (None, None)
    return (
        Frame(
            address=number(digits) if digits and "ptrval" not in digits else None,
            ref=ref_of(match),
            suffix=suffix["suffix"] if suffix else "",
            unreliable=match["unsure"] is not None,
            file=file,
            line=line,
            source=source,
        ),
    )


def _raw(match: re.Match[str], source: Source) -> Facts:
    return (Frame(address=number(match["addr"] or match["bare"]), source=source),)


def _bare(match: re.Match[str], source: Source) -> Facts:
    """Return a frame of which a script left only the name."""
    return (Frame(ref=SymbolRef(symbol=match["sym"], module=match["mod"]), source=source),)


def _null(_match: re.Match[str], source: Source) -> Facts:
    """Return the return address 0 that `%p` prints as a word, before 4.15."""
    return (Frame(address=0, source=source),)


def placed(match: re.Match[str], source: Source) -> Facts:
    """Return a frame that a script already turned into function and line."""
    groups = match.groupdict()
    line = groups["line"]
    return (
        Frame(
            ref=SymbolRef(symbol=match["sym"], module=groups.get("mod")),
            suffix=groups.get("suffix") or "",
            file=None if groups["file"] == "??" else groups["file"],
            line=int(line) if line != "?" else None,
            inlined=groups.get("inline") is not None,
            source=source,
        ),
    )


def _head(_match: re.Match[str], _source: Source) -> Facts:
    return ()


# fmt: off
HEADS: tuple[Rule, ...] = (
    Rule("all trace:",      r"(?:Hardware )?[Cc]all trace:",                                  _head, Part.TRACE),
    Rule("stack backtrace", r"stack backtrace:",                                              _head, Part.DETAIL),
)
ALWAYS: tuple[Rule, ...] = (
    Rule("+0x",             FRAME,                                                            frame, Part.FRAME),
)
INSIDE: tuple[Rule, ...] = (
    Rule("0x",              RAW,                                                              _raw, Part.FRAME),
    Rule("[<",              RAW,                                                              _raw, Part.FRAME),
    Rule("(null)",          r"\[< *\(null\)>\] +\(null\)$",                                   _null, Part.FRAME),
    Rule("(",               SYMBOLISED,                                                       placed, Part.FRAME),
    Rule(":",               INLINE,                                                           placed, Part.FRAME),
    Rule(" at /",           PLACED_AT,                                                        placed, Part.FRAME),
    Rule("",                BARE,                                                             _bare, Part.FRAME),
)
"""Only where the line before was of a trace: alone they are too common."""
# fmt: on

STACK_TITLES = frozenset({"other-stack", "bare-stack", "race"})
"""Names of `Detail` behind which a stack follows: of somebody else, with `Call trace:` or without, and of one side of a
data race."""


def is_stack_title(fact: Fact) -> bool:
    """True for the line above a stack that has no `Call trace:`, such as `Freed by task 12:`."""
    return isinstance(fact, Detail) and fact.name in STACK_TITLES
