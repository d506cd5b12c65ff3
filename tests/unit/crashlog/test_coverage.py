"""Counting what was understood."""

from whypanic.crashlog.coverage import count_understood, is_understood
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.recognise import NOTHING, recognise
from whypanic.crashlog.sections.rule import Part

TEXT = b"""\
[ 1.0] sp : ffff80000b2b3cf0

[ 1.0] nobody knows this
[ 1.0] ---[ end trace 0000000000000000 ]---
"""


def test_ranges_are_counted_without_blank_lines() -> None:
    lines = read_lines(TEXT).lines
    found = [recognise(line, 0, in_trace=False) for line in lines]
    counts = count_understood(lines, found, set())
    assert counts.within(0, 3) == (3, 2)
    assert counts.within(1, 2) == (1, 0)
    assert counts.within(3, 3) == (1, 1)


def test_a_line_that_a_report_took_is_understood() -> None:
    lines = read_lines(TEXT).lines
    counts = count_understood(lines, [NOTHING] * len(lines), {2})
    assert counts.within(0, 3) == (3, 1)


def test_structure_without_facts_is_understood() -> None:
    (line,) = read_lines(b"Call trace:").lines
    found = recognise(line, 0, in_trace=False)
    assert found.part is Part.TRACE
    assert is_understood(0, found, set())
    assert not is_understood(0, NOTHING, set())


def test_nothing_at_all() -> None:
    assert count_understood((), (), set()) == ((0,), (0,))
