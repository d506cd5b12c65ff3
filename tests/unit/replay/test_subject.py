"""What is taken out of a text for a replay."""

from pathlib import Path

import pytest

from builders.replays import EXAMPLES, REFERENCE, subject_in, subject_of
from whypanic.code.indirect_branch import TargetOrigin
from whypanic.model.errors import InputError
from whypanic.replay.contents import Patch


def _ids(path: Path) -> str:
    return path.stem


def test_all_examples_are_there() -> None:
    names = {
        f"{function}-{compiler}-{choice}"
        for function in ("dispatch", "interpret")
        for compiler in ("clang-14", "clang-19", "gcc-11", "gcc-12")
        for choice in ("default", "no-jump-tables")
    }
    assert {path.stem for path in EXAMPLES} == names


@pytest.mark.parametrize("path", EXAMPLES, ids=_ids)
def test_tables_of_the_examples(path: Path) -> None:
    subject = subject_in(path)
    function, _, rest = path.stem.partition("-")
    assert (subject.function, subject.entry, subject.link_address) == (function, 0, None)
    assert len(subject.words) * 4 == subject.size
    kinds = [(t.origin, t.entry_bytes, t.symbol, t.offset, t.slots) for t in subject.tables]
    if function == "interpret":
        assert kinds == [(TargetOrigin.ABSOLUTE_TABLE, 8, ".rodata", 0, 8)]
        assert sorted(subject.tables[0].entries) == list(range(8))
        assert len(subject.tables[0].branches) == 8
    elif rest.endswith("no-jump-tables"):
        assert kinds == []
    else:
        assert kinds == [(TargetOrigin.RELATIVE_TABLE, 1, ".rodata", 0, 20)]


@pytest.mark.parametrize("path", EXAMPLES, ids=_ids)
def test_callees_of_the_examples(path: Path) -> None:
    subject = subject_in(path)
    callees = sorted(name for name, target in subject.targets.items() if target.is_call)
    called = subject.function == "dispatch"
    assert callees == ([f"op{n:02d}" for n in range(20)] if called else [])


def test_the_reference_leaves_its_table_open() -> None:
    subject = subject_in(REFERENCE)
    assert subject.function == "__init_stage2_translation"
    (table,) = subject.tables
    assert (table.symbol, table.entries, table.slots) == ("unresolved reference #0", {}, 0)
    (reference,) = subject.references
    assert (reference.register, reference.offsets) == ("x10", (0x14, 0x1C))
    assert subject.targets["unresolved reference #0"].unresolved == 0
    assert subject.patches == (
        Patch(0x14, "R_AARCH64_ADR_PREL_PG_HI21", "unresolved reference #0", 0),
        Patch(0x1C, "R_AARCH64_ADD_ABS_LO12_NC", "unresolved reference #0", 0),
    )


OPEN = """
0000000000000010 <frob>:
  10:\t90000008 \tadrp\tx8, 0 <frob>
  14:\tf9400101 \tldr\tx1, [x8]
  18:\t94000000 \tbl\t18 <frob+0x8>
  1c:\t54000040 \tb.eq\t24 <frob+0x14>
  20:\t14000000 \tb\t20 <frob+0x10>
  24:\td65f03c0 \tret
"""


def test_open_references_and_calls_without_relocations() -> None:
    subject = subject_of(OPEN)
    assert subject.start == 0x10
    assert subject.patches == (
        Patch(0x0, "R_AARCH64_ADR_PREL_PG_HI21", "unresolved reference #0", 0),
        Patch(0x4, "R_AARCH64_LDST64_ABS_LO12_NC", "unresolved reference #0", 0),
        Patch(0x8, "R_AARCH64_CALL26", "unresolved call #0", 0),
        Patch(0x10, "R_AARCH64_JUMP26", "unresolved call #1", 0),
    )
    assert subject.references[0].offsets == (0, 4)


def test_with_relocations_a_branch_to_itself_is_a_loop() -> None:
    text = OPEN.replace("<frob+0x8>\n", "<frob+0x8>\n\t\t\t18: R_AARCH64_CALL26\tprintk\n")
    calls = [p.symbol for p in subject_of(text).patches if p.type == "R_AARCH64_JUMP26"]
    assert calls == []


def test_relocations_of_a_table_apart() -> None:
    text = OPEN + (
        "\nRelocation section '.rela.text' at offset 0x238 contains 4 entries:\n"
        "000000000004  000500000113 R_AARCH64_ADR_PRE 0000000000000000 other + 0\n"
        "000000000010  000500000113 R_AARCH64_ADR_PRE 0000000000000000 frob_mode + 8\n"
        "000000000014  00050000011e R_AARCH64_LDST64_ 0000000000000000 frob_mode + 8\n"
        "000000000018  00050000011b R_AARCH64_CALL26  0000000000000000 printk + 0\n"
    )
    subject = subject_of(text)
    assert subject.patches == (
        Patch(0x0, "R_AARCH64_ADR_PREL_PG_HI21", "frob_mode", 8),
        Patch(0x4, "R_AARCH64_LDST64_ABS_LO12_NC", "frob_mode", 8),
        Patch(0x8, "R_AARCH64_CALL26", "printk", 0),
    )
    assert subject.references[0].offsets == (0, 4)


def test_an_excerpt_has_no_entry() -> None:
    rows = OPEN.splitlines()
    subject = subject_of("\n".join(rows[3:]))
    assert subject.function == "code"
    text = "\n".join([rows[1], *rows[4:]])
    subject = subject_of(text)
    assert (subject.start, subject.entry, min(subject.words)) == (0x10, None, 8)


# adrp x4; add x4; ldrsw x6, [x4, w3, uxtw #2]; add x5, x4, x6; br x5; ret; ret
WIDE = """
Disassembly of section .hyp.text:

0000000000000040 <frob>:
  40:\t90000004 \tadrp\tx4, 0 <frob-0x40>
\t\t\t40: R_AARCH64_ADR_PREL_PG_HI21\t.rodata+0x8
  44:\t91000084 \tadd\tx4, x4, #0x0
\t\t\t44: R_AARCH64_ADD_ABS_LO12_NC\t.rodata+0x8
  48:\tb8a35886 \tldrsw\tx6, [x4, w3, uxtw #2]
  4c:\t8b060085 \tadd\tx5, x4, x6
  50:\td61f00a0 \tbr\tx5
  54:\td65f03c0 \tret
  58:\td65f03c0 \tret

RELOCATION RECORDS FOR [.rodata]:
OFFSET           TYPE              VALUE
0000000000000000 R_AARCH64_ABS64   frobs
0000000000000008 R_AARCH64_PREL32  .hyp.text+0x0000000000000054
000000000000000c R_AARCH64_PREL32  .hyp.text+0x000000000000005c

Contents of section .rodata:
 0000 00000000 00000000 00000000 00000000  ................
"""


def test_entries_that_are_distances_from_their_own_places() -> None:
    (table,) = subject_of(WIDE).tables
    assert table.origin is TargetOrigin.RELATIVE_TABLE
    assert (table.symbol, table.offset, table.entry_bytes) == (".rodata", 8, 4)
    assert table.entries == {0: 0x14, 1: 0x18}


IMAGE = """
ffff0000089e6f84 <frob>:
ffff0000089e6f84:\t900000aa \tadrp\tx10, ffff0000089fa000 <.rodata+0x1000>
ffff0000089e6f88:\t9108c14a \tadd\tx10, x10, #0x230
ffff0000089e6f8c:\tf869794b \tldr\tx11, [x10,x9,lsl #3]
ffff0000089e6f90:\td61f0160 \tbr\tx11
ffff0000089e6f94:\t97d8641b \tbl\tffff000008000000 <printk>
ffff0000089e6f98:\td65f03c0 \tret

Contents of section .rodata:
 ffff0000089fa230 946f9e08 0000ffff 986f9e08 0000ffff  .o.......o......
 ffff0000089fa240 00000000 00000000                    ........
"""


def test_an_image_shows_its_addresses() -> None:
    subject = subject_of(IMAGE)
    assert (subject.link_address, subject.patches) == (0xFFFF0000089E6F84, ())
    (table,) = subject.tables
    assert table.entries == {0: 0x10, 1: 0x14}
    target = subject.targets[table.symbol or ""]
    assert target.link_address == 0xFFFF0000089FA230
    assert subject.targets["printk"].link_address == 0xFFFF000008000000


def test_relative_relocations_of_an_image() -> None:
    rows = IMAGE.replace("946f9e08 0000ffff 986f9e08 0000ffff", "00000000 00000000 " * 2)
    text = rows + (
        "\nRelocation section '.rela.dyn' at offset 0x900 contains 2 entries:\n"
        "ffff0000089fa230  0000000000000403 R_AARCH64_RELATIVE  ffff0000089e6f98\n"
        "ffff0000089fa238  0000000000000403 R_AARCH64_RELATIVE  ffff0000089e6f94\n"
    )
    assert subject_of(text).tables[0].entries == {0: 0x14, 1: 0x10}


def test_which_listing() -> None:
    two = OPEN + "\n" + OPEN.replace("frob", "twist")
    assert subject_of(two, "twist").function == "twist"
    with pytest.raises(InputError, match="2 listings in the text") as caught:
        subject_of(two)
    assert caught.value.hints == ("name one with `--function`: `frob`, `twist`",)
    rest = "\n".join(line for line in OPEN.splitlines() if "<" not in line[:40])
    assert subject_of(OPEN + "\n" + rest).function == "frob"
    named = two + "\n$ addr2line -fe vmlinux ffff000008123458\ntwist\nkernel/frob.c:12\n"
    assert subject_of(named).function == "twist"
    with pytest.raises(InputError, match="no listing of `main`"):
        subject_of(two, "main")
    with pytest.raises(InputError, match="no listing in the text"):
        subject_of("[    1.000000] nothing here\n")


def test_a_listing_without_encodings() -> None:
    text = (
        "Dump of assembler code for function frob:\n"
        "   0xffff000010123450 <+0>:\tmrs\tx9, id_aa64mmfr0_el1\n"
        "   0xffff000010123454 <+4>:\tret\n"
    )
    with pytest.raises(InputError, match="no encodings"):
        subject_of(text)
