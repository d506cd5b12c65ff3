"""Nothing from a log reaches the terminal as a command to it."""

import pytest

from whypanic.report.escape import printable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text", "plain text"),
        ("a\tb", "a b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b2J", "\\x9b2J"),
        ("\x00\x07\r\n", "\\x00\\x07\\x0d\\x0a"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("naïve — ok", "naïve — ok"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable(raw: str, shown: str) -> None:
    assert printable(raw) == shown
