"""`whypanic lab diff` as a person runs it."""

import json
from pathlib import Path

import jsonschema
import pytest

from whypanic.cli.main import main
from whypanic.report.lab_document import lab_schemas


@pytest.fixture
def logs(tmp_path: Path) -> list[str]:
    (tmp_path / "a").write_text("one\n[    0.10] at 0xffff800008001000\n")
    (tmp_path / "b").write_text("one\n[    0.20] at 0xffff800008002000\n")
    return [str(tmp_path / "a"), str(tmp_path / "b")]


def test_text_and_exit_codes(logs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "diff", *logs]) == 0
    assert "a: equal up to line 1" in capsys.readouterr().out
    assert main(["lab", "diff", *logs, "--fail-on", "difference"]) == 1
    capsys.readouterr()
    same = ["--ignore-times", "--ignore-addresses", "--fail-on", "difference"]
    assert main(["lab", "diff", *logs, *same]) == 0
    assert capsys.readouterr().out == "not compared: times, addresses\na: equal\n"
    assert main(["lab", "diff", *logs, "--ignore", "] at ", "--fail-on", "difference"]) == 0


def test_json(logs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "diff", *logs, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, lab_schemas()["lab-diff"])
    assert document["comparisons"][0]["parting"]["line"] == 2


def test_what_is_missing(logs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "diff", logs[0], logs[0] + ".missing"]) == 2
    assert "no file or folder" in capsys.readouterr().err
