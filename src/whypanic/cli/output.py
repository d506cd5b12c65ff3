"""Standard output and standard error: data here, words there."""

import contextlib
import os
import sys

import click

from whypanic.model.errors import HostError


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
