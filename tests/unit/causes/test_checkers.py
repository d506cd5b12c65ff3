"""What the words of a checker mean."""

import pytest

from whypanic.app.analysis import explain_text
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import (
    DOUBLE_FREE,
    INVALID_FREE,
    OUT_OF_BOUNDS,
    TAG_MISMATCH,
    USE_AFTER_FREE,
    check_did_not_fire,
    has_stack,
    stack_claims,
    verdict_claim,
)
from whypanic.model.claims import Claim, Sense, Strength


def _case(text: str) -> CaseView:
    return explain_text(text.encode())[1][0].case


def _kasan(words: str) -> CaseView:
    return _case(
        f"BUG: KASAN: {words} in foo_get+0x10/0x20\n"
        "Read of size 8 at addr ffff0000c2bb7080 by task foo/7\n"
        "Call trace:\n foo_get+0x10/0x20\n\nFreed by task 9:\n"
        " kasan_save_stack+0x10/0x20\n kfree+0x10/0x20\n foo_put+0x50/0x60\n"
    )


def _stated(claim: Claim | None) -> bool:
    return claim is not None and claim.strength is Strength.STATED


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("slab-use-after-free", USE_AFTER_FREE),
        ("use after free", USE_AFTER_FREE),
        ("global-out-of-bounds", OUT_OF_BOUNDS),
        ("double-free", DOUBLE_FREE),
        ("invalid-free", INVALID_FREE),
        ("invalid-access", TAG_MISMATCH),
    ],
)
def test_words_state_a_cause(words: str, cause: str) -> None:
    assert _stated(verdict_claim(_kasan(words), cause))


@pytest.mark.parametrize("cause", [DOUBLE_FREE, INVALID_FREE])
def test_either_is_not_stated(cause: str) -> None:
    claim = verdict_claim(_kasan("double-free or invalid-free"), cause)
    assert claim is not None
    assert claim.strength is Strength.CONSISTENT


def test_rival_is_refuted() -> None:
    claim = verdict_claim(_kasan("slab-out-of-bounds"), USE_AFTER_FREE)
    assert claim is not None
    assert claim.sense is Sense.REFUTES


@pytest.mark.parametrize("words", ["vmalloc-out-of-bounds", "invalid-access", "unknown-crash"])
def test_words_leave_use_after_free_open(words: str) -> None:
    assert verdict_claim(_kasan(words), USE_AFTER_FREE) is None


def test_stack_names_the_first_function_that_is_no_helper() -> None:
    case = _kasan("slab-use-after-free")
    assert [c.text for c in stack_claims(case, "freed")] == ["Freed by task 9: foo_put()"]
    assert has_stack(case, "allocated") is None


def test_fault_is_no_check() -> None:
    text = "kernel BUG at lib/list_debug.c:12!\nInternal error: Oops: 0000000096000004 [#1] SMP\n"
    assert check_did_not_fire(_case(text)) is not None
    assert check_did_not_fire(_case(text.replace("96000004", "f2000800"))) is None
