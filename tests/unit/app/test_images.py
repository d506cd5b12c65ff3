from pathlib import Path

import pytest

from builders.el2_panics import BANNER_4_14, explained, panic_4_14
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.images import assemble
from builders.stage2 import stage2
from whypanic.app.analysis import explain_text
from whypanic.app.images import Images
from whypanic.model.errors import InputError
from whypanic.model.image import ImageIdentity

PC = STAGE2_4_14 + 0x54


def test_an_image_that_cannot_be_read_is_an_error_and_the_text_is_explained(tmp_path: Path) -> None:
    bad = tmp_path / "vmlinux"
    bad.write_bytes(b"\x7fELF nothing")
    images = Images([str(bad)], say=lambda _: None)
    (report,) = explain_text(panic_4_14(PC).encode())[1]
    found = images.refine(report)
    assert found.assessments == report.assessments
    assert [e.path for e in images.open_all()] == [str(bad)]


def test_nothing_is_opened_before_a_report_needs_it(tmp_path: Path) -> None:
    images = Images([str(tmp_path / "missing")], say=lambda _: None)
    assert images.errors == []
    assert len(images.open_all()) == 1


def test_of_several_images_the_matching_one_is_used() -> None:
    right = link_4_14(stage2(), banner=BANNER_4_14)
    wrong = link_4_14(stage2(), banner=BANNER_4_14.replace("#7", "#9"))
    for given in ((right, wrong), (wrong, right)):
        identity = explained(panic_4_14(PC), *given).case.get(ImageIdentity)
        assert identity is not None
        assert (identity.name, identity.match.value) == (str(right), "matches")


def test_a_mismatch_is_said_once() -> None:
    wrong = link_4_14(stage2(), banner=BANNER_4_14.replace("#7", "#9"))
    said: list[str] = []
    images = Images([str(wrong)], say=said.append)
    (report,) = explain_text(panic_4_14(PC).encode())[1]
    images.refine(report)
    images.refine(report)
    assert len(said) == 2
    assert "is not the crashed kernel's: build `#9" in said[0]
    assert "--allow-mismatch" in said[1]


def test_modules_are_found_by_name(tmp_path: Path) -> None:
    info = '.section .modinfo, "a"\n.asciz "vermagic=6.1.70 SMP"\n.asciz "name=a_b"\n'
    made = assemble(f"{info}.text\n.type f, %function\nf: ret\n")
    (tmp_path / "a-b.ko").write_bytes(made.read_bytes())
    images = Images([], modules=str(tmp_path), say=lambda _: None)
    found = images.module("a_b")
    assert found is not None
    assert found.module == "a_b"
    assert images.module("a_b") is found
    assert images.module("c") is None


def test_an_image_that_turns_out_to_be_damaged_is_an_error_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def damaged(*_: object, **__: object) -> None:
        message = "symbols are damaged"
        raise InputError(message, path="vmlinux")

    monkeypatch.setattr("whypanic.app.image_facts.identify", damaged)
    images = Images([str(link_4_14(stage2(), banner=BANNER_4_14))], say=lambda _: None)
    (report,) = explain_text(panic_4_14(PC).encode())[1]
    assert images.refine(report) is report
    assert images.refine(report) is report
    assert [e.message for e in images.open_all()] == ["symbols are damaged"]


def test_two_builds_of_one_version_string_prove_nothing() -> None:
    one = link_4_14(stage2(), banner=BANNER_4_14)
    other = link_4_14(stage2(table="offsets"), banner=BANNER_4_14, build_id="0x" + "42" * 20)
    assert explained(panic_4_14(PC), one).assessments[0].verdict == "proven"
    found = explained(panic_4_14(PC), one, other)
    identity = found.case.get(ImageIdentity)
    assert identity is not None
    assert (identity.match.value, identity.certain) == ("matches", False)
    assert found.assessments[0].verdict == "supported"
    # The same build twice is one.
    copy = one.with_name("copy.elf")
    copy.write_bytes(one.read_bytes())
    assert explained(panic_4_14(PC), one, copy).assessments[0].verdict == "proven"
