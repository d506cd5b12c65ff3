"""Frames of call traces."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.trace import Frame


def test_plain_frame() -> None:
    frame = fact(" foo_bar+0x1c/0x84 [mod_a]", Frame)
    assert frame.ref is not None
    assert (frame.ref.symbol, frame.ref.offset, frame.ref.size) == ("foo_bar", 0x1C, 0x84)
    assert frame.ref.module == "mod_a"
    assert frame.address is None


def test_address_of_the_old_form() -> None:
    assert fact("[<ffff000008088ea4>] foo+0x0/0x34c", Frame).address == 0xFFFF000008088EA4


def test_suffix_letters_and_unreliable() -> None:
    assert fact(" foo+0x1c/0x84 (P)", Frame).suffix == "P"
    assert fact(" foo+0x1c/0x84 [mod] (C)", Frame).suffix == "C"
    assert fact(" ? foo+0x1c/0x84", Frame).unreliable


def test_build_id_behind_the_module() -> None:
    frame = fact(f" foo+0x1c/0x84 [mod_a {'ab' * 20}]", Frame)
    assert frame.ref is not None
    assert frame.ref.module == "mod_a"


def test_hyp_frame() -> None:
    frame = fact("kvm [7]:  [<ffff8000090a65cc>] __kvm_nvhe_foo+0x10/0x10", Frame)
    assert frame.ref is not None
    assert frame.ref.symbol == "__kvm_nvhe_foo"


@pytest.mark.parametrize(
    ("text", "symbol", "file", "line", "inlined"),
    [
        (" foo+0x1c/0x84 drivers/a/b.c:116", "foo", "drivers/a/b.c", 116, False),
        (" foo drivers/a/b.c:125 [inline]", "foo", "drivers/a/b.c", 125, True),
        (" foo (drivers/a/b.c:11 include/linux/c.h:7) ", "foo", "drivers/a/b.c", 11, False),
        (" foo (drivers/a/b.c:11 (discriminator 3)) mod_a", "foo", "drivers/a/b.c", 11, False),
    ],
)
def test_symbolised(text: str, symbol: str, file: str, line: int, inlined: bool) -> None:
    frame = fact(text, Frame, in_trace=True)
    assert frame.ref is not None
    assert (frame.ref.symbol, frame.file, frame.line) == (symbol, file, line)
    assert frame.inlined is inlined


def test_raw_address_only_inside_a_trace() -> None:
    assert fact(" 0xffff800012345678", Frame, in_trace=True).address == 0xFFFF800012345678
    assert facts(" 0xffff800012345678", Frame) == []


def test_prose_that_begins_with_a_symbol_is_no_frame() -> None:
    assert facts("foo+0x1c/0x84 is where we take the lock again", Frame) == []


def test_head() -> None:
    assert recognised("Call trace:").part is Part.TRACE
    assert recognised("Call Trace:").part is Part.FOREIGN_HINT


def test_many_parentheses_take_no_time() -> None:
    assert facts("foo (a.c:1 " + "((((() " * 60, Frame, in_trace=True) == []


def test_frames_that_a_script_left_bare() -> None:
    bare = fact(" vsnprintf", Frame, in_trace=True)
    assert bare.ref is not None
    assert bare.ref.symbol == "vsnprintf"
    text = " foo_store at /src/linux/drivers/foo.c:2138 (discriminator 5)"
    placed = fact(text, Frame, in_trace=True)
    assert (placed.file, placed.line) == ("/src/linux/drivers/foo.c", 2138)


def test_bare_words_are_frames_in_a_trace_only() -> None:
    assert facts(" vsnprintf", Frame) == []
    assert facts(" Thanks", Frame, in_trace=True) == []
