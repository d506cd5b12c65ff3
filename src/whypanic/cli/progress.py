"""How far a long run is, on a terminal and nowhere else."""

import contextlib
import shutil
import sys
import time

from whypanic.report.escape import printable

_PERIOD = 0.2
"""Seconds between two lines."""
_PATIENCE = 1.0
"""Seconds in which nothing is said."""


class StatusLine:
    """One line on standard error, written again and again; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._start = self._said = time.monotonic()
        self._is_dirty = False

    def show(self, text: str) -> None:
        """Write the line anew, unless that was done just before; it is cut where the terminal ends."""
        now = time.monotonic()
        if not self._is_shown or now - self._said < _PERIOD:
            return
        self._said = now
        columns = shutil.get_terminal_size((80, 24)).columns - 1
        self._write(printable(text)[:columns])

    def clear(self) -> None:
        """Take the line away: something else is going to be written."""
        if self._is_dirty:
            self._write("")

    def _write(self, text: str) -> None:
        # A terminal that went away is told nothing.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        self._is_dirty = bool(text)


class Progress(StatusLine):
    """How much of which input was read."""

    def __init__(self) -> None:
        super().__init__()
        self._n_inputs = 0
        self._name = ""

    def __call__(self, name: str, n_bytes: int) -> None:
        """Say that so many bytes of an input were read."""
        if not self._is_shown:
            return
        if name != self._name:
            self._name, self._n_inputs = name, self._n_inputs + 1
        now = time.monotonic()
        if now - self._start < _PATIENCE or now - self._said < _PERIOD:
            return
        self._said = now
        self._write(f"input {self._n_inputs}, {n_bytes >> 20} MiB, {now - self._start:.0f} s")
