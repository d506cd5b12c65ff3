import time
from pathlib import Path

from whypanic.host.clock import Deadline, Stopwatch, now_ns


def test_a_deadline_in_the_future_has_time_left() -> None:
    assert 0 < Deadline(60).left_s() <= 60


def test_a_deadline_that_has_passed_has_none() -> None:
    assert Deadline(-1).left_s() == 0.0


def test_a_stopwatch_counts_from_its_last_start() -> None:
    watch = Stopwatch()
    time.sleep(0.02)
    assert watch.seconds() >= 0.02
    watch.restart()
    assert watch.seconds() < 0.02


def test_wall_clock_is_that_of_files(tmp_path: Path) -> None:
    before = now_ns()
    (tmp_path / "file").touch()
    # The kernel stamps files with a coarser clock.
    assert abs((tmp_path / "file").stat().st_mtime_ns - before) < 10**9
