"""Every rule of the audit is declared once, documented, shown to fire and shown not to."""

import ast
from pathlib import Path

import pytest

from builders.repository import ROOT, SOURCE
from whypanic.audit.api import Rule
from whypanic.audit.engine import declared_rules
from whypanic.audit.rule_text import LABELS, rule_text

RULES = declared_rules()
NUMBERS = {
    "R01": "absolute-jump-table", "R02": "absolute-pointer-table", "R03": "uncovered-hyp-relocation",
    "R04": "call-leaves-hyp-text", "R05": "reference-leaves-hyp-mapping", "R06": "absolute-literal",
    "R07": "absolute-movw", "R08": "got-reference", "R09": "absolute-veneer", "R10": "instrumented-domain",
    "R11": "shadow-call-stack-in-domain", "R12": "stack-protector-in-domain", "R13": "pac-across-enable",
    "R14": "missing-bti-pad", "R15": "fp-in-domain", "R16": "cfi-in-domain", "R17": "extable-in-domain",
    "R18": "jump-label-in-domain", "R19": "alternative-never-applied", "R20": "alternative-encoding",
    "R22": "read-before-bss-clear", "R23": "read-before-relocation", "R24": "mmu-off-access", "R25": "domain-span",
    "R26": "trampoline-reference", "R27": "copied-code-reference", "R28": "vdso-relocation",
    "R29": "unhandled-dynamic-relocation", "R30": "orphan-hyp-section", "R31": "outlined-across-domains",
}  # fmt: skip
"""Ids are in suppressions and dashboards of users: they are never renamed. R21 and R32 are not of the audit."""


def test_every_rule_file_declares_one_rule() -> None:
    declaring = [rule.module.rpartition(".")[2] for rule in RULES]
    assert sorted(declaring) == sorted(
        path.stem for path in (SOURCE / "audit" / "rules").glob("[!_]*.py")
    )


def _id(rule: Rule) -> str:
    return rule.id


@pytest.mark.parametrize("rule", RULES, ids=_id)
def test_number_id_and_file_belong_together(rule: Rule) -> None:
    assert NUMBERS[rule.number] == rule.id
    assert rule.module.endswith(f".{rule.id.replace('-', '_')}")


@pytest.mark.parametrize("rule", RULES, ids=_id)
def test_rule_is_documented(rule: Rule) -> None:
    text = rule_text(rule)
    assert text.missing == ()
    assert text.finds.partition("\n\n")[0].endswith(".")
    assert list(text.parts) == [label for label in LABELS if label in text.parts]
    assert (ROOT / "docs" / "rules" / f"{rule.id}.md").exists(), "run `make docs`"


def _asserts_nothing(function: ast.FunctionDef) -> bool:
    """Tell whether a test says somewhere that there is no finding: `== []`, `== ()`, or `not ...`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            test = node.test
            if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
                return True
            if isinstance(test, ast.Compare) and any(
                isinstance(side, ast.List | ast.Tuple) and not side.elts
                for side in (test.left, *test.comparators)
            ):
                return True
    return False


@pytest.mark.parametrize("rule", RULES, ids=_id)
def test_rule_has_a_fixture_that_fires_and_one_that_must_not(rule: Rule) -> None:
    path: Path = (
        ROOT / "tests" / "unit" / "audit" / "rules" / f"test_{rule.id.replace('-', '_')}.py"
    )
    assert path.exists(), path.relative_to(ROOT)
    tests = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    silent = [_asserts_nothing(test) for test in tests]
    assert any(silent), f"{path.name}: no test in which it must not fire"
    assert not all(silent), f"{path.name}: no test in which it fires"
