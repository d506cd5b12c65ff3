"""What the reading of one log yields."""

from msgspec import Struct

from whypanic.model.kinds import Kind
from whypanic.model.provenance import Damage, Fact, Span


class LogReport(Struct, frozen=True, kw_only=True):
    """One crash report found in an input."""

    kind: Kind
    title: str
    """One line without addresses that vary, e.g. `NULL pointer dereference in foo`."""
    span: Span
    facts: tuple[Fact, ...]
    """In order of appearance; context of the boot it belongs to is not repeated here."""
    follows: int | None = None
    """Index in `LogText.reports` of the report that this one is a consequence of."""
    damage: tuple[Damage, ...] = ()
    unparsed: tuple[Span, ...] = ()
    """Lines inside the span that were not understood."""
    n_lines: int = 0
    """Lines inside the span that are not blank."""
    n_understood: int = 0
    """Those among them that became facts or are structure of a report: bars, heads of traces, snips."""


class LogText(Struct, frozen=True, kw_only=True):
    """One input, read."""

    reports: tuple[LogReport, ...]
    context: tuple[Fact, ...]
    """Facts outside the reports: boot lines, listings, addr2line results, compilers. In order of appearance."""
    n_lines: int
    n_understood: int
    """Lines inside reports that became facts, and context lines that did."""
    damage: tuple[Damage, ...] = ()
