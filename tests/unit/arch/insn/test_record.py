"""Effective addresses and the small functions on fields."""

import pytest

from whypanic.arch.insn import decode, effective_address
from whypanic.arch.insn.record import listed, signed


@pytest.mark.parametrize(
    ("word", "values", "pc", "address"),
    [
        (0xF9400401, {"x0": 0}, None, 8),
        (0xF9400401, {}, None, None),
        (0xF81F0FE1, {"sp": 8}, None, (1 << 64) - 8),
        (0xB8404401, {"x0": 0x1234}, None, 0x1234),
        (0xF869794B, {"x10": 0x1000, "x9": 3}, None, 0x1018),
        (0xF869794B, {"x10": 0x1000}, None, None),
        (0x38A4C862, {"x3": 0x1000, "x4": 0x1_FFFF_FFFF}, None, 0xFFF),
        (0xF8605800, {"x0": 0x1_0000_0002}, None, 0x1_0000_0012),
        (0x58000205, {}, 0x8000, 0x8040),
        (0x58000205, {}, None, None),
        (0x91401041, {"x2": 1}, None, None),
    ],
)
def test_effective_address(
    word: int, values: dict[str, int], pc: int | None, address: int | None
) -> None:
    assert effective_address(decode(word), values, pc) == address


def test_signed() -> None:
    assert [signed(v, 8) for v in (0x7F, 0x80, 0x1FF)] == [127, -128, -1]


def test_listed_drops_the_zero_register_and_repeats() -> None:
    assert listed("x1", "xzr", "sp", "x1") == ("x1", "sp")
