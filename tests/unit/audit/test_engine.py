from collections.abc import Iterator

import pytest

from builders.audits import BROKEN, INDIRECT, QUIET, declare, finding
from builders.hyp_images import link_4_14
from builders.stage2 import stage2
from whypanic.audit import engine
from whypanic.audit.api import Rule
from whypanic.audit.engine import declared_rules, find
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Finding, Level


@pytest.fixture
def view() -> AuditView:
    return AuditView(open_image(link_4_14(stage2())))


def made(*findings: Finding, domains: tuple[str, ...] = ("hyp",)) -> Rule:
    return Rule("R09", "made", "x", domains, lambda _: iter(findings), "made_up_rules.made")


def test_rules_are_declared_by_number() -> None:
    numbers = [rule.number for rule in declared_rules()]
    assert numbers == sorted(numbers)
    assert numbers[:2] == ["R01", "R02"]


def test_broken_rule_loses_no_other(view: AuditView, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, BROKEN, INDIRECT, QUIET)
    begun: list[str] = []
    findings, broken = find(view, begins=lambda rule: begun.append(rule.id))
    assert [f.rule for f in findings] == ["indirect-branch"]
    assert [(b.rule, b.reason) for b in broken] == [("broken-rule", "KeyError('no such register')")]
    assert begun == ["broken-rule", "indirect-branch", "quiet-rule"]


@pytest.mark.parametrize("wanted", ["R01", "indirect-branch"])
def test_wanted_rules(view: AuditView, monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    declare(monkeypatch, BROKEN, INDIRECT)
    findings, broken = find(view, (wanted,))
    assert (len(findings), broken) == (1, ())


def test_rule_without_its_domains_does_not_run(
    view: AuditView, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, made(finding(1), domains=("vdso", "own")))
    assert find(view) == ((), ())


def test_order_and_uniqueness(view: AuditView, monkeypatch: pytest.MonkeyPatch) -> None:
    low = finding(4, level=Level.WARNING)
    declare(monkeypatch, made(low, finding(9), finding(8), finding(9), low))
    findings, _ = find(view)
    assert [(f.level, f.place) for f in findings] == [("error", 8), ("error", 9), ("warning", 4)]


def test_endless_rule_ends(view: AuditView, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_view: AuditView) -> Iterator[Finding]:
        place = 0
        while True:
            place += 4
            yield finding(place)

    monkeypatch.setattr(engine, "MAX_FINDINGS", 5)
    declare(monkeypatch, made()._replace(check=endless))
    assert len(find(view)[0]) == 5
