"""Collects `*.md` here: each `##` heading with a ```log block and a ```report block is one test. A ```lab block between
them is a boot, in TOML, of which the log is the console: `whypanic.model.lab.BootResult`.

The report block is a projection: one line a listed cause, and the claims of the cause that the file is about.
UPDATE_CASES=1 rewrites the blocks in place.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from whypanic.app.analysis import Explained, explain_text
from whypanic.app.lab_diagnosis import explain_boot
from whypanic.model.lab import BootResult

_CASE = re.compile(
    r"^## (?P<name>.+?)\n.*?^```log\n(?P<log>.*?)^```\n+(?:```lab\n(?P<lab>.*?)^```\n+)?"
    r"```report\n(?P<report>.*?)^```",
    re.M | re.S,
)


def project(explained: tuple[Explained, ...], cause_id: str) -> str:
    lines = []
    for item in explained:
        lines += [f"# {item.report.kind}"] if len(explained) > 1 else []
        for found in item.assessments:
            lines.append(f"{found.id}  {found.verdict.upper()}")
            lines += [f"  {c.sense}: {c.text}" for c in found.claims if found.id == cause_id]
    return "".join(f"{line}\n" for line in lines) or "no report\n"


def explain(log: str, lab: str | None) -> tuple[Explained, ...]:
    if lab is None:
        return explain_text(log.encode())[1]
    result = msgspec.convert({"proved_mode": None, **tomllib.loads(lab)}, BootResult)
    found = explain_boot(result, log.encode())
    return () if found is None else (found.explained,)


class CaseItem(pytest.Item):
    def runtest(self) -> None:
        text = self.path.read_text(encoding="utf-8")
        case = next(m for m in _CASE.finditer(text) if m["name"] == self.name)
        actual = project(explain(case["log"], case["lab"]), self.path.stem)
        if actual != case["report"] and os.environ.get("UPDATE_CASES"):
            first, last = case.span("report")
            self.path.write_text(text[:first] + actual + text[last:], encoding="utf-8")
        elif actual != case["report"]:
            diff = difflib.ndiff(case["report"].splitlines(), actual.splitlines())
            pytest.fail("\n".join([*diff, "accept: UPDATE_CASES=1 pytest tests/cases"]), False)


class CaseFile(pytest.File):
    def collect(self) -> Iterator[CaseItem]:
        for case in _CASE.finditer(self.path.read_text(encoding="utf-8")):
            yield CaseItem.from_parent(self, name=case["name"])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CaseFile | None:
    return CaseFile.from_parent(parent, path=file_path) if file_path.suffix == ".md" else None
