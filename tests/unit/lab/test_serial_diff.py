from whypanic.lab.serial_diff import Parting, comparable, first_difference

A = "[    0.000000] Booting\n[    0.100000] kvm [1]: at 0xffff800008123456\ndone\n"


def test_equal_logs_do_not_part() -> None:
    assert first_difference(A, A) is None
    assert first_difference("", "") is None


def test_nothing_is_ignored_by_default() -> None:
    later = A.replace("0.100000", "0.100001")
    parting = first_difference(A, later)
    assert parting == Parting(2, A.splitlines()[1], later.splitlines()[1])
    assert first_difference(A, later, times=False) is None


def test_addresses() -> None:
    moved = A.replace("8123456", "9123456")
    assert first_difference(A, moved, times=False) is not None
    assert first_difference(A, moved, addresses=False) is None


def test_short_numbers_count_even_without_addresses() -> None:
    assert comparable("size 0x1000 of 12345678", times=True, addresses=False) == (
        "size 0x1000 of ADDRESS"
    )


def test_a_log_that_is_longer() -> None:
    assert first_difference("a\n", "a\nb\n") == Parting(2, None, "b")
    assert first_difference("a\nb\n", "a\n") == Parting(2, "b", None)
    assert first_difference("a", "a\nb\nc") == Parting(2, None, "b")


def test_line_ends_count_but_that_of_the_last_line() -> None:
    assert first_difference("a\r\nb\r\n", "a\nb\n") == Parting(1, "a\r", "a")
    assert first_difference("a\nb", "a\nb\n") is None


def test_stamps_with_a_caller() -> None:
    assert comparable("[    1.5][   T1] x", times=False, addresses=True) == "x"
