"""Programs that are started, watched and ended: the only place that does."""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from whypanic.model.errors import HostError

_SHOWN_BYTES = 2000
_READ_BYTES = 8 << 20


class Completed(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def find_program(name: str, *, hints: tuple[str, ...] = ()) -> str:
    """Return the path of a program on PATH.

    :raises HostError: if it is not there, with `hints`.
    """
    path = shutil.which(name)
    if path is None:
        message = f"no program `{name}` on this machine"
        raise HostError(message, hints=hints)
    return path


def run_program(
    argv: Sequence[str], *, timeout_s: float, environment: Mapping[str, str] | None = None
) -> Completed:
    """Return what a short program printed; its input is empty.

    :param environment: all of its variables; None: those of this process.
    :raises HostError: if it cannot be started, or runs longer than `timeout_s`; it is then ended with its children.
    """
    with (
        tempfile.TemporaryFile() as printed,
        start_program(argv, stdout=printed, environment=environment) as child,
    ):
        returncode = child.wait(timeout_s)
        if returncode is None:
            message = f"`{argv[0]}` ran longer than {timeout_s:g} s"
            raise HostError(message)
        printed.seek(0)
        text = printed.read(_READ_BYTES).decode(errors="backslashreplace")
        return Completed(returncode, text, child.complaint())


class Child:
    """A program that runs, leader of its own process group."""

    def __init__(self, process: subprocess.Popen[bytes], complaints: IO[bytes]) -> None:
        self._process = process
        self._complaints = complaints

    @property
    def pid(self) -> int:
        """Its number, and that of its group."""
        return self._process.pid

    def complaint(self) -> str:
        """Return the last lines of what it has written to stderr."""
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, size - _SHOWN_BYTES))
        return self._complaints.read(_SHOWN_BYTES).decode(errors="backslashreplace").strip()

    def wait(self, timeout_s: float) -> int | None:
        """Return its exit code; None when it still runs after `timeout_s`."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout_s)
        return None

    def end(self) -> None:
        """End it and all that it started, if it still runs."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def ran_out_of_time(self, wait_s: float) -> bool:
        """Return whether `limit` ended it, after waiting that long for it to be gone."""
        return self.wait(wait_s) in (-signal.SIGXCPU, -signal.SIGKILL)

    def limit(self, *, cpu_s: int, core_bytes: int = 0) -> None:
        """Have the kernel end it after `cpu_s` seconds of CPU time, whatever becomes of this program."""
        with suppress(ProcessLookupError):
            resource.prlimit(self._process.pid, resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
            resource.prlimit(self._process.pid, resource.RLIMIT_CORE, (core_bytes, core_bytes))

    def limit_files(self, n_bytes: int | None) -> None:
        """Have the kernel end it when it writes a file longer than that; None: no such limit."""
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
            soft = hard if n_bytes is None else n_bytes
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def cpu_s(self) -> float:
        """Return the seconds of CPU time that it has used so far, 0 when it is gone."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return 0.0
        # proc(5): utime and stime are the fields 14 and 15, the third is the first behind the name in parentheses.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def start_program(
    argv: Sequence[str],
    *,
    inherit: Sequence[int] = (),
    stdout: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Child]:
    """Yield the program started with empty input; at the end of the block it and its children are ended.

    :param inherit: file descriptors that it gets under the same numbers.
    :param stdout: where its output goes; None: nowhere.
    :param environment: all of its variables; None: those of this process.
    :raises HostError: if it cannot be started.
    """
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if stdout is None else stdout,
                stderr=complaints,
                pass_fds=inherit,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            message = f"cannot start `{argv[0]}`: {(error.strerror or str(error)).lower()}"
            raise HostError(message) from error
        child = Child(process, complaints)
        try:
            yield child
        finally:
            child.end()
