"""How much of the lines of a log was understood."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from whypanic.crashlog.lines import Line
from whypanic.crashlog.recognise import Recognised
from whypanic.crashlog.sections.rule import Part


class Counts(NamedTuple):
    """Running sums over the lines of one input, so that any range is counted at once."""

    written: tuple[int, ...]
    """Physical lines with text before each line."""
    understood: tuple[int, ...]
    """Those among them that became facts, or structure of a report."""

    def within(self, first: int, last: int) -> tuple[int, int]:
        """Return how many lines from `first` to `last` (inclusive) have text, and were understood."""
        return (
            self.written[last + 1] - self.written[first],
            self.understood[last + 1] - self.understood[first],
        )


def is_understood(index: int, found: Recognised, known: set[int]) -> bool:
    """A report or a listing took the line, or a section knows it."""
    return index in known or bool(found.facts) or found.part is not Part.NONE


def count_understood(
    lines: Sequence[Line], recognised: Sequence[Recognised], known: set[int]
) -> Counts:
    """Return the running sums of an input's lines.

    :param known: indexes of lines that belong to a report, a listing or a command.
    """
    sizes = [line.last_number - line.number + 1 if line.text else 0 for line in lines]
    good = [
        size if is_understood(index, recognised[index], known) else 0
        for index, size in enumerate(sizes)
    ]
    return Counts((0, *accumulate(sizes)), (0, *accumulate(good)))
