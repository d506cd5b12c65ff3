"""Where decoded lines stand in the file."""

from whypanic.crashlog.places import Places, Row, joined, rows_of
from whypanic.model.provenance import Span


def test_rows_of_a_file() -> None:
    assert rows_of(b"a\n\nb") == [Row(b"a", 1, 1), Row(b"", 2, 2), Row(b"b", 3, 3)]
    assert rows_of(b"a\n") == [Row(b"a", 1, 1)]
    assert rows_of(b"") == []


def test_lines_and_spans() -> None:
    places = Places([Row(b"a", 7, 8), Row(b"b", 9, 9), Row(b"c", 9, 12)])
    assert [places.line(n) for n in (1, 2, 3)] == [7, 9, 9]
    assert places.span(Span(input=3, first_line=1, last_line=2)) == Span(
        input=3, first_line=7, last_line=9
    )
    assert places.span(Span(first_line=2, last_line=3)) == Span(first_line=9, last_line=12)


def test_a_span_over_parts_in_reversed_order_covers_both() -> None:
    places = Places([Row(b"", 20, 20), Row(b"", 21, 21), Row(b"", 3, 3)])
    assert places.span(Span(first_line=2, last_line=3)) == Span(first_line=3, last_line=21)


def test_beyond_the_ends() -> None:
    assert Places([]).line(4) == 4
    places = Places([Row(b"a", 7, 8)])
    assert (places.line(0), places.line(9)) == (7, 7)
    outside = Span(first_line=5, last_line=6)
    assert places.span(outside) == outside


def test_a_row_is_one_line_of_the_text() -> None:
    assert joined([Row(b"a\nb", 1, 1), Row(b"", 2, 2)]) == b"a b\n\n"
