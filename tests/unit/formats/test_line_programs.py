import struct

import pytest

from builders.images import link
from builders.line_fixtures import FOLDER
from whypanic.formats.elf import ElfFile
from whypanic.formats.line_programs import LineTables

BASE = 0xFFFF800008010000


def _tables(data: bytes) -> LineTables:
    return LineTables(ElfFile(memoryview(data), "image"))


@pytest.fixture(scope="module")
def moved() -> bytes:
    return (FOLDER / "moved-clang.elf").read_bytes()


@pytest.mark.parametrize(
    ("offset", "line"),
    [
        *((0x00, 6), (0x04, 7), (0x08, 12), (0x0C, 13), (0x10, 16), (0x14, 17), (0x18, 22)),
        *((0x1C, 9), (0x20, 10), (0x24, 19), (0x28, 20)),
    ],
)
def test_rows_that_go_back_are_put_in_order(moved: bytes, offset: int, line: int) -> None:
    assert _tables(moved).disordered(BASE + offset, "some/where/moved.S") == (line, 0)


def test_an_address_between_two_instructions_is_of_the_first(moved: bytes) -> None:
    assert _tables(moved).disordered(BASE + 0x0E, "moved.S") == (13, 0)


@pytest.mark.parametrize("address", [0, BASE - 4, BASE + 0x2C, 1 << 63])
def test_outside_of_the_table(moved: bytes, address: int) -> None:
    assert _tables(moved).disordered(address, "moved.S") is None


def test_another_file(moved: bytes) -> None:
    assert _tables(moved).disordered(BASE, "removed.S") is None


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_table_in_order_is_left_to_the_debugger(version: int) -> None:
    source = ".text\n.global _text\n_text: nop\nnop\n"
    path = link(source, assembler=(f"-gdwarf-{version}",))
    tables = _tables(path.read_bytes())
    (unit,) = tables._units()
    assert (unit.version, unit.name) == (version, b"{standard input}")
    assert tables.disordered(0xFFFF800008000000, "{standard input}") is None


def _header_4(rows: bytes, *, version: int = 4) -> bytes:
    names = b"include\0\0" + b"old.S\0\0\0\0" + b"\0"
    fixed = bytes([4, 1, 1, 0xFB, 14, 13]) if version == 4 else bytes([4, 1, 0xFB, 14, 13])
    tail = fixed + bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]) + names
    body = struct.pack("<HI", version, len(tail)) + tail + rows
    return struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("version", [2, 3, 4])
def test_older_versions_name_their_first_file(moved: bytes, version: int) -> None:
    begin = b"\0\x09\x02" + struct.pack("<Q", 0x1000)
    back = b"\0\x09\x02" + struct.pack("<Q", 0x0F00)
    rows = begin + b"\x03\x09\x01" + back + b"\x03\x0a\x01" + b"\x02\x10" + b"\0\x01\x01"
    tables = _with_table(moved, _header_4(rows, version=version))
    assert tables.disordered(0x1000, "old.S") == (10, 0)
    assert tables.disordered(0x0F08, "old.S") == (20, 0)
    assert tables.disordered(0x1008, "old.S") is None


def _with_table(moved: bytes, table: bytes) -> LineTables:
    tables = _tables(moved)
    vars(tables)["_table"] = table
    return tables


@pytest.mark.parametrize("cut", range(0, 160, 7))
def test_a_table_that_is_cut_off_is_no_error(moved: bytes, cut: int) -> None:
    table = _tables(moved)._table
    assert len(table) > 100
    shortened = bytearray(table[: len(table) - cut])
    shortened[0:4] = struct.pack("<I", max(len(shortened) - 4, 0))
    _with_table(moved, bytes(shortened)).disordered(BASE, "moved.S")


@pytest.mark.parametrize("place", range(4, 100))
def test_changed_bytes_are_no_error(moved: bytes, place: int) -> None:
    table = bytearray(_tables(moved)._table)
    for octet in (0, 0x7F, 0xFF):
        table[place] = octet
        _with_table(moved, bytes(table)).disordered(BASE, "moved.S")
