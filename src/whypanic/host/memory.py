"""Memory shared with a process that this program starts: no file on a disk, and gone with its last user."""

import mmap
import os
from types import TracebackType
from typing import Self


class SharedMemory:
    """Zeroed bytes of which only those that are written take room."""

    def __init__(self, name: str, n_bytes: int) -> None:
        self.descriptor = os.memfd_create(name)
        try:
            os.ftruncate(self.descriptor, n_bytes)
            self.view = mmap.mmap(self.descriptor, n_bytes)
        except BaseException:
            os.close(self.descriptor)
            raise

    @property
    def path(self) -> str:
        """Path under which a process that inherited the descriptor opens the same memory."""
        return f"/proc/self/fd/{self.descriptor}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.view.close()
        os.close(self.descriptor)
