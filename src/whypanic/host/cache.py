"""The cache on this machine: where it is, folders that appear whole or not at all, locks between processes."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from whypanic.host.clock import now_ns
from whypanic.model.errors import HostError

_VARIABLE = "WHYPANIC_CACHE"
_IN_MAKING = ".new-"
_LEFT_NS = 24 * 3600 * 10**9
_HINT = f"free some space, or name another folder: {_VARIABLE}=/path"


def cache_folder() -> Path:
    """Return the folder of everything that can be made again; it may not be there yet."""
    if named := os.environ.get(_VARIABLE):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base) / "whypanic" if base else Path.home() / ".cache" / "whypanic"


def cannot_write(path: Path, error: OSError) -> HostError:
    """Return the error to raise when a file of the cache cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HostError(f"the disk of `{path}` is full", hints=(_HINT,))
    why = (error.strerror or str(error)).lower()
    return HostError(f"cannot write `{path}`: {why}", hints=(_HINT,))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that others see either as it was or with all of `data`.

    :raises HostError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_IN_MAKING, delete=False) as file:
            try:
                file.write(data)
                file.close()
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise cannot_write(path, error) from error


@contextmanager
def folder_in_making(final: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `final` when the block ends well, and is removed when it does not.

    A `final` that somebody else has made meanwhile stays.

    :raises HostError: if it cannot be made.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        remove_left_behind(final.parent, _IN_MAKING)
        new = Path(tempfile.mkdtemp(dir=final.parent, prefix=_IN_MAKING))
    except OSError as error:
        raise cannot_write(final, error) from error
    try:
        yield new
        # mkdtemp makes it for its owner alone.
        new.chmod(0o755)
        try:
            new.rename(final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    except OSError as error:
        raise cannot_write(final, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _say_nothing() -> None:
    """Wait in silence."""


def new_folder(parent: Path, prefix: str) -> Path:
    """Return a new empty folder below `parent` that stays.

    :raises HostError: if it cannot be made.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        made.chmod(0o755)
    except OSError as error:
        raise cannot_write(parent, error) from error
    return made


def remove_left_behind(parent: Path, prefix: str) -> None:
    """Remove the folders below `parent` of that prefix that are a day old: whoever made them was killed."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if now_ns() - folder.stat().st_mtime_ns > _LEFT_NS and folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)


def oldest_folders(parent: Path, n_kept: int) -> list[Path]:
    """Return the folders below `parent` but the `n_kept` that were changed last; those in the making are left out."""
    found = []
    for folder in parent.iterdir():
        # Another process may be removing them, too.
        with contextlib.suppress(OSError):
            if folder.is_dir() and not folder.name.startswith("."):
                found.append((folder.stat().st_mtime_ns, folder))
    return [folder for _, folder in sorted(found, reverse=True)[n_kept:]]


def remove_oldest_folders(parent: Path, n_kept: int) -> None:
    """Remove the folders below `parent` but the `n_kept` that were changed last; what cannot be removed stays."""
    for folder in oldest_folders(parent, n_kept):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(path: Path, *, waits: Callable[[], None] = _say_nothing) -> Iterator[bool]:
    """Yield with the lock of that name held by this process alone; it is waited for.

    The value tells whether another held it first. The file stays: removing it would let two hold it.

    :param waits: called before it is waited for.
    :raises HostError: if the file cannot be made.
    """
    with _lock_file(path) as descriptor:
        waited = not _lock(descriptor, fcntl.LOCK_NB)
        if waited:
            waits()
            _lock(descriptor, 0)
        yield waited


@contextmanager
def try_locked(path: Path) -> Iterator[bool]:
    """Yield whether the lock of that name could be had at once; it is held then.

    :raises HostError: if the file cannot be made.
    """
    with _lock_file(path) as descriptor:
        yield _lock(descriptor, fcntl.LOCK_NB)


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | how)
    except BlockingIOError:
        return False
    return True
