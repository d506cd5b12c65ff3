"""Who imports what: heavy packages stay in one file each and out of the quick commands."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from builders.repository import ROOT, SOURCE, modules

HEAVY = {"capstone", "numpy", "drgn", "unicorn", "qemu", "asyncio", "jinja2", "rich"}
HEAVY |= {"elftools", "zstandard", "lz4"}
# Arrays are what images are made of; below these packages numpy may be anywhere.
SPREAD = {"numpy": {"formats", "code", "symbolize", "audit"}, "drgn": {"symbolize"}}
# Beside the standard library. capstone only renders text, and only arch/insn/text.py imports it, when it is called.
ALLOWED = {"arch": {"capstone"}, "model": {"msgspec"}}

_REPORT = """
import sys
from whypanic.cli.main import main
assert main({arguments!r}) == 0
print("\\n" + " ".join(sorted({heavy!r} & set(sys.modules))), file=sys.stderr)
"""


def _imports(path: Path) -> set[str]:
    """Return the first words of the packages that a module imports, at the top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["decode", "esr", "0x86000004"], ["decode", "pstate", "0x800003c9"]],
    ids=" ".join,
)
def test_quick_commands_load_nothing_heavy(arguments: list[str]) -> None:
    code = _REPORT.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == ""


@pytest.mark.parametrize("package", sorted(SPREAD))
def test_package_of_arrays_is_imported_where_images_are_read(package: str) -> None:
    users = {p.relative_to(SOURCE).parts[0] for p in modules() if package in _imports(p)}
    assert users <= SPREAD[package]


@pytest.mark.parametrize("package", sorted(HEAVY - set(SPREAD)))
def test_heavy_package_is_imported_in_one_file_at_most(package: str) -> None:
    users = [str(p.relative_to(SOURCE)) for p in modules() if package in _imports(p)]
    assert len(users) <= 1, users


@pytest.mark.parametrize("package", ["arch", "model"])
def test_lowest_layers_use_little(package: str) -> None:
    allowed = ALLOWED[package] | sys.stdlib_module_names | {"whypanic"}
    foreign = {
        str(path.relative_to(SOURCE)): extra
        for path in modules()
        if path.is_relative_to(SOURCE / package) and (extra := _imports(path) - allowed)
    }
    assert foreign == {}


def test_no_module_has_an_empty_name() -> None:
    nameless = {"utils.py", "helpers.py", "common.py"}
    assert [str(p.relative_to(SOURCE)) for p in modules() if p.name in nameless] == []
