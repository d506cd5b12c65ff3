"""`Code:` lines."""

from builders.log_lines import fact, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.code import CodeLine


def test_words_and_the_faulting_one() -> None:
    code = fact("Code: d5384102 910003fd a90153f3 aa0003f3 (f9400014)", CodeLine)
    assert code.words == (0xD5384102, 0x910003FD, 0xA90153F3, 0xAA0003F3, 0xF9400014)
    assert code.faulting == 4


def test_faulting_word_may_be_missing() -> None:
    code = fact("Code: d5384102 910003fd", CodeLine)
    assert code.faulting is None
    assert len(code.words) == 2


def test_no_code_at_pc() -> None:
    assert fact("Code: bad PC value", CodeLine).bad_pc
    assert fact("Code: Bad PC value.", CodeLine).bad_pc


def test_bytes_are_another_architecture() -> None:
    assert recognised("Code: 48 89 e5 41 54 53 48 89 fb <0f> 0b").part is Part.FOREIGN
