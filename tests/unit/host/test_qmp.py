"""The control socket, against a QEMU that is not one: a thread that answers as the protocol says."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from whypanic.host.clock import Deadline
from whypanic.host.qmp import MachineEnd, control_arguments, control_sockets, run_machine

GREETING = {
    "QMP": {
        "version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""},
        "capabilities": [],
    }
}
SHUTDOWN = {
    "event": "SHUTDOWN",
    "data": {"guest": True, "reason": "guest-shutdown"},
    "timestamp": {"seconds": 1, "microseconds": 2},
}

Say = Callable[[object], None]


def _serve(theirs: socket.socket, after_cont: Callable[[Say], None]) -> None:
    def say(message: object) -> None:
        theirs.sendall(json.dumps(message).encode() + b"\r\n")

    with theirs, suppress(OSError):
        say(GREETING)
        while text := theirs.recv(65536).decode():
            # One command at a time, in one piece and without an end of line.
            command = json.loads(text)
            say({"return": {}, **({"id": command["id"]} if "id" in command else {})})
            if command["execute"] == "cont":
                after_cont(say)
                return


@contextmanager
def _machine(after_cont: Callable[[Say], None]) -> Iterator[socket.socket]:
    with control_sockets() as (ours, theirs):
        server = threading.Thread(target=_serve, args=(theirs, after_cont))
        server.start()
        yield ours
        server.join(20)
        assert not server.is_alive()


def test_a_guest_that_turns_the_machine_off() -> None:
    with _machine(lambda say: say(SHUTDOWN)) as ours:
        assert run_machine(ours, Deadline(20)) is MachineEnd.SHUTDOWN


def test_other_events_do_not_end_it() -> None:
    def events(say: Say) -> None:
        say(SHUTDOWN | {"event": "RESUME", "data": {}})
        say(SHUTDOWN)

    with _machine(events) as ours:
        assert run_machine(ours, Deadline(20)) is MachineEnd.SHUTDOWN


def test_a_qemu_that_dies() -> None:
    with _machine(lambda _: None) as ours:
        assert run_machine(ours, Deadline(20)) is MachineEnd.DIED


def _wait(released: threading.Event) -> None:
    released.wait(20)


def test_a_machine_that_runs_on() -> None:
    released = threading.Event()
    with _machine(lambda _: _wait(released)) as ours:
        end = run_machine(ours, Deadline(0.5))
        released.set()
    assert end is MachineEnd.DEADLINE


def test_a_socket_that_closes_at_once() -> None:
    with control_sockets() as (ours, theirs):
        theirs.close()
        assert run_machine(ours, Deadline(20)) is MachineEnd.DIED


def test_what_is_not_the_protocol() -> None:
    with control_sockets() as (ours, theirs):
        theirs.sendall(b"hello\r\n")
        assert run_machine(ours, Deadline(20)) is MachineEnd.DIED


def test_arguments_name_the_inherited_descriptor() -> None:
    with control_sockets() as (_, theirs):
        assert f"socket,id=qmp,fd={theirs.fileno()}" in control_arguments(theirs)
