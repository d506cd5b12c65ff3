"""Run every rule on one image."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import NamedTuple

from whypanic.audit import rules
from whypanic.audit.api import Rule
from whypanic.audit.view import AuditView
from whypanic.model.audit import Finding, Level

_ORDER = tuple(Level)
MAX_FINDINGS = 10_000
"""Of one rule; a hostile image must not fill memory."""


class Broken(NamedTuple):
    """A rule that raised an exception: a bug of ours, said and not hidden."""

    rule: str
    reason: str


@cache
def declared_rules() -> tuple[Rule, ...]:
    """Return every rule under `audit/rules/`, by number.

    :raises ValueError: if two have the same id or number.
    """
    found: dict[str, Rule] = {}
    for info in pkgutil.iter_modules(rules.__path__):
        module = importlib.import_module(f"{rules.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Rule) and value.module == module.__name__:
                if any(value.id == r.id or value.number == r.number for r in found.values()):
                    message = f"rule declared twice: {value.number} {value.id}"
                    raise ValueError(message)
                found[value.number] = value
    return tuple(found[key] for key in sorted(found))


def find(
    view: AuditView,
    wanted: Collection[str] = (),
    begins: Callable[[Rule], object] | None = None,
) -> tuple[tuple[Finding, ...], tuple[Broken, ...]]:
    """Return the findings, errors first and then by address, and the rules that failed.

    :param wanted: ids or numbers of rules; () for all.
    :param begins: called before each rule that runs.
    """
    findings: list[Finding] = []
    broken: list[Broken] = []
    for rule in declared_rules():
        if wanted and rule.id not in wanted and rule.number not in wanted:
            continue
        if not view.named(rule.domains):
            continue
        if begins is not None:
            begins(rule)
        try:
            findings.extend(_checked(rule, view))
        except Exception as error:  # one broken rule must not lose the others
            broken.append(Broken(rule.id, repr(error)))
    return _unique(findings), tuple(broken)


def _checked(rule: Rule, view: AuditView) -> list[Finding]:
    found: list[Finding] = []
    for finding in rule.check(view):
        found.append(finding)
        if len(found) >= MAX_FINDINGS:
            break
    return found


def _unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings in order; one place breaks one rule once."""
    unique = {(f.rule, f.place, f.title): f for f in findings}
    return tuple(
        sorted(unique.values(), key=lambda f: (_ORDER.index(f.level), f.place, f.rule, f.title))
    )
