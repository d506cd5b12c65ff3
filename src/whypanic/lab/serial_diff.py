"""The first line where two serial logs part; nothing in a line is ignored unless it is asked for."""

import re
from functools import cache
from typing import NamedTuple


class Parting(NamedTuple):
    """Where two logs stop being the same."""

    line: int
    """1-based; the lines before it are equal."""
    a: str | None
    """The line of the first log, None where it has ended."""
    b: str | None


@cache
def _stamp() -> re.Pattern[str]:
    return re.compile(r"^\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? ?")


@cache
def _address() -> re.Pattern[str]:
    # Eight digits or more: shorter ones are sizes and counts.
    return re.compile(r"\b(?:0x)?[0-9a-f]{8,16}\b")


def comparable(line: str, *, times: bool, addresses: bool) -> str:
    """Return a line as it is compared.

    :param times: printk's stamp counts.
    :param addresses: hexadecimal numbers of eight digits and more count.
    """
    text = line if times else _stamp().sub("", line)
    return text if addresses else _address().sub("ADDRESS", text)


def first_difference(
    a: str, b: str, *, times: bool = True, addresses: bool = True
) -> Parting | None:
    """Return where two serial logs part, None where they do not.

    :param times: printk's stamps count.
    :param addresses: hexadecimal numbers of eight digits and more count.
    """
    left, right = a.split("\n"), b.split("\n")
    for number in range(1, max(len(left), len(right)) + 1):
        one, two = _line(left, number), _line(right, number)
        if one != two and (
            one is None
            or two is None
            or comparable(one, times=times, addresses=addresses)
            != comparable(two, times=times, addresses=addresses)
        ):
            return Parting(number, one, two)
    return None


def _line(lines: list[str], number: int) -> str | None:
    """Return a line, None behind the end; behind the last newline there is none."""
    if number > len(lines) or (number == len(lines) and not lines[-1]):
        return None
    return lines[number - 1]
