"""One input to reports: the door of this package."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from whypanic.crashlog.assembly import MAX_FACTS, assemble
from whypanic.crashlog.blocks import MAX_REPORTS, Splitter
from whypanic.crashlog.cascade import Cascade, Place, ran_beside
from whypanic.crashlog.commands import read_commands
from whypanic.crashlog.coverage import count_understood
from whypanic.crashlog.dumps import read_dumps
from whypanic.crashlog.kinds import kind_of
from whypanic.crashlog.lines import Line, read_lines
from whypanic.crashlog.listing import listing_gaps, read_listings
from whypanic.crashlog.log_blocks import LogBlock
from whypanic.crashlog.quotes import MAX_COMPARED, Mark, Twins, fingerprint
from whypanic.crashlog.streams import interleaving
from whypanic.crashlog.titles import title_of
from whypanic.model.provenance import Damage, Fact, Span
from whypanic.model.report import LogReport, LogText

if TYPE_CHECKING:
    from whypanic.crashlog.windows import Capture

SCREENED = 1 << 20
"""Bytes of an input from which on not every line is looked at by every section."""
_ENOUGH = 512
"""Lines that are settled together where no report is among them."""
MAX_UNPARSED = 200
"""Spans of one report."""
MAX_MIXED = 2000
"""Lines of one report in which writers that take turns are looked for."""
PROSE_WORDS = 5
"""Plain words that make a line a sentence."""


def read_log(data: bytes, input: int = 0) -> LogText:
    """Return every crash report of an input, and the facts around them.

    Total and linear: any bytes give an answer. Of more than `SCREENED` bytes only the surroundings of lines that may
    begin a report are read, and the boot lines.

    :param data: a console log, a mail, or any text.
    :param input: index of the input, for the places of facts.
    """
    reader = LogReader(input)
    if len(data) < SCREENED:
        reader.feed(data, 1)
        n_lines = reader.n_read
        harvest = reader.harvest(last=True)
        context, damage, n_understood = harvest.context, harvest.damage, harvest.n_understood
    else:
        from whypanic.crashlog.windows import Capture, slices

        capture = Capture(slices(data))
        facts: list[Fact] = []
        hurt: list[Damage] = []
        n_understood = 0
        for harvest in harvests(capture, reader):
            facts.extend(harvest.context)
            hurt.extend(harvest.damage)
            n_understood += harvest.n_understood
        n_lines, context, damage = capture.n_lines, tuple(facts), tuple(hurt)
    return LogText(
        reports=tuple(reader.twins.reports.values()),
        context=context,
        n_lines=n_lines,
        n_understood=n_understood,
        damage=damage,
    )


def harvests(capture: "Capture", reader: "LogReader") -> Iterator["Harvest"]:
    """Yield what a capture has to tell, as soon as it is certain."""
    for piece in capture.pieces(reader.splitter.is_idle):
        reader.feed(piece.data, piece.first_line)
        if reader.splitter.is_ripe(_ENOUGH):
            yield reader.harvest(last=False)
    yield reader.harvest(last=True)


class Harvest(NamedTuple):
    """What became certain since the last one."""

    changed: dict[int, LogReport]
    """By their places: new reports, and earlier ones that a copy was folded into."""
    context: tuple[Fact, ...]
    """Facts outside the reports, of lines that nothing can be added to."""
    near: tuple[Fact, ...]
    """Those of lines that are still in use; they come again."""
    damage: tuple[Damage, ...]
    n_understood: int


class LogReader:
    """Reads one input in one piece or in several."""

    def __init__(
        self, input: int = 0, *, limit: int | None = MAX_REPORTS, keep: bool = True
    ) -> None:
        self.input = input
        self.keep = keep
        self.splitter = Splitter(input, limit)
        self.twins = Twins(keep=keep)
        self.n_read = 0
        """Number of the last line."""
        self._known: set[int] = set()
        """Lines, by index, that listings and commands took."""
        self._inside: set[int] = set()
        """Lines of reports that were harvested."""
        self._pasted: list[Fact] = []
        self._damage: list[Damage] = []
        self._n_damage = 0
        self._places: dict[int, int] = {}
        self._cascade = Cascade()
        self._rivals: dict[int, LogReport] = {}
        """The last report, by its place."""
        self._weak: list[tuple[LogBlock, LogReport, Mark]] = []
        self._is_strong = False

    def feed(self, data: bytes, first: int) -> None:
        """Read whole lines, of which the first has this number."""
        base = len(self.splitter.lines)
        reading = read_lines(data, self.input, first)
        lines = reading.lines
        listings, in_listings = read_listings(lines, self.input)
        commands, in_commands = read_commands(lines, self.input)
        dumps, in_dumps = read_dumps(lines, in_listings, self.input)
        taken = in_listings | in_commands | in_dumps
        self.splitter.feed(lines, taken)
        self._known.update(base + index for index in taken)
        self._pasted += [*listings, *commands, *dumps]
        self._damage += reading.damage
        self._damage.extend(gap for listing in listings for gap in listing_gaps(listing))
        if lines:
            self.n_read = lines[-1].last_number

    def harvest(self, *, last: bool) -> Harvest:
        """Return what is certain now; everything at the `last` call."""
        splitter, input = self.splitter, self.input
        lines = splitter.lines
        blocks = splitter.take(last=last)
        self._is_strong = self._is_strong or any(not block.weak for block in blocks)
        if self._is_strong:
            for _, report, _ in self._weak:
                self._pasted.extend(report.facts)
            self._weak.clear()
            blocks = tuple(block for block in blocks if not block.weak)
        self._damage += splitter.damage[self._n_damage :]
        self._n_damage = len(splitter.damage)
        inside = self._inside
        for block in blocks:
            if block.foreign:
                reason = "a report of another architecture, left out"
                self._damage.append(Damage(span=_span(block, lines, input), reason=reason))
            else:
                inside.update(block.indexes)
        known = inside | self._known
        counts = count_understood(lines, splitter.recognised, known)
        changed: dict[int, LogReport] = {}
        for block in blocks:
            if block.foreign:
                continue
            report = _report(block, splitter, input)
            n_lines, n_understood = counts.within(block.indexes[0], block.indexes[-1])
            report = replace(report, n_lines=n_lines, n_understood=n_understood)
            mark = _mark(report, block, lines)
            if not report.facts:
                continue
            if not block.weak:
                self._add(block, report, mark, changed)
            elif len(self._weak) < (MAX_REPORTS if self.keep else MAX_COMPARED):
                self._weak.append((block, report, mark))
        if last:
            for block, report, mark in self._weak:
                self._add(block, report, mark, changed)
        recognised = list(splitter.recognised)
        n_gone = splitter.forget()
        n_settled = len(recognised) if last else n_gone
        stray = [
            (index, fact)
            for index, found in enumerate(recognised)
            if found.facts and index not in inside
            for fact in found.facts
        ]
        context = [*self._pasted, *(fact for index, fact in stray if index < n_settled)]
        context.sort(key=_line_of)
        harvest = Harvest(
            changed,
            tuple(context),
            tuple(fact for index, fact in stray if index >= n_settled),
            tuple(self._damage),
            counts.within(0, n_settled - 1)[1] if n_settled else 0,
        )
        self._pasted, self._damage = [], []
        self._known = {index - n_gone for index in self._known if index >= n_gone}
        self._inside = {index - n_gone for index in inside if index >= n_gone}
        return harvest

    def _add(
        self, block: LogBlock, report: LogReport, mark: Mark, changed: dict[int, LogReport]
    ) -> None:
        follows = None if block.follows is None else self._places.get(block.follows)
        beside = follows is not None and block.beside and follows in self._rivals
        if beside and follows is not None and ran_beside(self._rivals[follows], report):
            follows = None
        elif follows is None:
            follows = self._cascade.cause_of(report, block.boot, mark.usec)
        if follows is not None:
            report = replace(report, follows=follows)
        place = self.twins.add(report, mark)
        self._places[block.number] = place
        self._cascade.add(report, Place(place, block.boot, mark.usec))
        self._rivals = {place: report}
        changed[place] = self.twins.reports[place]


def _span(block: LogBlock, lines: Sequence[Line], input: int) -> Span:
    first, last = lines[block.indexes[0]], lines[block.indexes[-1]]
    return Span(input=input, first_line=first.number, last_line=last.last_number)


def _report(block: LogBlock, splitter: Splitter, input: int) -> LogReport:
    lines = splitter.lines
    facts, cut = assemble(block, lines, splitter.recognised, input)
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


def _mark(report: LogReport, block: LogBlock, lines: Sequence[Line]) -> Mark:
    stamps = (lines[index].usec for index in block.indexes)
    return Mark(
        fingerprint(report.facts),
        next((usec for usec in stamps if usec is not None), None),
        lines[block.indexes[0]].quote,
    )


def _line_of(fact: Fact) -> int:
    return fact.source.line or 0
