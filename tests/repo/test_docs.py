"""The generated pages are the committed ones, and what they are made of is in order."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from builders.repository import ROOT, SOURCE
from whypanic.crashlog.read import read_log
from whypanic.model.kinds import Kind

RULES = sorted((SOURCE / "causes" / "rules").glob("[!_]*.py"))
UNOPENED = re.compile(r"Arm ARM|DDI 0487|GCC|LLVM|clang -|from memory", re.IGNORECASE)


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "tools" / "write_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def test_committed_pages_are_the_generated_ones() -> None:
    differing = [
        str(path)
        for path, text in generator().pages()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert differing == [], "run `make docs`"


def test_no_page_of_what_is_no_more() -> None:
    known = {ROOT / path for path, _ in generator().pages()}
    folders = [ROOT / "docs" / name for name in ("causes", "kinds", "rules")]
    assert {path for folder in folders for path in folder.iterdir()} - known == set()


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_docstring_of_a_rule(path: Path) -> None:
    text = generator().read_docstring(docstring(path))
    assert text.claim.endswith((".", ")"))
    assert "Refuted by" in text.parts
    assert {"Stated by", "Supported by", "Consistent with"} & set(text.parts)
    assert {"Sources", "From memory"} & set(text.parts)
    known = [label for label in generator().LABELS if label in text.parts]
    assert list(text.parts) == known, "labels in this order: " + ", ".join(generator().LABELS)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_sources_are_what_was_opened(path: Path) -> None:
    write_docs = generator()
    parts = write_docs.read_docstring(docstring(path)).parts
    for item in write_docs.single_sources(parts.get("Sources", "")):
        assert item.startswith("Linux "), f"not of the kernel's tree: under `From memory:`? {item}"
        assert not UNOPENED.search(item), f"belongs under `From memory:`: {item}"


def test_every_kind_has_a_row_in_the_order_of_the_kinds() -> None:
    assert [row.kind for row in generator().TABLE] == list(Kind)


SAMPLES = [
    pytest.param(row.kind, sample, id=f"{row.kind}-{number}")
    for row in generator().TABLE
    for number, sample in enumerate(row.samples)
]


@pytest.mark.parametrize(("kind", "sample"), SAMPLES)
def test_samples_are_read_as_their_kind(kind: Kind, sample: str) -> None:
    (found,) = read_log(f"{sample}\n".encode()).reports
    assert found.kind == kind


def test_docstring_is_taken_apart() -> None:
    text = generator().read_docstring(
        "A widget went\nbad.\n\nIt does.\nStated by: `bad: widget`.\nRefuted by: a good\none.\n"
        "Sources: Linux a/b.c (f; g), c/d.h; Linux e.rst.\n"
    )
    assert (text.claim, text.prose) == ("A widget went bad.", "It does.")
    assert text.parts["Refuted by"] == "a good one."
    found = generator().single_sources(text.parts["Sources"])
    assert found == ("Linux a/b.c (f; g), c/d.h", "Linux e.rst")


@pytest.mark.parametrize("text", ["", "A b.\n\nSources: x.\nSources: y.\n"])
def test_docstring_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"missing|twice"):
        generator().read_docstring(text)
