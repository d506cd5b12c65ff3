"""Standard output and standard error: data here, words there."""

import contextlib
import os
import sys

import click

from whypanic.model.errors import HostError, InputError


def write(data: bytes) -> None:
    """Write data to standard output.

    :raises HostError: if it is closed or cannot take the data; a reader that went away is a `BrokenPipeError`.
    """
    if sys.stdout is None:
        message = "standard output is closed"
        raise HostError(message)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_stdout()
        raise write_error(error) from error


def write_error(error: OSError) -> HostError:
    """Return the error for output that could not be written."""
    reason = (error.strerror or type(error).__name__).lower()
    return HostError(f"cannot write to standard output: {reason}")


def say(line: str) -> None:
    """Print one line on standard error, with nothing in it that a terminal would obey."""
    from whypanic.report.escape import printable

    # Where standard error cannot be written there is nobody to tell.
    with contextlib.suppress(OSError):
        click.echo(printable(line), err=True)


def input_words(error: InputError) -> str:
    """Return what is wrong with an input, its name first."""
    path, message = error.path, f" {error.message} "
    is_named = path is None or any(
        words in message for words in (f" {path} ", f" {path}: ", f"`{path}`")
    )
    return error.message if is_named else f"{path}: {error.message}"


def silence_stdout() -> None:
    """Point stdout at nothing: the interpreter's last flush must not complain of a closed pipe or a full disk."""
    if sys.stdout is None:
        return
    descriptor = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(descriptor, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(descriptor)


def width() -> int:
    """Return the columns that text may take: those of the terminal, at most 100, which is also what a file gets."""
    import shutil

    most = 100
    return min(shutil.get_terminal_size((most, 24)).columns, most) if _is_terminal() else most


def is_coloured() -> bool:
    """Tell whether text goes to a terminal that shows colours, and nobody asked for none."""
    return _is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
