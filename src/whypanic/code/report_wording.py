"""Which half of the kernel's addresses is the linear map, by how a report is worded; the last resort.

The map was turned over in 5.4. `Exception class =` was printed up to 5.2, p4d entries since 5.8, an ESR of 16 digits
since 5.19 and in 5.15.y.
"""

from collections.abc import Iterable
from typing import NamedTuple

from whypanic.model.fault import PageWalk, PrintedField, Syndrome, SyndromePlace
from whypanic.model.provenance import Fact

WORDED: tuple[type[Fact], ...] = (PrintedField, PageWalk, Syndrome)
"""The facts whose wording tells."""
_WIDE_ESR_DIGITS = 16


class Told(NamedTuple):
    lower: bool
    """The linear map is the lower half (5.4 and later)."""
    fact: Fact
    how: str


def told_by_wording(facts: Iterable[Fact]) -> Told | None:
    """Return what the first telling fact says; None where none does."""
    for fact in facts:
        told = _told(fact)
        if told is not None:
            return told
    return None


def _told(fact: Fact) -> Told | None:
    if isinstance(fact, PrintedField):
        if fact.name == "EC" and "Exception class" in fact.source.text:
            return Told(False, fact, "the wording of the report, that of 5.2 or older")
    elif isinstance(fact, PageWalk):
        if any(entry.name == "p4d" for entry in fact.entries):
            return Told(True, fact, "the wording of the report, that of 5.8 or newer")
    elif (
        isinstance(fact, Syndrome)
        and fact.place is SyndromePlace.MEM_ABORT
        and fact.n_digits == _WIDE_ESR_DIGITS
    ):
        return Told(True, fact, "the wording of the report, that of 5.15 or newer")
    return None
