"""Which dump belongs to which listing."""

from builders.replays import subject_of
from whypanic.replay.contents import Contents, Patch

CODE = """
0000000000000000 <{name}>:
   0:\t90000004 \tadrp\tx4, 0 <{name}>
\t\t\t0: R_AARCH64_ADR_PREL_PG_HI21\t.rodata
   4:\t91000084 \tadd\tx4, x4, #0x0
\t\t\t4: R_AARCH64_ADD_ABS_LO12_NC\t.rodata
   8:\td65f03c0 \tret
"""
DUMP = "\nContents of section .rodata:\n 0000 {0}{0}{0}{0}                             ....\n"


def _shown(text: str, function: str) -> tuple[tuple[int, bytes], ...]:
    return subject_of(text, function).targets[".rodata"].contents.parts


def test_the_dump_behind_a_listing_is_its_own() -> None:
    text = CODE.format(name="f") + DUMP.format("01") + CODE.format(name="g") + DUMP.format("02")
    assert _shown(text, "f") == ((0, b"\1\1\1\1"),)
    assert _shown(text, "g") == ((0, b"\2\2\2\2"),)


def test_one_dump_is_everybodys() -> None:
    text = CODE.format(name="f") + CODE.format(name="g") + DUMP.format("02")
    assert _shown(text, "f") == _shown(text, "g") == ((0, b"\2\2\2\2"),)
    assert _shown(DUMP.format("03") + CODE.format(name="f"), "f") == ((0, b"\3\3\3\3"),)


def test_where_the_order_does_not_tell_nothing_is_known() -> None:
    text = DUMP.format("01") + CODE.format(name="f") + DUMP.format("02") + CODE.format(name="g")
    assert _shown(text, "f") == ()


def test_reading() -> None:
    contents = Contents(((4, b"abcd"),), (Patch(16, "R_AARCH64_ABS64", "x", 0),))
    assert contents.read(5, 2) == b"bc"
    assert contents.read(7, 2) is None
    assert contents.size == 24
    assert Contents().size == 0
