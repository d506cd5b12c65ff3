"""Where data and words go, and what happens when they cannot."""

import errno
import io
import sys
from pathlib import Path

import pytest

from whypanic.cli.output import (
    input_words,
    is_coloured,
    say,
    silence_stdout,
    width,
    write,
    write_error,
)
from whypanic.model.errors import HostError, InputError


class Full(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class Gone(Full):
    def write(self, _data: object) -> int:
        raise BrokenPipeError


def test_data_is_written_as_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write(b"\xff\x00 data")
    assert capfdbinary.readouterr().out == b"\xff\x00 data"


def test_a_full_disk_is_the_host_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Full()))
    with pytest.raises(HostError, match="cannot write to standard output: no space left on device"):
        write(b"x")


def test_a_reader_that_went_away_is_no_error_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Gone()))
    with pytest.raises(BrokenPipeError):
        write(b"x")


def test_closed_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(HostError, match="standard output is closed"):
        write(b"x")
    silence_stdout()


def test_words_never_reach_the_terminal_as_commands(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[31m\x9b\u202e\udcff b")
    assert capsys.readouterr() == ("", "a\\x1b[31m\\x9b\\u202e\\udcff b\n")


def test_the_reason_of_a_failed_write() -> None:
    assert write_error(OSError()).message == "cannot write to standard output: oserror"


def test_output_can_be_silenced(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        before, sys.stdout = sys.stdout, stream
        try:
            silence_stdout()
            stream.write("lost")
            stream.flush()
        finally:
            sys.stdout = before
    assert (tmp_path / "out").read_text() == ""


def test_words_that_nobody_can_read_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(Full(), write_through=True))
    say("x")
    monkeypatch.setattr(sys, "stderr", None)
    say("x")


@pytest.mark.parametrize(
    ("message", "path", "words"),
    [
        ("is empty", "a.log", "a.log: is empty"),
        ("cannot read", "a", "a: cannot read"),
        ("a.log is empty", "a.log", "a.log is empty"),
        ("cannot read a.log: gone", "a.log", "cannot read a.log: gone"),
        ("no symbol in `a b`", "a b", "no symbol in `a b`"),
        ("no listing", None, "no listing"),
    ],
)
def test_an_input_is_named_once(message: str, path: str | None, words: str) -> None:
    assert input_words(InputError(message, path=path)) == words


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gets_a_hundred_columns_and_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("COLUMNS", "60")
    assert (width(), is_coloured()) == (100, False)
    monkeypatch.setattr(sys, "stdout", None)
    assert (width(), is_coloured()) == (100, False)


def test_a_terminal_gets_its_own_columns_and_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", _Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert (width(), is_coloured()) == (60, True)
    monkeypatch.setenv("COLUMNS", "200")
    assert width() == 100
    monkeypatch.setenv("NO_COLOR", "1")
    assert not is_coloured()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not is_coloured()
