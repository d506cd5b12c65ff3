"""Origins of branch targets."""

import pytest

from builders.listings import (
    BYTE_SWITCH,
    COMPUTED_GOTO,
    MEMBER_CALL,
    OFFSET_SWITCH,
    PARANGE_SWITCH,
    POINTER_ARRAY_TAIL_CALL,
    REFERENCE_SWITCH,
    listing,
)
from whypanic.code.indirect_branch import TargetOrigin, find_indirect_branches


@pytest.mark.parametrize(
    ("words", "origin", "entry_bytes", "index", "bounded"),
    [
        (REFERENCE_SWITCH, TargetOrigin.ABSOLUTE_TABLE, 8, "x9", True),
        (PARANGE_SWITCH, TargetOrigin.ABSOLUTE_TABLE, 8, "x6", True),
        (OFFSET_SWITCH, TargetOrigin.RELATIVE_TABLE, 4, "x3", True),
        (BYTE_SWITCH, TargetOrigin.RELATIVE_TABLE, 1, "x2", True),
        (COMPUTED_GOTO, TargetOrigin.ABSOLUTE_TABLE, 8, "x0", False),
        (POINTER_ARRAY_TAIL_CALL, TargetOrigin.ABSOLUTE_TABLE, 8, "x3", False),
        (MEMBER_CALL, TargetOrigin.POINTER, None, None, False),
    ],
)
def test_idioms(
    words: tuple[int, ...],
    origin: TargetOrigin,
    entry_bytes: int | None,
    index: str | None,
    bounded: bool,
) -> None:
    (branch,) = find_indirect_branches(listing(words))
    assert (branch.origin, branch.entry_bytes, branch.index) == (origin, entry_bytes, index)
    assert branch.bounded is bounded


def test_slice_of_the_reference_holds_the_lines_that_make_the_target() -> None:
    (branch,) = find_indirect_branches(listing(REFERENCE_SWITCH))
    assert [line.address for line in branch.slice] == [0x0, 0x14, 0x18, 0x1C, 0x20, 0x30]
    assert branch.offset == 0x30
    assert branch.load is not None
    assert branch.load.address == 0x20


def test_a_member_call_is_a_call() -> None:
    (branch,) = find_indirect_branches(listing(MEMBER_CALL))
    assert branch.call


def test_literal_and_constants() -> None:
    literal = (0x58000051, 0xD61F0220)  # ldr x17, .+8; br x17
    constant = (0xD2800011, 0xF2A10011, 0xD61F0220)  # movz x17; movk x17, lsl #16; br x17
    relative = (0x90000011, 0x91000231, 0xD61F0220)  # adrp x17; add x17, x17, #0; br x17
    origins = [find_indirect_branches(listing(w))[0].origin for w in (literal, constant, relative)]
    assert origins == [TargetOrigin.LITERAL, TargetOrigin.CONSTANT, TargetOrigin.PC_RELATIVE]


def test_argument_and_unknown() -> None:
    (argument,) = find_indirect_branches(listing((0xD503201F, 0xD61F0020)))  # nop; br x1
    assert argument.origin is TargetOrigin.ARGUMENT
    (unknown,) = find_indirect_branches(listing((None, 0xD61F0020)))
    assert unknown.origin is TargetOrigin.UNKNOWN


def test_the_origin_does_not_depend_on_register_names() -> None:
    renamed = (0x90000013, 0x91000273, 0xF8747A75, 0xD61F02A0)  # x19 base, x20 index, x21 target
    (branch,) = find_indirect_branches(listing(renamed))
    assert branch.origin is TargetOrigin.ABSOLUTE_TABLE
    assert (branch.index, branch.register) == ("x20", "x21")


def test_no_branch_no_finding() -> None:
    assert find_indirect_branches(listing((0xD65F03C0,))) == ()
