"""QEMU's control socket (QMP), spoken by qemu.qmp, which only this file imports."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto

from whypanic.host.clock import Deadline


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
