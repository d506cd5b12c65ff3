"""Reports that stand twice in a text because a reply quotes them: one is kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import asdict, replace

from whypanic.model.context import Task
from whypanic.model.fault import FaultAddress, Headline, InternalError, StackRange
from whypanic.model.hyp import HypPanic, HypPanicAt
from whypanic.model.provenance import Damage, Fact
from whypanic.model.registers import Register
from whypanic.model.report import LogReport
from whypanic.model.trace import Frame

if TYPE_CHECKING:
    from collections.abc import Hashable

_TELLING = (HypPanic, HypPanicAt, Register, InternalError, FaultAddress, StackRange, Task)
ENOUGH = 3
"""Facts with values of one run that must agree before two reports are the same one."""
ENOUGH_QUOTED = 2
"""The same where one of the two is quoted deeper: that is what a reply looks like."""

MAX_COMPARED = 64
"""Reports before one that are looked at for its twin."""


class Mark(NamedTuple):
    """What tells two reports apart."""

    facts: "frozenset[Hashable]"
    usec: int | None
    """The first stamp."""
    quote: int
    """Depth of quoting."""


def fingerprint(facts: Sequence[Fact]) -> "frozenset[Hashable]":
    """Return what the facts say that differs from crash to crash, without where it stood."""
    found: set[Hashable] = set()
    for fact in facts:
        if isinstance(fact, Register):
            found.add((fact.name, fact.value, fact.ref))
        elif isinstance(fact, HypPanic):
            found.update(
                (name, value)
                for name, value in asdict(fact).items()
                if name not in ("source", "esr_digits") and value is not None
            )
        elif isinstance(fact, Headline):
            found.add((fact.kind, fact.address, fact.cpu, fact.pid, fact.line, fact.target))
        elif isinstance(fact, Frame):
            found.add((fact.address, fact.ref))
        elif isinstance(fact, _TELLING):
            found.add((type(fact), *(v for k, v in asdict(fact).items() if k != "source")))
    return frozenset(found)


def is_same_crash(
    first: "frozenset[Hashable]", second: "frozenset[Hashable]", *, quoted: bool = False
) -> bool:
    """One of the two says nothing that the other does not, and enough to tell crashes apart.

    :param quoted: one of the two is quoted deeper than the other.
    """
    small, big = sorted((first, second), key=len)
    return len(small) >= (ENOUGH_QUOTED if quoted else ENOUGH) and small <= big


class Twins:
    """Finds the report that a later one repeats.

    :param keep: all reports stay in `reports`, not only those that a later one is compared with.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.keep = keep
        self.reports: dict[int, LogReport] = {}
        """By place, in order."""
        self.marks: dict[int, Mark] = {}
        self.n_reports = 0

    def add(self, report: LogReport, mark: Mark) -> int:
        """Return the place of the report, or of the earlier one that it repeats."""
        for place, other in self.marks.items():
            known = self.reports[place]
            same_time = mark.usec is None or other.usec is None or mark.usec == other.usec
            quoted = mark.quote != other.quote
            if (
                same_time
                and known.kind is report.kind
                and is_same_crash(other.facts, mark.facts, quoted=quoted)
            ):
                self.reports[place] = _folded(known, report)
                self.marks[place] = other._replace(facts=other.facts | mark.facts)
                return place
        place = self.n_reports
        self.n_reports += 1
        self.reports[place] = report
        self.marks[place] = mark
        oldest = place - MAX_COMPARED
        if self.marks.pop(oldest, None) is not None and not self.keep:
            del self.reports[oldest]
        return place


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
        n_lines=first.n_lines,
        n_understood=first.n_understood,
    )
