"""Kernel release strings: the numbers in `4.14.0-rc7-dirty`, and whether they tell the tree's state."""

import re
from functools import cache
from typing import NamedTuple

_MAX_CHARS = 200


class Release(NamedTuple):
    """The numbers at the head of a release string."""

    major: int
    minor: int
    patch: int | None
    """Stable patch level; None where the string does not tell it (`5.15.0-1035-vendor`: a distribution's count)."""
    is_next: bool = False
    """linux-next: the content of a later version under this number."""

    @property
    def pair(self) -> tuple[int, int]:
        return (self.major, self.minor)


@cache
def _release_pattern() -> re.Pattern[str]:
    return re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(-\d+(?!\d))?", re.ASCII)


def parse_release(text: str | None) -> Release | None:
    """Return the numbers of a kernel release (`uname -r`), or None where it does not begin with them."""
    if not text:
        return None
    text = text.strip()[:_MAX_CHARS]
    match = _release_pattern().match(text)
    if match is None:
        return None
    patch = int(match[3]) if match[3] else 0
    # Debian and Ubuntu print `6.1.0-18-arm64` for a tree that carries all of 6.1.y up to some point.
    counted_by_distribution = match[4] is not None and patch == 0
    return Release(
        int(match[1]), int(match[2]), None if counted_by_distribution else patch, "-next" in text
    )
