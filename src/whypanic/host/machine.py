"""One QEMU that runs a whole machine: started stopped, told what to do over its control socket, gone at the end."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from whypanic.host.clock import Deadline
from whypanic.host.guard import group_guard
from whypanic.host.process import Child, start_program
from whypanic.host.qmp import (
    MachineDiedError,
    MachineEvent,
    Monitor,
    control_arguments,
    control_sockets,
)
from whypanic.model.errors import HostError

_START_S = 20.0
_ANSWER_S = 10.0
_DUMP_S = 120.0
_DYING_S = 2.0
# Whatever the guest does, the machine stands still afterwards with its state in it, and QEMU stays.
_CONTROLLED = (
    *("-S", "-no-shutdown"),
    *("-action", "panic=pause,reboot=shutdown,shutdown=pause"),
)


class Machine:
    """A machine that runs or stands still. After an error of `MachineDiedError` only `complaint` is of use."""

    def __init__(self, child: Child, monitor: Monitor, scratch: Path, file_bytes: int) -> None:
        self._child = child
        self._monitor = monitor
        self._scratch = scratch
        self._file_bytes = file_bytes
        self._gdb: Path | None = None

    def resume(self) -> bool:
        """Let it run, for the first time or again; False: it cannot, because the guest has ended meanwhile."""
        try:
            self._monitor.execute("cont", timeout_s=_ANSWER_S)
        except MachineDiedError:
            raise
        except HostError:
            # QEMU qapi/misc.json, cont: refused after a shutdown or a panic of the guest, of which an event tells.
            return False
        return True

    def pause(self) -> None:
        """Have all CPUs stand still; their registers are then those between two instructions."""
        self._monitor.execute("stop", timeout_s=_ANSWER_S)

    def next_event(self, timeout_s: float) -> MachineEvent | None:
        """Return the next thing that QEMU tells by itself, None if there was none in that time."""
        return self._monitor.next_event(timeout_s)

    @property
    def is_gone(self) -> bool:
        """QEMU has ended, or will not listen any more."""
        return self._monitor.is_gone

    def hmp(self, command: str, *, cpu: int = 0) -> str:
        """Return what the human monitor prints for a command: `info registers -a`, `gva2gpa 0x...`.

        :param cpu: of whose registers and translation regime the command speaks.
        :raises HostError: if QEMU is gone or refuses.
        """
        arguments = {"command-line": command, "cpu-index": cpu}
        answer = self._monitor.execute("human-monitor-command", arguments, timeout_s=_ANSWER_S)
        return str(answer).replace("\r\n", "\n")

    def physical_address(self, va: int, cpu: int = 0) -> int | None:
        """Return where an address lies for a CPU in its present translation regime; None where it is not mapped.

        With the MMU off that is the address itself.
        """
        found = re.search(r"gpa: (0x[0-9a-f]+)", self.hmp(f"gva2gpa {va:#x}", cpu=cpu))
        return int(found[1], 16) if found else None

    def physical_word(self, pa: int) -> int | None:
        """Return the 32-bit word at a physical address; None where nothing answers."""
        found = re.search(r": (0x[0-9a-f]+)", self.hmp(f"xp /1xw {pa:#x}"))
        return int(found[1], 16) if found else None

    def gdb_socket(self) -> Path:
        """Return the path of a socket at which QEMU speaks the protocol of gdb; it is opened at the first call.

        Who connects stops the machine. The path is gone when the machine is.

        :raises HostError: if QEMU is gone or refuses.
        """
        if self._gdb is None:
            path = self._scratch / "gdb"
            self.hmp(f"gdbserver unix:{path},server=on,wait=off")
            self._gdb = path
        return self._gdb

    def dump_memory(self, path: Path) -> None:
        """Write the guest's RAM as an ELF core of physical memory.

        :raises HostError: if QEMU is gone, refuses, or cannot write there.
        """
        self._child.limit_files(None)
        arguments = {"paging": False, "protocol": f"file:{path}"}
        self._monitor.execute("dump-guest-memory", arguments, timeout_s=_DUMP_S)
        self._child.limit_files(self._file_bytes)

    def cpu_s(self) -> float:
        """Return the seconds of CPU time that QEMU has used."""
        return self._child.cpu_s()

    def complaint(self) -> str:
        """Return how QEMU ended, where it did, and the last lines of what it wrote to stderr."""
        code = self._child.wait(_DYING_S) if self.is_gone else None
        return _ending(code, self._child.complaint())


@contextmanager
def start_machine(argv: Sequence[str], *, file_bytes: int) -> Iterator[Machine]:
    """Yield the machine that a QEMU command describes, before its first instruction.

    At the end of the block, and when this process dies in any way, QEMU is ended.

    :param argv: program and arguments, without those of control: `-S`, `-qmp`, `-action`.
    :param file_bytes: the longest file that it may write, console and log among them; it is killed beyond.
    :raises MachineDiedError: if QEMU cannot start the machine, with its words.
    :raises HostError: if the program cannot be started.
    """
    with ExitStack() as stack:
        adopt = stack.enter_context(group_guard())
        # Short, for the path of a socket has at most 107 bytes.
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="whypanic-")))
        ours, theirs = stack.enter_context(control_sockets())
        whole = (*argv, *_CONTROLLED, *control_arguments(theirs))
        child = stack.enter_context(start_program(whole, inherit=(theirs.fileno(),)))
        adopt(child.pid)
        child.limit_files(file_bytes)
        theirs.close()
        try:
            monitor = Monitor(ours, Deadline(_START_S))
        except MachineDiedError as error:
            code = child.wait(_DYING_S)
            child.end()
            words = _ending(code, child.complaint()).removeprefix(f"{argv[0]}: ")
            message = f"`{argv[0]}` does not start: {words}"
            raise MachineDiedError(message) from error
        # Ended before the socket is closed: it has nothing left to say.
        stack.callback(monitor.close)
        stack.callback(child.end)
        yield Machine(child, monitor, scratch, file_bytes)


def _ending(code: int | None, words: str) -> str:
    how = "still runs" if code is None else f"signal {-code}" if code < 0 else f"exit code {code}"
    return " ".join(words.split()) or how


def temporary_folder() -> Path:
    """Return a new folder, which is the caller's to remove.

    :raises HostError: if none can be made.
    """
    try:
        return Path(tempfile.mkdtemp(prefix="whypanic-boot-"))
    except OSError as error:
        message = f"cannot make a temporary folder: {(error.strerror or str(error)).lower()}"
        raise HostError(message) from error
