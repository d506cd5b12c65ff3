"""Reports that stand twice in a text because a reply quotes them: one is kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from whypanic.model.context import Task
from whypanic.model.fault import FaultAddress, Headline, InternalError, StackRange
from whypanic.model.hyp import HypPanic, HypPanicAt
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register
from whypanic.model.trace import Frame

if TYPE_CHECKING:
    from collections.abc import Hashable

_TELLING = (HypPanic, HypPanicAt, Register, InternalError, FaultAddress, StackRange, Task)
ENOUGH = 3
"""Facts with values of one run that must agree before two reports are the same one."""
ENOUGH_QUOTED = 2
"""The same where one of the two is quoted deeper: that is what a reply looks like."""


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
