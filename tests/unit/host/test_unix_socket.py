import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from whypanic.host.clock import Deadline
from whypanic.host.unix_socket import connect
from whypanic.model.errors import HostError


def _serve(path: Path, talk: Callable[[socket.socket], None]) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)

    def run() -> None:
        with listener:
            connection, _ = listener.accept()
        with connection:
            talk(connection)

    threading.Thread(target=run, daemon=True).start()


def _wait(done: threading.Event) -> None:
    done.wait(10)


def test_bytes_go_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    _serve(path, lambda theirs: theirs.sendall(b"to " + theirs.recv(100)))
    with connect(path, Deadline(5)) as connection:
        connection.send(b"words")
        assert connection.receive(3) == b"to "
        assert connection.receive(100) == b"words"


def test_who_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    done = threading.Event()
    _serve(path, lambda _theirs: _wait(done))
    with (
        connect(path, Deadline(0.1)) as connection,
        pytest.raises(HostError, match="no answer in time"),
    ):
        connection.receive(10)
    done.set()


def test_who_takes_nothing_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    done = threading.Event()
    _serve(path, lambda _theirs: _wait(done))
    with (
        connect(path, Deadline(0.1)) as connection,
        pytest.raises(HostError, match="no answer in time"),
    ):
        connection.send(bytes(64 << 20))
    done.set()


def test_the_end_of_the_other_side_is_told(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    _serve(path, lambda _theirs: None)
    with (
        connect(path, Deadline(5)) as connection,
        pytest.raises(HostError, match="closed the socket"),
    ):
        connection.receive(10)


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no such file"), connect(tmp_path / "none", Deadline(1)):
        pass
