"""Every module with code in it has a test file at the mirrored place."""

import ast
from pathlib import Path

from builders.repository import ROOT, SOURCE, modules

# Module below src/whypanic: why it has no twin in tests/unit.
EXEMPT = {
    "causes/api.py": "the declaration of a cause; every rule and test_cases.py use it",
}

# The twin of a rule is its case file (test_cases.py); facts are declarations, and the tests of those who make and read
# them cover their few properties.
UNTWINNED = {SOURCE / "causes" / "rules", SOURCE / "model"}

# Test file below tests/unit: what it tests instead of one module.
NOT_TWINS = {
    "app/test_reference_case.py": "the whole way from the mail of 2017 to the document",
    "crashlog/test_traps.py": "the traps of real text, each by its number, across lines, blocks, causes and frames",
}


def _has_code(path: Path) -> bool:
    """A function that does something: neither a stub of a protocol nor a docstring alone."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not all(isinstance(s, ast.Expr | ast.Pass) for s in node.body)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def _twin(path: Path) -> Path:
    below = path.relative_to(SOURCE)
    return ROOT / "tests" / "unit" / below.parent / f"test_{below.stem}.py"


def _need_twins() -> list[Path]:
    return [
        path
        for path in modules()
        if path.name != "__init__.py" and path.parent not in UNTWINNED and _has_code(path)
    ]


def test_modules_have_test_files() -> None:
    missing = [
        f"{path.relative_to(SOURCE)}: write {_twin(path).relative_to(ROOT)}"
        for path in _need_twins()
        if str(path.relative_to(SOURCE)) not in EXEMPT and not _twin(path).exists()
    ]
    assert missing == []


def test_exemptions_are_needed() -> None:
    assert [name for name in EXEMPT if _twin(SOURCE / name).exists()] == []


def test_exemptions_are_of_modules_that_exist() -> None:
    assert [name for name in EXEMPT if not (SOURCE / name).exists()] == []


def test_test_files_mirror_modules_that_exist() -> None:
    unit = ROOT / "tests" / "unit"
    mirrored = {_twin(path) for path in modules()}
    mirrored |= {_twin(path.parent) for path in modules() if path.name == "__init__.py"}
    orphans = [
        str(path.relative_to(unit))
        for path in sorted(unit.rglob("test_*.py"))
        if path not in mirrored and str(path.relative_to(unit)) not in NOT_TWINS
    ]
    assert orphans == []
