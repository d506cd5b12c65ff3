"""Immediates of logical and bitfield instructions."""

import pytest

from whypanic.arch.insn.bitmask import bitfield, decode_bit_mask


@pytest.mark.parametrize(
    ("n", "immr", "imms", "width", "value"),
    [
        (1, 56, 7, 64, 0xFF00),
        (0, 0, 0b111100, 32, 0x55555555),
        (0, 1, 0b110000, 64, 0x8080808080808080),
        (1, 0, 62, 64, (1 << 63) - 1),
    ],
)
def test_mask(n: int, immr: int, imms: int, width: int, value: int) -> None:
    assert decode_bit_mask(n, immr, imms, width) == value


def test_reserved_masks() -> None:
    assert decode_bit_mask(1, 0, 63, 64) is None
    assert decode_bit_mask(1, 0, 0, 32) is None
    assert decode_bit_mask(0, 0, 0b111111, 64) is None


def test_bitfield_extracts_and_inserts() -> None:
    assert bitfield(0xABCD, 4, 11, 64) == (0xBC, 0xFF, 7)
    assert bitfield(0xABCD, 60, 7, 64) == (0xCD0, 0xFF0, 11)
