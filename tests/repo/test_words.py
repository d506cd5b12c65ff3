"""Files of the project hold no path of somebody's machine and no empty praise."""

import re

from builders.repository import ROOT, files

_MACHINE_PATH = re.compile(r"/(?:work|farm|root)/[.a-z]|/tmp/[a-z]+/bin|/Users/[a-z]")
_PRAISE = re.compile(
    r"\b(?:robust(?!_list)\w*|seamless\w*|blazing\w*|cutting[- ]edge|leverag\w+)\b", re.I
)
_MAX_KIB = 200


def _hits(pattern: re.Pattern[str], suffixes: tuple[str, ...] = ()) -> list[str]:
    found = []
    for path in files():
        if path == ROOT / "LICENSE" or path.name == "test_words.py":
            continue
        if suffixes and path.suffix not in suffixes:
            continue
        text = path.read_bytes().decode("utf-8", "backslashreplace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


def test_no_path_of_a_machine() -> None:
    assert _hits(_MACHINE_PATH) == []


def test_no_praise() -> None:
    assert _hits(_PRAISE, (".md", ".py")) == []


def test_nothing_of_a_skeleton_is_left() -> None:
    places = (ROOT / "src", ROOT / "tests" / "cases")
    left = [
        str(path.relative_to(ROOT))
        for path in files()
        if any(path.is_relative_to(place) for place in places) and b"FILL IN" in path.read_bytes()
    ]
    assert left == []


def test_no_large_files() -> None:
    large = [str(p.relative_to(ROOT)) for p in files() if p.stat().st_size > _MAX_KIB * 1024]
    assert large == []


def test_pattern_finds_what_it_is_for() -> None:
    assert _MACHINE_PATH.search("see /ro" + "ot/x")
    assert _PRAISE.search("a robust parser")
    assert not _PRAISE.search("exit_robust_list+0x10/0x80")
