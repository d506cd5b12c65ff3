"""Integer data processing, decoded from assembled words."""

import pytest

from whypanic.arch.insn import Group, decode

ROWS: list[tuple[int, str, tuple[str, ...], tuple[str, ...], int | None, bool]] = [
    (0x91401041, "add", ("x2",), ("x1",), 0x4000, False),
    (0xD10103FF, "sub", ("sp",), ("sp",), 0x40, False),
    (0x7100111F, "subs", ("x8",), ("nzcv",), 4, True),
    (0xEB22083F, "subs", ("x1", "x2"), ("nzcv",), None, False),
    (0xF2781C41, "ands", ("x2",), ("x1", "nzcv"), 0xFF00, False),
    (0x3200F041, "orr", ("x2",), ("x1",), 0x55555555, True),
    (0xD2A24681, "movz", (), ("x1",), 0x12340000, False),
    (0x12800021, "movn", (), ("x1",), 0xFFFFFFFE, True),
    (0xF2F7DDE1, "movk", ("x1",), ("x1",), 0xBEEF << 48, False),
    (0xD37D1129, "ubfm", ("x9",), ("x9",), None, False),
    (0xB37C1C41, "bfm", ("x2", "x1"), ("x1",), None, False),
    (0x93C32441, "extr", ("x2", "x3"), ("x1",), 9, False),
    (0x1000020B, "adr", (), ("x11",), 0x40, False),
    (0xB0000009, "adrp", (), ("x9",), 0x1000, False),
    (0x9B031041, "madd", ("x2", "x3", "x4"), ("x1",), None, False),
    (0x9BC37C41, "umulh", ("x2", "x3"), ("x1",), None, False),
    (0x5A9F03E1, "csinv", ("nzcv",), ("x1",), None, True),
    (0xFA43A825, "ccmp", ("x1", "nzcv"), ("nzcv",), 3, False),
    (0xBA030041, "adcs", ("x2", "x3", "nzcv"), ("x1", "nzcv"), None, False),
    (0x9AC32C41, "rorv", ("x2", "x3"), ("x1",), None, False),
    (0x5AC01041, "clz", ("x2",), ("x1",), None, True),
    (0xEAA31041, "bics", ("x2", "x3"), ("x1", "nzcv"), None, False),
    (0x8B22643F, "add", ("x1", "x2"), ("sp",), None, False),
]


@pytest.mark.parametrize(("word", "mnemonic", "reads", "writes", "immediate", "narrow"), ROWS)
def test_data_processing(
    word: int,
    mnemonic: str,
    reads: tuple[str, ...],
    writes: tuple[str, ...],
    immediate: int | None,
    narrow: bool,
) -> None:
    insn = decode(word)
    assert insn.mnemonic == mnemonic
    assert (insn.reads, insn.writes) == (reads, writes)
    assert (insn.immediate, insn.is_32bit) == (immediate, narrow)
    assert insn.group in (Group.DATA_IMMEDIATE, Group.DATA_REGISTER)


@pytest.mark.parametrize(
    ("word", "mnemonic", "reads", "writes"),
    [
        (0xDAC10041, "pacia", ("x1", "x2"), ("x1",)),
        (0xDAC13BE3, "autdza", ("x3",), ("x3",)),
        (0xDAC143E4, "xpaci", ("x4",), ("x4",)),
    ],
)
def test_pointer_authentication(
    word: int, mnemonic: str, reads: tuple[str, ...], writes: tuple[str, ...]
) -> None:
    insn = decode(word)
    assert (insn.group, insn.mnemonic) == (Group.POINTER_AUTH, mnemonic)
    assert (insn.reads, insn.writes) == (reads, writes)


@pytest.mark.parametrize(
    "word",
    [
        0x12400000,  # logical immediate, 32-bit with N = 1
        0x52C00000,  # movz w0 with hw = 2
        0x32800000,  # move wide with opc = 01
        0x13400000,  # sbfm w0 with N = 1
        0x0BC00000,  # add, shift = 11
        0x8B207400,  # add extended, imm3 = 5
    ],
)
def test_reserved_encodings_are_unallocated(word: int) -> None:
    assert decode(word).group is Group.UNALLOCATED
