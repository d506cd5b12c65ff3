"""What stands around the reports of one log: found once, handed out per report in bounded pieces."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from whypanic.code.indirect_branch import IndirectBranch, find_indirect_branches
from whypanic.model.code import CodeLine, Listing, SourceLocation
from whypanic.model.context import BootCpu, Compiler, KernelVersion
from whypanic.model.hardware import EdacError, HardwareRecord, MemoryFailure
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Damage, Fact, Span
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.report import LogReport, LogText
from whypanic.model.sections import SectionBytes, SectionRelocation
from whypanic.model.trace import Frame, TraceRole

MAX_OF_TYPE = 256
"""Facts of one type that a boot, or what the writer added, gives to each of its reports."""
MAX_NEAR = 4000
MAX_ROWS = 1024
"""Rows of relocation tables that what the writer added gives to each report."""
NEAR_LINES = 100
"""Lines before a report where a stray piece of a dump may still belong to it."""
ANYWHERE = (Listing, SourceLocation, Compiler, SectionBytes, SectionRelocation)
"""Facts that a mail may carry before or after the crash; boot lines count only before it."""
RECORD_LINES = 20
"""Lines from the end of a firmware's record to the abort or SError that delivers it."""
_DUMP = (Register, Frame, CodeLine)
"""Pieces of a dump: of another one, unless they stand near."""
BANNER_LINES = 3


class Surroundings:
    """The facts and the damage outside the reports of one log, by line.

    Each question costs as much as its answer: a log of thousands of reports and millions of facts takes no longer
    than its size.
    """

    def __init__(self, text: LogText) -> None:
        self._facts: list[Fact] = []
        self._early: list[Fact] = []
        self._anywhere: list[Fact] = []
        self._listings: defaultdict[str, list[Listing]] = defaultdict(list)
        self._boots: list[tuple[int, int]] = []
        self._branches: dict[int, tuple[IndirectBranch, ...]] = {}
        counts: Counter[object] = Counter()
        boot = 0
        for fact in text.context:
            line = _line(fact)
            kind = type(fact)
            if isinstance(fact, ANYWHERE):
                counts[kind] += 1
                if counts[kind] <= (MAX_ROWS if kind is SectionRelocation else MAX_OF_TYPE):
                    self._anywhere.append(fact)
                if isinstance(fact, Listing) and fact.function:
                    self._listings[fact.function].append(fact)
                continue
            if isinstance(fact, BootCpu) or (isinstance(fact, KernelVersion) and fact.banner):
                # The banner follows `Booting Linux on physical CPU` by a line or two: one boot, not two.
                boot = boot if 0 <= line - boot <= BANNER_LINES else line
                self._boots.append((line, boot))
            self._facts.append(fact)
            counts[kind, boot] += 1
            if counts[kind, boot] <= MAX_OF_TYPE and not isinstance(fact, _DUMP):
                self._early.append(fact)
        self._records = sorted(
            (r for r in text.reports if r.kind is Kind.HARDWARE_ERROR), key=_last_line
        )
        self._at_line = [d for d in text.damage if d.span.first_line == d.span.last_line]
        self._at_line.sort(key=_first_line)
        self._other_kernels = _ends_of_other_kernels(text.reports)
        self._over_lines = [d for d in text.damage if d.span.first_line != d.span.last_line]

    def context_of(self, report: LogReport) -> tuple[Fact, ...]:
        """Return the facts outside a report that belong to its boot, and what the writer added anywhere; by line.

        A stray frame counts only where the report has no trace of the fault itself. A listing of a function that the
        report names is there however many listings there are.
        """
        first, last = report.span.first_line, report.span.last_line
        place = bisect_right(self._boots, (first, last))
        boot = self._boots[place - 1][1] if place else 0
        boot = max(boot, self._other_kernels.get(id(report), 0))
        near = max(boot, first - NEAR_LINES)
        found = [
            *self._anywhere,
            *_between(self._early, boot, near - 1),
            *_between(self._facts, near, last)[:MAX_NEAR],
            *self._foretold(report),
        ]
        if any(isinstance(fact, Frame) and fact.role is TraceRole.FAULT for fact in report.facts):
            found = [fact for fact in found if not isinstance(fact, Frame)]
        taken = set(map(id, self._anywhere))
        for name in _names(report):
            for listing in self._listings.get(name, ())[:MAX_OF_TYPE]:
                if id(listing) not in taken:
                    taken.add(id(listing))
                    found.append(listing)
        return tuple(sorted(found, key=_line))

    def _foretold(self, report: LogReport) -> Iterable[Fact]:
        """Return what firmware recorded of the error that the report is the delivery of."""
        if report.follows is None:
            return ()
        first = report.span.first_line
        place = bisect_left(self._records, first, key=_last_line) - 1
        if place < 0 or first - _last_line(self._records[place]) > RECORD_LINES:
            return ()
        facts = self._records[place].facts
        return (f for f in facts if isinstance(f, HardwareRecord | MemoryFailure | EdacError))

    def branches_of(self, listing: Listing) -> tuple[IndirectBranch, ...]:
        """Return the indirect branches of a listing of this log, found once for all reports."""
        found = self._branches.get(id(listing))
        if found is None:
            found = self._branches[id(listing)] = tuple(find_indirect_branches(listing))
        return found

    def damage_within(self, span: Span) -> tuple[Damage, ...]:
        """Return the damage to lines of a span, in order."""
        start = bisect_left(self._at_line, span.first_line, key=_first_line)
        stop = bisect_right(self._at_line, span.last_line, key=_first_line)
        over = (
            d
            for d in self._over_lines
            if d.span.last_line >= span.first_line and d.span.first_line <= span.last_line
        )
        return tuple(sorted((*self._at_line[start:stop], *over), key=_first_line))


def _ends_of_other_kernels(reports: Sequence[LogReport]) -> dict[int, int]:
    """Return by identity of a report the last line of the nearest earlier one whose kernel is another version.

    Several crashes in one mail: what an earlier kernel printed at its boot says nothing of a later one.
    """
    known = [(r, release) for r in reports if (release := _release(r)) is not None]
    ended = sorted(known, key=lambda item: item[0].span.last_line)
    ends: dict[int, int] = {}
    n_ended = 0
    latest: dict[
        str, int
    ] = {}  # the last two releases that ended, newest last: a third is never nearest
    for report, release in sorted(known, key=lambda item: item[0].span.first_line):
        while n_ended < len(ended) and ended[n_ended][0].span.last_line < report.span.first_line:
            other, other_release = ended[n_ended]
            latest.pop(other_release, None)
            latest[other_release] = other.span.last_line
            if len(latest) > 2:
                del latest[next(iter(latest))]
            n_ended += 1
        ends[id(report)] = max((end for r, end in latest.items() if r != release), default=0)
    return ends


def _release(report: LogReport) -> str | None:
    return next((f.release for f in report.facts if isinstance(f, KernelVersion)), None)


def _line(fact: Fact) -> int:
    return fact.source.line or 0


def _last_line(report: LogReport) -> int:
    return report.span.last_line


def _first_line(damage: Damage) -> int:
    return damage.span.first_line


def _between(facts: list[Fact], first: int, last: int) -> list[Fact]:
    return facts[bisect_left(facts, first, key=_line) : bisect_right(facts, last, key=_line)]


def _names(report: LogReport) -> Iterable[str]:
    """Return the symbols that a report names, in order."""
    refs = (getattr(fact, "ref", None) for fact in report.facts)
    return dict.fromkeys(ref.symbol for ref in refs if isinstance(ref, SymbolRef))
