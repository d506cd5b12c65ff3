"""Real labelled logs, where a folder of them lies beside the repository."""

import importlib.util
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from builders.repository import ROOT

FOLDER = ROOT.parent / "shared" / "cases"
SHARE = 0.95

pytestmark = pytest.mark.skipif(
    not (FOLDER / "cases.jsonl").is_file(),
    reason="no labelled logs: `cases.jsonl` is missing in ../shared/cases beside the repository",
)


@cache
def scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", ROOT / "tools" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def outcomes() -> list[Any]:
    return list(scorer().score(FOLDER))


def share(what: str) -> float:
    faults = [o for o in outcomes() if o.is_fault]
    return sum(o.hits[what] for o in faults) / len(faults)


@pytest.mark.parametrize("what", ["kind", "cause", "blame", "never"])
def test_faults_and_hyp_panics(what: str) -> None:
    missed = [o.label["id"] for o in outcomes() if o.is_fault and not o.hits[what]]
    assert share(what) >= SHARE, missed


def test_nothing_is_proven_that_the_text_does_not_prove() -> None:
    assert [(o.label["id"], o.proven) for o in outcomes() if o.proven] == []


def test_kinds_over_all() -> None:
    hits = [o.hits["kind"] for o in outcomes()]
    assert sum(hits) / len(hits) >= SHARE


def test_the_reference_mail_as_it_was_posted() -> None:
    from whypanic.app.explain import explain_input
    from whypanic.app.inputs import read_input

    (mail,) = FOLDER.glob("000-*.txt")
    (explained,) = explain_input(read_input(str(mail))).explained
    best = explained.assessments[0]
    assert (best.id, best.verdict.value) == ("absolute-jump-table-at-el2", "supported")
