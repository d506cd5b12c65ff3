"""Verdicts and ranking."""

import pytest

from whypanic.app.analysis import explain_text
from whypanic.causes import engine
from whypanic.causes.api import Cause, cause
from whypanic.causes.case import CaseView
from whypanic.causes.engine import OWN_ERROR, assess, declared_causes, verdict_of
from whypanic.model.claims import (
    NextStep,
    Remedy,
    Statements,
    Verdict,
    consistent,
    refutes,
    stated,
    supports,
)
from whypanic.model.fault import Headline, PanicMessage
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source

FACT = Headline(source=Source(line=1, text="words"), kind=Kind.PANIC, message="words")
OTHER = Headline(source=Source(line=2, text="more"), kind=Kind.PANIC, message="more")


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ((), Verdict.NOT_EVALUATED),
        ((consistent("a", FACT),), Verdict.POSSIBLE),
        ((consistent("a", FACT), supports("b", FACT)), Verdict.SUPPORTED),
        ((supports("b", FACT), stated("c", FACT)), Verdict.PROVEN),
        ((stated("c", FACT), refutes("d", FACT)), Verdict.REFUTED),
    ],
)
def test_verdict_of_claims(claims: tuple, verdict: Verdict) -> None:
    assert verdict_of(claims) is verdict


def made(id_: str, *statements: object, specificity: int = 5, needs: tuple = ()) -> Cause:
    @cause(
        id=id_,
        title=id_,
        kinds=frozenset({Kind.PANIC}),
        needs=needs,
        specificity=specificity,
    )
    def evaluate(_case: CaseView) -> Statements:
        yield from statements  # type: ignore[misc]

    return evaluate


def ranked(monkeypatch: pytest.MonkeyPatch, *causes: Cause) -> list[tuple[str, str]]:
    monkeypatch.setattr(engine, "declared_causes", lambda: causes)
    return [(a.id, a.verdict.value) for a in assess(CaseView(Kind.PANIC, (FACT,)))]


def test_order_of_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    order = ranked(
        monkeypatch,
        made("a-refuted", refutes("no", FACT)),
        made("b-missing", needs=(PanicMessage,)),
        made("c-possible", consistent("x", FACT)),
        made("d-supported", supports("x", FACT)),
        made("e-proven", stated("x", FACT)),
    )
    assert order == [
        ("e-proven", "proven"),
        ("d-supported", "supported"),
        ("c-possible", "possible"),
        ("b-missing", "not-evaluated"),
        ("a-refuted", "refuted"),
    ]


def test_specificity_then_facts_then_id(monkeypatch: pytest.MonkeyPatch) -> None:
    order = ranked(
        monkeypatch,
        made("b", supports("x", FACT)),
        made("a", supports("x", FACT)),
        made("two-facts", supports("x", FACT, OTHER)),
        made("specific", supports("x", FACT), specificity=8),
    )
    assert [id_ for id_, _ in order] == ["specific", "two-facts", "a", "b"]


def test_nothing_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    order = ranked(monkeypatch, made("a", refutes("no", FACT)))
    assert order[0] == ("unknown", "possible")
    monkeypatch.setattr(engine, "declared_causes", lambda: (made("a", refutes("no", FACT)),))
    assert assess(CaseView(Kind.PANIC, (FACT,)))[0].next


def test_a_cause_without_a_claim_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ranked(monkeypatch, made("silent"), made("b", supports("x", FACT))) == [
        ("b", "supported")
    ]


def test_missing_facts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "declared_causes", lambda: (made("b", needs=(PanicMessage,)),))
    assert assess(CaseView(Kind.PANIC, (FACT,)))[1].missing == ("PanicMessage",)


def test_a_refuted_cause_offers_no_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = made("a", refutes("no", FACT), Remedy(text="r"), NextStep(text="n"))
    monkeypatch.setattr(engine, "declared_causes", lambda: (offered,))
    assessment = assess(CaseView(Kind.PANIC, (FACT,)))[-1]
    assert assessment.remedies == ()
    assert assessment.next == ()


def test_declared_causes_are_sorted_and_unique() -> None:
    ids = [c.id for c in declared_causes()]
    assert ids == sorted(set(ids))
    assert "absolute-jump-table-at-el2" in ids


def test_a_broken_rule_does_not_lose_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    @cause(id="broken", title="broken", kinds=frozenset({Kind.PANIC}))
    def broken(case: CaseView) -> Statements:
        yield supports("x", case.one(PanicMessage))

    order = ranked(monkeypatch, broken, made("b", supports("x", FACT)))
    assert order == [("b", "supported"), ("broken", "not-evaluated")]
    (assessment,) = [a for a in assess(CaseView(Kind.PANIC, (FACT,))) if a.id == "broken"]
    assert assessment.missing[0].startswith(OWN_ERROR)


def test_words_that_were_inferred_prove_nothing() -> None:
    text = b"""\
[    9.0] CPU: 0 PID: 9 Comm: widgetd Not tainted 5.10.0 #1
[    9.0] Call trace:
[    9.0]  dump_stack+0x10/0x1a0
[    9.0]  ___might_sleep+0x38/0xf0
[    9.0]  widget_poll+0x38/0xf0
"""
    ((report, _, assessments, *_),) = explain_text(text)[1]
    assert report.kind is Kind.SLEEP_IN_ATOMIC
    assert Verdict.PROVEN not in {found.verdict for found in assessments}
