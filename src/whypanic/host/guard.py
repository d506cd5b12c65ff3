"""What ends a program together with its children when this process is gone, however that came: `kill -9` included."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# It waits for the end of a pipe that only this process writes to. PR_SET_PDEATHSIG would need code of ours between fork
# and exec, ends the program alone, and does so when the thread that started it ends. A program that inherits sockets
# cannot be started through a shell that stays in its group: the shell would hold its end of them.
_SCRIPT = 'read -r leader && { read -r _; kill -s KILL -- "-$leader"; }'


@contextmanager
def group_guard() -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the id of a process group: it is killed if this process dies inside the block.

    One group a block. At the end of the block nothing is killed but the guard.
    """
    ours, held = os.pipe()
    try:
        watcher = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=ours,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except BaseException:
        os.close(held)
        raise
    finally:
        os.close(ours)
    try:
        yield lambda leader: _tell(held, leader)
    finally:
        # Before the pipe is closed: the number of the group may belong to others by now.
        watcher.kill()
        watcher.wait()
        os.close(held)


def _tell(pipe: int, leader: int) -> None:
    os.write(pipe, f"{leader}\n".encode())
