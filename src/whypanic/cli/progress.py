"""How far a long run is, on a terminal and nowhere else."""

import contextlib
import sys
import time

_PERIOD = 0.2
"""Seconds between two lines."""
_PATIENCE = 1.0
"""Seconds in which nothing is said."""


class Progress:
    """One line on standard error, written again and again; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._start = self._said = time.monotonic()
        self._n_inputs = 0
        self._name = ""
        self._is_dirty = False

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
