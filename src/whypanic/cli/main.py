"""Entry point: picks the subcommand, turns errors into text and exit codes.

A subcommand's module is imported only when it runs; `--help` reads the table here.
"""

import errno
import os
import sys
from collections.abc import Sequence

import click

from whypanic import __version__
from whypanic.cli.lazy import LazyCommand, LazyGroup
from whypanic.cli.output import input_words, say, silence_stdout, write_error
from whypanic.model.errors import HostError, InputError, UsageError, WhypanicError

EXIT_USAGE = 2
EXIT_HOST = 3
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


COMMANDS: dict[str, LazyCommand] = {
    "explain": LazyCommand("whypanic.cli.explain", "Name the cause of a crash from its log."),
    "replay": LazyCommand(
        "whypanic.cli.replay", "Run the listed code as the machine ran it, and compare."
    ),
    "audit": LazyCommand(
        "whypanic.cli.audit",
        "Find code of an image that would crash where it runs.",
    ),
    "disasm": LazyCommand(
        "whypanic.cli.disasm", "Show a function of an image as the CPU of a crash ran it."
    ),
    "lab": LazyCommand(
        "whypanic.cli.lab", "Build kernels, boot them in every mode, diagnose them."
    ),
    "decode": LazyCommand("whypanic.cli.decode", "Take one register value apart."),
}


@click.group(
    cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="whypanic", message="%(prog)s %(version)s")
def root() -> None:
    """Name the cause of an arm64 Linux kernel crash, with the evidence."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code (docs: 0, 1, 2, 3, 70, 130)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except click.ClickException as error:
        return _report_click(error)
    except InputError as error:
        return _report(input_words(error), error.hints, EXIT_USAGE)
    except UsageError as error:
        return _report(error.message, error.hints, EXIT_USAGE)
    except HostError as error:
        return _report(error.message, error.hints, EXIT_HOST)
    except WhypanicError as error:
        return _report(error.message, error.hints, EXIT_BUG)
    except BrokenPipeError:
        silence_stdout()
        return 0
    except (click.Abort, KeyboardInterrupt):
        return _report("interrupted", (), EXIT_INTERRUPTED)
    except OSError as error:
        # Whatever is read is read under a guard of its own; what is left is text of click on a full disk.
        if error.errno not in _OUTPUT_ERRORS:
            return _report_bug(arguments)
        silence_stdout()
        return _report(write_error(error).message, (), EXIT_HOST)
    except Exception:
        return _report_bug(arguments)


def _run(arguments: list[str]) -> int:
    color = False if os.environ.get("NO_COLOR") else None
    code = root.main(arguments, prog_name="whypanic", standalone_mode=False, color=color)
    if sys.stdout is not None:
        sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _report(message: str, hints: Sequence[str], code: int) -> int:
    say(f"error: {message}")
    for hint in hints:
        say(f"hint: {hint}")
    return code


def _report_click(error: click.ClickException) -> int:
    """Say a usage error in our form. Click's own text begins in upper case and ends in a stop."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return EXIT_USAGE
    message = error.format_message().rstrip(".")
    hints: tuple[str, ...] = ()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hints = (f"see `{error.ctx.command_path} --help`",)
    return _report(message[:1].lower() + message[1:], hints, EXIT_USAGE)


def _report_bug(arguments: list[str]) -> int:
    import platform
    import traceback

    for line in traceback.format_exc().rstrip().split("\n"):
        say(line)
    kind, value = sys.exc_info()[:2]
    name = kind.__name__ if kind else "unknown"
    return _report(
        f"internal error: {name}: {value}",
        (
            f"this is a bug in whypanic {__version__}; please report it to the project's issue "
            "tracker with the text above and the input",
            f"python {platform.python_version()} on {platform.platform()}, argv {arguments!r}",
        ),
        EXIT_BUG,
    )


if __name__ == "__main__":
    sys.exit(main())
