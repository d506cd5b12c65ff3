"""The use case `lab diff`: two serial logs, or the consoles of two runs, held against each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from whypanic.app.explain_document import tool
from whypanic.lab.serial_diff import first_difference
from whypanic.model.errors import InputError
from whypanic.report.lab_document import DIFF_SCHEMA, DiffDocument, DocComparison, DocParting

CONSOLE = "console.log"
_MAX_BYTES = 64 << 20
_SHOWN_BEFORE = 3


class _What(NamedTuple):
    """What is compared."""

    times: bool
    addresses: bool
    ignored: tuple[str, ...]


def diff_boots(
    a: str, b: str, *, times: bool = True, addresses: bool = True, ignored: Sequence[str] = ()
) -> DiffDocument:
    """Return where two logs part, or those of each cell of two runs.

    :param times: printk's stamps count.
    :param addresses: hexadecimal numbers of eight digits and more count.
    :param ignored: lines with one of these texts in them are all alike.
    :raises InputError: if one cannot be read or has no console in it, or if one is a log and the other a run.
    """
    left, right = consoles_of(a), consoles_of(b)
    what = _What(times, addresses, tuple(ignored))
    if left.keys() == {""} and right.keys() == {""}:
        compared = [_compare(Path(a).name, left[""], right[""], what)]
    elif "" in left or "" in right:
        message = f"`{a}` and `{b}` are a log and a run: give two of one kind"
        raise InputError(message)
    else:
        compared = [
            _compare(name, left.get(name), right.get(name), what)
            for name in dict.fromkeys((*left, *right))
        ]
    left_out = [name for name, counts in (("times", times), ("addresses", addresses)) if not counts]
    return DiffDocument(
        schema=DIFF_SCHEMA,
        tool=tool(),
        a=a,
        b=b,
        ignored=[*left_out, *(f"`{text}`" for text in ignored)],
        comparisons=compared,
    )


def consoles_of(name: str) -> dict[str, Path]:
    """Return the consoles that a word of the command line stands for, by cell; a log stands under the empty name.

    :raises InputError: if there is none.
    """
    path = Path(name)
    if path.is_file():
        return {"": path}
    if (path / CONSOLE).is_file():
        return {"": path / CONSOLE}
    found = {each.parent.name: each for each in sorted(path.glob(f"*/{CONSOLE}"))}
    if not found:
        what = "no serial log in" if path.is_dir() else "no file or folder"
        message = f"{what} `{name}`"
        raise InputError(message, path=name)
    return found


def _compare(name: str, a: Path | None, b: Path | None, what: _What) -> DocComparison:
    if a is None or b is None:
        return DocComparison(
            name=name,
            a=None if a is None else str(a),
            b=None if b is None else str(b),
            equal=False,
            parting=None,
        )
    one, two = _read(a), _read(b)
    parting = first_difference(
        _without(one, what.ignored),
        _without(two, what.ignored),
        times=what.times,
        addresses=what.addresses,
    )
    found = None
    if parting is not None:
        first = max(0, parting.line - 1 - _SHOWN_BEFORE)
        before = [line.rstrip("\r") for line in one.split("\n")[first : parting.line - 1]]
        found = DocParting(line=parting.line, a=parting.a, b=parting.b, before=before)
    return DocComparison(name=name, a=str(a), b=str(b), equal=found is None, parting=found)


def _without(log: str, ignored: Sequence[str]) -> str:
    """Return a log in which the lines with these texts are empty."""
    if not ignored:
        return log
    lines = log.split("\n")
    return "\n".join("" if any(text in line for text in ignored) else line for line in lines)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot read `{path}`: {(error.strerror or str(error)).lower()}"
        raise InputError(message, path=str(path)) from error
    if len(data) > _MAX_BYTES:
        message = f"`{path}` is larger than {_MAX_BYTES >> 20} MiB"
        raise InputError(message, path=str(path))
    return data.decode("utf-8", "backslashreplace")
