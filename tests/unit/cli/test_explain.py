"""`whypanic explain` as a person runs it."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builders.el1_oopses import oops
from builders.el2_panics import BANNER_4_14, panic_4_14
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.images import assemble
from builders.repository import ROOT
from builders.stage2 import stage2
from builders.variables import FOLDER
from builders.variables import image as variables
from whypanic.cli.explain import command
from whypanic.cli.main import main

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


# With images ---------------------------------------------------------------------------------------

PANIC = panic_4_14(STAGE2_4_14 + 0x54)
TABLE = "absolute-jump-table-at-el2"


def vmlinux(number: int = 7) -> str:
    return str(link_4_14(stage2(), banner=BANNER_4_14.replace("#7", f"#{number}")))


def of(number: int) -> str:
    """Return the panic of another build."""
    return PANIC.replace("#7", f"#{number}")


def arm32(image: bytes) -> bytes:
    return image[:18] + (40).to_bytes(2, "little") + image[20:]


def test_an_image_proves_what_the_text_only_supports() -> None:
    assert f"cause: {TABLE}  PROVEN" not in run("-", text=PANIC).stdout
    result = run("-", "--vmlinux", vmlinux(), text=PANIC)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"cause: {TABLE}  PROVEN" in result.stdout
    assert f"is the crashed kernel's: version {'4.14.0 #7'}" in " ".join(result.stdout.split())
    assert run("-", "--vmlinux", vmlinux(), "--fail-on", "proven", text=PANIC).exit_code == 1


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (None, "cannot read"),
        (lambda _: b"nothing like an image\n" * 40, "is no image of a kernel"),
        (lambda _: b"", "is empty"),
        (arm32, "machine EM_ARM, not of arm64"),
        (lambda data: data[:50], "ends inside its header"),
    ],
    ids=["missing", "text", "empty", "machine", "header"],
)
@pytest.mark.parametrize("form", ["text", "mail", "json", "jsonl"])
def test_an_image_that_cannot_be_read_takes_nothing_from_the_text(
    damage: Callable[[bytes], bytes] | None, words: str, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "vmlinux"
    if damage is not None:
        path.write_bytes(damage(Path(vmlinux()).read_bytes()))
    given = ("-", "--format", form)
    result = run(*given, "--vmlinux", str(path), text=PANIC)
    assert result.exit_code == 2
    assert result.stdout == run(*given, text=PANIC).stdout
    assert TABLE in result.stdout
    (line, *hints) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.count(str(path)) == 1
    assert words in line
    assert all(hint.startswith("hint: ") for hint in hints)


def test_a_truncated_image_says_so_and_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    data = Path(vmlinux()).read_bytes()
    path = tmp_path / "vmlinux"
    path.write_bytes(data[:0x300])
    result = run("-", "--vmlinux", str(path), text=PANIC)
    assert result.exit_code in (0, 2)
    assert f"cause: {TABLE}" in result.stdout
    assert "PROVEN" not in result.stdout
    assert "cut" in result.stdout + result.stderr


def test_a_bad_image_beside_a_good_one() -> None:
    result = run("-", "--vmlinux", "/nowhere/vmlinux", "--vmlinux", vmlinux(), text=PANIC)
    assert result.exit_code == 2
    assert f"cause: {TABLE}  PROVEN" in result.stdout


@pytest.mark.parametrize("form", ["text", "mail", "json", "jsonl"])
def test_another_kernels_image_is_named_and_withheld(form: str) -> None:
    wrong = vmlinux(9)
    result = run("-", "--format", form, "--vmlinux", wrong, text=PANIC)
    assert result.exit_code == 0
    warning, hint = result.stderr.splitlines()
    assert warning.startswith(f"warning: `{wrong}` is not the crashed kernel's: build `#9 ")
    assert "--allow-mismatch" in hint
    assert "is PC" not in result.stdout


def test_another_kernels_image_is_used_where_that_is_asked_for() -> None:
    result = run("-", "--vmlinux", vmlinux(9), "--allow-mismatch", text=PANIC)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "entry [2] is PC" in " ".join(result.stdout.split())
    assert "is NOT the crashed kernel's" in " ".join(result.stdout.split())
    assert "PROVEN" not in result.stdout


@pytest.mark.parametrize("option", [("--source", "."), ("--allow-mismatch",)])
def test_options_of_an_image_without_one(
    option: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", EXAMPLE, *option]) == 2
    seen = capsys.readouterr()
    assert seen.out == ""
    assert f"{option[0]} says how an image is used" in seen.err


def test_each_report_gets_the_image_of_its_kernel() -> None:
    images = ("--vmlinux", vmlinux(7), "--vmlinux", vmlinux(8))
    moved = panic_4_14(STAGE2_4_14 + 0x10054, kaslr=0x10000).replace("#7", "#8")
    result = run("-", "--format", "json", *images, text=PANIC + moved)
    assert result.stderr == ""
    first, second = json.loads(result.stdout)["reports"]
    assert [r["causes"][0]["verdict"] for r in (first, second)] == ["proven", "proven"]
    assert [r["image"]["name"] for r in (first, second)] == [vmlinux(7), vmlinux(8)]


def test_of_two_images_that_fit_equally_none_is_taken() -> None:
    bare = "".join(
        line
        for line in PANIC.splitlines(keepends=True)
        if "Linux version" not in line and "Not tainted" not in line
    )
    images = ("--vmlinux", vmlinux(7), "--vmlinux", vmlinux(8))
    result = run("-", *images, text=bare)
    assert result.exit_code == 0
    assert "the text does not tell which image is the crashed kernel's" in result.stderr
    assert "is PC" not in result.stdout
    assert "is PC" in run("-", *images[:2], text=bare).stdout


def test_jsonl_streams_reports_with_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(PANIC)
    (tmp_path / "b.log").write_text(of(9))
    result = run("--format", "jsonl", "--vmlinux", vmlinux(), str(tmp_path))
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("kind") for line in lines] == ["hyp-panic", "hyp-panic", None]
    assert [line["image"]["match"] for line in lines[:2]] == ["matches", "mismatch"]
    assert [line["causes"][0]["verdict"] == "proven" for line in lines[:2]] == [True, False]
    assert result.stderr.count("warning: ") == 1


def test_a_reply_says_what_the_image_showed() -> None:
    mail = "Subject: HYP panic\nFrom: a <a@b>\nMessage-ID: <1@b>\n\n" + PANIC
    result = run("-", "--format", "mail", "--vmlinux", vmlinux(), text=mail)
    assert result.exit_code == 0
    assert "entry [2] is PC" in " ".join(result.stdout.split())


def test_the_next_step_is_in_the_image_that_was_given() -> None:
    found = variables("gcc").value_of("read_state")
    assert found is not None
    text = oops("gcc", found, {"x0": 0}, far=0x10)
    name = str(FOLDER / "variables-gcc.elf")
    bare = run("-", text=text).stdout
    assert "scripts/faddr2line vmlinux" in bare
    with_image = run("-", "--vmlinux", name, text=text).stdout
    assert "faddr2line" not in with_image
    assert f"$ whypanic disasm {name} read_state" in with_image
    other = text.replace(variables("gcc").build_id or "?", "12" * 20)
    assert "scripts/faddr2line vmlinux" in run("-", "--vmlinux", name, text=other).stdout


def test_steps_that_ask_the_image_are_not_given_with_it() -> None:
    assert "$ objdump -d --start-address" in run("-", text=PANIC).stdout
    assert "objdump -d" not in run("-", "--vmlinux", vmlinux(), text=PANIC).stdout


def test_modules_are_looked_for_in_a_folder(tmp_path: Path) -> None:
    code = (
        ".text\n.type probe, %function\nprobe:\n ldr x1, [x0, #16]\n ret\n.size probe, . - probe\n"
    )
    info = '.section .modinfo, "a"\n.asciz "vermagic=6.1.70 SMP"\n.asciz "name=widget"\n'
    folder = tmp_path / "kernel" / "drivers"
    folder.mkdir(parents=True)
    (folder / "widget.ko").write_bytes(assemble(code + info).read_bytes())
    found = variables("gcc").value_of("read_state")
    assert found is not None
    text = oops("gcc", found, {"x0": 0}, far=0x10, words=())
    text = re.sub(r"read_state\+0x0/0x[0-9a-f]+", "probe+0x0/0x8 [widget]", text)
    result = run("-", "--modules", str(tmp_path), "--format", "json", text=text)
    assert result.exit_code == 0
    (report,) = json.loads(result.stdout)["reports"]
    assert report["frames"][0]["module"] == "widget", report["frames"]
    assert report["image"]["kind"] == "module"
    missing = run("-", "--modules", str(tmp_path / "none"), text=text)
    assert missing.exit_code == 2
    assert "probe" in missing.stdout


def test_nothing_of_an_image_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    name = "n" * 40
    long = "m" * 50_000
    code = stage2().replace("__init_stage2_translation", name) + (
        f".text\n.type {long}, %function\n{long}: ret\n.size {long}, 4\n"
    )
    data = link_4_14(code, banner=BANNER_4_14).read_bytes()
    hostile = b"\x1b]0;owned\x07\x1b[2J\n\xff\xe2\x80\xae"
    path = tmp_path / "vmlinux\x1b[2J"
    path.write_bytes(data.replace(name.encode(), hostile + b"n" * (40 - len(hostile))))
    for form in ("text", "mail"):
        for more in ((), ("--all", "--show-commands")) if form == "text" else ((),):
            given = ("-", "--format", form, "--vmlinux", str(path), *more)
            for text in (PANIC, of(9)):
                result = run(*given, text=text)
                assert result.exit_code == 0
                shown = result.stdout + result.stderr
                assert all(c in "\n\t" or c.isprintable() for c in shown), form
                assert len(shown) < 60_000
