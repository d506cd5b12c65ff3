"""The dispatch is total."""

import random

from hypothesis import given
from hypothesis import strategies as st

from whypanic.arch.insn import Group, decode
from whypanic.arch.insn.record import X_OR_SP, V

REGISTERS = {*X_OR_SP, *V, "nzcv"}


def _check(word: int) -> None:
    insn = decode(word)
    assert insn.word == word
    assert insn.mnemonic
    assert REGISTERS.issuperset(insn.reads)
    assert REGISTERS.issuperset(insn.writes)
    if insn.memory is not None:
        assert insn.memory.base in {*X_OR_SP, "pc"}
        assert insn.memory.size in (0, 1, 2, 4, 8, 16)
        assert insn.memory.base in insn.reads or insn.memory.base == "pc"
    if insn.group is Group.LOAD_STORE:
        assert insn.memory is not None


@given(st.integers(0, (1 << 32) - 1))
def test_every_word_answers(word: int) -> None:
    _check(word)


def test_many_random_words() -> None:
    source = random.Random(7)
    for _ in range(30_000):
        _check(source.getrandbits(32))


def test_reserved_space() -> None:
    assert decode(0).group is Group.UDF
    assert decode(0xBEEF).immediate == 0xBEEF
    assert decode(0x00010000).group is Group.UNALLOCATED
    assert decode(0x02000000).group is Group.UNALLOCATED
    assert decode(-1).word == 0xFFFFFFFF
