import re
from pathlib import Path

from builders.el1_oopses import oops
from builders.el2_panics import BANNER_4_14, BANNER_6_1, explained, panic_4_14, panic_6_1
from builders.hyp_images import STAGE2_4_14, link_4_14, link_6_1
from builders.images import assemble
from builders.stage2 import stage2
from builders.variables import FOLDER, image
from whypanic.app.analysis import explain_text
from whypanic.app.explain_document import report_of
from whypanic.app.images import Images
from whypanic.formats.images import open_image
from whypanic.model.image import (
    AccessReading,
    FrameLocation,
    HypSlide,
    ImageCode,
    ImageIdentity,
    Match,
    NamedValue,
    PcLocation,
    Slide,
)

GCC = FOLDER / "variables-gcc.elf"
PC = STAGE2_4_14 + 0x54
HYP_OFFSET = 0xFFFF000000000000


def place(name: str, offset: int = 0) -> int:
    found = image("gcc").value_of(name)
    assert found is not None
    return found + offset


def test_frames_have_functions_and_lines() -> None:
    found = explained(oops("gcc", place("read_state"), {"x0": 0}, far=0x10), GCC)
    frames = [(f.located.symbol, f.located.offset) for f in found.case.all(FrameLocation)]
    # The second one is a return address: the call before it counts.
    assert frames == [("read_state", 0), ("start", 0x10)]
    document = report_of(found, order=1, first=0)
    source = (FOLDER / "variables.c").read_text().splitlines()
    lines = [source[(f.line or 0) - 1].strip() for f in document.frames]
    assert lines == ["return w->state;", "return w->ops->start(w, 3) + 1;"] or "start" in lines[1]
    assert [f.file for f in document.frames] == [document.frames[0].file] * 2


def test_the_slide_is_solved_from_an_address_beside_a_symbol() -> None:
    slide = 0x12340000
    text = oops("gcc", place("read_state"), {"x0": 0, "x5": place("walk", 8) + slide}, far=0x10)
    text = text.replace(" start+0x14", f" [<{place('start') + 0x14 + slide:016x}>] start+0x14")
    text = text.replace("lr : [<", "lr : start+0x14/0x20\n [<") if "lr : [<" in text else text
    found = explained(text, GCC)
    solved = found.case.get(Slide)
    assert solved is not None
    assert (solved.value, solved.printed) == (slide, False)
    named = {n.register: (n.ref.symbol, n.ref.offset) for n in found.case.all(NamedValue)}
    assert named["x5"] == ("walk", 8)
    document = report_of(found, order=1, first=0)
    assert document.image is not None
    assert document.image.kaslr_offset == hex(slide)
    assert any(e.name == "kaslr" for e in document.evidence)


def test_a_hyp_va_is_placed_by_the_printed_offset() -> None:
    made = link_6_1(stage2(name="__kvm_nvhe_f"), banner=BANNER_6_1)
    link = open_image(made).value_of("__kvm_nvhe_f")
    assert link is not None
    pc = link + 0x20 - HYP_OFFSET & (1 << 64) - 1
    text = panic_6_1(
        pc, hyp_offset=HYP_OFFSET, esr=0x96000006, far=0x1000, place="__kvm_nvhe_f+0x20/0x1000"
    )
    found = explained(text, made)
    hyp = found.case.get(HypSlide)
    assert hyp is not None
    assert (hyp.value, hyp.printed) == (HYP_OFFSET, True)
    (where,) = (p for p in found.case.all(PcLocation) if p.register == "pc")
    assert (where.located.symbol, where.located.offset) == ("__kvm_nvhe_f", 0x20)


def test_another_kernels_image_adds_its_identity_and_nothing_else() -> None:
    wrong = link_4_14(stage2(), banner=BANNER_4_14.replace("#7", "#9"))
    found = explained(panic_4_14(PC), wrong)
    added = [f for f in found.case.facts if type(f).__module__ == "whypanic.model.image"]
    assert [type(f) for f in added] == [ImageIdentity]
    document = report_of(found, order=1, first=0)
    assert document.image is not None
    assert (document.image.match, document.image.used) == ("mismatch", False)
    assert (document.named, document.access, document.tables) == ([], [], [])


def test_a_system_map_names_frames_and_has_no_code(tmp_path: Path) -> None:
    rows = [f"{s.address:016x} T {s.name}" for s in image("gcc").symbols if s.kind == "function"]
    given = tmp_path / "System.map"
    given.write_text("\n".join(rows) + "\n")
    found = explained(oops("gcc", place("read_state"), {"x0": 0}, far=0x10), given)
    frames = [f.located.symbol for f in found.case.all(FrameLocation)]
    assert frames == ["read_state", "start"]
    assert all(a.verdict != "proven" for a in found.assessments)


MODULE = """\
.section .modinfo, "a"
.asciz "vermagic=6.1.70 SMP"
.asciz "name=widget"
.text
{before}
.type probe, %function
probe:
  ldr x1, [x0, #16]
  ret
.size probe, . - probe
"""


def test_a_module_is_chosen_by_the_build_id_that_is_printed(tmp_path: Path) -> None:
    for name, number, before in (("old", "11", "nop"), ("new", "22", "")):
        (tmp_path / name).mkdir()
        note = '.section .note.gnu.build-id, "a", %note\n.long 4, 20, 3\n.asciz "GNU"\n'
        note += ".byte " + ", ".join([f"0x{number}"] * 20) + "\n"
        made = assemble(MODULE.format(before=before) + note)
        (tmp_path / name / "widget.ko").write_bytes(made.read_bytes())
    for number, match in (("11", Match.MATCHES), ("22", Match.MATCHES), ("33", Match.MISMATCH)):
        text = oops("gcc", place("read_state"), {"x0": 0}, far=0x10, words=())
        printed = f"probe+0x0/0x8 [widget {number * 20}]"
        text = re.sub(r"read_state\+0x0/0x[0-9a-f]+", printed, text)
        said: list[str] = []
        images = Images([], modules=str(tmp_path), say=said.append)
        found = images.refine(explain_text(text.encode())[1][0])
        identity = found.case.get(ImageIdentity)
        assert identity is not None
        assert (identity.match, identity.holds_pc) == (match, match is Match.MATCHES)
        assert bool(said) is (match is Match.MISMATCH)
        placed = found.case.all(FrameLocation)
        expected = ["probe"] if match is Match.MATCHES else []
        assert [f.located.symbol for f in placed] == expected


DATA = """\
.text
.type f, %function
f:
  ldr x1, [x0, #16]
  ret
.size f, . - f
.skip 64
__kvm_nvhe_.Lpart:
  nop
  nop
.data
.type buffer, %object
buffer: .word 0xf9400801, 0xd65f03c0
.size buffer, 8
"""


def test_pc_in_data_is_no_code() -> None:
    made = link_6_1(DATA, banner=BANNER_6_1)
    buffer = open_image(made).value_of("buffer")
    assert buffer is not None
    lr = "f+0x4/0x48"
    text = oops("gcc", place("read_state"), {"x0": 0}, far=buffer, esr=0x8600000F, lr=lr)
    text = re.sub(r"pc : .*", f"pc : 0x{buffer:x}", text)
    text = re.sub(r"\n read_state.*", "", text).replace("#9 " + (image("gcc").build_id or ""), "#3")
    text = re.sub(r"Code: .*", "Code: bad PC value", text) + "Kernel Offset: disabled\n"
    found = explained(text, made)
    (where,) = (p for p in found.case.all(PcLocation) if p.register == "pc")
    assert (where.located.symbol, where.located.section) == ("buffer", ".data")
    assert found.case.all(AccessReading) == ()
    assert found.case.all(ImageCode) == ()


def test_what_no_symbol_spans_is_named_by_none() -> None:
    made = link_6_1(DATA.replace(".text", '.section .hyp.text, "ax"', 1), banner=BANNER_6_1)
    opened = open_image(made)
    start, label = opened.value_of("f"), opened.value_of("__kvm_nvhe_.Lpart")
    assert start is not None
    assert label is not None
    for address, name in ((start + 4, "f"), (start + 40, None), (label + 4, None)):
        text = panic_4_14(address, esr=0x86000004).replace("4.14.0 #7", "6.1.70 #3")
        found = explained(text.replace(BANNER_4_14, BANNER_6_1), made)
        (where,) = (p for p in found.case.all(PcLocation) if p.register == "pc")
        assert where.located.symbol == name
        assert ".Lpart" not in str(report_of(found, order=1, first=0))
