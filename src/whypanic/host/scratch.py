"""Room on a disk for large files that are soon done with."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whypanic.host.cache import remove_left_behind
from whypanic.model.errors import HostError

_PREFIX = "whypanic-scratch-"
_SPARE_BYTES = 256 << 20
_PIECE_BYTES = 1 << 20


@contextmanager
def scratch_folder(beside: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, removed with all in it at the end of the block.

    :param beside: folder in which it is made; None: where temporary files go.
    :raises HostError: if it cannot be made.
    """
    remove_left_behind(beside or Path(tempfile.gettempdir()), _PREFIX)
    try:
        folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=beside)
    except OSError as error:
        message = f"cannot make a temporary folder: {(error.strerror or str(error)).lower()}"
        raise HostError(message) from error
    with folder as name:
        yield Path(name)


def has_room(folder: Path, n_bytes: int) -> bool:
    """Return whether a file of that size can be written there, and leaves something free."""
    try:
        return shutil.disk_usage(folder).free >= n_bytes + _SPARE_BYTES
    except OSError:
        return False


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a file; pieces that are all 0 take no room in the copy.

    :raises HostError: if it cannot be read or written.
    """
    zeros = bytes(_PIECE_BYTES)
    try:
        with source.open("rb") as reader, target.open("wb") as writer:
            while piece := reader.read(_PIECE_BYTES):
                if piece == zeros:
                    writer.seek(len(piece), os.SEEK_CUR)
                else:
                    writer.write(piece)
            writer.truncate()
    except OSError as error:
        message = f"cannot write `{target}`: {(error.strerror or str(error)).lower()}"
        raise HostError(message) from error
