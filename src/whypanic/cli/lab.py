"""`whypanic lab`: a group; each of its commands is a module."""

import click

from whypanic.cli.lazy import LazyCommand, LazyGroup

COMMANDS: dict[str, LazyCommand] = {
    "toolchains": LazyCommand(
        "whypanic.cli.lab_toolchains", "List the compilers here that build an arm64 kernel."
    ),
    "build": LazyCommand("whypanic.cli.lab_build", "Build a kernel, or find it built before."),
    "boot": LazyCommand(
        "whypanic.cli.lab_boot", "Boot a kernel in every mode, and diagnose each failure."
    ),
    "diff": LazyCommand("whypanic.cli.lab_diff", "Show the first line where two boots part."),
}


@click.group("lab", cls=LazyGroup, table=COMMANDS)
def command() -> None:
    """Build kernels with every toolchain, boot them at every exception level, and say why one failed."""
