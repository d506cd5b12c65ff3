"""Groups of commands whose modules are imported when they run."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class LazyCommand(NamedTuple):
    """Where a subcommand lives, and the line of help shown without importing it."""

    module: str
    short_help: str


class LazyGroup(click.Group):
    """A group whose commands are modules with an attribute `command`."""

    def __init__(self, *, table: Mapping[str, LazyCommand], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one subcommand; None where there is none of that name."""
        lazy = self._table.get(cmd_name)
        if lazy is None:
            return None
        found: object = import_module(lazy.module).command
        if not isinstance(found, click.Command):
            message = f"{lazy.module}.command is no command"
            raise TypeError(message)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.short_help) for name, lazy in self._table.items()])
