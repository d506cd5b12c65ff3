"""Frames of call traces.

Source: arch/arm64/kernel/stacktrace.c `dump_backtrace_entry()`; scripts/decode_stacktrace.sh for the symbolised forms.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, number, ref_of
from whypanic.model.provenance import Source
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


def placed(match: re.Match[str], source: Source) -> Facts:
    """Return a frame that a script already turned into function and line."""
    groups = match.groupdict()
    line = groups["line"]
    return (
        Frame(
            ref=SymbolRef(symbol=match["sym"], module=groups["mod"]),
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
    Rule("(",               SYMBOLISED,                                                       placed, Part.FRAME),
    Rule(":",               INLINE,                                                           placed, Part.FRAME),
)
"""Only where the line before was of a trace: alone they are too common."""
# fmt: on
