"""A connection to a socket in the file system, every step of it with a deadline."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whypanic.host.clock import Deadline
from whypanic.model.errors import HostError

_LEAST_S = 0.001
"""A timeout of 0 would mean not to wait at all, and to fail where the answer is a moment away."""


class Connection:
    """Bytes to and from the other side."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def send(self, data: bytes) -> None:
        """Send all of these bytes.

        :raises HostError: if the other side is gone, or does not take them before the deadline.
        """
        self._socket.settimeout(max(self._deadline.left_s(), _LEAST_S))
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise _error(error) from error

    def receive(self, n_bytes: int) -> bytes:
        """Return what has come, at least one byte and at most `n_bytes`.

        :raises HostError: if the other side is gone, or nothing comes before the deadline.
        """
        self._socket.settimeout(max(self._deadline.left_s(), _LEAST_S))
        try:
            data = self._socket.recv(n_bytes)
        except OSError as error:
            raise _error(error) from error
        if not data:
            message = "the other side closed the socket"
            raise HostError(message)
        return data


@contextmanager
def connect(path: Path, deadline: Deadline) -> Iterator[Connection]:
    """Yield a connection to a stream socket; it is closed at the end of the block.

    :param deadline: of all that is sent and received, too.
    :raises HostError: if nobody listens there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ours:
        ours.settimeout(max(deadline.left_s(), _LEAST_S))
        try:
            ours.connect(str(path))
        except OSError as error:
            raise _error(error) from error
        yield Connection(ours, deadline)


def _error(error: OSError) -> HostError:
    if isinstance(error, TimeoutError):
        return HostError("no answer in time")
    return HostError((error.strerror or str(error)).lower())
