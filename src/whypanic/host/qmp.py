"""QEMU's control socket (QMP), spoken by qemu.qmp, which only this file imports."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

from whypanic.host.clock import Deadline
from whypanic.model.errors import HostError

if TYPE_CHECKING:
    from asyncio import Task

    from qemu.qmp import Message


class MachineEnd(Enum):
    SHUTDOWN = auto()
    """The guest turned the machine off or reset it."""
    DIED = auto()
    """QEMU closed the socket without a word of that."""
    DEADLINE = auto()
    """The machine still runs."""


@contextmanager
def control_sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Yield a connected pair: ours, and the one that QEMU inherits."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        yield ours, theirs


def control_arguments(theirs: socket.socket) -> tuple[str, ...]:
    """Return the arguments by which QEMU takes its end of the pair."""
    number = theirs.fileno()
    return ("-chardev", f"socket,id=qmp,fd={number}", "-mon", "chardev=qmp,mode=control")


def run_machine(ours: socket.socket, deadline: Deadline) -> MachineEnd:
    """Let a machine that was started stopped (`-S`) run, and return how that ended.

    Must not be called where an event loop of asyncio runs already.
    """
    import asyncio

    return asyncio.run(_run(ours, deadline))


async def _run(ours: socket.socket, deadline: Deadline) -> MachineEnd:
    import asyncio

    from qemu.qmp import QMPClient, QMPError

    client = QMPClient()
    # Its own log would repeat as warnings what the caller gets as an answer.
    client.logger.disabled = True
    try:
        await asyncio.wait_for(client.connect(ours), deadline.left_s())
        with client.listener("SHUTDOWN") as listener:
            gone = asyncio.ensure_future(client.runstate_changed())
            shutdown = asyncio.ensure_future(listener.get())
            await asyncio.wait_for(client.execute("cont"), deadline.left_s())
            await asyncio.wait(
                {gone, shutdown},
                timeout=deadline.left_s(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            ended = shutdown.done() or not listener.empty()
            died = gone.done()
            for task in (gone, shutdown):
                task.cancel()
            await asyncio.gather(gone, shutdown, return_exceptions=True)
            if ended:
                return MachineEnd.SHUTDOWN
            return MachineEnd.DIED if died else MachineEnd.DEADLINE
    except TimeoutError:
        return MachineEnd.DEADLINE
    except (QMPError, OSError, EOFError):
        return MachineEnd.DIED
    finally:
        with suppress(QMPError, OSError, EOFError):
            await client.disconnect()


class MachineDiedError(HostError):
    """QEMU ended, or closed its control socket."""


class MachineEvent(NamedTuple):
    """Something that QEMU tells by itself."""

    name: str
    """`SHUTDOWN`, `GUEST_PANICKED`, `STOP`, `RESUME`, ..."""
    reason: str = ""
    """Of SHUTDOWN: `guest-shutdown`, `guest-reset`, ...; of others their `action`."""


class Monitor:
    """A conversation with one QEMU: commands with answers, and the events between them.

    For one thread, in which no event loop of asyncio runs.
    """

    def __init__(self, ours: socket.socket, deadline: Deadline) -> None:
        """Shake hands.

        :raises MachineDiedError: if QEMU ends instead, or has not answered at the deadline.
        """
        import asyncio

        from qemu.qmp import EventListener, QMPClient

        self._runner = asyncio.Runner()
        self._client = QMPClient()
        self._client.logger.disabled = True
        self._events = EventListener()
        self._client.register_listener(self._events)
        self._gone: Task[Any] | None = None
        self._next: Task[Message] | None = None
        try:
            self._runner.run(self._connect(ours, deadline.left_s()))
        except BaseException:
            self._runner.close()
            raise

    async def _connect(self, ours: socket.socket, timeout_s: float) -> None:
        import asyncio

        from qemu.qmp import QMPError

        try:
            await asyncio.wait_for(self._client.connect(ours), timeout_s)
        except (QMPError, OSError, EOFError, TimeoutError) as error:
            message = "QEMU did not answer on its control socket"
            raise MachineDiedError(message) from error
        self._gone = asyncio.ensure_future(self._client.runstate_changed())

    @property
    def is_gone(self) -> bool:
        """QEMU has closed the socket."""
        return self._gone is None or self._gone.done()

    def next_event(self, timeout_s: float) -> MachineEvent | None:
        """Return the next event, None when none came in that time or QEMU is gone."""
        message = self._runner.run(self._wait(timeout_s))
        if message is None:
            return None
        data = message.get("data")
        data = data if isinstance(data, dict) else {}
        reason = data.get("reason", data.get("action", ""))
        return MachineEvent(str(message.get("event", "")), str(reason))

    async def _wait(self, timeout_s: float) -> "Message | None":
        import asyncio

        if self._next is None:
            self._next = asyncio.ensure_future(self._events.get())
        if not self._next.done() and self._gone is not None:
            # An event that came just before the end of QEMU is still told.
            await asyncio.wait(
                {self._next, self._gone},
                timeout=timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        if not self._next.done():
            return None
        message, self._next = self._next.result(), None
        return message

    def execute(
        self, command: str, arguments: Mapping[str, object] | None = None, *, timeout_s: float
    ) -> object:
        """Return what QEMU answers to a command.

        :raises MachineDiedError: if QEMU is gone, or does not answer in time.
        :raises HostError: if it refuses the command.
        """
        return self._runner.run(self._execute(command, arguments, timeout_s))

    async def _execute(
        self, command: str, arguments: Mapping[str, object] | None, timeout_s: float
    ) -> object:
        import asyncio

        from qemu.qmp import ExecuteError, QMPError

        given = None if arguments is None else dict(arguments)
        try:
            return await asyncio.wait_for(self._client.execute(command, given), timeout_s)
        except ExecuteError as error:
            message = f"QEMU refuses `{command}`: {error}"
            raise HostError(message) from error
        except (QMPError, OSError, EOFError) as error:
            message = f"QEMU ended before it answered `{command}`"
            raise MachineDiedError(message) from error
        except TimeoutError as error:
            message = f"QEMU did not answer `{command}` within {timeout_s:g} s"
            raise MachineDiedError(message) from error

    def close(self) -> None:
        """Close the socket and all that waits on it."""
        from qemu.qmp import QMPError

        try:
            with suppress(QMPError, OSError, EOFError, RuntimeError):
                self._runner.run(self._disconnect())
        finally:
            self._runner.close()

    async def _disconnect(self) -> None:
        import asyncio

        tasks = [task for task in (self._gone, self._next) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.disconnect()
