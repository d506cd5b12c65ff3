"""One instruction as rows of alternatives are applied to it."""

from whypanic.code.alternative_callbacks import ANY_WORD, WordChoices, WordShape
from whypanic.code.patched_word import Alternative, PatchedWord, WordHistory

ROW = Alternative(0x1000, 8, 0x2000, 8, 4, False, None, False)
MOVZ = WordShape(0xFFE0001F, 0xD2800003)


def word(history: WordHistory) -> PatchedWord:
    return PatchedWord(
        ROW.place,
        history.built,
        history.now.words,
        history.now.shapes,
        tuple(history.every),
        tuple(history.every_shape),
        ROW,
        "alternative",
    )


def test_a_row_that_applies_replaces_the_word() -> None:
    history = WordHistory(1)
    history.apply(WordChoices((2,)), True)
    assert word(history).certain == 2
    assert not word(history).allows(1)


def test_a_row_that_does_not_apply_is_remembered_only() -> None:
    history = WordHistory(1)
    history.apply(WordChoices((2,)), False)
    assert word(history).certain == 1
    assert word(history).knows(2)
    assert not word(history).knows(1)


def test_a_row_that_may_apply_adds_a_word() -> None:
    history = WordHistory(1)
    history.apply(WordChoices((2,)), None)
    history.apply(WordChoices((2,), keeps=True), True)
    assert word(history).words == (1, 2)
    assert word(history).certain is None


def test_shapes_are_possible_but_never_certain() -> None:
    history = WordHistory(1)
    history.apply(WordChoices(shapes=(MOVZ,)), True)
    assert word(history).allows(0xD2801003)
    assert word(history).knows(0xD2801003)
    assert not word(history).allows(0xD2801004)
    assert word(history).certain is None
    history.apply(WordChoices((3,)), True)
    assert word(history).certain == 3


def test_a_word_of_which_nothing_is_known_is_no_evidence() -> None:
    history = WordHistory(1)
    history.apply(WordChoices(shapes=(ANY_WORD,)), True)
    assert word(history).allows(0xDEADBEEF)
    assert not word(history).knows(0xDEADBEEF)


def test_where_a_row_ends() -> None:
    assert ROW.end == 0x1008
