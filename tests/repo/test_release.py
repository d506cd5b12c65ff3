"""Version, changelog and pins agree."""

import re
import tomllib

from builders.repository import ROOT
from whypanic import __version__


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))


def test_changelog_has_the_current_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\d+\.\d+\.\d+)\b", changelog, re.MULTILINE)
    assert versions[0] == __version__


def test_runtime_dependencies_are_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=~!\[; ]", d)[0] for d in project["dependencies"]}
    assert names == set(_pins("constraints.txt"))


def test_each_runtime_dependency_has_its_reason() -> None:
    decisions = (ROOT / "docs" / "decisions").glob("*.md")
    record = "".join(path.read_text(encoding="utf-8") for path in decisions)
    assert [name for name in _pins("constraints.txt") if f"**{name}**" not in record] == []


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(p.name for p in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
