from builders.el1_oopses import oops
from builders.el2_panics import BANNER_4_14, explained, panic_4_14
from builders.hyp_images import STAGE2_4_14, link_4_14
from builders.stage2 import stage2
from builders.variables import FOLDER, image
from whypanic.app.analysis import explain_text
from whypanic.app.explain_document import report_of
from whypanic.app.images import Images
from whypanic.code.table_runs import TableFlags
from whypanic.model.code import Listing
from whypanic.model.image import (
    AccessReading,
    CallThrough,
    CodeComparison,
    ExecutionDomain,
    ImageCode,
    JumpTable,
)
from whypanic.model.provenance import Origin
from whypanic.model.sections import SectionBytes

GCC = FOLDER / "variables-gcc.elf"
PC = STAGE2_4_14 + 0x54


def place(name: str, offset: int = 0) -> int:
    found = image("gcc").value_of(name)
    assert found is not None
    return found + offset


def test_the_function_of_pc_is_read_with_its_tables() -> None:
    case = explained(panic_4_14(PC), link_4_14(stage2(), banner=BANNER_4_14)).case
    (listing,) = case.all(Listing)
    assert listing.source.origin is Origin.IMAGE
    assert (listing.lines[0].address, len(listing.lines)) == (STAGE2_4_14, 38)
    (table,) = case.all(JumpTable)
    assert [t - STAGE2_4_14 for t in table.targets] == [0x5C, 0x34, 0x54, 0x48, 0x50]
    (flags,) = case.all(TableFlags)
    assert flags.nzcv == (0b1000,)
    domain = case.get(ExecutionDomain)
    assert domain is not None
    assert domain.name == "hyp"


def test_code_around_pc_is_given_at_its_run_address() -> None:
    moved = 0x230000
    made = link_4_14(stage2(), banner=BANNER_4_14)
    found = explained(panic_4_14(PC + moved, kaslr=moved), made)
    code = found.case.get(ImageCode)
    assert code is not None
    assert [line.faulting for line in code.lines].count(True) == 1
    lines = [c for c in report_of(found, order=1, first=0).code if c.source == "image"]
    (marked,) = (c for c in lines if c.faulting)
    assert marked.address == hex(PC + moved)
    assert marked.symbol == "__init_stage2_translation+0x54"
    assert [c.text for c in lines if "through 5 addresses" in (c.note or "")] == ["br x11"]


def test_words_of_the_log_are_compared() -> None:
    found = explained(oops("gcc", place("read_state"), {"x0": 0}, far=0x10), GCC)
    compared = found.case.get(CodeComparison)
    assert compared is not None
    assert {w.state.value for w in compared.words} == {"built"}
    states = [c.state for c in report_of(found, order=1, first=0).code if c.source == "log"]
    assert states == ["built"] * 5


def test_the_access_is_read_without_a_code_line() -> None:
    text = oops("gcc", place("read_state"), {"x0": 0}, far=0x10)
    text = text[: text.index("Code:")] + "---[ end trace 0000000000000000 ]---\n"
    (reading, *_) = explained(text, GCC).case.all(AccessReading)
    assert (reading.variable, reading.member, reading.register) == ("w", "state", "x0")


def test_source_lines_stand_beside_the_code() -> None:
    text = oops("gcc", place("read_state"), {"x0": 0}, far=0x10)
    tree = str(FOLDER)
    images = Images([str(GCC)], source=tree, say=lambda _: None)
    found = images.refine(explain_text(text.encode())[1][0])
    code = found.case.get(ImageCode)
    assert code is not None
    (faulting,) = (line for line in code.lines if line.faulting)
    assert faulting.position is not None
    assert faulting.position.function == "read_state"
    lines = (FOLDER / "variables.c").read_text().splitlines()
    assert faulting.position.line is not None
    assert faulting.statement == lines[faulting.position.line - 1].strip() != ""


def test_a_call_through_a_register_is_found_only_where_pc_is_bad() -> None:
    good = explained(oops("gcc", place("read_state"), {"x0": 0}, far=0x10), GCC)
    assert good.case.get(CallThrough) is None


def test_the_bytes_of_a_table_are_there_for_a_replay() -> None:
    made = link_4_14(stage2(), banner=BANNER_4_14)
    (data,) = explained(panic_4_14(PC), made).case.all(SectionBytes)
    assert (data.section, len(data.data)) == (".rodata", 40)
    assert PC.to_bytes(8, "little") in data.data


def test_without_its_boundaries_hyp_code_is_not_told_from_other_code() -> None:
    made = link_4_14(stage2(), banner=BANNER_4_14)
    bare = made.with_name("bare.elf")
    bare.write_bytes(made.read_bytes().replace(b"__hyp_text_", b"__xyz_text_"))
    assert explained(panic_4_14(PC), made).case.get(ExecutionDomain) is not None
    found = explained(panic_4_14(PC), bare)
    assert found.case.get(ExecutionDomain) is None
    assert found.assessments[0].verdict == "supported"
