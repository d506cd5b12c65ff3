from whypanic.host.clock import Deadline


def test_a_deadline_in_the_future_has_time_left() -> None:
    assert 0 < Deadline(60).left_s() <= 60


def test_a_deadline_that_has_passed_has_none() -> None:
    assert Deadline(-1).left_s() == 0.0
