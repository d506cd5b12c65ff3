"""The console of a running machine, read from the file that QEMU writes, and the words in it that decide early."""

from pathlib import Path

from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.recognise import recognise
from whypanic.host.clock import Stopwatch
from whypanic.model.fault import PanicMessage

MAX_BYTES = 16 << 20
"""Of a console that never ends no more is read."""
_CHEAP = b"anic"


class Console:
    """What the serial line has printed so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = bytearray()
        self.quiet = Stopwatch()
        """Since the last byte, or since the beginning."""
        self.since_panic: Stopwatch | None = None
        """Since the kernel said that it panics."""
        self._n_known = 0
        """Bytes of whole lines that were looked at."""

    def read(self) -> list[str]:
        """Take what has come since the last call, and return its whole lines."""
        if self.is_full:
            return []
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(len(self.data))
                new = file.read(MAX_BYTES - len(self.data))
        except OSError:
            return []
        if not new:
            return []
        self.data += new
        self.quiet.restart()
        end = self.data.rfind(b"\n") + 1
        lines = bytes(self.data[self._n_known : end])
        self._n_known = max(end, self._n_known)
        if self.since_panic is None and _CHEAP in lines and says_panic(lines):
            self.since_panic = Stopwatch()
        return lines.decode(errors="backslashreplace").splitlines()

    @property
    def is_full(self) -> bool:
        return len(self.data) >= MAX_BYTES

    @property
    def text(self) -> str:
        return self.data.decode(errors="backslashreplace").replace("\r\n", "\n")


def says_panic(lines: bytes) -> bool:
    """Return whether one of the lines is what panic() prints first."""
    return any(
        isinstance(fact, PanicMessage)
        for line in read_lines(lines).lines
        for fact in recognise(line, 0, in_trace=False).facts
    )
