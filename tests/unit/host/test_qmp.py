"""The control socket, against a QEMU that is not one: a thread that answers as the protocol says."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from whypanic.host.clock import Deadline
from whypanic.host.qmp import (
    MachineDiedError,
    MachineEnd,
    MachineEvent,
    Monitor,
    control_arguments,
    control_sockets,
    run_machine,
)
from whypanic.model.errors import HostError

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


@contextmanager
def _answering(answers: dict[str, object]) -> Iterator[socket.socket]:
    def serve(theirs: socket.socket) -> None:
        with theirs, suppress(OSError):
            theirs.sendall(json.dumps(GREETING).encode() + b"\r\n")
            while text := theirs.recv(65536).decode():
                command = json.loads(text)
                answer = answers.get(command["execute"], {"return": {}})
                if answer is None:
                    return
                assert isinstance(answer, dict)
                messages = [answer | ({"id": command["id"]} if "id" in command else {})]
                if command["execute"] == "cont":
                    messages.append(SHUTDOWN)
                for message in messages:
                    theirs.sendall(json.dumps(message).encode() + b"\r\n")

    with control_sockets() as (ours, theirs):
        server = threading.Thread(target=serve, args=(theirs,))
        server.start()
        yield ours
        ours.close()
        server.join(20)
        assert not server.is_alive()


def test_a_monitor_gives_answers_and_events() -> None:
    with _answering({"query-status": {"return": {"status": "running"}}}) as ours:
        monitor = Monitor(ours, Deadline(20))
        assert monitor.next_event(0.01) is None
        assert monitor.execute("query-status", timeout_s=20) == {"status": "running"}
        monitor.execute("cont", timeout_s=20)
        assert monitor.next_event(20) == MachineEvent("SHUTDOWN", "guest-shutdown")
        assert not monitor.is_gone
        monitor.close()


def test_a_refused_command_leaves_the_monitor_usable() -> None:
    refusal = {"error": {"class": "GenericError", "desc": "no such device"}}
    with _answering({"eject": refusal}) as ours:
        monitor = Monitor(ours, Deadline(20))
        with pytest.raises(HostError, match="no such device") as raised:
            monitor.execute("eject", timeout_s=20)
        assert not isinstance(raised.value, MachineDiedError)
        assert monitor.execute("query-status", timeout_s=20) == {}
        monitor.close()


def test_a_monitor_whose_qemu_dies() -> None:
    with _answering({"stop": None}) as ours:
        monitor = Monitor(ours, Deadline(20))
        with pytest.raises(MachineDiedError):
            monitor.execute("stop", timeout_s=20)
        assert monitor.next_event(20) is None
        assert monitor.is_gone
        monitor.close()


def test_a_monitor_that_nobody_answers() -> None:
    with control_sockets() as (ours, _), pytest.raises(MachineDiedError):
        Monitor(ours, Deadline(0.1))
