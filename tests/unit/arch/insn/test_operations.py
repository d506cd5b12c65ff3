"""What single instructions compute, and where an unknown operand leads."""

import pytest

from whypanic.arch.insn import decode
from whypanic.arch.insn.evaluate import State, step
from whypanic.arch.insn.operations import OPERATIONS


def _state(**values: int) -> State:
    return State(pc=0x1000).with_values(values)


@pytest.mark.parametrize(
    ("x8", "nzcv"), [(2, 0b1000), (4, 0b0110), (5, 0b0010), (0x1_0000_0004, 0b0110)]
)
def test_compare_sets_all_flags(x8: int, nzcv: int) -> None:
    assert step(_state(x8=x8), decode(0x7100111F)).nzcv == nzcv


@pytest.mark.parametrize(
    ("word", "before", "name", "after"),
    [
        (0x91401041, {"x2": 1}, "x1", 0x4001),
        (0xD10103FF, {"sp": 0x100}, "sp", 0xC0),
        (0x12800021, {}, "x1", 0xFFFFFFFE),
        (0xF2F7DDE1, {"x1": 5}, "x1", 0xBEEF_0000_0000_0005),
        (0xD37D1129, {"x9": 0x3F}, "x9", 0xF8),  # ubfiz x9, x9, #3, #5
        (0xB37C1C41, {"x1": 0xFFFF, "x2": 0x12}, "x1", 0xF12F),  # bfi x1, x2, #4, #8
        (0x13031841, {"x2": 0x40}, "x1", 0xFFFFFFF8),  # sbfx w1, w2, #3, #4
        (0x1000020B, {}, "x11", 0x1040),
        (0xB0000009, {}, "x9", 0x2000),
        (0x9BC37C41, {"x2": 1 << 63, "x3": 4}, "x1", 2),
        (0xDAC00841, {"x2": 0x0102030405060708}, "x1", 0x0403020108070605),
        (0x8B22643F, {"x1": 1, "x2": 2}, "sp", 5),
    ],
)
def test_result(word: int, before: dict[str, int], name: str, after: int) -> None:
    assert step(_state(**before), decode(word)).get(name) == after


@pytest.mark.parametrize(
    ("word", "known", "name"),
    [
        (0x91401041, {}, "x1"),
        (0xF2F7DDE1, {}, "x1"),
        (0x9B031041, {"x2": 1, "x3": 2}, "x1"),
        (0xBA030041, {"x2": 1, "x3": 2}, "nzcv"),
        (0x7100111F, {"x9": 1}, "nzcv"),
        (0x9AC34C41, {"x2": 1, "x3": 2}, "x1"),  # crc32x is not modelled
        (0xDAC10041, {"x1": 1, "x2": 2}, "x1"),  # pacia
        (0x9E660083, {"x3": 1}, "x3"),  # fmov x3, d4
    ],
)
def test_unknown_operand_makes_the_result_unknown(
    word: int, known: dict[str, int], name: str
) -> None:
    assert (
        step(
            _state(x1=7, nzcv=4)._replace(x=(None,) * 31, nzcv=None).with_values(known),
            decode(word),
        ).get(name)
        is None
    )


def test_select_needs_only_the_operand_it_takes() -> None:
    csel = decode(0x9A83B041)  # csel x1, x2, x3, lt
    assert step(_state(x2=5, nzcv=0b1000), csel).get("x1") == 5
    assert step(_state(x2=5, nzcv=0), csel).get("x1") is None
    assert step(_state(x2=5, x3=5), csel).get("x1") == 5
    assert step(_state(x2=5, x3=6), csel).get("x1") is None


def test_conditional_compare_with_a_false_condition_needs_no_register() -> None:
    ccmp = decode(0xFA43A825)  # ccmp x1, #3, #5, ge
    assert step(_state(nzcv=0b1000), ccmp).nzcv == 5
    assert step(_state(nzcv=0), ccmp).nzcv is None
    assert step(_state(nzcv=0, x1=3), ccmp).nzcv == 0b0110


def test_operations_are_named_as_decoded() -> None:
    assert OPERATIONS.keys() >= {"subs", "ubfm", "csinc", "umaddl", "rev16"}
    assert "cmp" not in OPERATIONS
