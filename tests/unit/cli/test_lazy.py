"""Groups that import their commands when they run."""

import sys
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from whypanic.cli.lazy import LazyCommand, LazyGroup


@click.command("one")
def one() -> None:
    click.echo("ran")


@click.group(
    cls=LazyGroup,
    table={
        "one": LazyCommand("made_up_one", "It runs."),
        "two": LazyCommand("made_up_two", "It is none."),
        "three": LazyCommand("made_up_missing", "It is not there."),
    },
)
def group() -> None:
    """Of commands."""


@pytest.fixture(autouse=True)
def _modules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, command in (("made_up_one", one), ("made_up_two", "no command")):
        module = ModuleType(name)
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)


def test_help_imports_nothing() -> None:
    result = CliRunner().invoke(group, ["--help"])
    assert result.exit_code == 0
    assert result.stdout.index("one") < result.stdout.index("two") < result.stdout.index("three")
    assert "It is not there." in result.stdout


def test_a_command_runs() -> None:
    assert CliRunner().invoke(group, ["one"]).stdout == "ran\n"


def test_unknown_and_broken_ones() -> None:
    result = CliRunner().invoke(group, ["four"])
    assert result.exit_code == 2
    assert isinstance(CliRunner().invoke(group, ["two"]).exception, TypeError)
