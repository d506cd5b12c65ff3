import os
from pathlib import Path

import pytest

from whypanic.host.memory import SharedMemory


def test_memory_is_zero_and_seen_under_its_path() -> None:
    with SharedMemory("test", 8192) as memory:
        assert memory.view[:8192] == bytes(8192)
        memory.view[4096:4099] = b"abc"
        assert Path(memory.path).read_bytes()[4096:4100] == b"abc\0"
        Path(memory.path).open("r+b").close()


def test_memory_is_gone_after_the_block() -> None:
    with SharedMemory("test", 4096) as memory:
        descriptor = memory.descriptor
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
