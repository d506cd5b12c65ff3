"""Folders of runs and their events."""

from pathlib import Path

import pytest

from whypanic.app.lab_run import started_run
from whypanic.model.errors import HostError
from whypanic.report.lab_events import RunFinished, RunStarted, decode_event


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path / "cache"))


def test_a_run_in_the_cache(tmp_path: Path) -> None:
    with started_run(None, "boot", ["lab", "boot"]) as run:
        run.tell(RunFinished(at_s=run.at_s, verdicts={"ok": 1}))
        # Whoever looks at a run that goes on sees whole lines.
        lines = (run.folder / "run.jsonl").read_bytes().splitlines()
    assert run.folder.parent == tmp_path / "cache" / "lab" / "runs"
    first, last = map(decode_event, lines)
    assert isinstance(first, RunStarted)
    assert (first.command, first.at_s) == (["lab", "boot"], 0.0)
    assert first.time.endswith("+00:00")
    assert isinstance(last, RunFinished)
    assert last.verdicts == {"ok": 1}


def test_a_folder_of_the_users_own_is_used_again(tmp_path: Path) -> None:
    for command in (["one"], ["two"]):
        with started_run(str(tmp_path / "kept" / "here"), "boot", command):
            pass
    lines = (tmp_path / "kept" / "here" / "run.jsonl").read_bytes().splitlines()
    assert len(lines) == 1
    event = decode_event(lines[0])
    assert isinstance(event, RunStarted)
    assert event.command == ["two"]


def test_old_runs_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whypanic.app.lab_run._MAX_RUNS", 2)
    for _ in range(4):
        with started_run(None, "boot", []):
            pass
    assert len(list((tmp_path / "cache" / "lab" / "runs").iterdir())) == 2


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(HostError, match="cannot write"),
        started_run(str(tmp_path / "file" / "run"), "boot", []),
    ):
        pass
