import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from whypanic.host.clock import Deadline
from whypanic.host.long_program import start_long_program, usable_cpus
from whypanic.model.errors import HostError


def test_lines_come_as_they_are_printed() -> None:
    words = ["sh", "-c", "echo one; sleep 0.4; echo two >&2; printf three"]
    with start_long_program(words, deadline=Deadline(20)) as program:
        came = list(program.lines(idle_s=0.1))
    assert [line for line in came if line is not None] == [b"one", b"two", b"three"]
    assert came.index(b"two") > came.index(None) > came.index(b"one")
    assert (program.returncode, program.out_of_time) == (0, False)


def test_code_environment_and_folder(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "A": "b c"}
    with start_long_program(
        ["sh", "-c", 'echo "$A"; pwd; cat; exit 3'],
        deadline=Deadline(20),
        environment=environment,
        folder=str(tmp_path),
    ) as program:
        assert list(program.lines()) == [b"b c", bytes(tmp_path)]
    assert program.returncode == 3


def test_signal_that_ended_it() -> None:
    with start_long_program(["sh", "-c", "kill -TERM $$"], deadline=Deadline(20)) as program:
        assert list(program.lines()) == []
    assert program.returncode == -signal.SIGTERM


def test_deadline_ends_it_with_its_children() -> None:
    seconds = f"96.{os.getpid()}"
    words = ["sh", "-c", f"sh -c 'sleep {seconds}; :' & echo up; sleep {seconds}"]
    with start_long_program(words, deadline=Deadline(0.5)) as program:
        assert [line for line in program.lines(idle_s=0.1) if line] == [b"up"]
    assert program.out_of_time
    assert wait_for(lambda: not is_running(seconds))


def test_what_it_leaves_behind_is_not_waited_for_and_goes() -> None:
    seconds = f"95.{os.getpid()}"
    begin = time.monotonic()
    words = ["sh", "-c", f"sleep {seconds} & echo up"]
    with start_long_program(words, deadline=Deadline(60)) as program:
        assert b"up" in list(program.lines(idle_s=0.1))
        assert is_running(seconds)
    assert (program.returncode, program.out_of_time) == (0, False)
    assert time.monotonic() - begin < 20
    assert wait_for(lambda: not is_running(seconds))


def test_nothing_is_left_when_we_are_killed() -> None:
    seconds = f"94.{os.getpid()}"
    code = (
        "from whypanic.host.clock import Deadline\n"
        "from whypanic.host.long_program import start_long_program\n"
        f"words = ['sh', '-c', 'sh -c \"sleep {seconds}; :\" & sleep {seconds}']\n"
        "with start_long_program(words, deadline=Deadline(60)) as program:\n"
        "    list(program.lines())\n"
    )
    paths = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": paths}
    ) as child:
        assert wait_for(lambda: is_running(seconds))
        child.kill()
    assert wait_for(lambda: not is_running(seconds))


def test_endless_line_is_cut() -> None:
    words = ["sh", "-c", "head -c 1000000 /dev/zero"]
    with start_long_program(words, deadline=Deadline(20)) as program:
        lines = [line for line in program.lines() if line]
    assert sum(map(len, lines)) == 1_000_000
    assert max(map(len, lines)) < 400_000


def test_program_that_is_not_there() -> None:
    with (
        pytest.raises(HostError, match="no program `no-such-program`"),
        start_long_program(["no-such-program"], deadline=Deadline(1)),
    ):
        pass


def test_cpus() -> None:
    assert usable_cpus() >= 1


def is_running(argument: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sleep" in words[0] and argument.encode() in words:
            return True
    return False


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
