"""One line at a time."""

from builders.log_lines import recognised
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.recognise import MAX_LINE, NOTHING, recognise, source_of
from whypanic.crashlog.sections.rule import MAX_TEXT, Part
from whypanic.model.context import Modules


def test_source_has_place_and_words() -> None:
    (line,) = read_lines(b"> [    1.000000] Kernel Offset: disabled\n").lines
    source = source_of(line, 3)
    assert (source.input, source.line, source.last_line) == (3, 1, None)
    assert source.text == "Kernel Offset: disabled"


def test_words_are_bounded_and_lists_are_not_cut_there() -> None:
    line = read_lines(b"Modules linked in: " + b"abcdefg " * 200).lines[0]
    found = recognise(line, 0, in_trace=False)
    (modules,) = found.facts
    assert isinstance(modules, Modules)
    assert len(modules.names) == 200
    assert len(modules.source.text) == MAX_TEXT < MAX_LINE


def test_nothing_is_nothing() -> None:
    assert recognised("usb 1-1: new high-speed USB device") == NOTHING
    assert recognised("   ") == NOTHING
    assert not NOTHING.understood


def test_frames_depend_on_what_stood_before() -> None:
    assert recognised("0x12345678", in_trace=True).part is Part.FRAME
    assert recognised("0x12345678").part is Part.NONE
    assert recognised("quux+0x1/0x2").part is Part.FRAME
