"""What images said, as the document has it."""

from builders.el1_oopses import oops
from builders.el2_panics import BANNER_4_14, BANNER_6_1, explained, panic_4_14, panic_6_1
from builders.hyp_images import STAGE2_4_14, link_4_14, link_6_1
from builders.stage2 import stage2
from builders.variables import FOLDER, image
from whypanic.app.image_document import access_of, image_of, named_of, table_of, tables_of
from whypanic.formats.images import open_image
from whypanic.model.image import JumpTable, TableEntryKind
from whypanic.model.provenance import Origin, Source

GCC = FOLDER / "variables-gcc.elf"
PC = STAGE2_4_14 + 0x54


def place(name: str, offset: int = 0) -> int:
    found = image("gcc").value_of(name)
    assert found is not None
    return found + offset


def test_the_image_with_its_checks_and_offsets() -> None:
    given = link_4_14(stage2(), banner=BANNER_4_14)
    moved = 0x230000
    document = image_of(explained(panic_4_14(PC + moved, kaslr=moved), given).case)
    assert document is not None
    assert (document.name, document.kind, document.version) == (str(given), "vmlinux", BANNER_4_14)
    assert document.build_id == "41" * 20
    assert (document.match, document.certain, document.used) == ("matches", True, True)
    assert {(check.name, check.agrees) for check in document.checks} == {("version", True)}
    assert (document.kaslr_offset, document.kaslr_printed) == (hex(moved), True)
    assert (document.hyp_offset, document.hyp_printed) == (None, None)
    assert document.engine is None
    assert document.missing == ["no debug information: lines and variables are not known"]


def test_the_distance_of_hyp_addresses() -> None:
    offset = 0xFFFF000000000000
    made = link_6_1(stage2(name="__kvm_nvhe_f"), banner=BANNER_6_1)
    link = open_image(made).value_of("__kvm_nvhe_f")
    assert link is not None
    text = panic_6_1(
        link - offset & (1 << 64) - 1,
        hyp_offset=offset,
        esr=0x96000006,
        far=0x1000,
        place="__kvm_nvhe_f+0x0/0x1000",
    )
    document = image_of(explained(text, made).case)
    assert document is not None
    assert (document.hyp_offset, document.hyp_printed) == (hex(offset), True)


def test_without_an_image_there_is_nothing() -> None:
    case = explained(panic_4_14(PC)).case
    assert image_of(case) is None
    assert (named_of(case), access_of(case), tables_of(case)) == ([], [], [])


def test_registers_and_accesses() -> None:
    text = oops("gcc", place("read_state"), {"x0": 0, "x9": place("walk", 8)}, far=0x10)
    text = text.replace(" start+0x14", f" [<{place('start') + 0x14:016x}>] start+0x14")
    text = text.replace("lr : [<", "lr : start+0x14/0x20\n [<") if "lr : [<" in text else text
    case = explained(text, GCC).case
    named = {n.register: n for n in named_of(case)}
    assert (named["x9"].symbol, named["x9"].offset) == ("walk", 8)
    assert named["x9"].value == hex(place("walk", 8))
    assert named["x9"].module is None
    (access, *_) = access_of(case)
    assert (access.variable, access.struct, access.member) == ("w", "struct widget", "state")
    assert (access.register, access.pointer, access.offset) == ("x0", "0x0", 0x10)
    document = image_of(case)
    assert document is not None
    assert document.engine is not None


def test_a_table() -> None:
    (table,) = tables_of(explained(panic_4_14(PC), link_4_14(stage2(), banner=BANNER_4_14)).case)
    assert (table.function, table.branch) == ("__init_stage2_translation", hex(STAGE2_4_14 + 0x30))
    assert (table.entry_bytes, table.entry_kind, table.base) == (8, "absolute", None)
    assert [int(t, 16) - STAGE2_4_14 for t in table.targets] == [0x5C, 0x34, 0x54, 0x48, 0x50]
    assert table.in_function
    assert not table.call


def test_a_long_table_is_cut() -> None:
    table = JumpTable(
        source=Source(origin=Origin.IMAGE),
        function="f",
        branch=0x1000,
        call=True,
        table=0x2000,
        section=None,
        entry_bytes=4,
        entry_kind=TableEntryKind.RELATIVE,
        base=0x1010,
        targets=tuple(range(0x1000, 0x1000 + 4 * 1000, 4)),
        bound="cmp at 0x1000",
        idiom="offsets",
    )
    document = table_of(table)
    assert len(document.targets) == 256
    assert (document.section, document.base, document.entry_kind) == (None, "0x1010", "relative")
