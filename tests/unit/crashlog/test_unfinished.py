import re

import pytest

from whypanic.crashlog.unfinished import BY_FIRST, BY_LEAD, STARTS, Unfinished

ROWS = (*BY_LEAD, *BY_FIRST)


@pytest.mark.parametrize("row", ROWS)
def test_shapes_compile_and_refuse_nothing_at_all(row: Unfinished) -> None:
    assert row.loose or re.compile(row.rest).fullmatch("Nice, thanks!") is None
    assert re.compile(row.begun).fullmatch("") is None


def test_rows_are_unique() -> None:
    assert len({(row.lead, row.begun, row.rest) for row in ROWS}) == len(ROWS)


def test_leads_are_what_a_line_begins_with() -> None:
    for row in BY_LEAD:
        assert all(re.fullmatch(r"[A-Za-z]+|[^A-Za-z]", lead) for lead in row.lead.split("|"))
    assert all(len(row.lead) == 1 for row in BY_FIRST)


@pytest.mark.parametrize(
    "text", ["Call trace:", "x29: ffff", "PS:800003c9", "Hardware name: x", "[<ffff0000>] f"]
)
def test_starts(text: str) -> None:
    assert re.match(STARTS, text)
