"""Progress: on a terminal, and only there."""

import io

import pytest

from whypanic.cli import progress
from whypanic.cli.progress import Progress, StatusLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr("sys.stderr", stream)
    told = Progress()
    told("a.log", 5 << 20)
    told("b.log", 7 << 20)
    told.clear()
    return stream.getvalue()


def test_nothing_is_written_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, io.StringIO()) == ""


def test_terminal_shows_one_line_and_takes_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal())
    assert "input 2, 7 MiB, 20 s" in text
    assert "\n" not in text
    assert text.endswith("\r\x1b[K")


def test_short_runs_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    Progress()("a.log", 1)
    assert stream.getvalue() == ""


def test_a_status_line_is_cut_and_cannot_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    monkeypatch.setenv("COLUMNS", "20")
    line = StatusLine()
    line.show("nvhe: \x1b[2J and much more that has no room")
    line.clear()
    shown = stream.getvalue()
    assert shown == "\r\x1b[Knvhe: \\x1b[2J and m\r\x1b[K"


def test_a_status_line_is_not_written_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 1.0, 1.1, 1.3))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    line = StatusLine()
    for words in ("one", "two", "three"):
        line.show(words)
    assert "one" in stream.getvalue()
    assert "two" not in stream.getvalue()
    assert "three" in stream.getvalue()
