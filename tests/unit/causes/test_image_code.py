from builders.el1_oopses import oops
from builders.el2_panics import claims, explained, verdict
from builders.variables import FOLDER, image

GCC = FOLDER / "variables-gcc.elf"
CORRUPTED = "corrupted-code"


def words_at(pc: int) -> list[int]:
    found = image("gcc").words(pc - 16, pc + 4)
    assert found is not None
    return found.tolist()  # type: ignore[no-any-return]


def flipped(bit: int, which: int) -> tuple[int, tuple[int, ...]]:
    pc = image("gcc").value_of("read_state")
    assert pc is not None
    words = words_at(pc + 0)
    words[which] ^= 1 << bit
    return pc, tuple(words)


def test_one_flipped_bit_is_called_that() -> None:
    # ldr x0, [x0, #0x10] with bit 12 flipped is ldr x0, [x0, #0x30].
    pc, words = flipped(13, -1)
    found = explained(oops("gcc", pc, {"x0": 0xFFFF000001000000}, far=0x40, words=words), GCC)
    assert verdict(found, CORRUPTED) == "supported"
    assert "bit 13 of the word is flipped" in claims(found, CORRUPTED)


def test_words_as_built_say_nothing() -> None:
    pc = image("gcc").value_of("read_state")
    assert pc is not None
    found = explained(oops("gcc", pc, {"x0": 0}, far=0x10), GCC)
    assert all(a.id != CORRUPTED for a in found.assessments)


def test_a_word_of_nobody_among_those_of_the_image_is_corrupted() -> None:
    pc, words = flipped(0, -2)
    words = (*words[:-2], 0xFFFFFFFF, words[-1])
    found = explained(oops("gcc", pc, {"x0": 0}, far=0x10, words=words), GCC)
    assert verdict(found, CORRUPTED) == "supported"
    assert "memory holds ffffffff" in claims(found, CORRUPTED)


def test_a_flip_in_another_build_is_withheld() -> None:
    pc, words = flipped(13, -1)
    text = oops("gcc", pc, {"x0": 0}, far=0x40, words=words, build_id="34" * 20)
    assert all(a.id != CORRUPTED for a in explained(text, GCC).assessments)
