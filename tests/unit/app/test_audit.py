from pathlib import Path

import pytest

from builders.audits import BROKEN, INDIRECT, QUIET, declare, doc_finding, suppressed
from builders.hyp_images import link_4_14
from builders.images import assemble
from builders.stage2 import stage2
from whypanic.app import audit as module
from whypanic.app.audit import (
    Audited,
    Options,
    audit,
    chosen_rules,
    list_domains,
    list_rules,
    own_domains,
    reached,
    words_of,
)
from whypanic.model.errors import InputError, UsageError

MAP = b"ffff800008000000 T _text\nffff800008010000 T __hyp_idmap_text_start\nffff800008011000 T __hyp_idmap_text_end\n"
OWN = """\
[[domain]]
name = "boot-loader"
title = "first stage"
[[domain.layout]]
era = "mine"
code = [{ functions = ["loader"] }]
runs_at = "EL3"
"""
LOADER = """\
.text
.type loader, %function
loader: nop
 br x3
.size loader, . - loader
"""


class Heard:
    """What a run says, and how far it says it is."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[str, int]] = []

    def run(self, *files: Path | str, **options: object) -> Audited:
        return audit(
            [str(f) for f in files],
            Options(**options),  # type: ignore[arg-type]
            say=self.lines.append,
            progress=lambda name, size: self.steps.append((name, size)),
        )


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    declare(monkeypatch, INDIRECT, QUIET)
    return Heard()


def test_finding_of_an_image(heard: Heard) -> None:
    path = link_4_14(stage2())
    run = heard.run(path)
    (found,) = run.document.findings
    assert (found.rule, found.function, found.offset) == (
        "indirect-branch", "__init_stage2_translation", 0x30,
    )  # fmt: skip
    assert run.document.inputs[0].bytes == path.stat().st_size
    assert len(run.document.inputs[0].sha256) == 64
    assert [rule.id for rule in run.rules] == ["indirect-branch", "quiet-rule"]
    assert run.rules[0].why == "it may lead anywhere."
    assert heard.steps == [(str(path), path.stat().st_size)] * 3
    assert heard.lines == []


def test_rules_by_id_or_number(heard: Heard) -> None:
    assert [rule.id for rule in chosen_rules(("R02",))] == ["quiet-rule"]
    assert heard.run(link_4_14(stage2()), rules=("quiet-rule",)).document.findings == []
    assert [rule.number for rule in list_rules(("quiet-rule", "R01")).rules] == ["R01", "R02"]


def test_unknown_rule_names_the_nearest(heard: Heard) -> None:
    with pytest.raises(UsageError, match="no rule `indirect-branhc`") as caught:
        heard.run("none", rules=("indirect-branhc",))
    assert caught.value.hints[0] == "there is `indirect-branch`"


def test_what_cannot_be_read_does_not_stop_the_others(heard: Heard, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"\x7fELF" + bytes(60))
    run = heard.run(tmp_path / "none", bad, link_4_14(stage2()), tmp_path)
    assert len(run.errors) == 3
    assert [str(tmp_path / name) in words_of(e) for e, name in zip(run.errors, ("none", "bad", ""), strict=True)] == [True] * 3  # fmt: skip
    assert len(run.document.inputs) == len(run.document.images) == len(run.document.findings) == 1
    assert sum(note.startswith("not audited: ") for note in run.document.notes) == 3


def test_findings_of_several_images_name_their_input(heard: Heard, tmp_path: Path) -> None:
    clean = assemble('.section .hyp.text, "ax"\nnop\n')
    run = heard.run(clean, link_4_14(stage2()))
    assert [f.input for f in run.document.findings] == [1]
    assert [image.input for image in run.document.images] == [0, 1]
    assert any(note.startswith("objects and modules are not linked") for note in run.document.notes)


@pytest.mark.parametrize("start", [b"BC\xc0\xde", b"\xde\xc0\x17\x0b"])
def test_bitcode_is_said_and_is_no_error(heard: Heard, tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "switch.nvhe.o"
    path.write_bytes(start + bytes(100))
    run = heard.run(path, link_4_14(stage2()))
    assert run.errors == []
    assert "is LLVM bitcode of an LTO build" in heard.lines[0]
    assert [image.input for image in run.document.images] == [1]
    assert [f.input for f in run.document.findings] == [1]
    assert any("is LLVM bitcode" in note for note in run.document.notes)
    assert run.document.inputs[0].name == str(path)


def test_bitcode_of_a_folder_is_said_once(heard: Heard, tmp_path: Path) -> None:
    folder = tmp_path / "arch" / "arm64" / "kvm"
    folder.mkdir(parents=True)
    for n in range(3):
        (folder / f"{n}.o").write_bytes(b"BC\xc0\xde")
    run = heard.run(tmp_path)
    (line,) = heard.lines
    assert line.startswith(f"note: {folder / '0.o'} and 2 others are LLVM bitcode")
    assert run.document.inputs == []


def test_names_alone_are_no_code(heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "System.map"
    path.write_bytes(MAP)
    (error,) = heard.run(path).errors
    assert error.message == "holds no code to audit"
    document, errors = list_domains([str(path)], None, say=heard.lines.append, progress=print)
    assert errors == []
    assert "hyp-idmap" in [domain.id for domain in document.images[0].domains]


def test_file_that_was_cut_off_is_an_error_though_its_rest_is_audited(
    heard: Heard, tmp_path: Path
) -> None:
    data = link_4_14(stage2()).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[: len(data) - 500])
    run = heard.run(path)
    (error,) = run.errors
    assert "is not whole: the section headers lie behind the end of the file" in error.message
    assert len(run.document.images) == 1
    assert "has no code that runs elsewhere" in heard.lines[0]
    assert "no symbol table" in heard.lines[0]
    path.write_bytes(data[:700])
    (error,) = heard.run(path).errors
    assert error.message.startswith("holds no code to audit: the section headers lie behind")


def test_objects_of_a_folder_may_have_no_code(heard: Heard, tmp_path: Path) -> None:
    folder = tmp_path / "arch" / "arm64" / "kvm"
    folder.mkdir(parents=True)
    data = assemble(".data\n.quad 1\n")
    (folder / "data.o").write_bytes(data.read_bytes())
    (folder / "code.o").write_bytes(assemble(stage2()).read_bytes())
    run = heard.run(tmp_path)
    assert run.errors == []
    assert [i.name for i in run.document.inputs] == [str(folder / "code.o")]
    assert heard.run(data).errors[0].message == "holds no code to audit"


def test_broken_rule_is_said_and_loses_nothing_else(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, BROKEN, INDIRECT)
    run = heard.run(link_4_14(stage2()))
    assert [each.rule for each in run.broken] == ["broken-rule"]
    assert len(run.document.findings) == 1
    assert any("rule broken-rule broke on" in note for note in run.document.notes)


def test_suppressed_finding_stays_and_unused_entries_are_said(heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "accepted"
    path.write_text(
        "R01 __init_stage2_translation+0x30 # made by hand\nR02 other # never\nR01 gone # once\n"
    )
    run = heard.run(link_4_14(stage2()), suppress=str(path), rules=("R01",))
    (found,) = run.document.findings
    assert found.suppressed is not None
    assert found.suppressed.reason == "made by hand"
    assert heard.lines == [f"note: {path}, line 3: nothing to suppress: indirect-branch gone"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"R01 foo\n", "has no reason"),
        (b"R77 foo # x\n", "no rule `R77`"),
        (b"\xff\xfe", "is no UTF-8 text"),
        (b"#" * (module.MAX_TEXT_BYTES + 1), "larger than 1024 KiB"),
        (None, "cannot read: no such file or directory"),
    ],
)
def test_bad_file_of_suppressions(
    heard: Heard, tmp_path: Path, data: bytes | None, words: str
) -> None:
    path = tmp_path / "accepted"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        heard.run("none", suppress=str(path))
    assert words in caught.value.message
    assert caught.value.path == str(path)


def test_domain_of_the_user_is_audited_like_others(heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    found = heard.run(assemble(LOADER), domain_file=str(path)).document
    assert [(f.domain, f.function) for f in found.findings] == [("boot-loader", "loader")]
    assert found.images[0].domains[0].runs_at == "EL3"
    assert heard.run(assemble(LOADER)).document.findings == []


def test_domain_of_the_user_that_no_image_has_is_said(heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    heard.run(link_4_14(stage2()), domain_file=str(path))
    assert heard.lines == ["note: domain boot-loader is in none of the images"]


@pytest.mark.parametrize("name", ["hyp", "kernel", "*", "own", ""])
def test_domain_of_the_user_needs_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace("boot-loader", name))
    with pytest.raises(InputError, match="has a name that is taken"):
        own_domains(str(path))


def test_domain_that_stands_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN + OWN)
    with pytest.raises(InputError, match="has a name that is taken"):
        own_domains(str(path))


def test_table_of_domains_has_the_users_first(tmp_path: Path, heard: Heard) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    document, _ = list_domains([], str(path), say=heard.lines.append, progress=print)
    assert [row.id for row in document.table][:2] == ["boot-loader", "alternatives"]
    assert document.images == []
    assert heard.lines == []


def test_what_reaches_a_level() -> None:
    warning = doc_finding(level="warning")
    assert reached([doc_finding()], "error")
    assert not reached([warning], "error")
    assert reached([warning], "warning")
    assert not reached([doc_finding()], "never")
    assert not reached([suppressed("so")], "warning")


def test_error_names_its_input_once() -> None:
    assert words_of(InputError("cannot read a.o: no", path="a.o")) == "cannot read a.o: no"
    assert words_of(InputError("is empty", path="a.o")) == "a.o: is empty"
    assert words_of(InputError("is empty")) == "is empty"
