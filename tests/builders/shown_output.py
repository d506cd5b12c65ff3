"""Output that a document shows, held against the real one."""

import re

ELLIPSIS = "[...]\n"
"""A line of its own that stands for any number of lines."""


def matches(expected: str, actual: str) -> bool:
    """Tell whether the output is what is shown, where something may be left out."""
    parts = [re.escape(part) for part in re.split(r"^\[\.\.\.\]\n", expected, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*".join(parts), actual) is not None
