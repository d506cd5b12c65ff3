"""Names of Rust functions as the source has them: mangling v0 (`_RNv...`) and the legacy one (`_ZN...17h<hash>E`).

    >>> demangle("_RNvMs_NtNtCs1_6kernel4sync4lockINtB4_4LockmE4lock")
    '<kernel::sync::lock::Lock<u32>>::lock'

Hashes of crates and functions are left out. Source: the legacy escapes, from memory.
"""

import re
from functools import cache

from whypanic.symbolize.rust_v0 import read_v0

_MAX_NAME = 8192
"""Characters of a mangled name; longer ones stay as they are."""
_ESCAPES = {
    "SP": "@",
    "BP": "*",
    "RF": "&",
    "LT": "<",
    "GT": ">",
    "LP": "(",
    "RP": ")",
    "C": ",",
}
_HASH_LENGTH = 17
_HASH_DIGITS = frozenset("0123456789abcdef")


def demangle(name: str) -> str:
    """Return the name in the source's words; the name itself where it is not a mangled name of Rust."""
    if len(name) > _MAX_NAME or not name.isascii():
        return name
    if name.startswith("_R"):
        found = _v0(name[2:])
    elif name.startswith("_ZN"):
        found = _legacy(name[3:])
    else:
        return name
    return name if found is None else found


def _v0(text: str) -> str | None:
    name, dot, rest = text.partition(".")
    found = read_v0(name)
    return None if found is None else found + _suffix(dot + rest)


@cache
def _escape() -> re.Pattern[str]:
    return re.compile(r"\$(?:u([0-9a-f]{1,6})|([A-Z]{1,2}))\$")


def _legacy(text: str) -> str | None:
    parts, at = [], 0
    while at < len(text) and text[at].isdigit():
        end = at
        while end < len(text) and text[end].isdigit() and end - at < 5:
            end += 1
        length = int(text[at:end])
        parts.append(text[end : end + length])
        if not length or len(parts[-1]) != length:
            return None
        at = end + length
    if text[at : at + 1] != "E" or len(parts) < 2 or not _is_hash(parts[-1]):
        return None
    rest = text[at + 1 :]
    if rest and not rest.startswith("."):
        return None
    return "::".join(_plain(part) for part in parts[:-1]) + _suffix(rest)


def _is_hash(part: str) -> bool:
    return len(part) == _HASH_LENGTH and part[0] == "h" and set(part[1:]) <= _HASH_DIGITS


def _plain(part: str) -> str:
    if part.startswith("_$"):
        part = part[1:]
    return _escape().sub(_unescape, part).replace("..", "::")


def _unescape(found: re.Match[str]) -> str:
    code, word = found.groups()
    if word is not None:
        return _ESCAPES.get(word, found.group())
    number = int(code, 16)
    return chr(number) if 0x20 <= number < 0xD800 else found.group()


def _suffix(text: str) -> str:
    """Return what the compiler added behind the name, without what LLVM adds for names that ThinLTO moved."""
    return text.partition(".llvm.")[0]
