"""The group `whypanic lab`."""

from importlib import import_module

import click
import pytest

from whypanic.cli.lab import COMMANDS
from whypanic.cli.main import main


@pytest.mark.parametrize("name", COMMANDS)
def test_table_of_commands(name: str) -> None:
    command = import_module(COMMANDS[name].module).command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.short_help == COMMANDS[name].short_help


def test_help_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "--help"]) == 0
    shown = capsys.readouterr().out
    for name, lazy in COMMANDS.items():
        assert name in shown
        assert lazy.short_help[:40] in shown


def test_a_command_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "quux"]) == 2
    assert capsys.readouterr().err.startswith("error: no such command 'quux'")
