""".config files: reading, merging fragments, and holding what was asked for against what came out.

Source: Linux Documentation/kbuild/kconfig.rst; scripts/kconfig/merge_config.sh for the order of fragments (a later line
replaces an earlier one of the same option).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from whypanic.model.errors import InputError
from whypanic.model.lab import OptionCheck

_MAX_BYTES = 4 << 20
LTO_LINES: dict[str, tuple[str, ...]] = {
    # `none` is the default of every tree, and one without LTO has no such option.
    "none": (),
    "thin": (
        "# CONFIG_LTO_NONE is not set",
        "# CONFIG_LTO_CLANG_FULL is not set",
        "CONFIG_LTO_CLANG_THIN=y",
    ),
    "full": (
        "# CONFIG_LTO_NONE is not set",
        "# CONFIG_LTO_CLANG_THIN is not set",
        "CONFIG_LTO_CLANG_FULL=y",
    ),
}
LTO_WANTED: dict[str, dict[str, str]] = {
    "none": {"CONFIG_LTO_CLANG": "n"},
    "thin": {"CONFIG_LTO_CLANG_THIN": "y"},
    "full": {"CONFIG_LTO_CLANG_FULL": "y"},
}


@cache
def _line_pattern() -> re.Pattern[str]:
    return re.compile(
        r"(?:(?P<name>CONFIG_\w+)=(?P<value>.*)|# (?P<unset>CONFIG_\w+) is not set)", re.ASCII
    )


def read_options(text: str) -> dict[str, str]:
    """Return the values of a .config or fragment; `is not set` is n, strings keep their quotes."""
    options: dict[str, str] = {}
    for line in text.splitlines():
        if match := _line_pattern().fullmatch(line.strip()):
            name = match["name"] or match["unset"]
            options.pop(name, None)
            options[name] = match["value"].strip() if match["name"] else "n"
    return options


def write_options(options: Mapping[str, str]) -> str:
    """Return the lines of a .config."""
    return "".join(
        f"# {name} is not set\n" if value == "n" else f"{name}={value}\n"
        for name, value in options.items()
    )


def read_fragment(text: str, *, what: str) -> dict[str, str]:
    """Return the options of a fragment.

    :raises InputError: if a line is neither an option nor a comment.
    """
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if line and not line.startswith("#") and not _line_pattern().fullmatch(line):
            message = f"{what}, line {number} is no option of a kernel: `{line[:80]}`"
            raise InputError(message, hints=("write CONFIG_NAME=value",))
    return read_options(text)


def named_fragment(word: str) -> dict[str, str]:
    """Return the options of a fragment given as `CONFIG_X=y` or as a file.

    :raises InputError: if it is neither, or cannot be read.
    """
    if word.lstrip("# ").startswith("CONFIG_") and not Path(word).is_file():
        return read_fragment(word, what=f"fragment `{word[:80]}`")
    return read_fragment(read_config_file(Path(word)), what=f"`{word}`")


def read_config_file(path: Path) -> str:
    """Return the text of a .config or fragment.

    :raises InputError: if it cannot be read or is too large.
    """
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read `{path}`: {(error.strerror or str(error)).lower()}"
        raise InputError(message, path=str(path)) from error
    if len(data) > _MAX_BYTES:
        message = f"`{path}` has more than {_MAX_BYTES} bytes: too many for a .config"
        raise InputError(message, path=str(path))
    return data.decode(errors="backslashreplace")


def check_options(
    wanted: Mapping[str, str], final: Mapping[str, str], why: Callable[[str, str, str], str]
) -> tuple[OptionCheck, ...]:
    """Return every wanted option beside what it became.

    :param why: asked for the reason of each that was refused, with name, wanted and got.
    """
    checks = []
    for name, value in wanted.items():
        got = final.get(name, "n")
        because = "" if got == value else why(name, value, got)
        checks.append(OptionCheck(name=name, wanted=value, got=got, because=because))
    return tuple(checks)


def merged(parts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return all options, a later one in place of an earlier one of the same name."""
    options: dict[str, str] = {}
    for part in parts:
        for name, value in part.items():
            options.pop(name, None)
            options[name] = value
    return options
