"""What a cause says, and what the engine makes of it."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from whypanic.model.provenance import Fact


class Sense(StrEnum):
    SUPPORTS = "supports"
    REFUTES = "refutes"


class Verdict(StrEnum):
    """In order of rank."""

    PROVEN = "proven"
    SUPPORTED = "supported"
    POSSIBLE = "possible"
    NOT_EVALUATED = "not-evaluated"
    REFUTED = "refuted"


class Strength(StrEnum):
    """How far a supporting claim carries."""

    CONSISTENT = "consistent"
    """Fits, but fits rivals too: `possible`."""
    DISCRIMINATING = "discriminating"
    """Fits this and not its rivals: `supported`."""
    STATED = "stated"
    """The kernel's own words state the mechanism: `proven` where the contract allows."""
    READ = "read"
    """Read off the image that crashed, and it explains every value: `proven`."""
    EXECUTED = "executed"
    """A replay from QEMU or a lab boot did it again."""


class Claim(Struct, frozen=True, kw_only=True):
    """One sentence tied to at least one fact."""

    sense: Sense
    text: str
    facts: tuple[Fact, ...]
    strength: Strength = Strength.CONSISTENT


class Remedy(Struct, frozen=True):
    text: str
    patch: str | None = None


class NextStep(Struct, frozen=True):
    text: str
    command: str | None = None


Statement = Claim | Remedy | NextStep
Statements = Iterator[Statement]


def supports(text: str, fact: Fact, *facts: Fact) -> Claim:
    """Return a claim that discriminates for a cause."""
    return Claim(
        sense=Sense.SUPPORTS, text=text, facts=(fact, *facts), strength=Strength.DISCRIMINATING
    )


def consistent(text: str, fact: Fact, *facts: Fact) -> Claim:
    """Return a claim that fits a cause but does not tell it from its rivals."""
    return Claim(sense=Sense.SUPPORTS, text=text, facts=(fact, *facts))


def stated(text: str, fact: Fact, *facts: Fact) -> Claim:
    """Return a claim that the kernel's own words state the mechanism."""
    return Claim(sense=Sense.SUPPORTS, text=text, facts=(fact, *facts), strength=Strength.STATED)


def refutes(text: str, fact: Fact, *facts: Fact) -> Claim:
    """Return a claim that a necessary consequence of the cause is contradicted."""
    return Claim(sense=Sense.REFUTES, text=text, facts=(fact, *facts))
