"""Subjects in memory."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from builders.replays import EXAMPLES, REFERENCE, evaluate, subject_in, subject_of, words_of
from whypanic.model.errors import InputError
from whypanic.replay.protocol import Permission
from whypanic.replay.relocate import Placement, place

HYP, LINK = 0x8000_089E_6F84, 0xFFFF_0000_089E_6F84
TARGETS = {0: 0x5C, 1: 0x34, 2: 0x54, 3: 0x48, 4: 0x50}


def _ids(path: Path) -> str:
    return path.stem


def _expected(program: int, value: int) -> int:
    """Return what interpret.c computes."""
    while True:
        code = program & 7
        if code == 0:
            return value
        value = (
            0,
            value + 1,
            value * 2,
            -value,
            ~value,
            value * value,
            value >> 1,
            value ^ 0x5A5A,
        )[code] & (1 << 64) - 1
        program >>= 3


def _called(placement: Placement, number: int) -> list[str]:
    stubs = {stub.va: stub.name for stub in placement.stubs}
    steps = [s for run in evaluate(placement, {"x0": number, "x1": 7}) for s in run.steps]
    return [
        stubs[step.address + step.insn.branch.offset]
        for step in steps
        if step.insn.branch is not None
        and step.insn.branch.link
        and step.insn.branch.offset is not None
    ]


def _only(name: str) -> Iterable[Path]:
    return [path for path in EXAMPLES if path.stem.startswith(name)]


@pytest.mark.parametrize("path", _only("dispatch"), ids=_ids)
def test_a_switch_reaches_every_callee_wherever_it_runs(path: Path) -> None:
    subject = subject_in(path)
    for at in (HYP, LINK):
        placement = place(subject, at=at, link_at=LINK)
        for number in (0, 1, 7, 12, 19):
            assert _called(placement, number) == [f"op{number:02d}"]
        assert _called(placement, 20) == []


@pytest.mark.parametrize("path", _only("interpret"), ids=_ids)
def test_a_computed_goto_with_addresses_of_where_it_runs(path: Path) -> None:
    placement = place(subject_in(path), at=HYP, link_at=HYP)
    for program, value in ((0o1234567, 5), (0, 3), (0o777, 1), (0o35, 1 << 33)):
        last = evaluate(placement, {"x0": program, "x1": value})[-1]
        assert (last.reason, last.final.get("x0")) == ("return", _expected(program, value))


@pytest.mark.parametrize("path", _only("interpret"), ids=_ids)
def test_a_computed_goto_with_link_addresses_leaves(path: Path) -> None:
    subject = subject_in(path)
    placement = place(subject, at=HYP, link_at=LINK)
    (run,) = evaluate(placement, {"x0": 0o3, "x1": 5})
    assert run.stop.value == LINK + subject.tables[0].entries[3]


def test_the_reference_case() -> None:
    subject = subject_in(REFERENCE)
    table = 0x8000_08A0_1230
    placement = place(subject, at=HYP, link_at=LINK, table_at=table, entries=TARGETS)
    text, data, stack = placement.regions
    assert (text.va, len(text.data), text.permission) == (HYP, 152, Permission.EXECUTE)
    words = words_of(placement)
    assert (words[HYP + 0x14], words[HYP + 0x1C]) == (0xF00000CA, 0x9108C14A)
    unchanged = {n: w for n, w in subject.words.items() if n not in (0x14, 0x1C)}
    assert all(words[HYP + offset] == word for offset, word in unchanged.items())
    assert (data.va, data.permission, data.known) == (table, Permission.READ, None)
    assert data.data[16:24] == (0xFFFF_0000_089E_6FD8).to_bytes(8, "little")
    assert (stack.permission, stack.known) == (Permission.READ_WRITE, ())
    assert stack.va + len(stack.data) == placement.sp == placement.find("stack")
    assert placement.entry == placement.find("function") == HYP
    assert (placement.find("table #0"), placement.find("link address")) == (table, LINK)


def test_a_table_that_nobody_shows_is_unknown() -> None:
    placement = place(subject_in(REFERENCE), at=HYP)
    assert placement.regions[1].known == ()


def test_zeros_of_an_object_without_its_relocations_are_not_addresses() -> None:
    path = next(path for path in EXAMPLES if path.stem == "interpret-gcc-12-default")
    text = path.read_text(encoding="utf-8")
    bare = text[: text.index("RELOCATION")] + text[text.index("Contents of") :]
    placement = place(subject_of(bare), at=HYP)
    assert placement.regions[1].known == ()
    (run,) = evaluate(placement, {"x0": 3, "x1": 5})
    assert (run.reason, run.stop.value) == ("indirect-branch", None)


CODE = """
Disassembly of section .text:

0000000000000000 <frob>:
   0:\t90000000 \tadrp\tx0, 0 <frob>
\t\t\t0: R_AARCH64_ADR_GOT_PAGE\tmode
   4:\tf9400000 \tldr\tx0, [x0]
\t\t\t4: R_AARCH64_LD64_GOT_LO12_NC\tmode
   8:\t94000000 \tbl\t400 <quux>
\t\t\t8: R_AARCH64_CALL26\t.text+0x400
   c:\td2e00001 \tmovz\tx1, #0x0, lsl #48
\t\t\tc: R_AARCH64_MOVW_UABS_G3\tfrob
  10:\td65f03c0 \tret
  18:\t00000000 \t.word\t0x00000000
\t\t\t18: R_AARCH64_ABS64\tfrob+0x10
  1c:\t00000000 \t.word\t0x00000000
"""


def test_got_moves_callees_of_the_section_and_literals() -> None:
    placement = place(subject_of(CODE), at=HYP, link_at=LINK, returns=None)
    got = placement.find("got")
    mode = placement.find("mode")
    assert got is not None
    assert mode is not None
    slot = next(region for region in placement.regions if region.name == "GOT")
    assert slot.data == (mode - HYP + LINK).to_bytes(8, "little")
    words = words_of(placement)
    assert words[HYP + 8] == 0x940000FE
    assert placement.stubs[0].va == HYP + 0x400
    assert (placement.stubs[0].name, placement.stubs[0].returns) == ("frob+0x400", None)
    assert words[HYP + 12] == 0xD2FFFFE1
    text = placement.regions[0]
    assert text.data[0x18:] == (LINK + 0x10).to_bytes(8, "little")
    assert text.known == ((0, 0x14), (0x18, 0x20))
    assert evaluate(placement, {})[-1].reason == "return"


def test_an_image_moves_as_one() -> None:
    text = (
        "\nffff0000089e6f84 <frob>:\n"
        "ffff0000089e6f84:\t900000aa \tadrp\tx10, ffff0000089fa000 <.rodata+0x1000>\n"
        "ffff0000089e6f88:\t9108c14a \tadd\tx10, x10, #0x230\n"
        "ffff0000089e6f8c:\tf869794b \tldr\tx11, [x10,x9,lsl #3]\n"
        "ffff0000089e6f90:\td61f0160 \tbr\tx11\n"
        "ffff0000089e6f94:\t97d8641b \tbl\tffff000008000000 <printk>\n\n"
        "Contents of section .rodata:\n ffff0000089fa230 946f9e08 0000ffff  .o......\n"
    )
    subject = subject_of(text)
    placement = place(subject, at=HYP)
    assert placement.regions[0].data == b"".join(
        word.to_bytes(4, "little") for word in subject.words.values()
    )
    assert placement.find("table #0") == 0x8000_089F_A230
    assert placement.regions[1].data == (LINK + 0x10).to_bytes(8, "little")
    assert [stub.va for stub in placement.stubs] == [0x8000_0800_0000]
    fixed = place(subject, at=HYP, link_at=HYP)
    assert fixed.regions[1].data == (HYP + 0x10).to_bytes(8, "little")
    with pytest.raises(InputError, match="have their places"):
        place(subject, at=HYP, table_at=0x8000_0000_0000)
    with pytest.raises(InputError, match="differ in the low 12 bits"):
        place(subject, at=HYP + 4)


def test_what_cannot_be() -> None:
    reference = subject_in(REFERENCE)
    with pytest.raises(InputError, match="differ in the low 12 bits"):
        place(reference, at=HYP, link_at=LINK + 4)
    with pytest.raises(InputError, match="not a multiple of 4"):
        place(reference, at=HYP + 2)
    with pytest.raises(InputError, match="overlaps"):
        place(reference, at=HYP, table_at=HYP + 8)
    with pytest.raises(InputError, match="does not fit"):
        place(reference, at=HYP, table_at=HYP + (1 << 33))
    with pytest.raises(InputError, match="index of a table entry"):
        place(reference, at=HYP, entries={1 << 40: 0})
    with pytest.raises(InputError, match="`frob` branches through no table"):
        place(subject_of(CODE), at=HYP, entries={0: 0})
    odd = CODE.replace("R_AARCH64_ADR_GOT_PAGE", "R_AARCH64_TLSDESC_ADR_PAGE21")
    with pytest.raises(InputError, match=r"R_AARCH64_TLSDESC_ADR_PAGE21 at frob\+0x0 to `mode`"):
        place(subject_of(odd), at=HYP)
