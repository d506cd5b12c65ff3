"""Lines of reports that carry no value a narrower fact holds: kept as `Detail` so that nothing is lost.

Sources: mm/debug.c, kernel/trace/ftrace.c (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, number
from whypanic.model.fault import Detail, KasanHint
from whypanic.model.provenance import Source


def _named(name: str, match: re.Match[str], source: Source) -> Facts:
    return (Detail(name=name, value=match.string, source=source),)


def _hint(match: re.Match[str], source: Source) -> Facts:
    return (
        KasanHint(
            what=match["what"],
            first=number(match["first"]),
            last=number(match["last"]),
            source=source,
        ),
    )


def _other_stack(match: re.Match[str], source: Source) -> Facts:
    return _named("other-stack", match, source)


def _page(match: re.Match[str], source: Source) -> Facts:
    return _named("page", match, source)


def _firmware(match: re.Match[str], source: Source) -> Facts:
    return _named("firmware", match, source)


def _note(match: re.Match[str], source: Source) -> Facts:
    return _named("note", match, source)


def _ftrace_word(match: re.Match[str], source: Source) -> Facts:
    """Return the word that ftrace found: its bytes are printed in memory order, A64 code is little-endian."""
    word = int.from_bytes(bytes.fromhex(match["bytes"].replace(":", "")), "little")
    return (Detail(name="ftrace-actual", value=match.string, number=word, source=source),)


def _nothing(_match: re.Match[str], _source: Source) -> Facts:
    return ()


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("KASAN: ",        r"KASAN: (?P<what>null-ptr-deref|probably user-memory-access|maybe wild-memory-access|[a-z -]{3,40}) in range "
                           r"\[(?P<first>0x[0-9a-f]{1,16})-(?P<last>0x[0-9a-f]{1,16})\]",       _hint,        Part.HINT),
    Rule("allocated in",   r"(?:INFO: )?[Aa]llocated (?:in|by) ",                               _other_stack, Part.DETAIL),
    Rule("^",              r"\^$",                                                              _nothing,     Part.DETAIL),
    Rule("raw: ",          r"raw: [0-9a-f]{16}",                                                _page,        Part.DETAIL),
    Rule("page",           r"page: ?\(?[0-9a-fx_]|page:.{0,30} (?:refcount|count):",            _page,        Part.DETAIL),
    Rule("flags: 0x",      r"flags: 0x[0-9a-f]+",                                               _page,        Part.DETAIL),
    Rule("head:",          r"head: ?\S+ order:",                                                 _page,        Part.DETAIL),
    Rule("memcg:",         r"(?:pages's )?memcg:[0-9a-f]+",                                     _page,        Part.DETAIL),
    Rule("page_type",      r"page_type: ",                                                      _page,        Part.DETAIL),
    Rule("ftrace buffer",  r"(?:Dumping|Skip md) ftrace buffer|\(ftrace buffer empty\)",         _note,        Part.DETAIL),
    Rule("0x",             r"(?:[a-z][a-z0-9]{2,11}_el[123]|x\d{1,2}|esr|elr|far|spsr)\s{0,20}=\s{0,8}0x[0-9a-f]{16}", _firmware, Part.DETAIL),
    Rule("elr: ",          r"elr: [0-9a-f]{16} +lr : [0-9a-f]{16}",                             _firmware,    Part.DETAIL),
    Rule("actual: ",       r"actual: +(?P<bytes>[0-9a-f]{2}(?::[0-9a-f]{2}){3})$",               _ftrace_word, Part.DETAIL),
    Rule("ftrace",         r"-+\[ ftrace bug \]-+|ftrace (?:faulted|failed|record)|\[<[0-9a-f]{16}>\] .*ftrace", _note, Part.DETAIL),
)
BARS: tuple[Rule, ...] = (
    Rule("=====",          r"={10,}$",                                                          _nothing,     Part.SNIP),
    Rule("-----",          r"-{10,}$",                                                          _nothing,     Part.SNIP),
    Rule("..",             r"\[? ?\.{2,}.{0,20}$",                                              _nothing,     Part.SNIP),
    Rule(". .",            r"\. \. ?\.?",                                                       _nothing,     Part.SNIP),
    Rule("snip",           r".{0,10}<?\[?snip\b",                                               _nothing,     Part.SNIP),
    Rule("-- ",            r"-- ?(?:cut|snip)",                                                 _nothing,     Part.SNIP),
)
# fmt: on
