"""One input to reports: the door of this package."""

from collections.abc import Hashable, Sequence

from msgspec.structs import replace

from whypanic.crashlog.assembly import MAX_FACTS, assemble
from whypanic.crashlog.blocks import LogBlock, Split, split_blocks
from whypanic.crashlog.commands import read_commands
from whypanic.crashlog.dumps import read_dumps
from whypanic.crashlog.kinds import kind_of
from whypanic.crashlog.lines import Line, read_lines
from whypanic.crashlog.listing import listing_gaps, read_listings
from whypanic.crashlog.quotes import fingerprint, is_same_crash
from whypanic.crashlog.streams import interleaving
from whypanic.crashlog.titles import title_of
from whypanic.model.provenance import Damage, Fact, Span
from whypanic.model.report import LogReport, LogText

MAX_UNPARSED = 200
"""Spans of one report."""
MAX_COMPARED = 64
"""Reports before one that are looked at for its twin."""
MAX_MIXED = 2000
"""Lines of one report in which writers that take turns are looked for."""
PROSE_WORDS = 5
"""Plain words that make a line a sentence."""


def read_log(data: bytes, input: int = 0) -> LogText:
    """Return every crash report of an input, and the facts around them.

    Total and linear: any bytes give an answer.

    :param data: a console log, a mail, or any text.
    :param input: index of the input, for the places of facts.
    """
    reading = read_lines(data, input)
    lines = reading.lines
    listings, in_listings = read_listings(lines, input)
    commands, in_commands = read_commands(lines, input)
    dumps, in_dumps = read_dumps(lines, in_listings, input)
    taken = in_listings | in_commands | in_dumps
    split = split_blocks(lines, taken, input)
    damage = [*reading.damage, *split.damage]
    damage.extend(gap for listing in listings for gap in listing_gaps(listing))
    blocks = [block for block in split.blocks if not block.foreign]
    damage.extend(
        Damage(span=_span(block, lines, input), reason="a report of another architecture, left out")
        for block in split.blocks
        if block.foreign
    )
    reports = _reports(split, lines, input)
    inside = {index for block in blocks for index in block.indexes}
    context: list[Fact] = [*listings, *commands, *dumps]
    for index, found in enumerate(split.recognised):
        if index not in inside:
            context.extend(found.facts)
    context.sort(key=lambda fact: fact.source.line or 0)
    return LogText(
        reports=reports,
        context=tuple(context),
        n_lines=lines[-1].last_number if lines else 0,
        n_understood=_understood(split, lines, inside | taken),
        damage=tuple(damage),
    )


def _span(block: LogBlock, lines: Sequence[Line], input: int) -> Span:
    first, last = lines[block.indexes[0]], lines[block.indexes[-1]]
    return Span(input=input, first_line=first.number, last_line=last.last_number)


def _understood(split: Split, lines: Sequence[Line], known: set[int]) -> int:
    """Return the physical lines that became facts or structure of a report."""
    return sum(
        line.last_number - line.number + 1
        for index, line in enumerate(lines)
        if index in known or split.recognised[index].facts
    )


def _reports(split: Split, lines: Sequence[Line], input: int) -> tuple[LogReport, ...]:
    """Return the reports in order, quoted twins folded into one."""
    twins = _Twins(lines, input)
    places: dict[int, int] = {}
    for number, block in enumerate(split.blocks):
        if block.foreign:
            continue
        report = _report(block, split, lines, input)
        if not report.facts:
            continue
        if block.follows is not None and block.follows in places:
            report = replace(report, follows=places[block.follows])
        places[number] = twins.add(report, block)
    return tuple(twins.reports)


def _report(block: LogBlock, split: Split, lines: Sequence[Line], input: int) -> LogReport:
    facts, cut = assemble(block, lines, split.recognised, input)
    span = _span(block, lines, input)
    kind = kind_of(facts)
    damage: list[Damage] = []
    if cut:
        damage.append(Damage(span=span, reason=f"more than {MAX_FACTS} facts: the rest left out"))
    first = block.indexes[0]
    last = min(block.indexes[-1] + 1, first + MAX_MIXED)
    mixed = interleaving(lines[first:last], input)
    if mixed is not None:
        damage.append(mixed)
    return LogReport(
        kind=kind,
        title=title_of(kind, facts),
        span=span,
        facts=facts,
        damage=tuple(damage),
        unparsed=_unparsed(block, lines, input),
    )


def _unparsed(block: LogBlock, lines: Sequence[Line], input: int) -> tuple[Span, ...]:
    """Return the log lines inside the report that no section knew; prose and blanks are neither."""
    n_stamped = sum(lines[index].prefixed for index in block.indexes)
    is_stamped = n_stamped * 2 > len(block.indexes)
    spans: list[Span] = []
    for index in block.unknown:
        line = lines[index]
        if index in block.messages or is_stamped != line.prefixed:
            continue
        if not any(map(str.isalpha, line.text)) or (not is_stamped and _is_prose(line.text)):
            continue
        if spans and spans[-1].last_line == line.number - 1:
            spans[-1] = replace(spans[-1], last_line=line.last_number)
        elif len(spans) < MAX_UNPARSED:
            spans.append(Span(input=input, first_line=line.number, last_line=line.last_number))
    return tuple(spans)


def _is_prose(text: str) -> bool:
    """The line reads like a sentence: words of letters, and no number of a dump."""
    words = text.split()
    plain = sum(word.strip(".,;:!?()'\"-").isalpha() for word in words)
    return plain >= PROSE_WORDS and plain * 4 >= len(words) * 3


def _stamp(block: LogBlock, lines: Sequence[Line]) -> int | None:
    return next((lines[i].usec for i in block.indexes if lines[i].usec is not None), None)


class _Twins:
    """Finds the report that a later one repeats."""

    def __init__(self, lines: Sequence[Line], input: int) -> None:
        self.lines = lines
        self.input = input
        self.reports: list[LogReport] = []
        self.prints: list[frozenset[Hashable]] = []
        self.stamps: list[int | None] = []
        self.depths: list[int] = []

    def add(self, report: LogReport, block: LogBlock) -> int:
        """Return the place of the report, or of the earlier one that it repeats."""
        mark, stamp = fingerprint(report.facts), _stamp(block, self.lines)
        depth = self.lines[block.indexes[0]].quote
        start = max(0, len(self.reports) - MAX_COMPARED)
        for place in range(start, len(self.reports)):
            known, when = self.reports[place], self.stamps[place]
            same_time = stamp is None or when is None or stamp == when
            quoted = depth != self.depths[place]
            if (
                same_time
                and known.kind is report.kind
                and is_same_crash(self.prints[place], mark, quoted=quoted)
            ):
                self.reports[place] = _folded(known, report)
                self.prints[place] |= mark
                return place
        self.reports.append(report)
        self.prints.append(mark)
        self.stamps.append(stamp)
        self.depths.append(depth)
        return len(self.reports) - 1


def _folded(first: LogReport, second: LogReport) -> LogReport:
    """Return the more complete of two copies, at the place of the first."""
    best = second if len(second.facts) > len(first.facts) else first
    note = Damage(span=second.span, reason="the same report stands here again")
    return replace(
        best,
        span=first.span,
        follows=first.follows,
        damage=(*first.damage, note),
        unparsed=first.unparsed,
    )
