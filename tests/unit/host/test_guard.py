import subprocess
import sys
from pathlib import Path

from whypanic.host.clock import Deadline
from whypanic.host.guard import group_guard

# A program that starts another one, tells its number, and waits.
_PROGRAM = "sleep 60 & echo $!; wait"


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return True
    return state.rpartition(")")[2].split()[0] == "Z"


def _is_gone_soon(pid: int) -> bool:
    deadline = Deadline(10)
    while deadline.left_s():
        if _is_gone(pid):
            return True
    return False


def test_children_die_with_a_killed_parent() -> None:
    code = (
        "import os, signal, subprocess\n"
        "from whypanic.host.guard import group_guard\n"
        "with group_guard() as adopt:\n"
        f"    child = subprocess.Popen(['/bin/sh', '-c', {_PROGRAM!r}], stdout=subprocess.PIPE, start_new_session=True)\n"
        "    adopt(child.pid)\n"
        "    print(child.pid, int(child.stdout.readline()), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    leader, grandchild = map(int, done.stdout.split())
    assert done.returncode == -9
    assert _is_gone_soon(leader)
    assert _is_gone_soon(grandchild)


def test_nothing_is_killed_at_the_end_of_the_block() -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as child:
        with group_guard() as adopt:
            adopt(child.pid)
        assert child.poll() is None
        child.kill()


def test_a_block_without_a_group() -> None:
    with group_guard():
        pass
