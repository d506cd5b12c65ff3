import pytest

from builders.el2 import text
from whypanic.replay.address_space import AddressSpace, UnfitJobError
from whypanic.replay.protocol import Permission, Region, Stub

READ, WRITE, EXECUTE = Permission.READ, Permission.READ_WRITE, Permission.EXECUTE


def test_pages_are_mapped_whole_and_the_rest_is_unknown() -> None:
    space = AddressSpace((Region(0x1FFE, b"\1\2\3\4", READ, "r"),))
    assert sorted(space.pages) == [1, 2]
    assert space.is_known(0x1FFE, 4)
    assert not space.is_known(0x1FFD, 2)
    assert not space.is_known(0x2001, 2)
    assert not space.is_known(0x0FFF, 1)


def test_walks_end_where_no_table_is() -> None:
    space = AddressSpace((Region(0x8000_0040_0000, b"x", READ, "r"),))
    levels = {
        0x8000_0040_0000: None,
        0x8000_0040_1000: 3,
        0x8000_0060_0000: 2,
        0x8000_4000_0000: 1,
        0x8080_0000_0000: 0,
        0x0000_0000_0000: 0,
        0xFFFF_8000_0040_0000: 0,
    }
    assert {va: space.missing_level(va) for va in levels} == levels


def test_without_pages_the_first_table_is_empty() -> None:
    assert AddressSpace(()).missing_level(0) == 0
    assert AddressSpace((), va_bits=39).missing_level(0) == 1


def test_only_the_known_bytes_of_a_region_are_known() -> None:
    region = Region(0x1000, bytes(range(16)), READ, "r", known=((4, 8), (-3, 1), (12, 99), (9, 9)))
    space = AddressSpace((region,))
    known = [n for n in range(20) if space.is_known(0x1000 + n, 1)]
    assert known == [0, 4, 5, 6, 7, 12, 13, 14, 15]


def test_a_byte_given_twice_is_the_last_known_one() -> None:
    first = Region(0x1000, b"\1\1\1\1", READ, "first")
    second = Region(0x1000, b"\2\2\2\2", READ, "second", known=((0, 2),))
    space = AddressSpace((first, second))
    assert bytes(space.pages[1].data[:4]) == b"\2\2\1\1"
    assert space.is_known(0x1000, 4)
    assert space.pages[1].name == "first"


def test_a_page_shared_with_code_is_executable() -> None:
    code, table = text([0xD65F03C0], 0x1000), Region(0x1800, b"t", READ, "table")
    assert AddressSpace((code, table)).pages[1].permission is EXECUTE
    assert AddressSpace((table, code)).pages[1].permission is EXECUTE


def test_a_writable_page_cannot_hold_code() -> None:
    with pytest.raises(UnfitJobError, match="0x1000 would be writable and executable"):
        AddressSpace((text([0], 0x1000), Region(0x1800, b"d", WRITE, "data")))


def test_stubs_have_a_page_and_are_aligned() -> None:
    space = AddressSpace((), (Stub(0x1004, "f"),))
    assert space.pages[1].permission is EXECUTE
    assert space.word_at(0x1004) is None
    with pytest.raises(UnfitJobError):
        AddressSpace((), (Stub(0x1002, "f"),))


def test_stores_change_what_is_known() -> None:
    space = AddressSpace((Region(0x1000, bytes(8192), WRITE, "w"),))
    space.mark(0x1FFC, 8, known=False)
    assert not space.is_known(0x1FFF, 1)
    assert not space.is_known(0x2003, 1)
    assert space.is_known(0x2004, 4)
    space.mark(0x1FFC, 8, known=True)
    assert space.is_known(0x1FFC, 8)


def test_runs_join_neighbours_of_one_permission() -> None:
    space = AddressSpace(
        (
            Region(0x1000, b"a" * 4096, READ, "a"),
            Region(0x2000, b"b" * 4096, READ, "b"),
            Region(0x3000, b"c", WRITE, "c"),
            Region(0x9000, b"d", WRITE, "d"),
        )
    )
    assert [(va, kind, len(data)) for va, kind, data in space.runs()] == [
        (0x1000, READ, 8192),
        (0x3000, WRITE, 4096),
        (0x9000, WRITE, 4096),
    ]
    assert list(AddressSpace(()).runs()) == []
