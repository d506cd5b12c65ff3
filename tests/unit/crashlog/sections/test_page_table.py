"""Page-table lines of every era."""

from builders.log_lines import fact, facts
from whypanic.model.fault import FaultAddress, PageTable, PageWalk


def test_table_physical_hashed_and_masked() -> None:
    new = fact("swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041a3c000", PageTable)
    assert (new.owner, new.page_kib, new.va_bits, new.pgd) == ("swapper", 4, 48, 0x41A3C000)
    old = fact("user pgtable: 64k pages, 42-bit VAs, pgd = ffff80065622f000", PageTable)
    assert (old.owner, old.page_kib, old.pgd) == ("user", 64, 0xFFFF80065622F000)
    hashed = fact("user pgtable: 4k pages, 39-bit VAs, pgdp = (____ptrval____)", PageTable)
    assert (hashed.va_bits, hashed.pgd) == (39, None)


def test_oldest_form() -> None:
    assert fact("pgd = ffffffc0012ab000", PageTable).pgd == 0xFFFFFFC0012AB000


def test_walk() -> None:
    text = "[ffff00000a5b3018] pgd=00000000bffff003, p4d=00000000bffff003, pud=0000000000000000"
    walk = fact(text, PageWalk)
    assert walk.va == 0xFFFF00000A5B3018
    assert [e.name for e in walk.entries] == ["pgd", "p4d", "pud"]
    assert walk.entries[2].value == 0
    assert fact(text, FaultAddress).place == "page-walk"


def test_walk_with_stars() -> None:
    walk = fact("[0000000000000018] *pgd=00000006962a7003, *pud=00000006962a8003", PageWalk)
    assert [e.name for e in walk.entries] == ["pgd", "pud"]


def test_rest_of_a_broken_line_has_no_address() -> None:
    walk = fact("*pgd=00000006962a8003", PageWalk)
    assert (walk.va, walk.entries[0].name) == (None, "pgd")


def test_words_instead_of_a_walk() -> None:
    text = "[00f1aa0012345678] address between user and kernel address ranges"
    walk = fact(text, PageWalk)
    assert walk.entries == ()
    assert walk.note == "address between user and kernel address ranges"


def test_a_bracket_with_other_words_is_no_walk() -> None:
    assert facts("[00f1aa0012345678] something else", PageWalk) == []
