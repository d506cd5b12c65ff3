"""`whypanic explain` as a person runs it."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builders.repository import ROOT
from whypanic.cli.explain import command

EXAMPLE = str(ROOT / "examples" / "2017-juno-hyp-panic.txt")
OOPS = (
    "[   12.345678] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010\n"
    "[   12.345690] Mem abort info:\n"
    "[   12.345691]   ESR = 0x0000000096000006\n"
    "[   12.345700] Internal error: Oops: 0000000096000006 [#1] SMP\n"
)


def run(*args: str, text: str | None = None) -> Result:
    return CliRunner().invoke(command, args, input=text)


def test_text() -> None:
    result = run(EXAMPLE)
    assert result.exit_code == 0
    assert "cause: absolute-jump-table-at-el2  SUPPORTED" in result.stdout


def test_a_reply_ready_to_send() -> None:
    result = run("--format", "mail", EXAMPLE)
    assert result.exit_code == 0
    assert result.stdout.startswith("Subject: Re: 4.14-rc7 with clang-5: HYP panic on Juno r1\n")
    assert "\n> > [ 1.320211] Kernel panic - not syncing: HYP panic:\n" in result.stdout


def test_json_names_the_input() -> None:
    result = run("--format", "json", EXAMPLE)
    document = json.loads(result.stdout)
    assert document["schema"] == "whypanic.explain/1"
    assert document["tool"]["name"] == "whypanic"
    (described,) = document["inputs"]
    assert described["name"] == EXAMPLE
    assert described["bytes"] == Path(EXAMPLE).stat().st_size
    assert len(described["sha256"]) == 64


@pytest.mark.parametrize("args", [(), ("-",)])
def test_standard_input(args: tuple[str, ...]) -> None:
    result = run("--format", "json", *args, text=OOPS)
    document = json.loads(result.stdout)
    assert document["inputs"][0]["name"] == "<stdin>"
    assert document["reports"][0]["kind"] == "null-dereference"


def test_jsonl_streams_reports_and_a_closing_line() -> None:
    result = run("--format", "jsonl", EXAMPLE, "-", text=OOPS)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("kind") for line in lines] == ["hyp-panic", "null-dereference", None]
    assert lines[0]["input"] == EXAMPLE
    assert lines[1]["order"] == 2
    assert all(line["schema"] == "whypanic.explain/1" for line in lines)
    assert set(lines[-1]) == {"schema", "tool", "inputs"}
    assert len(lines[-1]["inputs"]) == 2


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    (tmp_path / "b.log").write_text(OOPS)
    (tmp_path / "a.log").write_text("quiet\n")
    document = json.loads(run("--format", "json", str(tmp_path)).stdout)
    assert [Path(i["name"]).name for i in document["inputs"]] == ["a.log", "b.log"]
    assert document["reports"][0]["span"]["input"] == 1


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.log")
    result = run("--format", "json", missing, EXAMPLE)
    assert result.exit_code == 2
    assert f"error: {missing}: cannot read: no such file or directory" in result.stderr
    document = json.loads(result.stdout)
    assert document["unreadable"][0]["name"] == missing
    assert document["reports"][0]["kind"] == "hyp-panic"


def test_no_report_is_said_on_stderr() -> None:
    result = run("-", text="nothing here\n")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "no crash report found" in result.stderr


@pytest.mark.parametrize(
    ("threshold", "code"),
    [
        ("never", 0),
        ("proven", 0),
        ("supported", 1),
        ("possible", 1),
        ("hyp-panic", 1),
        ("kasan", 0),
    ],
)
def test_fail_on(threshold: str, code: int) -> None:
    assert run("--fail-on", threshold, EXAMPLE).exit_code == code
    assert run("--fail-on", threshold, "--format", "jsonl", EXAMPLE).exit_code == code


def test_an_unknown_threshold_is_a_usage_error() -> None:
    result = run("--fail-on", "sometimes", EXAMPLE)
    assert result.exit_code == 2
    assert "sometimes" in result.stderr


def test_any_bytes() -> None:
    result = CliRunner().invoke(command, ["-"], input=bytes(range(256)) * 64)
    assert result.exit_code == 0


@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
def test_a_name_that_is_no_utf8(tmp_path: Path, form: str) -> None:
    name = os.fsdecode(bytes(tmp_path) + b"/a\xff\x1b.log")
    Path(name).write_text(OOPS)
    result = run("--format", form, name, name + "gone")
    assert result.exit_code == 2
    assert "\x1b" not in result.output
    assert "\\xff" in result.stdout_bytes.decode("utf-8")


def test_a_name_too_long_is_named(tmp_path: Path) -> None:
    result = run("a" * 5000, EXAMPLE)
    assert result.exit_code == 2
    assert "cannot read: file name too long" in result.stderr
    assert "absolute-jump-table-at-el2" in result.stdout


def test_replay_without_qemu_is_said_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("--replay", "--format", "jsonl", EXAMPLE, str(tmp_path / "none"), EXAMPLE)
    assert result.exit_code == 2
    first, second, _ = map(json.loads, result.stdout.splitlines())
    assert first["causes"][0]["verdict"] == second["causes"][0]["verdict"] == "supported"
    assert result.stderr.count("no program `qemu-system-aarch64`") == 1
    assert "cannot read" in result.stderr
