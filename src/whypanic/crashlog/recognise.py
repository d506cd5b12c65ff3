"""One line to facts: tries the sections in order of how often their lines occur."""

from typing import NamedTuple

from whypanic.crashlog.headlines import Entry, match_headline
from whypanic.crashlog.lines import Line
from whypanic.crashlog.sections import (
    additions,
    boot,
    code,
    cpu,
    endings,
    foreign,
    hardware,
    hyp,
    internal_error,
    locks,
    mem_abort,
    misc,
    oom,
    page_table,
    registers,
    sanitizers,
    stack,
    stalls,
    trace,
)
from whypanic.crashlog.sections.rule import MAX_TEXT, Facts, Part, Rule, compiled, first_match
from whypanic.model.provenance import Origin, Source

_FRAME_ALONE = r"(?: \[[\w-]+\])?(?: \([A-Z]{1,4}\))?(?: ?\([^)]{0,200}\)+| \S{1,200}:\d{1,7}(?: \[inline\])?)?\)?$"
"""What may stand behind the symbol where no trace is open: anything else is prose."""

_BEFORE_HEADLINES: tuple[Rule, ...] = (
    *registers.RULES,
    *mem_abort.RULES,
    *foreign.ERRORS,
    *internal_error.RULES,
    *hyp.CRASH,
)
_AFTER_HEADLINES: tuple[Rule, ...] = (
    *endings.RULES,
    *page_table.RULES,
    *code.RULES,
    *trace.HEADS,
    *cpu.RULES,
    *stack.RULES,
    *foreign.RULES,
    *hyp.BOOT,
    *boot.RULES,
    *locks.RULES,
    *stalls.RULES,
    *oom.RULES,
    *hardware.RULES,
    *sanitizers.RULES,
    *misc.RULES,
    *additions.RULES,
    *misc.BARS,
)
SECTIONS: tuple[Rule, ...] = (*_BEFORE_HEADLINES, *endings.PANIC, *_AFTER_HEADLINES)
"""The rules of all sections but those of frames."""


class Recognised(NamedTuple):
    """What one line turned out to be."""

    part: Part
    facts: Facts
    entry: Entry | None = None
    """Of headlines only."""

    @property
    def understood(self) -> bool:
        return self.part not in (Part.NONE, Part.SNIP)


NOTHING = Recognised(Part.NONE, ())
"""A line that no section knows."""


def source_of(line: Line, input: int) -> Source:
    """Return the place of a line, with its words cut to a bounded length."""
    last = line.last_number
    return Source(
        origin=Origin.LOG,
        input=input,
        line=line.number,
        last_line=last if last != line.number else None,
        text=line.text[:MAX_TEXT],
    )


def recognise(line: Line, input: int, *, in_trace: bool) -> Recognised:
    """Return the part and the facts of one line.

    :param in_trace: the line before it (of the same writer) was a frame or a trace's head.
    """
    text = line.text[:MAX_LINE].strip()
    if not text:
        return NOTHING
    source = source_of(line, input)
    if "+0x" in text:
        found = first_match(trace.ALWAYS, text)
        if found is not None:
            match = found[1]
            if in_trace or compiled(_FRAME_ALONE).match(match["tail"]):
                return Recognised(Part.FRAME, found[0].build(match, source))
    if in_trace:
        found = first_match(trace.INSIDE, text)
        if found is not None:
            return Recognised(Part.FRAME, found[0].build(found[1], source))
    found = first_match(_BEFORE_HEADLINES, text)
    if found is not None:
        return Recognised(found[0].part, found[0].build(found[1], source))
    headline = match_headline(text, source)
    panic = first_match(endings.PANIC, text) if "ernel panic" in text else None
    if headline is not None:
        facts = headline[1]
        if panic is not None:
            facts += panic[0].build(panic[1], source)
        return Recognised(Part.HEADLINE, facts, headline[0].entry)
    found = panic or first_match(_AFTER_HEADLINES, text)
    if found is not None:
        return Recognised(found[0].part, found[0].build(found[1], source))
    return NOTHING


MAX_LINE = 8192
"""Characters of a line that are looked at: `Modules linked in:` may be thousands long."""
