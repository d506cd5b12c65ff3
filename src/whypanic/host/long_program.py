"""A program that runs for minutes: its output line by line as it comes, and none of it left when we end."""

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from whypanic.host.clock import Deadline
from whypanic.model.errors import HostError

_READ_BYTES = 1 << 16
_MAX_LINE_BYTES = 1 << 18
_GONE_S = 10.0
# The leader of the group leaves a guard in it, which waits for the end of a pipe that only we hold: when we are gone,
# however that came, it kills the group, itself too. PR_SET_PDEATHSIG would end the leader and not its children.
_GUARDED = (
    "exec 3<&0 </dev/null; "
    '{ read -r _ <&3; kill -s KILL -- "-$$"; } >/dev/null 2>&1 & '
    'exec 3<&-; exec "$@"'
)


class LongProgram:
    """A program that runs; both of its outputs come as one."""

    def __init__(self, process: subprocess.Popen[bytes], held: int, deadline: Deadline) -> None:
        self._process = process
        self._held: int | None = held
        self._deadline = deadline
        self.returncode: int | None = None
        """Its exit code, minus the signal that ended it; None before `lines` has come to its end."""
        self.out_of_time = False
        """The deadline passed, and it was ended."""

    def lines(self, *, idle_s: float = 1.0) -> Iterator[bytes | None]:
        """Yield each line without its newline, and None whenever nothing came for `idle_s`."""
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        pending = b""
        while left_s := self._deadline.left_s():
            if not select.select([output], [], [], min(idle_s, left_s))[0]:
                # Something that it left behind may hold the pipe open.
                if self._process.poll() is not None:
                    break
                yield None
                continue
            data = os.read(output, _READ_BYTES)
            if not data:
                break
            *whole, pending = (pending + data).split(b"\n")
            yield from whole
            if len(pending) > _MAX_LINE_BYTES:
                yield pending
                pending = b""
        if pending:
            yield pending
        with suppress(subprocess.TimeoutExpired):
            self.returncode = self._process.wait(min(_GONE_S, self._deadline.left_s()))
        if self.returncode is None:
            self.out_of_time = True
            self.end()
            self.returncode = self._process.returncode

    def end(self) -> None:
        """End it and all that it started."""
        if self._held is None:
            return
        # The guard keeps the group's number ours until here.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._held)
        self._held = None


@contextmanager
def start_long_program(
    argv: Sequence[str],
    *,
    deadline: Deadline,
    environment: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> Iterator[LongProgram]:
    """Yield the program started with empty input, leader of its own process group.

    At the end of the block, and when this process dies in any way, it and its children are killed.

    :param environment: all of its variables; None: those of this process.
    :param folder: where it runs; None: the current one.
    :raises HostError: if it cannot be started.
    """
    path = None if environment is None else environment.get("PATH")
    program = shutil.which(argv[0], path=path)
    if program is None:
        message = f"no program `{argv[0]}` on this machine"
        raise HostError(message)
    ours, held = os.pipe()
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARDED, "sh", program, *argv[1:]],
            stdin=ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        os.close(held)
        message = f"cannot start `{argv[0]}`: {(error.strerror or str(error)).lower()}"
        raise HostError(message) from error
    finally:
        os.close(ours)
    child = LongProgram(process, held, deadline)
    try:
        yield child
    finally:
        child.end()
        assert process.stdout is not None
        process.stdout.close()


def usable_cpus() -> int:
    """Return how many CPUs this process may run on."""
    return len(os.sched_getaffinity(0))
