"""Every rule declares causes, each cause stands in the vocabulary and has cases for and against it."""

import re

import pytest

from builders.repository import ROOT, SOURCE
from whypanic.causes.api import Cause
from whypanic.causes.engine import declared_causes
from whypanic.model.kinds import Kind

CASES = ROOT / "tests" / "cases"
VOCABULARY = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
CAUSES = declared_causes()


def _words(title: str) -> set[str]:
    section = VOCABULARY.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE))


def _verdicts(cause: Cause) -> set[str]:
    """The verdicts that the reports of a cause's case file give to it."""
    path = CASES / f"{cause.id}.md"
    if not path.exists():
        return set()
    reports = re.findall(r"^```report\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    line = re.compile(rf"^{re.escape(cause.id)} +([A-Z-]+)", re.MULTILINE)
    return {verdict for report in reports for verdict in line.findall(report)}


def test_every_rule_file_declares_a_cause() -> None:
    declaring = {cause.module.rpartition(".")[2] for cause in CAUSES}
    assert {p.stem for p in (SOURCE / "causes" / "rules").glob("[!_]*.py")} == declaring


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.id)
def test_cause_is_shown_to_hold_and_to_be_refuted(cause: Cause) -> None:
    verdicts = _verdicts(cause)
    path = f"tests/cases/{cause.id}.md"
    assert verdicts & {"PROVEN", "SUPPORTED", "POSSIBLE"}, f"{path}: no case in which it holds"
    assert "REFUTED" in verdicts, f"{path}: no case in which it is refuted"


def test_every_cause_is_in_the_vocabulary() -> None:
    assert {cause.id for cause in CAUSES} - _words("Causes") == set()


def test_vocabulary_has_exactly_the_kinds() -> None:
    assert _words("Kinds of report") == set(Kind)


def test_case_files_belong_to_causes_or_say_so() -> None:
    ids = {cause.id for cause in CAUSES} | {"unknown"}
    orphans = [p.name for p in CASES.glob("*.md") if p.stem not in ids and "-and-" not in p.stem]
    assert orphans == []
