"""How an audit rule is declared."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from whypanic.audit.view import AuditView
from whypanic.model.audit import Finding

Check = Callable[[AuditView], Iterator[Finding]]


class Rule(NamedTuple):
    """One declared rule. Its module's docstring is its documentation."""

    number: str
    """R01 ..., as in the catalogue of rules."""
    id: str
    title: str
    """What breaks, as one lower-case clause."""
    domains: tuple[str, ...]
    """Domains whose code or data it looks at; `own` and `*` as for `AuditView.named`."""
    check: Check
    module: str


def rule(*, number: str, id: str, title: str, domains: tuple[str, ...]) -> Callable[[Check], Rule]:
    """Declare the decorated function as a rule.

    The function yields a `Finding` for each place, in any order; it may look at everything the view offers and must be
    deterministic. A domain that the image does not have is passed over.
    """

    def register(check: Check) -> Rule:
        module: Any = check.__module__
        return Rule(number, id, title, domains, check, module)

    return register
