import pytest

from whypanic.lab.last_words import last_words
from whypanic.lab.printk_ring import Record

RECORDS = (
    Record(0, 0, 5, "toy kernel 1.0"),
    Record(1, 1_000_000, 6, "toy: found\ntoy: started"),
    Record(2, 2_000_000, 7, "toy: a detail"),
    Record(3, 3_000_000, 4, "toy: no answer"),
    Record(4, 4_000_000, 0, "toy: all is lost"),
)


@pytest.mark.parametrize("prefix", ["", "[    0.001000] ", "[    0.001000][    T1] ", "<6>"])
def test_lines_behind_the_last_printed_one_are_the_last_words(prefix: str) -> None:
    console = f"{prefix}toy kernel 1.0\r\n{prefix}toy: found\r\n{prefix}toy: started\r\n"
    assert last_words(RECORDS, console) == (
        "[    0.003000] toy: no answer",
        "[    0.004000] toy: all is lost",
    )


def test_all_of_them_are_where_nothing_was_printed() -> None:
    assert len(last_words(RECORDS, "")) == 6
    assert len(last_words(RECORDS, "UEFI says hello\r\n")) == 6


def test_a_line_that_was_cut_was_not_printed() -> None:
    console = (
        "toy kernel 1.0\ntoy: found\ntoy: started\ntoy: a detail\ntoy: no answer\ntoy: all is lost"
    )
    assert last_words(RECORDS, console) == ("[    0.004000] toy: all is lost",)


def test_what_was_printed_to_its_end_has_none() -> None:
    console = "toy: no answer\ntoy: all is lost\nwords of a program\n"
    assert last_words(RECORDS, console) == ()


def test_a_line_said_again_is_counted() -> None:
    records = [Record(i, 0, 6, "toy: still here") for i in range(5)]
    assert len(last_words(records, "toy: still here\n" * 3)) == 2


def test_they_are_bounded() -> None:
    records = [Record(i, 0, 6, f"toy: line {i}") for i in range(5000)]
    words = last_words(records, "")
    assert len(words) == 200
    assert words[-1].endswith("toy: line 4999")
