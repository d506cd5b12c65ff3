"""Facts as evidence in the document."""

from collections.abc import Iterable

from whypanic.model.provenance import Fact
from whypanic.report.document import DocFact, hexadecimal

_MAX_FACTS = 24
_WIDTH = 240


def fact_of(fact: Fact) -> DocFact:
    """Return a fact as evidence: its words, and where they stand."""
    words = " ".join(fact.statement.split())
    if len(words) > _WIDTH:
        words = words[: _WIDTH - 3] + "..."
    source = fact.source
    return DocFact(
        text=words,
        source=source.origin.value,
        line=source.line,
        address=None if source.address is None else hexadecimal(source.address),
    )


def facts_of(facts: Iterable[Fact]) -> list[DocFact]:
    """Return facts without repetition, bounded."""
    found: list[DocFact] = []
    for fact in facts:
        entry = fact_of(fact)
        if entry not in found:
            found.append(entry)
    return found[:_MAX_FACTS]
