"""Time as the machine that runs this program has it."""

import time


class Deadline:
    """A moment some seconds from now, on a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds

    def left_s(self) -> float:
        """Return the seconds that are left, 0 when it has passed."""
        return max(0.0, self._end_s - time.monotonic())


def now_ns() -> int:
    """Return the wall clock in ns since 1970: what times of files are held against."""
    return time.time_ns()


class Stopwatch:
    """Seconds since it was made or last set to zero."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def seconds(self) -> float:
        """Return how many have passed."""
        return time.monotonic() - self._start_s

    def restart(self) -> None:
        """Set it to zero."""
        self._start_s = time.monotonic()
