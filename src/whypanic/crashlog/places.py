"""Lines of a decoded text and the physical lines of the file that they came from."""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from whypanic.model.provenance import Span


class Row(NamedTuple):
    """One line of a text, decoded or not."""

    data: bytes
    """Without its newline."""
    first: int
    """1-based physical line of the file where it begins."""
    last: int
    """Physical line where it ends; above `first` where soft line breaks were taken out."""


class Places:
    """For every line of a decoded text, its physical lines."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._first = array("L")
        self._last = array("L")
        for row in rows:
            self._first.append(row.first)
            self._last.append(row.last)

    def line(self, number: int) -> int:
        """Return the physical line of a decoded one, both 1-based; beyond the end, that of the last."""
        if not self._first:
            return number
        return self._first[min(max(number, 1), len(self._first)) - 1]

    def span(self, span: Span) -> Span:
        """Return the physical lines that hold a span of decoded ones; parts in reversed order lie between them."""
        start = max(span.first_line, 1) - 1
        stop = max(span.last_line, span.first_line)
        first, last = self._first[start:stop], self._last[start:stop]
        if not first:
            return span
        return Span(input=span.input, first_line=min(first), last_line=max(last))


def rows_of(data: bytes) -> list[Row]:
    """Return the physical lines; a newline at the end begins no further one."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [Row(line, number, number) for number, line in enumerate(lines, 1)]


def joined(rows: Sequence[Row]) -> bytes:
    """Return the text of the lines, with a final newline; line N of it is row N."""
    return b"".join(row.data.replace(b"\n", b" ") + b"\n" for row in rows)
