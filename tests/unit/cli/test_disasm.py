"""`whypanic disasm` as a person runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builders.el2_panics import BANNER_4_14
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.stage2 import stage2
from whypanic.cli.disasm import command
from whypanic.cli.main import main
from whypanic.formats.images import open_image

FUNCTION = "__init_stage2_translation"


def run(*args: str) -> Result:
    return CliRunner().invoke(command, args)


def vmlinux() -> str:
    return str(link_4_14(stage2(), banner=BANNER_4_14))


def test_text() -> None:
    result = run(vmlinux(), FUNCTION)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert f"{STAGE2_4_14:016x} <{FUNCTION}>:\n" in result.stdout
    assert "ABSOLUTE addresses" in result.stdout


def test_json() -> None:
    name = vmlinux()
    document = json.loads(run(name, f"{STAGE2_4_14 + 0x54:#x}", "--format", "json").stdout)
    assert document["schema"] == "whypanic.disasm/1"
    assert document["function"]["name"] == FUNCTION
    (described,) = document["inputs"]
    assert (described["name"], described["bytes"]) == (name, Path(name).stat().st_size)


def arm32(image: bytes) -> bytes:
    return image[:18] + (40).to_bytes(2, "little") + image[20:]


def class32(image: bytes) -> bytes:
    return image[:4] + b"\1" + image[5:]


def big_endian(image: bytes) -> bytes:
    return image[:5] + b"\2" + image[6:]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda _: b"", "empty"),
        (lambda _: b"no image at all, but long enough to be one" * 10, "is no image of a kernel"),
        (arm32, "machine EM_ARM, not of arm64"),
        (class32, "32 bits, not of arm64"),
        (big_endian, "only little-endian kernels"),
        (lambda data: data[:40], "ends inside its header"),
        (lambda data: data[:0x200], f"no symbol `{FUNCTION}`"),
    ],
    ids=["empty", "text", "machine", "class", "endian", "header", "truncated"],
)
def test_a_file_that_is_no_image(
    damage: Callable[[bytes], bytes],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(damage(Path(vmlinux()).read_bytes()))
    code = main(["disasm", str(path), FUNCTION])
    seen = capsys.readouterr()
    assert (code, seen.out) == (2, "")
    assert str(path) in seen.err
    assert words in seen.err, seen.err


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["disasm", str(tmp_path / "none"), FUNCTION]) == 2
    assert f"{tmp_path / 'none'}" in capsys.readouterr().err


def test_a_symbol_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disasm", vmlinux(), "stage2_trans"]) == 2
    seen = capsys.readouterr().err
    assert "no symbol `stage2_trans`" in seen
    assert f"hint: there is {FUNCTION}" in seen


def test_features_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disasm", vmlinux(), FUNCTION, "--features", "z80"]) == 2
    assert "z80" in capsys.readouterr().err


def test_names_that_a_terminal_would_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "escaping_name" + "x" * 30
    source = stage2() + f".text\n.type {name}, %function\n{name}: bl {'y' * 3000}\n ret\n"
    source += f".size {name}, . - {name}\n.type {'y' * 3000}, %function\n{'y' * 3000}: ret\n"
    data = Path(link_4_14(source)).read_bytes()
    hostile = b"\x1b]0;owned\x07\x1b[2J\n\t\xff\xe2\x80\xae%n%s"
    assert len(hostile) <= len(name)
    data = data.replace(name.encode(), hostile + b"x" * (len(name) - len(hostile)))
    path = tmp_path / "vmlinux\x1b[31m"
    path.write_bytes(data)
    address = next(s.address for s in open_image(path).symbols if s.name.startswith("\x1b"))
    result = run(str(path), hex(address))
    assert result.exit_code == 0, result.output
    shown = result.stdout_bytes.decode("utf-8")
    assert all(c in "\n\t" or c.isprintable() for c in shown)
    assert max(map(len, shown.splitlines())) < 600
    assert main(["disasm", str(path), "\x1b[31m"]) == 2
    assert all(c == "\n" or c.isprintable() for c in capsys.readouterr().err)
