"""The reference switch, branch by branch: which index leads where, and with which flags."""

import struct

from builders.listings import PARANGE_SWITCH, REFERENCE_SWITCH, listing
from whypanic.code.indirect_branch import IndirectBranch, find_indirect_branches
from whypanic.code.table_runs import find_table_flags

BASE = 0xFFFF000008080000
"""A whole page: ADRP of the listings has no distance, and the table lies in the page of the code."""
REFERENCE_ENTRIES = (0x5C, 0x34, 0x54, 0x48, 0x50)
BRANCH = 12 * 4


def branch_of(words: tuple[int, ...]) -> IndirectBranch:
    (found,) = find_indirect_branches(listing(words, base=BASE))
    return found


class Memory:
    """A table at BASE, and what was asked of it."""

    def __init__(self, entries: tuple[int, ...]) -> None:
        self.data = struct.pack(f"<{len(entries)}Q", *(BASE + entry for entry in entries))

    def __call__(self, address: int, n_bytes: int) -> int | None:
        at = address - BASE
        if not 0 <= at <= len(self.data) - n_bytes:
            return None
        return int.from_bytes(self.data[at : at + n_bytes], "little")


def test_each_index_leaves_its_flags() -> None:
    branch, memory = branch_of(REFERENCE_SWITCH), Memory(REFERENCE_ENTRIES)
    found = {
        entry: find_table_flags(branch, BASE + entry, 5, memory) for entry in REFERENCE_ENTRIES
    }
    flags = {entry: None if f is None else f.nzcv for entry, f in found.items()}
    # cmp w8, #4: N below four, Z and C at four.
    assert flags == {0x5C: (8,), 0x34: (8,), 0x54: (8,), 0x48: (8,), 0x50: (6,)}
    third = found[0x54]
    assert third is not None
    assert [run.seed for run in third.runs] == [2]
    assert third.alone
    assert "= 2 leads to" in third.statement


def test_an_entry_that_two_indexes_share_has_the_flags_of_both() -> None:
    branch, memory = branch_of(REFERENCE_SWITCH), Memory((0x5C, 0x34, 0x50, 0x48, 0x50))
    found = find_table_flags(branch, BASE + 0x50, 5, memory)
    assert found is not None
    assert [run.seed for run in found.runs] == [2, 4]
    assert set(found.nzcv) == {0b1000, 0b0110}


def test_what_is_no_entry_has_no_way() -> None:
    branch = branch_of(REFERENCE_SWITCH)
    assert find_table_flags(branch, BASE + 0x58, 5, Memory(REFERENCE_ENTRIES)) is None


def test_memory_that_cannot_be_read_shows_nothing() -> None:
    branch = branch_of(REFERENCE_SWITCH)
    assert find_table_flags(branch, BASE + 0x54, 5, lambda _address, _n_bytes: None) is None


def test_a_jump_behind_the_compare_is_another_way() -> None:
    # The default case goes back to the load.
    words = list(REFERENCE_SWITCH)
    words[37] = 0x17FFFFE3  # b to the ldr at +0x20
    branch, memory = branch_of(tuple(words)), Memory(REFERENCE_ENTRIES)
    found = find_table_flags(branch, BASE + 0x54, 5, memory)
    assert found is not None
    assert not found.alone


def test_a_label_that_another_table_leads_to_is_another_way() -> None:
    branch, memory = branch_of(REFERENCE_SWITCH), Memory(REFERENCE_ENTRIES)
    found = find_table_flags(branch, BASE + 0x54, 5, memory, landings=(BASE + 0x28,))
    assert found is not None
    assert not found.alone
    before = find_table_flags(branch, BASE + 0x54, 5, memory, landings=(BASE,))
    assert before is not None
    assert before.alone


def test_the_tables_address_may_be_made_far_above() -> None:
    # The same without ADRP and ADD: x5 is known to be the table.
    words = tuple(0xD503201F if i in (4, 6) else w for i, w in enumerate(PARANGE_SWITCH))
    branch, memory = branch_of(words), Memory((0x44, 0x3C, 0x34, 0x24, 0x2C))
    assert find_table_flags(branch, BASE + 0x34, 5, memory) is None
    found = find_table_flags(branch, BASE + 0x34, 5, memory, table=BASE)
    assert found is not None
    assert found.nzcv == (0b1000,)


def test_a_compare_before_a_return_that_is_jumped_over() -> None:
    # clang puts the default case first: cmp; b.ls over it; mov; ret; and the load behind it.
    words = (
        *(0xF100101F, 0x54000069, 0x52800600, 0xD65F03C0),
        *(0x90000008, 0x91000108, 0xF8607908, 0xD61F0100),
        *(0x52800400, 0xD65F03C0, 0x52800580, 0xD65F03C0),
    )
    branch, memory = branch_of(words), Memory((0x20, 0x20, 0x20, 0x20, 0x28))
    found = find_table_flags(branch, BASE + 0x28, 5, memory)
    assert found is not None
    assert ([run.seed for run in found.runs], found.nzcv) == ([4], (0b0110,))
    found = find_table_flags(branch, BASE + 0x20, 5, memory)
    assert found is not None
    assert found.nzcv == (0b1000,)
