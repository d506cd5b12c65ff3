"""Relocation arithmetic, against results worked out by hand from the tables of aaelf64."""

import pytest

from whypanic.arch.relocations import (
    BY_NAME,
    BY_NUMBER,
    RELOCATIONS,
    relocate_data,
    relocate_word,
)

PLACE = 0x8000_089E_6F98


def _word(name: str, word: int, target: int, place: int = PLACE) -> int:
    return relocate_word(word, BY_NAME[f"R_AARCH64_{name}"], target=target, place=place)


def test_rows_are_unique_and_sorted() -> None:
    numbers = [row.number for row in RELOCATIONS]
    assert numbers == sorted(set(numbers))
    assert len(BY_NAME) == len(BY_NUMBER) == len(RELOCATIONS)


@pytest.mark.parametrize(
    ("name", "word", "target", "made"),
    [
        ("ADR_PREL_PG_HI21", 0x9000000A, PLACE, 0x9000000A),
        ("ADR_PREL_PG_HI21", 0x9000000A, PLACE + 0x1000, 0xB000000A),  # one page: immlo is 1
        ("ADR_PREL_PG_HI21", 0x9000000A, PLACE - 0x1000, 0xF0FFFFEA),
        ("ADD_ABS_LO12_NC", 0x9100014A, 0xABC, 0x912AF14A),
        ("LDST8_ABS_LO12_NC", 0x39400000, 0xABC, 0x396AF000),
        ("LDST64_ABS_LO12_NC", 0xF9400000, 0x1230, 0xF9411800),
        ("LDST128_ABS_LO12_NC", 0x3DC00000, 0x1230, 0x3DC08C00),
        ("CALL26", 0x94000000, PLACE + 8, 0x94000002),
        ("CALL26", 0x94000000, PLACE - 4, 0x97FFFFFF),
        ("JUMP26", 0x14000000, PLACE + 8, 0x14000002),
        ("CONDBR19", 0x54000000, PLACE + 16, 0x54000080),
        ("CONDBR19", 0xB4000003, PLACE + 16, 0xB4000083),  # cbz x3
        ("TSTBR14", 0x36080001, PLACE - 8, 0x360FFFC1),
        ("ADR_PREL_LO21", 0x10000000, PLACE + 7, 0x70000020),
        ("LD_PREL_LO19", 0x58000000, PLACE + 8, 0x58000040),
        ("MOVW_UABS_G3", 0xD2E00000, 0xFFFF_0000_0801_2345, 0xD2FFFFE0),
        ("MOVW_UABS_G1_NC", 0xF2A00000, 0xFFFF_0000_0801_2345, 0xF2A10020),
        ("ADR_GOT_PAGE", 0x90000000, PLACE + 0x4000, 0x90000020),
        ("LD64_GOT_LO12_NC", 0xF9400000, 0x5018, 0xF9400C00),
    ],
)
def test_words(name: str, word: int, target: int, made: int) -> None:
    assert f"{_word(name, word, target):#x}" == f"{made:#x}"


@pytest.mark.parametrize(
    ("name", "word", "target", "said"),
    [
        ("CALL26", 0x94000000, PLACE + (1 << 27), "does not fit"),
        ("CALL26", 0x94000000, PLACE + 2, "multiple of 4"),
        ("CALL26", 0x91000000, PLACE, "not B or BL"),
        ("ADR_PREL_PG_HI21", 0x9000000A, PLACE + (1 << 32), "does not fit"),
        ("LDST64_ABS_LO12_NC", 0xF9400000, 0x1234, "multiple of 8"),
        ("LDST64_ABS_LO12_NC", 0xB9400000, 0x1230, "access of 4 bytes"),
        ("MOVW_UABS_G0", 0xD2800000, 0x10000, "does not fit"),
        ("ABS64", 0x94000000, 0, "is not data"),
    ],
)
def test_words_that_cannot_be(name: str, word: int, target: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _word(name, word, target)


def test_data() -> None:
    absolute = BY_NAME["R_AARCH64_ABS64"]
    assert (
        relocate_data(absolute, target=0xFFFF_0000_089E_6FD8, place=0).hex() == "d86f9e080000ffff"
    )
    near = BY_NAME["R_AARCH64_PREL32"]
    assert relocate_data(near, target=PLACE - 4, place=PLACE).hex() == "fcffffff"
    with pytest.raises(ValueError, match="does not fit"):
        relocate_data(near, target=PLACE + (1 << 32), place=PLACE)
    with pytest.raises(ValueError, match="cannot be in data"):
        relocate_data(BY_NAME["R_AARCH64_CALL26"], target=0, place=0)


def test_conditional_branches_and_compares_share_a_relocation() -> None:
    names = {row.name: [field.name for field in row.encodings] for row in RELOCATIONS}
    assert names["R_AARCH64_CONDBR19"] == ["conditional branch", "CBZ or CBNZ"]
    assert names["R_AARCH64_CALL26"] == ["B or BL"]


def test_relocations_whose_bits_are_not_at_one_place() -> None:
    split = [row.name for row in RELOCATIONS if row.is_split and not row.is_got]
    assert split == [
        "R_AARCH64_ADR_PREL_LO21",
        "R_AARCH64_ADR_PREL_PG_HI21",
        "R_AARCH64_ADR_PREL_PG_HI21_NC",
    ]
    assert {row.name for row in RELOCATIONS if row.scales_with_access} == {
        row.name for row in RELOCATIONS if "LDST" in row.name or "LD64" in row.name
    }
