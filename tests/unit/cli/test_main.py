import os
import subprocess
import sys

import click
import pytest

from whypanic import __version__
from whypanic.cli import main as entry
from whypanic.model.errors import HostError, InputError, UsageError

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
"""For child processes: they find the package where this process found it."""


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )


def failing(error: BaseException) -> click.Command:
    @click.command("decode")
    def command() -> None:
        raise error

    return command


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--version"]) == 0
    assert capsys.readouterr().out == f"whypanic {__version__}\n"


def test_help_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, lazy in entry.COMMANDS.items():
        assert name in text
        assert lazy.short_help in text


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from whypanic.cli.main import main; main(['--help']);"
        "print([m for m in sys.modules if m in"
        " ('whypanic.cli.decode', 'whypanic.cli.explain', 'msgspec')])"
    )
    assert run_python(code).stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("what", ["esr", "pstate", "par", "brk", "pte", "far"])
def test_decode_does_not_import_msgspec(what: str) -> None:
    code = (
        f"import sys; from whypanic.cli.main import main; main(['decode', '{what}', '0']);"
        "print('msgspec' in sys.modules, 're' in sys.modules)"
    )
    assert run_python(code).stdout.splitlines()[-1].startswith("False")


def test_decode_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["decode", "brk", "800"]) == 0
    assert "BUG() or WARN()" in capsys.readouterr().out


def test_bad_value_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["decode", "esr", "what"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "error: `what` is not a hexadecimal esr value"
    assert err.splitlines()[1].startswith("hint: ")


@pytest.mark.parametrize("arguments", [["nosuch"], ["decode", "xyz", "1"], ["--nosuch"], []])
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err


@pytest.mark.parametrize(
    ("error", "code", "first"),
    [
        (UsageError("a", hints=("b",)), 2, "error: a"),
        (InputError("a", path="x"), 2, "error: x: a"),
        (HostError("no qemu"), 3, "error: no qemu"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_families_of_errors(
    error: BaseException,
    code: int,
    first: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("whypanic.cli.decode.command", failing(error))
    monkeypatch.setattr(entry, "silence_stdout", lambda: None)
    assert entry.main(["decode"]) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert (lines[0] if lines else "") == first


def test_our_bug_says_what_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("whypanic.cli.decode.command", failing(ZeroDivisionError("boom")))
    assert entry.main(["decode"]) == 70
    err = capsys.readouterr().err
    assert "internal error: ZeroDivisionError: boom" in err
    assert __version__ in err
    assert "issue tracker" in err
    assert "argv ['decode']" in err


def test_a_number_that_a_command_returns_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("decode")
    def command() -> int:
        return 1

    monkeypatch.setattr("whypanic.cli.decode.command", command)
    assert entry.main(["decode"]) == 1


def test_module_runs_and_a_closed_pipe_is_quiet() -> None:
    program = f"{sys.executable} -m whypanic decode esr 96000004 | head -n 1"
    done = subprocess.run(
        ["/bin/sh", "-c", program], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    assert done.stdout.startswith("esr 0x96000004")
    assert done.stderr == ""


def test_no_color_reaches_the_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command("decode")
    @click.pass_context
    def command(ctx: click.Context) -> None:
        click.echo(repr(ctx.color))

    monkeypatch.setattr("whypanic.cli.decode.command", command)
    monkeypatch.setenv("NO_COLOR", "1")
    assert entry.main(["decode"]) == 0
    assert capsys.readouterr().out == "False\n"


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [
        ("['decode', 'esr', '1']", "stdout", 3),
        ("['explain', '-']", "stdin", 2),
        ("['explain']", "stdin", 2),
        ("['--version']", "stdout", 0),
    ],
)
def test_closed_streams_are_no_bug_of_ours(words: str, closed: str, code: int) -> None:
    done = run_python(
        f"import sys; sys.{closed} = None; from whypanic.cli.main import main; sys.exit(main({words}))"
    )
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


@pytest.mark.parametrize("words", ["--help", "decode esr 1", "decode --help"])
def test_a_full_disk_is_the_host(words: str) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 -- a device
        done = subprocess.run(
            [sys.executable, "-m", "whypanic", *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=ENVIRONMENT,
        )
    assert done.returncode == 3
    assert done.stderr == "error: cannot write to standard output: no space left on device\n"


def test_what_the_user_typed_is_no_command_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert entry.main(["decode", "esr", "\x1b[31m\u202e1"]) == 2
    assert "error: `\\x1b[31m\\u202e1` is not a hexadecimal esr value" in capsys.readouterr().err


def test_every_end_comes_back_as_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["explain", "/nowhere/log"]) == 2
    assert "error: /nowhere/log: cannot read: no such file or directory" in capsys.readouterr().err
    assert entry.main(["explain", os.devnull]) == 0
