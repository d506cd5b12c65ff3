"""Time as the machine that runs this program has it."""

import time


class Deadline:
    """A moment some seconds from now, on a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds

    def left_s(self) -> float:
        """Return the seconds that are left, 0 when it has passed."""
        return max(0.0, self._end_s - time.monotonic())
