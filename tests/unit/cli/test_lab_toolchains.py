"""`whypanic lab toolchains` as a person runs it."""

import json
from pathlib import Path

import jsonschema
import pytest

from builders.toy_tree import make_toy_programs, path_with
from whypanic.cli.main import main
from whypanic.report.lab_document import lab_schemas


@pytest.fixture(autouse=True)
def _toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path_with(make_toy_programs(tmp_path / "bin")))


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "toolchains"]) == 0
    assert "gcc-99" in capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "toolchains", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, lab_schemas()["lab-toolchains"])
    found = {row["id"]: row for row in document["toolchains"]}
    assert found["gcc-99"]["version"] == "99.1.0"
