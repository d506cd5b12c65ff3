"""Integer operations on literal values."""

import pytest

from whypanic.arch.insn.arithmetic import (
    add_with_carry,
    condition_holds,
    count_leading_signs,
    divide,
    extend,
    reverse_bits,
    reverse_bytes,
    shift,
)


@pytest.mark.parametrize(
    ("a", "b", "carry", "width", "expected"),
    [
        (2, 0xFFFFFFFB, 1, 32, (0xFFFFFFFE, 0b1000)),  # 2 - 4
        (4, 0xFFFFFFFB, 1, 32, (0, 0b0110)),  # 4 - 4
        (5, 0xFFFFFFFB, 1, 32, (1, 0b0010)),  # 5 - 4
        (0x7FFFFFFF, 1, 0, 32, (0x80000000, 0b1001)),
        (1 << 63, 1 << 63, 0, 64, (0, 0b0111)),
    ],
)
def test_add_with_carry(a: int, b: int, carry: int, width: int, expected: tuple[int, int]) -> None:
    assert add_with_carry(a, b, carry, width) == expected


def test_conditions() -> None:
    held = [condition_holds(c, 0b0010) for c in range(16)]
    assert held == [
        *(False, True, True, False, False, True, False, True),
        *(True, False, True, False, True, False, True, True),
    ]
    assert condition_holds(0b1011, 0b1000)
    assert condition_holds(0b1010, 0b1001)


def test_shifts_and_extensions() -> None:
    assert [shift(0x80000001, kind, 1, 32) for kind in range(4)] == [
        *(2, 0x40000000, 0xC0000000, 0xC0000000)
    ]
    assert shift(5, 3, 0, 64) == 5
    assert extend(0x80, 4, 2, 64) == 0xFFFF_FFFF_FFFF_FE00
    assert extend(0x1_8000_0000, 2, 0, 64) == 0x8000_0000


def test_division_rounds_towards_zero() -> None:
    assert divide(0xFFFFFFF9, 2, 32, is_signed=True) == 0xFFFFFFFD
    assert divide(7, 0, 64, is_signed=False) == 0
    assert divide(1 << 63, (1 << 64) - 1, 64, is_signed=True) == 1 << 63


def test_reversals_and_counts() -> None:
    assert reverse_bits(1, 32) == 0x80000000
    assert reverse_bytes(0x0102030405060708, 64, 32) == 0x0403020108070605
    assert count_leading_signs(0xF0000000, 32) == 3
    assert count_leading_signs(0, 64) == 63
