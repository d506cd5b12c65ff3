from pathlib import Path

import pytest

from whypanic.host.scratch import copy_sparse, has_room, scratch_folder
from whypanic.model.errors import HostError


def test_a_folder_is_gone_with_what_is_in_it(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert folder.parent == tmp_path
        (folder / "large").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_it_may_be_anywhere() -> None:
    with scratch_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_it_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), scratch_folder(tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_no_folder_can_be_made_in_none(tmp_path: Path) -> None:
    with (
        pytest.raises(HostError, match="cannot make a temporary folder"),
        scratch_folder(tmp_path / "none"),
    ):
        pass


def test_room_is_judged(tmp_path: Path) -> None:
    assert not has_room(tmp_path, 1 << 60)
    assert not has_room(tmp_path / "none", 1)


@pytest.mark.parametrize("tail", [b"", b"end", bytes(3)])
def test_a_copy_has_the_same_bytes_and_takes_less_room(tmp_path: Path, tail: bytes) -> None:
    data = b"begin".ljust(1 << 20, b"\0") + bytes(6 << 20) + tail
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    copy_sparse(source, target)
    assert target.read_bytes() == data
    assert target.stat().st_blocks * 512 < 3 << 20


def test_a_copy_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(HostError, match="cannot write"):
        copy_sparse(tmp_path / "source", tmp_path / "none" / "target")
