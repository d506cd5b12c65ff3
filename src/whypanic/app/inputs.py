"""Logs named on the command line: files, folders, standard input."""

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from whypanic.model.errors import InputError

MAX_INPUT_BYTES = 256 << 20
"""An input is read whole, and takes ten to fifty times its size in memory."""
MAX_FILES = 100_000
STDIN = "-"


class RawInput(NamedTuple):
    """One input as bytes."""

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Digest of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def display_name(name: str) -> str:
    """Return a file name as the document writes it: bytes that are no UTF-8 as `\\xNN`."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    return name


def expand_paths(names: Sequence[str]) -> Iterator[str | InputError]:
    """Yield names of files; a folder stands for the regular files below it, sorted by path.

    A folder that cannot be listed, that has no file, or of whose files only some are read comes as an `InputError`.
    """
    for name in names:
        try:
            is_folder = name != STDIN and Path(name).is_dir()
        except OSError:
            # A name too long, a parent that must not be searched: reading it gives the reason.
            is_folder = False
        if not is_folder:
            yield name
            continue
        failed: list[OSError] = []
        files = sorted(_files_below(name, failed))
        for error in failed:
            where = display_name(str(error.filename or name))
            yield InputError(f"cannot list folder: {_reason(error)}", path=where)
        if not files and not failed:
            yield InputError("folder holds no files", path=display_name(name))
        yield from (str(path) for path in files[:MAX_FILES])
        if len(files) > MAX_FILES:
            message = f"folder holds {len(files)} files, only the first {MAX_FILES} are read"
            yield InputError(message, path=display_name(name))


def _files_below(folder: str, failed: list[OSError]) -> Iterator[Path]:
    """Yield what may be read below a folder: regular files, and what cannot be told; never a FIFO or a device."""
    for parent, _, found in os.walk(folder, onerror=failed.append):
        for name in found:
            path = Path(parent, name)
            try:
                is_readable = stat.S_ISREG(path.stat().st_mode)
            except OSError:
                is_readable = True  # reading it gives the reason
            if is_readable:
                yield path


def read_input(name: str) -> RawInput:
    """Return the bytes of one file, or of standard input for `-`.

    :raises InputError: if it cannot be read or is larger than `MAX_INPUT_BYTES`.
    """
    shown = display_name(name)
    try:
        if name == STDIN:
            data = _read_stdin()
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(MAX_INPUT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = _reason(error) if isinstance(error, OSError) else str(error)
        message = f"cannot read: {reason}"
        raise InputError(message, path=shown) from error
    if len(data) > MAX_INPUT_BYTES:
        message = f"larger than {MAX_INPUT_BYTES >> 20} MiB"
        raise InputError(
            message,
            path=shown,
            hints=("cut the log around the crash, e.g. with `grep -a -n 'Call trace' LOG`",),
        )
    return RawInput("<stdin>" if name == STDIN else shown, data)


def _read_stdin() -> bytes:
    if sys.stdin is None:
        message = "standard input is closed"
        raise ValueError(message)
    return sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
