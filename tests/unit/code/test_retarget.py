"""Instructions moved to another address."""

import pytest

from whypanic.code.retarget import relocated

FROM, TO = 0x20000, 0x10000
ELSEWHERE = (FROM, FROM)
B_FORWARD, BL_BACK = 0x14000004, 0x97FFFFFF
B_NE, CBZ_X0, TBZ_W1 = 0x54000081, 0xB4000080, 0x36180081
ADRP_X0, ADR_X0, LDR_LITERAL, MOV = 0xB0000000, 0x10000080, 0x58000080, 0xAA0103E0


@pytest.mark.parametrize("word", [B_FORWARD, B_NE, CBZ_X0, TBZ_W1])
def test_a_branch_leads_where_it_did(word: int) -> None:
    moved = relocated(word, FROM, FROM - 0x40, ELSEWHERE)
    assert moved.target == FROM + 16
    again = relocated(moved.word, FROM - 0x40, FROM, ELSEWHERE)
    assert (again.word, again.problem) == (word, None)
    assert moved.word != word


def test_a_call_to_lower_addresses() -> None:
    moved = relocated(BL_BACK, FROM, TO, ELSEWHERE)
    assert (moved.target, moved.word) == (FROM - 4, 0x94000000 | (FROM - 4 - TO) >> 2)


@pytest.mark.parametrize(
    ("end", "kept"), [(FROM + 12, False), (FROM + 16, True), (FROM + 20, True)]
)
def test_a_branch_inside_the_sequence_or_to_its_end_stays(end: int, kept: bool) -> None:
    assert (relocated(B_FORWARD, FROM, TO, (FROM, end)).word == B_FORWARD) is kept


def test_a_page_address_names_the_same_page() -> None:
    moved = relocated(ADRP_X0, FROM, TO, ELSEWHERE)
    assert moved.word == 0xB0000080
    assert relocated(moved.word, TO, FROM, ELSEWHERE).word == ADRP_X0


@pytest.mark.parametrize("word", [ADR_X0, LDR_LITERAL])
def test_what_the_kernel_refuses_is_named(word: int) -> None:
    moved = relocated(word, FROM, TO, ELSEWHERE)
    assert moved.word == word
    assert moved.problem is not None
    assert "refuses" in moved.problem


@pytest.mark.parametrize(
    ("word", "distance"), [(TBZ_W1, 1 << 16), (CBZ_X0, 1 << 21), (B_FORWARD, 1 << 28)]
)
def test_a_branch_that_does_not_reach_is_named(word: int, distance: int) -> None:
    moved = relocated(word, FROM + distance, FROM, ELSEWHERE)
    assert moved.problem is not None
    assert "does not reach" in moved.problem


def test_other_words_are_copied() -> None:
    assert relocated(MOV, FROM, TO, ELSEWHERE) == (MOV, None, None)
