"""Evaluate every cause on one case, and rank them."""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from msgspec import structs

from whypanic.causes import rules
from whypanic.causes.api import Cause
from whypanic.causes.case import CaseView
from whypanic.causes.image import rests_on_unknown_image
from whypanic.model.claims import Claim, NextStep, Remedy, Sense, Strength, Verdict
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


OWN_ERROR = "an error in this rule itself, please report it"
"""What `missing` says where a rule raised an exception; the tests allow it nowhere."""


class Assessment(NamedTuple):
    """One cause as it stands for one case."""

    id: str
    title: str
    verdict: Verdict
    claims: tuple[Claim, ...]
    missing: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    next: tuple[NextStep, ...]
    specificity: int


@cache
def declared_causes() -> tuple[Cause, ...]:
    """Return every cause under `causes/rules/`, sorted by id.

    :raises ValueError: if two have the same id.
    """
    found: dict[str, Cause] = {}
    for info in pkgutil.iter_modules(rules.__path__):
        module = importlib.import_module(f"{rules.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Cause) and value.module == module.__name__:
                if value.id in found:
                    message = f"cause declared twice: {value.id}"
                    raise ValueError(message)
                found[value.id] = value
    return tuple(found[key] for key in sorted(found))


def verdict_of(claims: Iterable[Claim]) -> Verdict:
    """Return what claims add up to: one refutation outweighs everything."""
    verdict = Verdict.NOT_EVALUATED
    strengths = set()
    for claim in claims:
        if claim.sense is Sense.REFUTES:
            return Verdict.REFUTED
        strengths.add(claim.strength)
        verdict = Verdict.POSSIBLE
    if strengths & {Strength.STATED, Strength.READ, Strength.EXECUTED}:
        return Verdict.PROVEN
    if Strength.DISCRIMINATING in strengths:
        return Verdict.SUPPORTED
    return verdict


def assess(case: CaseView) -> tuple[Assessment, ...]:
    """Return every cause that has something to say of this case, best first; never empty."""
    # EL2's own exception, seen by the lab, has the causes that it would have if the host had printed it.
    views = {Kind.HYP_PANIC: CaseView(Kind.HYP_PANIC, case.facts)} if case.at_el2 else {}
    views[case.kind] = case
    found = [
        a
        for c in declared_causes()
        for view in [v for kind, v in views.items() if kind in c.kinds][-1:]
        if (a := _assess_one(c, view))
    ]
    if not any(_RANK[a.verdict] <= _RANK[Verdict.POSSIBLE] for a in found):
        found.append(_unknown(case))
    return tuple(sorted(found, key=rank_key))


def _assess_one(cause: Cause, case: CaseView) -> Assessment | None:
    missing = tuple(cls.__name__ for cls in cause.needs if case.get(cls) is None)
    claims: list[Claim] = []
    remedies: list[Remedy] = []
    steps: list[NextStep] = []
    if not missing:
        try:
            statements = tuple(cause.evaluate(case))
        except Exception as error:  # one broken rule must not lose the report
            missing, statements = (f"{OWN_ERROR}: {error!r}",), ()
        for statement in statements:
            if isinstance(statement, Claim):
                if not rests_on_unknown_image(case, statement):
                    claims.append(_as_far_as_said(statement))
            elif isinstance(statement, Remedy):
                remedies.append(statement)
            else:
                steps.append(statement)
        if not claims and not missing:
            return None
    verdict = verdict_of(claims)
    if verdict is Verdict.REFUTED:
        remedies, steps = [], []
    return Assessment(
        id=cause.id,
        title=cause.title,
        verdict=verdict,
        claims=tuple(claims),
        missing=missing,
        remedies=tuple(remedies),
        next=tuple(steps),
        specificity=cause.specificity,
    )


def _as_far_as_said(claim: Claim) -> Claim:
    """Return the claim; only supporting where the words it takes for the kernel's are inferred from what they left."""
    heads = [fact for fact in claim.facts if isinstance(fact, Headline)]
    is_said = len(heads) < len(claim.facts) or not all(head.inferred for head in heads)
    if claim.strength is not Strength.STATED or is_said:
        return claim
    return structs.replace(claim, strength=Strength.DISCRIMINATING)


def rank_key(assessment: Assessment) -> tuple[int, int, int, int, str]:
    """Return the key by which causes are ranked, best first."""
    facts = {
        (f.source.input, f.source.line, f.statement)
        for c in assessment.claims
        if c.sense is Sense.SUPPORTS
        for f in c.facts
    }
    unknown = assessment.id == "unknown"
    return (
        _RANK[assessment.verdict],
        0 if unknown else 1,
        -assessment.specificity,
        -len(facts),
        assessment.id,
    )


def _unknown(case: CaseView) -> Assessment:
    from whypanic.causes.unknown import next_steps

    return Assessment(
        id="unknown",
        title="nothing in the text decides the cause",
        verdict=Verdict.POSSIBLE,
        claims=(),
        missing=(),
        remedies=(),
        next=tuple(next_steps(case)),
        specificity=0,
    )
