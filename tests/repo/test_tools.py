"""The tools of the repository do what CONTRIBUTING.md says."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from builders.repository import ROOT


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_new_cause_declares_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule, case = _load("new_cause").write_cause(tmp_path, "widget-gone-bad", "a widget went bad")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec = importlib.util.spec_from_file_location("widget_gone_bad", rule)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.widget_gone_bad.id == "widget-gone-bad"
    assert module.widget_gone_bad.title == "a widget went bad"
    text = case.read_text(encoding="utf-8")
    assert "widget-gone-bad  SUPPORTED" in text
    assert "widget-gone-bad  REFUTED" in text


@pytest.mark.parametrize("cause_id", ["Widget", "widget", "widget_gone", "../widget-gone", ""])
def test_new_cause_refuses_an_id_that_is_none(tmp_path: Path, cause_id: str) -> None:
    with pytest.raises(ValueError, match="kebab-case"):
        _load("new_cause").write_cause(tmp_path, cause_id, "title")


def test_new_cause_overwrites_nothing(tmp_path: Path) -> None:
    new_cause = _load("new_cause")
    new_cause.write_cause(tmp_path, "widget-gone", "title")
    with pytest.raises(ValueError, match="exists already"):
        new_cause.write_cause(tmp_path, "widget-gone", "title")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x = f(1)\n" * 10, None),
        ("f(1)\n" * 401, "more than 400"),
        ("# Long because it is one automaton.\n" + "f(1)\n" * 500, None),
        ("# Long because it is one automaton.\n" + "f(1)\n" * 700, "more than 600"),
        ("ROWS = (\n" + "    1,\n" * 700 + ")\n", None),
    ],
    ids=["short", "no-reason", "reason", "too-long", "table"],
)
def test_module_length(tmp_path: Path, text: str, word: str | None) -> None:
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    found = _load("module_length").complaint(path)
    assert (found is None) if word is None else (word in found)
