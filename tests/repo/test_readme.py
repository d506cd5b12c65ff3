"""The commands that README.md shows print what README.md says.

A ```console block holds `$ whypanic ...` lines, each followed by its output; a line `[...]` stands for any number of
lines. UPDATE_README=1 writes the real output where the two differ: whole, or as many paragraphs as stood before a
closing `[...]`.
"""

import difflib
import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

import pytest

from builders.repository import ROOT
from builders.shown_output import matches

README = ROOT / "README.md"
_FOUND = 1
"""A finding reaches `--fail-on`, as one of an audit does by default."""
_ACCEPT = "UPDATE_README=1 .venv/bin/pytest tests/repo/test_readme.py"


class Shown(NamedTuple):
    """One command of the README and the output below it."""

    command: str
    output: str


def _shown() -> list[Shown]:
    blocks = re.findall(r"^```console\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)
    found = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Shown(command, output))
    return found


def _run(command: str) -> str:
    words = shlex.split(command)
    assert words[0] == "whypanic", f"only whypanic runs here: `{command}`"
    code = "import sys; from whypanic.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *words[1:]],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, _FOUND), done.stderr
    return done.stdout


def _cut(actual: str, shown: Shown) -> str:
    """Return the output to show: as long as before, in paragraphs, where the old one was cut."""
    head, cut, rest = shown.output.partition("[...]\n")
    if not cut or rest:
        return actual
    n_paragraphs = head.count("\n\n") + 1
    return "\n\n".join(actual.split("\n\n")[:n_paragraphs]) + "\n[...]\n"


@pytest.mark.parametrize("shown", _shown(), ids=lambda shown: shown.command)
def test_command_prints_what_the_readme_shows(shown: Shown) -> None:
    actual = _run(shown.command)
    if matches(shown.output, actual):
        return
    if os.environ.get("UPDATE_README"):
        old, new = (
            f"$ {shown.command}\n{output}```" for output in (shown.output, _cut(actual, shown))
        )
        README.write_text(README.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        return
    diff = difflib.unified_diff(
        shown.output.splitlines(), actual.splitlines(), "README.md", "output", lineterm=""
    )
    pytest.fail("\n".join([*diff, "", f"to accept: {_ACCEPT}"]), pytrace=False)


def test_readme_shows_the_example() -> None:
    assert "whypanic explain examples/2017-juno-hyp-panic.txt" in {s.command for s in _shown()}


def test_readme_names_the_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    for script in ("scripts/example.sh", "scripts/test.sh"):
        assert f"bash {script}" in text
        assert (ROOT / script).exists()


def test_links_of_documents_lead_somewhere() -> None:
    links = [
        (path, target)
        for path in (README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
        for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
    ]
    assert [t for path, t in links if "://" not in t and not (path.parent / t).exists()] == []


def test_an_update_keeps_the_cut() -> None:
    shown = Shown("whypanic", "a\n\nb\n[...]\n")
    assert _cut("A\n\nB\nB\n\nC\n", shown) == "A\n\nB\nB\n[...]\n"
    assert _cut("A\n\nB\n", Shown("whypanic", "a\n")) == "A\n\nB\n"


def test_ellipsis_stands_for_lines() -> None:
    assert matches("a\n[...]\nz\n", "a\nb\nc\nz\n")
    assert not matches("a\n[...]\nz\n", "a\nb\ny\n")
    assert not matches("a\n", "a\nb\n")
