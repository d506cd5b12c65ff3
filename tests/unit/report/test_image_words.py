"""What an image said, in rows of the text."""

import msgspec

from builders.el2_panics import BANNER_4_14, explained, panic_4_14
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.stage2 import stage2
from whypanic.app.explain_document import report_of
from whypanic.report.document import (
    DocAccess,
    DocIdentityCheck,
    DocImage,
    DocNamed,
    DocReport,
    DocTable,
)
from whypanic.report.image_words import image_rows

PC = STAGE2_4_14 + 0x54


def report(**more: object) -> DocReport:
    plain = report_of(explained(panic_4_14(PC)), order=1, first=0)
    return msgspec.structs.replace(plain, **more)


def image(**more: object) -> DocImage:
    plain = DocImage(
        name="vmlinux",
        kind="vmlinux",
        build_id=None,
        version=None,
        match="matches",
        certain=True,
        used=True,
        checks=[
            DocIdentityCheck(name="version", agrees=True, text="version 1 in both"),
            DocIdentityCheck(name="symbol", agrees=False, text="`f` is not in the file"),
        ],
        engine=None,
        missing=[],
        kaslr_offset=None,
        kaslr_printed=None,
        hyp_offset=None,
        hyp_printed=None,
    )
    return msgspec.structs.replace(plain, **more)


def words(found: DocReport, *, everything: bool = False) -> list[tuple[str, str]]:
    return [(name, text) for name, _, text in image_rows(found, everything=everything)]


def test_without_an_image_there_are_no_rows() -> None:
    assert words(report()) == []


def test_how_well_it_is_known_is_said() -> None:
    def first(**more: object) -> str:
        return words(report(image=image(**more)))[0][1]

    assert first() == "vmlinux is the crashed kernel's: version 1 in both"
    assert first(certain=False).startswith("vmlinux agrees with the crashed kernel as far as")
    unknown = first(match="unknown", certain=False, checks=[])
    assert unknown == "vmlinux cannot be told from another kernel's by this text"


def test_of_another_kernel_what_differs_is_said() -> None:
    (row,) = words(report(image=image(match="mismatch", certain=False, used=False)))
    assert row[1] == (
        "vmlinux is NOT the crashed kernel's: `f` is not in the file; what it says is withheld "
        "(--allow-mismatch uses it all the same)"
    )
    (row,) = words(report(image=image(match="mismatch", certain=False, used=True)))
    assert "withheld" not in row[1]


def test_offsets_say_whether_they_were_printed() -> None:
    given = image(kaslr_offset="0x10000", kaslr_printed=False, hyp_offset="0x20", hyp_printed=True)
    (row,) = words(report(image=given))
    assert "; KASLR offset 0x10000 (solved); hyp offset 0x20 (printed)" in row[1]


def test_what_is_missing_is_told_where_it_matters() -> None:
    missing = [
        "no debug information: lines and variables are not known",
        "no symbol table: it was stripped",
        "no .dynsym: relocations are those of sections",
        "the file is cut off",
    ]
    short = words(report(image=image(missing=missing)))
    assert [text for _, text in short[1:]] == [missing[0], missing[1], missing[3]]
    full = words(report(image=image(missing=missing)), everything=True)
    assert [text for _, text in full[1:]] == missing


def access(text: str) -> DocAccess:
    return DocAccess(
        text=text,
        function=None,
        variable=None,
        type=None,
        register="x0",
        pointer="0x0",
        struct=None,
        member=None,
        member_type=None,
        offset=None,
    )


def named(number: int, module: str | None = None) -> DocNamed:
    return DocNamed(
        register=f"x{number}",
        value="0x10",
        symbol="f",
        offset=number,
        size=None,
        module=module,
        section=None,
    )


def test_readings_and_registers_are_cut_without_all() -> None:
    found = report(
        access=[access(f"reading {n}") for n in range(5)],
        named=[named(n, "mod" if n == 1 else None) for n in range(10)],
    )
    short = words(found)
    assert [text for name, text in short if name == "access"] == [
        "reading 0",
        "reading 1",
        "reading 2",
    ]
    (points,) = (text for name, text in short if name == "points at")
    assert points.startswith("x0 f+0x0, x1 f+0x1 [mod], ")
    assert points.endswith("x7 f+0x7 and 2 more with --all")
    full = words(found, everything=True)
    assert len([name for name, _ in full if name == "access"]) == 5
    assert any(text.endswith("x9 f+0x9") for _, text in full)


def test_the_table_of_the_reference_function() -> None:
    made = link_4_14(stage2(), banner=BANNER_4_14)
    found = report_of(explained(panic_4_14(PC), made), order=1, first=0)
    rows = dict(words(found))
    assert rows["table"].startswith(
        f"__init_stage2_translation branches at {STAGE2_4_14 + 0x30:#x} through 5 addresses of 8 bytes at "
    )
    offsets: list[DocTable] = [
        msgspec.structs.replace(t, entry_kind="relative", section=None) for t in found.tables
    ]
    (row,) = words(report(tables=offsets * 2))
    assert "through 5 offsets of 8 bytes" in row[1]
    assert " in ." not in row[1]
    assert len(words(report(tables=offsets * 2), everything=True)) == 2
