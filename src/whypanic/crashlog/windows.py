"""A big text read in pieces: the parts that may hold a report, and boot lines; what is quiet is passed over.

Memory is bounded by the pieces, not by the text. Where a part begins the screen says, where it ends the reader.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple

from whypanic.crashlog.screen import Sense, hits

CHUNK = 1 << 20
"""Bytes read at once."""
LONGEST = 1 << 18
"""Bytes kept of one line; the reader looks at fewer."""
BEFORE = 128
"""Lines before one that may begin a report: a dump's first pieces, a wrapped headline."""
MAX_BEFORE = 1 << 16
"""Bytes of those before."""
_FIRST, _MOST = 256, 4096
"""Lines of a piece, doubled from one to the next."""
_TOGETHER = 1 << 10
"""Bytes between two boot lines that are read along with them."""
_SLACK = 64
"""Lines looked at for a place where nothing is wrapped."""


class Piece(NamedTuple):
    """Whole lines."""

    first_line: int
    data: bytes


def slices(data: bytes) -> Iterator[bytes]:
    """Yield a text in chunks."""
    if b"\n" not in data and b"\r" in data:
        data = data.replace(b"\r", b"\n")
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes cut behind line ends; of a line beyond all bounds only its beginning."""
    carry, is_cut = b"", False
    for chunk in chunks:
        rest = chunk
        if is_cut:
            at = chunk.find(b"\n")
            if at < 0:
                continue
            rest, is_cut = chunk[at:], False
        end = rest.rfind(b"\n") + 1
        if end:
            yield carry + rest[:end]
            carry = rest[end:]
        else:
            carry += rest
        if len(carry) > LONGEST:
            carry, is_cut = carry[:LONGEST], True
    if carry:
        yield carry


class Capture:
    """A text that comes in chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._blocks = whole_lines(chunks)
        self._data = b""
        self._start = 0
        """Offset of the first byte that was not passed over or returned."""
        self._line = 1
        """Number of the line that begins there."""
        self._boot: deque[tuple[int, int]] = deque()
        """Boot lines behind it: their offsets."""

    @property
    def n_lines(self) -> int:
        """Lines so far."""
        return self._line - 1

    def pieces(self, is_idle: Callable[[int], bool]) -> Iterator[Piece]:
        """Yield the pieces that have to be read, in order.

        :param is_idle: whether what was yielded so far is complete before the line of this number.
        """
        size, least = _FIRST, 0
        while True:
            if is_idle(self._line):
                size = _FIRST
                opening = yield from self._pass_over()
                if opening is None:
                    return
                least = opening
            piece = self._next(size, least)
            if piece is None:
                return
            yield piece
            size = min(2 * size, _MOST)
            least = self._start

    def _more(self) -> bool:
        """Append a block to what is held; False at the end."""
        block = next(self._blocks, None)
        if block is None:
            return False
        held = self._data[self._start :] if self._start else self._data
        self._boot = deque((first - self._start, end - self._start) for first, end in self._boot)
        self._data, self._start = held + block, 0
        return True

    def _go_to(self, offset: int) -> Iterator[Piece]:
        """Pass over the lines before an offset; yield the boot lines among them."""
        data, place, number = self._data, self._start, self._line
        while self._boot and self._boot[0][0] < offset:
            first, end = self._boot.popleft()
            while self._boot and self._boot[0][0] < min(offset, end + _TOGETHER):
                end = self._boot.popleft()[1]
                if end - first > MAX_BEFORE:
                    break
            number += data.count(b"\n", place, first)
            place = first
            yield Piece(number, data[first:end])
        self._line = number + data.count(b"\n", place, offset)
        self._start = offset

    def _pass_over(self) -> Generator[Piece, None, int | None]:
        """Pass over quiet lines up to a window; return the offset behind the line that it is for, None at the end."""
        seen = self._start
        while True:
            for hit in hits(self._data, seen, len(self._data)):
                if hit.sense is Sense.CONTEXT:
                    self._boot.append((hit.start, hit.end))
                    continue
                yield from self._go_to(self._before(hit.start))
                return hit.end
            end = len(self._data)
            yield from self._go_to(self._before(end))
            held = end - self._start
            if not self._more():
                yield from self._go_to(end)
                return None
            seen = held

    def _before(self, offset: int) -> int:
        """Return where the lines before an offset begin that are looked at with it."""
        lowest = max(self._start, offset - MAX_BEFORE)
        place = offset
        for _ in range(BEFORE):
            at = self._data.rfind(b"\n", lowest, max(lowest, place - 1))
            if at < 0:
                return self._start if lowest == self._start else place
            place = at + 1
        return place

    def _next(self, size: int, least: int) -> Piece | None:
        """Return the next lines, beyond the offset `least`; None at the end."""
        offset = max(least, self._start)
        n_wanted = size
        while True:
            end, n_found = self._skip(offset, n_wanted)
            if n_found == n_wanted:
                break
            base = self._start
            if not self._more():
                break
            offset -= base
        if end == self._start:
            return None
        end = self._cut(end)
        data = self._data[self._start : end]
        piece = Piece(self._line, data)
        while self._boot and self._boot[0][0] < end:
            self._boot.popleft()
        self._line += data.count(b"\n") + (not data.endswith(b"\n"))
        self._start = end
        return piece

    def _skip(self, offset: int, n_lines: int) -> tuple[int, int]:
        """Return the offset behind some lines, and how many there were."""
        for n_found in range(n_lines):
            at = self._data.find(b"\n", offset)
            if at < 0:
                return len(self._data), n_found
            offset = at + 1
        return offset, n_lines

    def _cut(self, end: int) -> int:
        """Return an end nearby where a stamped line follows a stamped one: neither is wrapped."""
        stamped = False
        place = end
        for _ in range(_SLACK):
            if place >= len(self._data):
                break
            is_stamp = self._data.startswith((b"[", b"<"), place)
            if is_stamp and stamped:
                return place
            words = self._data[place : place + 64]
            stamped = is_stamp and b"Modules linked" not in words and b"Code:" not in words
            place = self._data.find(b"\n", place) + 1 or len(self._data)
        return end
