"""Call traces."""

from enum import StrEnum

from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef


class TraceRole(StrEnum):
    """Whose stack a trace shows."""

    FAULT = "fault"
    """Printed by die() or by the report itself: starts at the faulting code."""
    PANIC = "panic"
    """Printed by panic(): starts with reporting functions."""
    HYP = "hyp"
    """`nVHE call trace`."""
    OTHER = "other"
    """Another task or CPU, an allocation or free stack."""


class Frame(Fact, frozen=True, kw_only=True):
    """One line of a call trace, innermost first."""

    address: int | None = None
    """The raw return address where the kernel printed it."""
    ref: SymbolRef | None = None
    trace: int = 0
    """Ordinal of the call trace in the report."""
    role: TraceRole = TraceRole.FAULT
    suffix: str = ""
    """Letters in parentheses since 6.13: P, C, T, U, F, K, L."""
    unreliable: bool = False
    """A `?` stood before the symbol."""
    file: str | None = None
    """Where the text was already symbolised."""
    line: int | None = None
    inlined: bool = False
    label: str = ""
    """The line above its trace that says whose it is: `Freed by task 12:`."""
