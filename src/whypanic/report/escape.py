"""Text from a log, made safe for a terminal."""

import unicodedata

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Unicode categories that a terminal may obey or that may reorder what is read: controls, formats, surrogates."""


def printable(text: str) -> str:
    """Return text in which every control or format character is written as an escape; tabs become blanks."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c == "\t" else _escape(c) if unicodedata.category(c) in _UNSAFE else c for c in text
    )


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
