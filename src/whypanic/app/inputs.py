"""Logs named on the command line: files, folders, standard input."""

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from whypanic.model.errors import InputError
from whypanic.report.document import Input

MAX_INPUT_BYTES = 256 << 20
"""An input is read whole, and takes ten to fifty times its size in memory."""
LARGE = 1 << 20
"""Bytes from which on an input is streamed where the form of output allows it; also what is read at once."""
MAX_FILES = 100_000
STDIN = "-"
_PACKED_RECORD = ".enc.z"
"""Source: Linux fs/pstore/inode.c, `pstore_mkfile()`."""
_SAMPLE = 1 << 16


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


def describe_file(name: str) -> Input:
    """Return a file as the document lists it; its bytes are digested, not kept.

    :raises InputError: if it cannot be read.
    """
    try:
        with Path(name).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return Input(name=display_name(name), bytes=stream.tell(), sha256=digest)
    except OSError as error:
        message = f"cannot read: {_reason(error)}"
        raise InputError(message, path=display_name(name)) from error


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


class LargeInput:
    """An input that is read in pieces: a text of which more than the first piece is there."""

    def __init__(self, name: str, start: bytes, stream: BinaryIO) -> None:
        self.name = name
        self.n_bytes = 0
        """Read so far."""
        self._start = start
        self._stream = stream
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Digest of what was read so far, hexadecimal."""
        return self._digest.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, once.

        :raises InputError: if the rest of them cannot be read.
        """
        chunk = self._start
        try:
            while chunk:
                self._digest.update(chunk)
                self.n_bytes += len(chunk)
                yield chunk
                chunk = self._stream.read(LARGE)
        except OSError as error:
            message = f"cannot read: {_reason(error)}"
            raise InputError(message, path=self.name) from error
        finally:
            if self._stream is not getattr(sys.stdin, "buffer", None):
                self._stream.close()


def open_input(name: str) -> RawInput | LargeInput:
    """Return one input: its bytes, or what yields them where they are a text of more than `LARGE` bytes.

    :raises InputError: if it cannot be read, or must be read whole and is larger than `MAX_INPUT_BYTES`.
    """
    from whypanic.crashlog.texts import is_plain

    if name != STDIN:
        try:
            stream = Path(name).open("rb")  # noqa: SIM115 -- LargeInput closes it
            start = stream.read(LARGE)
        except (OSError, ValueError):
            return read_input(name)
        if len(start) == LARGE and is_plain(start):
            return LargeInput(display_name(name), start, stream)
        stream.close()
        return read_input(name)
    if sys.stdin is None:
        return read_input(name)
    start = sys.stdin.buffer.read(LARGE)
    if len(start) == LARGE and is_plain(start):
        return LargeInput("<stdin>", start, sys.stdin.buffer)
    return read_input(name, start)


def read_input(name: str, start: bytes = b"") -> RawInput:
    """Return the bytes of one file, or of standard input for `-`.

    :param start: what was read of standard input before.
    :raises InputError: if it cannot be read or is larger than `MAX_INPUT_BYTES`.
    """
    shown = display_name(name)
    try:
        if name == STDIN:
            data = start + _read_stdin()
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
    if name.endswith(_PACKED_RECORD) and not data[:_SAMPLE].isascii():
        message = "a pstore record that the kernel could not decompress"
        hint = "mount pstore in a kernel with the compressor that wrote it, then copy the file"
        raise InputError(message, path=shown, hints=(hint,))
    return RawInput("<stdin>" if name == STDIN else shown, data)


def _read_stdin() -> bytes:
    if sys.stdin is None:
        message = "standard input is closed"
        raise ValueError(message)
    return sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
