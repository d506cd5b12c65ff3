"""Reading what the command line names."""

import os
from pathlib import Path

import pytest

from whypanic.app import inputs
from whypanic.app.inputs import RawInput, display_name, expand_paths, read_input
from whypanic.model.errors import InputError


def test_bytes_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\x00\xffabc")
    raw = read_input(str(path))
    assert raw == RawInput(str(path), b"\x00\xffabc")
    assert raw.sha256 == "24397706eb32f8691116fe4728d18eda7eacc40925e0ae26a5780cd8b8b13f80"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read: no such file or directory") as caught:
        read_input(str(tmp_path / "gone"))
    assert caught.value.path == str(tmp_path / "gone")


def test_a_nul_in_the_name() -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_input("a\0b")


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_INPUT_BYTES", 10)
    path = tmp_path / "big"
    path.write_bytes(b"x" * 11)
    with pytest.raises(InputError, match="larger than") as caught:
        read_input(str(path))
    assert "grep" in caught.value.hints[0]


def test_folders_stand_for_their_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_text("")
    (tmp_path / "a").write_text("")
    names = [str(n) for n in expand_paths(["-", str(tmp_path), "other"])]
    assert names == ["-", str(tmp_path / "a"), str(tmp_path / "sub" / "b"), "other"]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (found,) = expand_paths([str(tmp_path)])
    assert isinstance(found, InputError)
    assert found.message == "folder holds no files"


def test_what_is_no_file_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "a").write_text("")
    found = [str(n) for n in expand_paths([str(tmp_path)])]
    assert found == [str(tmp_path / "a"), str(tmp_path / "dangling")]
    with pytest.raises(InputError, match="no such file"):
        read_input(found[1])


def test_a_folder_below_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "a").write_text("")
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    error, name = expand_paths([str(tmp_path)])
    assert isinstance(error, InputError)
    assert error.message == "cannot list folder: permission denied"
    assert error.path == str(tmp_path / "locked")
    assert name == str(tmp_path / "a")


def test_a_parent_that_must_not_be_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert list(expand_paths([str(tmp_path)])) == [str(tmp_path)]


def test_files_left_out_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_FILES", 1)
    for name in "ab":
        (tmp_path / name).write_text("")
    name, error = expand_paths([str(tmp_path)])
    assert name == str(tmp_path / "a")
    assert isinstance(error, InputError)
    assert error.message == "folder holds 2 files, only the first 1 are read"


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="cannot read: standard input is closed"):
        read_input("-")


def test_a_name_in_another_character_set() -> None:
    assert display_name("plain é") == "plain é"
    assert display_name(os.fsdecode(b"a\xff\xe9")) == "a\\xff\\xe9"
    with pytest.raises(InputError) as caught:
        read_input(os.fsdecode(b"/nowhere/\xff"))
    assert caught.value.path == "/nowhere/\\xff"
