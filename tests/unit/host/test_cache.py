import errno
import os
import time
from pathlib import Path

import pytest

from whypanic.host.cache import (
    cache_folder,
    cannot_write,
    folder_in_making,
    locked,
    new_folder,
    remove_oldest_folders,
    try_locked,
    write_whole,
)
from whypanic.model.errors import HostError


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("WHYPANIC_CACHE", raising=False)
    assert cache_folder() == Path("/home/me/.cache/whypanic")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/x")
    assert cache_folder() == Path("/var/x/whypanic")
    monkeypatch.setenv("WHYPANIC_CACHE", "/mine")
    assert cache_folder() == Path("/mine")


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot write") as caught:
        write_whole(tmp_path / "file" / "below", b"")
    assert "WHYPANIC_CACHE" in caught.value.hints[0]


def test_full_disk_is_said() -> None:
    error = cannot_write(Path("/x"), OSError(errno.ENOSPC, "No space left on device"))
    assert error.message == "the disk of `/x` is full"


def test_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    final = tmp_path / "a" / "b"
    with folder_in_making(final) as new:
        (new / "file").touch()
        assert not final.exists()
    assert [p.name for p in final.iterdir()] == ["file"]
    assert [p.name for p in final.parent.iterdir()] == ["b"]


def test_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError), folder_in_making(tmp_path / "b") as new:
        (new / "file").touch()
        raise ValueError  # whatever it is
    assert list(tmp_path.iterdir()) == []


def test_the_first_folder_stays(tmp_path: Path) -> None:
    final = tmp_path / "b"
    with folder_in_making(final) as new:
        (new / "second").touch()
        final.mkdir()
        (final / "first").touch()
    assert [p.name for p in final.iterdir()] == ["first"]
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "x" / "lock"
    with locked(path) as waited:
        assert not waited
        with try_locked(path) as had:
            assert not had
    with try_locked(path) as had:
        assert had


def test_lock_is_waited_for(tmp_path: Path) -> None:
    first, said = locked(tmp_path / "lock"), []
    first.__enter__()

    def waits() -> None:
        said.append("waits")
        first.__exit__(None, None, None)

    with locked(tmp_path / "lock", waits=waits) as waited:
        assert waited
    assert said == ["waits"]


def test_new_folders_are_each_their_own_and_stay(tmp_path: Path) -> None:
    first, second = (new_folder(tmp_path / "runs", "boot-") for _ in range(2))
    assert first != second
    assert first.is_dir()
    assert first.name.startswith("boot-")
    assert first.stat().st_mode & 0o777 == 0o755
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError):
        new_folder(tmp_path / "file" / "runs", "boot-")


def test_the_oldest_folders_give_way(tmp_path: Path) -> None:
    for age in range(4):
        (tmp_path / str(age) / "inside").mkdir(parents=True)
        os.utime(tmp_path / str(age), (1000 - age, 1000 - age))
    (tmp_path / "file").write_text("")
    remove_oldest_folders(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "file"]


def test_what_a_killed_process_left_is_removed_a_day_later(tmp_path: Path) -> None:
    for name, age_s in ((".new-dead", 90_000), (".new-alive", 60), ("kept", 90_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    with folder_in_making(tmp_path / "final"):
        assert not (tmp_path / ".new-dead").exists()
    assert {path.name for path in tmp_path.iterdir()} == {".new-alive", "kept", "final"}
