"""The printed walk against the syndrome."""

import pytest

from whypanic.arch.esr import decode_esr
from whypanic.code.page_walk import WalkCheck, check_walk
from whypanic.model.fault import FaultAddress, PageTable, PageWalk, WalkEntry
from whypanic.model.provenance import Source

VA = 0xFFFF800012345678
TABLE = 0x10000000FFFFF003
PAGE = 0x00680000FE000703
"""Valid, AF set, writable, PXN and UXN."""
READ_ONLY = 1 << 7
PXN = 1 << 53


def check(
    esr: int, name: str, value: int, *, va: int = VA, bits: int | None = 48
) -> WalkCheck | None:
    source = Source()
    walk = PageWalk(
        va=va,
        entries=(WalkEntry(name="pgd", value=TABLE), WalkEntry(name=name, value=value)),
        source=source,
    )
    table = PageTable(owner="swapper", page_kib=4, va_bits=bits, pgd=None, source=source)
    return check_walk(decode_esr(esr), FaultAddress(va=VA, place="far", source=source), table, walk)


@pytest.mark.parametrize(
    ("esr", "name", "value", "agrees", "words"),
    [
        (0x96000007, "pte", 0, True, "it explains the fault"),
        (0x96000007, "pte", PAGE, False, "stale TLB"),
        (0x96000006, "pmd", 0, True, "it explains the fault"),
        (0x96000006, "pte", 0, False, "the walk goes on to level 3"),
        (0x96000007, "pmd", 0, False, "the walk ends at level 2"),
        (0x96000006, "pmd", PAGE & ~2, False, "valid block of level 2"),
        (0x9600004F, "pte", PAGE | READ_ONLY, True, "read-only"),
        (0x9600004F, "pte", PAGE, False, "permits the access"),
        (0x9600000F, "pte", PAGE | 1 << 6, True, "PAN"),
        (0x8600000F, "pte", PAGE | PXN, True, "PXN"),
        (0x8600000F, "pte", PAGE & ~PXN, False, "permits the access"),
        (0x9600000F, "pte", 0, False, "is invalid"),
        (0x9600000E, "pte", PAGE, False, "maps a page of level 3"),
        (0x9600000B, "pte", PAGE & ~(1 << 10), True, "access flag clear"),
        (0x9600000B, "pte", PAGE, False, "access flag set"),
    ],
)
def test_levels_and_rights(esr: int, name: str, value: int, agrees: bool, words: str) -> None:
    found = check(esr, name, value)
    assert found is not None
    assert found.agrees is agrees
    assert words in found.text


def test_what_cannot_be_told() -> None:
    assert check(0x96000021, "pte", PAGE) is None  # alignment: no level
    assert check(0x96000007, "pmd", TABLE) is None  # the walk was not finished
    assert check(0x96000007, "pte", PAGE, va=VA ^ 1 << 20) is None  # another address
    assert check(0x96000007, "pte", PAGE, bits=None) is None  # which levels are folded is not known
    assert check(0xF2000800, "pte", PAGE) is None
