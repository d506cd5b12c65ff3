"""Parts of a dump in the order in which they were printed."""

import pytest

from whypanic.crashlog.places import joined, rows_of
from whypanic.crashlog.pstore import dump_and_part, has_parts, in_printed_order


def order(data: bytes) -> bytes:
    return joined(in_printed_order(rows_of(data)))


def test_the_highest_part_was_printed_first() -> None:
    data = b"Oops#1 Part1\nlast\nOops#1 Part2\nmiddle\nOops#1 Part3\nfirst\n"
    assert has_parts(data)
    assert order(data) == b"first\nmiddle\nlast\n"


def test_parts_in_order_stay() -> None:
    assert order(b"note\nPanic#2 Part2\na\nPanic#2 Part1\nb\n") == b"note\na\nb\n"


def test_two_dumps() -> None:
    data = b"Oops#1 Part1\nb\nPanic#2 Part1\nd\nOops#1 Part2\na\nPanic#2 Part2\nc\n"
    assert order(data) == b"a\nb\nc\nd\n"


def test_a_part_that_comes_again_is_of_another_dump() -> None:
    assert order(b"Oops#1 Part1\nb\nOops#1 Part2\na\nOops#1 Part1\nc\n") == b"a\nb\nc\n"


def test_places_are_those_of_the_file() -> None:
    rows = in_printed_order(rows_of(b"Oops#1 Part1\nb\nOops#1 Part2\na\n"))
    assert [(row.data, row.first) for row in rows] == [(b"a", 4), (b"b", 2)]


@pytest.mark.parametrize("data", [b"", b"Oops#1 Part1\nx\n", b"see #1 Part 2\nand #2 Part3\n"])
def test_one_part_or_none(data: bytes) -> None:
    assert not has_parts(data)


def test_the_head_of_a_record() -> None:
    assert dump_and_part(b"Panic#12 Part3\n<6>[ 1.0] x\n") == ("Panic#12", 3)
    assert dump_and_part(b"[ 1.0] x\n") is None
