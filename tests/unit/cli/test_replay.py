"""`whypanic replay` as a person runs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builders.replays import EXAMPLES, REFERENCE
from whypanic.cli.main import main
from whypanic.cli.replay import command


def run(*args: str, text: str | None = None) -> Result:
    return CliRunner().invoke(command, args, input=text)


def test_text() -> None:
    result = run(str(REFERENCE))
    assert result.exit_code == 0
    assert "absolute-table on Cortex-A53: REPRODUCED" in result.stdout


def test_json_from_standard_input() -> None:
    result = run("-", "--format", "json", "--sweep", "cpus", text=REFERENCE.read_text())
    document = json.loads(result.stdout)
    assert document["schema"] == "whypanic.replay/1"
    assert document["subject"]["function"] == "__init_stage2_translation"
    assert len(document["sweep"]) == 10


def test_core_and_place() -> None:
    result = run(str(REFERENCE), "--cpu", "cortex-a57", "--at", "0x912345000", "--format", "json")
    (first, *_) = json.loads(result.stdout)["hypotheses"]
    assert first["cpu"] == "Cortex-A57"
    assert first["run_address"] == "0x912345f84"


def test_registers() -> None:
    path = next(p for p in EXAMPLES if p.stem == "interpret-gcc-12-default")
    result = run(str(path), "--reg", "x0=1", "--reg", "x1=29")
    assert "as-linked on Cortex-A53: panics" in result.stdout
    assert "returned x0 = 0x2a" in result.stdout


def test_what_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["replay", str(tmp_path / "none")]) == 2
    assert f"{tmp_path / 'none'}: cannot read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--cpu", "z80"), "z80"),
        (("--at", "nowhere"), "nowhere"),
        (("--id-reg", "midr_el1"), "midr_el1"),
        (("--id-reg", "id_nothing_el1=1"), "id_nothing_el1"),
        (("--id-reg", "midr_el1=0x10000000000000000"), "64 bits"),
        (("--reg", "x31=1"), "x31"),
        (("--reg", "x30=1"), "x30"),
        (("--reg", "sp=1"), "sp"),
        (("--reg", "w0=1"), "w0"),
        (("--engine", "bochs"), "bochs"),
    ],
)
def test_bad_words(args: tuple[str, ...], words: str) -> None:
    result = run(str(REFERENCE), *args)
    assert result.exit_code == 2
    assert words in result.stderr
