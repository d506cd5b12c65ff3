"""What stood at PC of an undefined instruction."""

import pytest

from whypanic.arch.insn import decode
from whypanic.causes.case import CaseView
from whypanic.causes.undefined import (
    feature_of,
    is_code,
    is_told_apart,
    is_undefined,
    undefined_word,
)
from whypanic.model.code import CodeLine
from whypanic.model.fault import Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Source

SOURCE = Source()


def syndrome(esr: int) -> Syndrome:
    return Syndrome(esr=esr, place=SyndromePlace.INTERNAL_ERROR, source=SOURCE)


def code(*words: int, hyp: bool = False) -> CodeLine:
    return CodeLine(words=words, faulting=len(words) - 1, hyp=hyp, source=SOURCE)


def case(*facts: Fact, kind: Kind = Kind.UNDEFINED_INSTRUCTION) -> CaseView:
    return CaseView(kind, facts)


@pytest.mark.parametrize(
    ("word", "feature"),
    [
        (0xB8210002, "LSE atomics"),  # ldadd
        (0xD5380600, "the register"),  # mrs
        (0xDAC10000, "pointer authentication"),  # pacia x0, x0
        (0xD4000002, "HVC"),
        (0x04E00000, "SVE"),  # an SVE add
        (0x1E602800, "FP/SIMD"),  # fadd
        (0xF9400025, None),  # ldr
        (0xD503233F, None),  # paciasp is a hint
    ],
)
def test_what_an_instruction_needs(word: int, feature: str | None) -> None:
    found = feature_of(decode(word))
    assert found is None if feature is None else found is not None and feature in found


def test_words_of_no_cpu() -> None:
    assert not is_code(decode(0))
    assert not is_code(decode(0x00010000))
    assert is_code(decode(0xD503201F))


def test_spaces_of_which_some_words_are_of_no_cpu() -> None:
    assert not is_told_apart(decode(0xFFFFFFFF))
    assert is_told_apart(decode(0xB8210002))


def test_the_handlers_own_brk_is_not_the_word() -> None:
    assert undefined_word(case(code(0xD503201F, 0xD4210000))) is None
    found = undefined_word(case(code(0xD503201F, 0)))
    assert found is not None
    assert (found.insn.word, found.words) == (0, (0xD503201F, 0))


def test_at_el2_the_hosts_code_says_nothing() -> None:
    facts = (syndrome(0x02000000), code(0))
    assert undefined_word(case(*facts, kind=Kind.HYP_PANIC)) is None
    own = (syndrome(0x02000000), code(0, hyp=True))
    assert undefined_word(case(*own, kind=Kind.HYP_PANIC)) is not None


def test_other_exceptions_are_not_undefined() -> None:
    assert not is_undefined(case(syndrome(0xF2000800)))
    assert not is_undefined(case(syndrome(0x96000006), kind=Kind.HYP_PANIC))
    assert is_undefined(case(syndrome(0x62300000)))
    assert is_undefined(case())
