"""`whypanic lab build` as a person runs it: the toy tree, real make."""

import json
from pathlib import Path

import jsonschema
import pytest

from builders.toy_tree import make_toy_programs, make_toy_tree, path_with
from whypanic.cli.lab_build import progress_words
from whypanic.cli.main import main
from whypanic.lab.kbuild import BuildProgress
from whypanic.report.lab_document import lab_schemas


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", path_with(make_toy_programs(tmp_path / "bin")))
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path / "cache"))
    return make_toy_tree(tmp_path / "tree")


def run(tree: Path, *words: str) -> int:
    return main(["lab", "build", str(tree), "--toolchain", "gcc-99", *words])


def test_built_then_found(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tree) == 0
    assert capsys.readouterr().out.startswith(f"ok: {tree} with gcc-99, LTO none, virt-min, built")
    assert run(tree, "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, lab_schemas()["lab-build"])
    assert document["cached"]
    assert Path(document["image"]).is_file()


def test_a_failure_is_one_screen(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "kernel" / "fork.c").write_text("first\n#error unknown type name quux\n")
    assert run(tree) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"build failed: {tree} with gcc-99")
    assert any("kernel/fork.c:2" in line and "unknown type name quux" in line for line in lines)
    assert len(lines) < 25
    assert run(tree, "--fail-on", "never") == 0


def test_what_is_wrong(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "missing") == 2
    assert run(tmp_path) == 2
    assert "is no kernel tree" in capsys.readouterr().err
    assert run(tree, "--lto", "thin") == 2
    assert main(["lab", "build", str(tree)]) == 2
    assert main(["lab", "build", str(tree), "--toolchain", "gcc-98"]) == 3


def test_words_of_progress() -> None:
    step = BuildProgress("compile", 50, 200, False, "CC kernel/fork.o", 12.3)
    assert progress_words(step) == "compile, 50 of 200 (25%), 12 s, CC kernel/fork.o"
    guess = step._replace(estimated=True, n_objects=300)
    assert progress_words(guess) == "compile, 300 of about 200 (99%), 12 s, CC kernel/fork.o"
    warm = step._replace(n_expected=None, current="")
    assert progress_words(warm) == "compile, 50 objects, 12 s"
    assert progress_words(step._replace(n_objects=0, n_expected=None)).startswith("compile, 12 s")
