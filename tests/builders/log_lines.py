"""Facts of single lines and of small logs, for the tests of the log reader."""

from typing import TypeVar

from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.read import read_log
from whypanic.crashlog.recognise import Recognised, recognise
from whypanic.model.provenance import Fact
from whypanic.model.report import LogReport

F = TypeVar("F", bound=Fact)


def recognised(text: str, *, in_trace: bool = False) -> Recognised:
    """Return what one line turns out to be."""
    return recognise(read_lines(text.encode()).lines[0], 0, in_trace=in_trace)


def facts(text: str, cls: type[F], *, in_trace: bool = False) -> list[F]:
    """Return the facts of one type that one line yields."""
    return [f for f in recognised(text, in_trace=in_trace).facts if isinstance(f, cls)]


def fact(text: str, cls: type[F], *, in_trace: bool = False) -> F:
    """Return the only fact of one type that one line yields."""
    (found,) = facts(text, cls, in_trace=in_trace)
    return found


def reports(text: str) -> tuple[LogReport, ...]:
    """Return the reports of a log."""
    return read_log(text.encode()).reports


def report(text: str) -> LogReport:
    """Return the only report of a log."""
    (found,) = reports(text)
    return found


def of(found: LogReport, cls: type[F]) -> list[F]:
    """Return the facts of one type of a report."""
    return [f for f in found.facts if isinstance(f, cls)]
