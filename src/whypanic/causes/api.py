"""How a cause is declared."""

from collections.abc import Callable
from typing import Any, NamedTuple

from whypanic.causes.case import CaseView
from whypanic.model.claims import Statements
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact

Evaluate = Callable[[CaseView], Statements]


class Cause(NamedTuple):
    """One declared cause."""

    id: str
    title: str
    kinds: frozenset[Kind]
    """Kinds of report it can explain; for others it is not listed at all."""
    needs: tuple[type[Fact], ...]
    """Facts without which it is `not-evaluated`."""
    specificity: int
    """Rank within a verdict: a mechanism that says more stands before one that says less (0..9)."""
    evaluate: Evaluate
    module: str


def cause(
    *,
    id: str,
    title: str,
    kinds: frozenset[Kind],
    needs: tuple[type[Fact], ...] = (),
    specificity: int = 5,
) -> Callable[[Evaluate], Cause]:
    """Declare the decorated function as a cause.

    The function yields `Claim`, `Remedy` and `NextStep`. The engine makes the verdict: refuted where any claim
    refutes, proven where one is stated, executed or read off the crashed image, supported where one discriminates,
    possible where the rest are consistent. A cause that yields no claim at all has nothing to say of this report and
    is left out.
    """

    def register(evaluate: Evaluate) -> Cause:
        module: Any = evaluate.__module__
        return Cause(id, title, kinds, needs, specificity, evaluate, module)

    return register
