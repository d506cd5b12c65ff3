"""`whypanic audit` as a person runs it."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from builders.audits import BROKEN, INDIRECT, QUIET, declare, finding
from builders.hyp_images import link_4_14
from builders.images import assemble
from builders.stage2 import stage2
from whypanic.audit.api import Rule
from whypanic.cli.audit import command
from whypanic.cli.main import main
from whypanic.model.audit import Level
from whypanic.report.audit_document import audit_schema, domains_schema, rules_schema

CLEAN = '.section .hyp.text, "ax"\n nop\n ret\n'


@pytest.fixture(autouse=True)
def _made_up_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, INDIRECT, QUIET)


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(command, [str(a) for a in args])


def whole(capsys: pytest.CaptureFixture[str], *args: str | Path) -> tuple[int, str, str]:
    """Run the program and return exit code, standard output and standard error."""
    code = main(["audit", *(str(a) for a in args)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_text_and_exit_code() -> None:
    result = run(link_4_14(stage2()))
    assert result.exit_code == 1
    assert "__init_stage2_translation  (hyp)" in result.stdout
    assert "error: a branch leads anywhere  [R01 indirect-branch]" in result.stdout
    assert result.stdout.endswith("1 error, 0 warnings, 0 notes in 1 image\n")
    assert result.stderr == ""


def test_json() -> None:
    result = run(link_4_14(stage2()), "--format", "json", "--fail-on", "never")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    jsonschema.validate(document, audit_schema())
    assert document["schema"] == "whypanic.audit/1"
    assert document["findings"][0]["function"] == "__init_stage2_translation"


def test_sarif() -> None:
    result = run(link_4_14(stage2()), "--format", "sarif")
    assert result.exit_code == 1
    log = json.loads(result.stdout)
    assert log["version"] == "2.1.0"
    assert [r["ruleId"] for r in log["runs"][0]["results"]] == ["indirect-branch"]
    assert len(log["runs"][0]["tool"]["driver"]["rules"]) == 2


def test_nothing_found() -> None:
    result = run(assemble(CLEAN))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("0 errors, 0 warnings, 0 notes in 1 image\n")


@pytest.mark.parametrize(
    ("level", "fail_on", "code"),
    [
        (Level.ERROR, "error", 1), (Level.WARNING, "error", 0), (Level.NOTE, "error", 0),
        (Level.ERROR, "warning", 1), (Level.WARNING, "warning", 1), (Level.NOTE, "warning", 0),
        (Level.ERROR, "never", 0),
    ],
)  # fmt: skip
def test_fail_on(monkeypatch: pytest.MonkeyPatch, level: Level, fail_on: str, code: int) -> None:
    rule = Rule("R01", "levelled-rule", "x", ("*",), lambda v: iter([finding(v.image.base, level=level)]), "made_up_rules.levelled")  # fmt: skip
    declare(monkeypatch, rule)
    assert run(link_4_14(stage2()), "--fail-on", fail_on).exit_code == code


def test_suppressed_finding_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "accepted"
    path.write_text("indirect-branch __init_stage2_translation # ours\nR01 gone # x\n")
    result = run(link_4_14(stage2()), "--suppress", path)
    assert result.exit_code == 0
    assert "ours" in result.stdout
    assert f"note: {path}, line 2: nothing to suppress: indirect-branch gone" in result.stderr


def test_chosen_rule() -> None:
    assert run(link_4_14(stage2()), "--rule", "R02").exit_code == 0
    assert run(link_4_14(stage2()), "--rule", "R02", "--rule", "indirect-branch").exit_code == 1


def test_list_of_rules() -> None:
    assert "R02 quiet-rule  (hyp)" in run("--list-rules").stdout
    document = json.loads(run("--list-rules", "--format", "json", "--rule", "R01").stdout)
    jsonschema.validate(document, rules_schema())
    assert [rule["id"] for rule in document["rules"]] == ["indirect-branch"]
    assert document["rules"][0]["why"] == "it may lead anywhere."


def test_domains() -> None:
    text = run("--domains", link_4_14(stage2())).stdout
    assert "  hyp  nVHE hyp code (4.9 to 5.8)\n" in text
    document = json.loads(run("--domains", link_4_14(stage2()), "--format", "json").stdout)
    jsonschema.validate(document, domains_schema())
    assert document["images"][0]["domains"][0]["id"] == "hyp"
    table = run("--domains").stdout
    assert "KPTI entry trampoline" in table
    assert json.loads(run("--domains", "--format", "json").stdout)["images"] == []


def test_example_of_the_documentation(tmp_path: Path) -> None:
    """The tables of domains that docs/domains.md shows are read, and rules apply to their domains."""
    text = (Path(__file__).parents[3] / "docs" / "domains.md").read_text(encoding="utf-8")
    examples = [part.partition("```")[0] for part in text.split("```toml\n")[1:]]
    assert len(examples) >= 2
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.toml"
        path.write_text(example)
        assert run("--domains", "--domain-file", path).exit_code == 0


def truncated(tmp_path: Path) -> Path:
    path = tmp_path / "truncated"
    path.write_bytes(link_4_14(stage2()).read_bytes()[:700])
    return path


def hostile(tmp_path: Path) -> Path:
    """A section table far outside the file, with a count that would fill memory."""
    data = bytearray(link_4_14(stage2()).read_bytes())
    data[40:48] = (1 << 62).to_bytes(8, "little")
    data[60:62] = b"\xff\xff"
    path = tmp_path / "hostile"
    path.write_bytes(data)
    return path


def made(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_input_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = [
        tmp_path / "missing",
        made(tmp_path, "empty", b""),
        made(tmp_path, "text", b"no image at all\n"),
        made(tmp_path, "archive.a", b"!<arch>\n"),
        made(tmp_path, "foreign", b"\x7fELF\x01\x01\x01" + bytes(60)),
        truncated(tmp_path),
        tmp_path,
    ]
    for path in bad:
        code, out, err = whole(capsys, path)
        assert (code, out) == (2, ""), path
        assert str(path) in err
        assert err.startswith("error: ")
        assert "Traceback" not in err


def test_others_are_audited_beside_an_input_that_cannot_be_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = whole(capsys, tmp_path / "missing", link_4_14(stage2()), "--format", "json")
    assert code == 2
    assert len(json.loads(out)["findings"]) == 1
    assert "missing" in err


def test_hostile_file_ends_in_a_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = whole(capsys, hostile(tmp_path))
    assert code in (0, 1, 2)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "no FILE given"),
        (("x", "--rule", "R99"), "no rule `R99`"),
        (("x", "--format", "html"), "html"),
        (("x", "--fail-on", "note"), "note"),
        (("--list-rules", "--domains"), "ask for one"),
        (("--list-rules", "--format", "sarif"), "no sarif form"),
        (("--domains", "--format", "sarif"), "no sarif form"),
        (("x", "--domain-file", "{tmp}/none"), "cannot read: no such file"),
        (("x", "--domain-file", "{tmp}/bad.toml"), "table of domains"),
        (("x", "--suppress", "{tmp}/none"), "cannot read: no such file"),
        (("x", "--suppress", "{tmp}/bad.toml"), "line 1"),
    ],
)
def test_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, args: tuple[str, ...], words: str
) -> None:
    made(tmp_path, "bad.toml", b"[[domain\n")
    code, out, err = whole(capsys, *(a.replace("{tmp}", str(tmp_path)) for a in args))
    assert (code, out) == (2, "")
    assert words in err


def test_broken_rule(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    declare(monkeypatch, BROKEN, INDIRECT)
    code, out, err = whole(capsys, link_4_14(stage2()))
    assert code == 1
    assert "1 error" in out
    assert "error: rule broken-rule broke, its findings are missing: KeyError" in err
    # Nothing else is to be said: the run must not look clean.
    assert whole(capsys, assemble(CLEAN))[0] == 70
    assert whole(capsys, assemble(CLEAN), tmp_path / "missing")[0] == 2


def test_bitcode_alone_is_no_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = whole(capsys, made(tmp_path, "a.o", b"BC\xc0\xde" + bytes(40)))
    assert (code, out) == (0, "")
    assert "is LLVM bitcode of an LTO build" in err


def test_build_tree(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "arch/arm64/kvm/hyp/nvhe"
    place.mkdir(parents=True)
    (place / "kvm_nvhe.o").write_bytes(assemble(stage2()).read_bytes())
    (place / "switch.nvhe.o").write_bytes(b"BC\xc0\xde")
    code, out, _ = whole(capsys, tmp_path, "--format", "json")
    document = json.loads(out)
    assert code == 1
    assert [i["name"] for i in document["inputs"]] == [str(place / "kvm_nvhe.o")]
