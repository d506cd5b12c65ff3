"""Two logs, two runs."""

from pathlib import Path

import jsonschema
import msgspec
import pytest

from whypanic.app import lab_diff
from whypanic.app.lab_diff import consoles_of, diff_boots
from whypanic.model.errors import InputError
from whypanic.report.lab_document import lab_schemas

A = "Booting\nLinux version 6.1 (gcc)\n[    0.10] one\n[    0.20] two\n"
B = "Booting\nLinux version 6.1 (clang)\n[    0.11] one\n[    0.20] three\n"


def runs(tmp_path: Path, **consoles: dict[str, str]) -> None:
    for run, cells in consoles.items():
        for mode, text in cells.items():
            folder = tmp_path / run / mode
            folder.mkdir(parents=True)
            (folder / "console.log").write_text(text)


def test_two_logs(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(A)
    (tmp_path / "b.log").write_text(B)
    a, b = str(tmp_path / "a.log"), str(tmp_path / "b.log")
    document = diff_boots(a, b)
    jsonschema.validate(msgspec.to_builtins(document), lab_schemas()["lab-diff"])
    (found,) = document.comparisons
    assert found.parting is not None
    assert (found.parting.line, found.parting.before) == (2, ["Booting"])
    (found,) = diff_boots(a, b, ignored=["Linux version"]).comparisons
    assert found.parting is not None
    assert found.parting.line == 3
    document = diff_boots(a, b, times=False, ignored=["Linux version"])
    (found,) = document.comparisons
    assert found.parting is not None
    assert (found.parting.a, found.parting.b) == ("[    0.20] two", "[    0.20] three")
    # The lines before it are shown as they are.
    assert found.parting.before == ["Booting", "Linux version 6.1 (gcc)", "[    0.10] one"]
    assert document.ignored == ["times", "`Linux version`"]


def test_two_runs_mode_by_mode(tmp_path: Path) -> None:
    runs(tmp_path, one={"el1": A, "nvhe": A}, two={"nvhe": A, "vhe": B})
    document = diff_boots(str(tmp_path / "one"), str(tmp_path / "two"))
    found = {each.name: each for each in document.comparisons}
    assert list(found) == ["el1", "nvhe", "vhe"]
    assert found["nvhe"].equal
    assert not found["el1"].equal
    assert found["el1"].b is None
    assert found["vhe"].a is None


def test_one_cell_of_a_run_is_a_log(tmp_path: Path) -> None:
    runs(tmp_path, one={"nvhe": A})
    (tmp_path / "b.log").write_text(A)
    document = diff_boots(str(tmp_path / "one" / "nvhe"), str(tmp_path / "b.log"))
    assert [each.equal for each in document.comparisons] == [True]


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    runs(tmp_path, one={"nvhe": A})
    (tmp_path / "b.log").write_text(A)
    with pytest.raises(InputError, match="a log and a run"):
        diff_boots(str(tmp_path / "one"), str(tmp_path / "b.log"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no serial log in"):
        consoles_of(str(tmp_path / "empty"))
    with pytest.raises(InputError, match="no file or folder"):
        consoles_of(str(tmp_path / "nothing"))


def test_logs_that_are_too_large_are_not_called_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_diff, "_MAX_BYTES", 100)
    for name, end in (("a", "x"), ("b", "y")):
        (tmp_path / name).write_text("." * 100 + end)
    with pytest.raises(InputError, match="is larger than"):
        diff_boots(str(tmp_path / "a"), str(tmp_path / "b"))
