"""Reports of a capture too large to be held: explained one by one, in bounded memory."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from whypanic.app.analysis import Explained, explain_report
from whypanic.app.surroundings import ANYWHERE, BANNER_LINES, MAX_OF_TYPE, Surroundings
from whypanic.crashlog.quotes import MAX_COMPARED
from whypanic.crashlog.read import LogReader, harvests
from whypanic.crashlog.windows import Capture
from whypanic.model.context import BootCpu, KernelVersion
from whypanic.model.provenance import Fact
from whypanic.model.report import LogReport, LogText

MAX_HELD_FACTS = 40_000
"""Of reports that wait for copies of themselves."""
RECENT = 16
"""Reports before one whose kernels are compared with its own."""


class _Waiting(NamedTuple):
    """A report that a copy further on may still complete."""

    report: LogReport
    around: Surroundings


def explain_stream(chunks: Iterable[bytes], index: int = 0) -> Iterator[tuple[int, Explained]]:
    """Yield the reports of a text, explained, each with its place among all of the text.

    A report is yielded once no later one can be a copy of it: those are folded into one. What a writer added behind a
    report, far from it, is not known to it.
    """
    reader = LogReader(index, limit=None, keep=False)
    waiting: dict[int, _Waiting] = {}
    before = _Before()
    n_out = 0
    for harvest in harvests(Capture(chunks), reader):
        if harvest.changed:
            recent = {**dict(list(reader.twins.reports.items())[-RECENT:]), **harvest.changed}
            around = Surroundings(
                LogText(
                    reports=tuple(recent.values()),
                    context=tuple(
                        sorted((*before.facts(), *harvest.context, *harvest.near), key=_line)
                    ),
                    n_lines=0,
                    n_understood=0,
                    damage=harvest.damage,
                )
            )
            for place, report in harvest.changed.items():
                if place in waiting:
                    waiting[place] = waiting[place]._replace(report=report)
                elif place >= n_out:
                    waiting[place] = _Waiting(report, around)
        before.add(harvest.context)
        n_facts = sum(len(item.report.facts) for item in waiting.values())
        while len(waiting) > MAX_COMPARED or n_facts > MAX_HELD_FACTS:
            item = waiting.pop(n_out)
            n_facts -= len(item.report.facts)
            yield n_out, explain_report(item.report, item.around)
            n_out += 1
    for place, item in waiting.items():
        yield place, explain_report(item.report, item.around)


class _Before:
    """What the text said so far that a later report of the same boot may need."""

    def __init__(self) -> None:
        self._anywhere: list[Fact] = []
        self._boot: list[Fact] = []
        self._counts: Counter[type[Fact]] = Counter()
        self._banner = -BANNER_LINES

    def facts(self) -> Iterator[Fact]:
        """Yield them, bounded in number."""
        yield from self._anywhere
        yield from self._boot

    def add(self, facts: Iterable[Fact]) -> None:
        """Take note of facts, by line; a boot makes those before it void."""
        for fact in facts:
            if isinstance(fact, BootCpu) or (isinstance(fact, KernelVersion) and fact.banner):
                if _line(fact) - self._banner > BANNER_LINES:
                    self._boot.clear()
                    self._counts = Counter(type(known) for known in self._anywhere)
                self._banner = _line(fact)
            self._counts[type(fact)] += 1
            if self._counts[type(fact)] <= MAX_OF_TYPE:
                (self._anywhere if isinstance(fact, ANYWHERE) else self._boot).append(fact)


def _line(fact: Fact) -> int:
    return fact.source.line or 0
