"""The access in the syndrome against the instruction."""

import pytest

from whypanic.arch.esr import decode_esr
from whypanic.arch.insn import decode
from whypanic.code.isv import check_isv

LDR_X5, LDR_W5, STR_X5, STRB_WZR, NOP = 0xF9400025, 0xB9400025, 0xF9000025, 0x3900003F, 0xD503201F


def esr(*, n_bytes: int = 8, register: int = 5, write: bool = False) -> int:
    return 0x96000007 | 1 << 24 | (n_bytes.bit_length() - 1) << 22 | register << 16 | write << 6


@pytest.mark.parametrize(
    ("value", "word", "agrees"),
    [
        (esr(), LDR_X5, True),
        (esr(n_bytes=4), LDR_W5, True),
        (esr(write=True), STR_X5, True),
        (esr(n_bytes=1, register=31, write=True), STRB_WZR, True),
        (esr(), LDR_W5, False),
        (esr(register=6), LDR_X5, False),
        (esr(write=True), LDR_X5, False),
        (esr(), NOP, False),
    ],
)
def test_against_the_instruction(value: int, word: int, agrees: bool) -> None:
    found = check_isv(decode_esr(value), decode(word))
    assert found is not None
    assert found.agrees is agrees


def test_without_an_instruction_and_without_isv() -> None:
    found = check_isv(decode_esr(esr(n_bytes=2, write=True)), None)
    assert found == (None, "ISV = 1: a store of 2 bytes, register x5")
    assert check_isv(decode_esr(0x96000007), decode(LDR_X5)) is None
    assert check_isv(decode_esr(0xF2000800), decode(LDR_X5)) is None
