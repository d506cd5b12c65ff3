"""`Internal error:` lines."""

import pytest

from builders.log_lines import fact, facts
from whypanic.model.fault import InternalError, Syndrome, SyndromePlace


@pytest.mark.parametrize(
    ("text", "name", "err", "count"),
    [
        ("Internal error: Oops: 96000046 [#1] PREEMPT SMP", "Oops", 0x96000046, 1),
        ("Internal error: Oops: 0000000096000004 [#2]  SMP", "Oops", 0x96000004, 2),
        ("Internal error: : 96000210 [#1] SMP", "", 0x96000210, 1),
        ("Internal error: Oops - BUG: 0 [#1] SMP", "Oops - BUG", 0, 1),
        ("Internal error: SP/PC alignment exception: 8a000000 [#1] SMP", "SP/PC alignment exception", 0x8A000000, 1),
        ("Internal error: UBSAN: array index out of bounds: 00000000f2005512 [#1] SMP", "UBSAN: array index out of bounds", 0xF2005512, 1),
        ("Internal error: synchronous external abort: 96000210", "synchronous external abort", 0x96000210, None),
        ("Internal error: Accessing user space memory outside uaccess.h routines: 96000004 [#1] SMP", "Accessing user space memory outside uaccess.h routines", 0x96000004, 1),
    ],
)  # fmt: skip
def test_shapes(text: str, name: str, err: int, count: int | None) -> None:
    error = fact(text, InternalError)
    assert (error.name, error.err, error.count) == (name, err, count)


def test_esr_is_a_syndrome_and_zero_is_not() -> None:
    syndrome = fact("Internal error: Oops: 96000046 [#1] SMP", Syndrome)
    assert (syndrome.esr, syndrome.place) == (0x96000046, SyndromePlace.INTERNAL_ERROR)
    assert facts("Internal error: Oops - bad mode: 0 [#1] SMP", Syndrome) == []
    assert facts("Internal error: Oops: 17 [#1] SMP ARM", Syndrome) == []


def test_suffix_is_kept() -> None:
    text = "Internal error: Oops: 96000046 [#1] PREEMPT_RT SMP"
    assert fact(text, InternalError).suffix == "PREEMPT_RT SMP"
