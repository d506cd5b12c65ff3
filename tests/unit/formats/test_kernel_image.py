import numpy as np
import pytest

from whypanic.formats.kernel_image import (
    Extent,
    ImageKind,
    KernelImage,
    ObjectRelocation,
    ObjectRelocations,
    RelativeRelocations,
    Section,
)
from whypanic.formats.symbol_table import Symbol, symbol_table

BASE = 0xFFFF800008000000
SLOT = BASE + 8


def image(**more: object) -> KernelImage:
    plain: dict[str, object] = {
        "name": "vmlinux",
        "kind": ImageKind.VMLINUX,
        "symbols": symbol_table([Symbol("f", BASE, 8, "function")]),
        "sections": (
            Section(".data", BASE + 0x1000, 0x10, False, True),
            Section(".text", BASE, 0x20, True, False),
            Section(".text.part", BASE + 0x10, 0x10, True, False),
            Section(".bss", BASE + 0x2000, 0x100, False, True, has_bytes=False),
        ),
        "extents": (
            Extent(BASE + 0x1000, memoryview(b"a string\0rest...")),
            Extent(BASE, memoryview(bytes(range(0x20)))),
        ),
    }
    return KernelImage(**{**plain, **more})  # type: ignore[arg-type]


def test_addresses_and_sections() -> None:
    found = image()
    assert (found.base, found.end) == (BASE, BASE + 0x2100)
    assert found.contains(BASE)
    assert not found.contains(BASE + 0x2100)
    names = [s.name if (s := found.section_at(BASE + at)) else None for at in (0, 0x10, 0x30)]
    assert names == [".text", ".text.part", None]
    assert found.section(".bss") == Section(".bss", BASE + 0x2000, 0x100, False, True, False)
    assert [s.name for s in found.executable_sections()] == [".text", ".text.part"]


def test_symbols_alone_have_a_place_too() -> None:
    symbols = symbol_table([Symbol("a", BASE, 0, "other"), Symbol("b", BASE + 64, 0, "other")])
    found = image(sections=(), extents=(), symbols=symbols)
    assert (found.base, found.end) == (BASE, BASE + 65)
    empty = image(sections=(), extents=(), symbols=symbol_table([]))
    assert (empty.base, empty.end) == (0, 0)
    assert not empty.contains(0)


@pytest.mark.parametrize(
    ("address", "n_bytes", "data"),
    [
        (BASE, 4, bytes(range(4))),
        (BASE + 0x1E, 2, b"\x1e\x1f"),
        (BASE + 0x1E, 4, None),
        (BASE + 0x2000, 1, None),
        (BASE - 1, 1, None),
        (BASE + 0x1000, 8, b"a string"),
    ],
)
def test_bytes_are_all_in_the_file_or_none(address: int, n_bytes: int, data: bytes | None) -> None:
    assert image().read(address, n_bytes) == data


def test_numbers_words_and_strings() -> None:
    found = image()
    assert found.read_u64(BASE) == 0x0706050403020100
    assert found.read_u64(BASE + 0x1C) is None
    words = found.words(BASE, BASE + 11)
    assert words is not None
    assert words.tolist() == [0x03020100, 0x07060504]
    assert found.words(BASE, BASE + 0x40) is None
    assert found.string_at(BASE + 0x1000) == "a string"
    assert found.string_at(BASE + 0x1009) is None
    assert found.string_at(BASE + 0x1000, limit=4) is None
    assert found.string_at(BASE + 0x3000) is None
    assert found.value_of("f") == BASE
    assert found.value_of("g") is None


def test_slots_hold_what_the_kernel_writes_there() -> None:
    slots, values = np.array([SLOT], np.uint64), np.array([BASE + 0x1000], np.uint64)
    relative = RelativeRelocations(slots, values)
    found = image(relative=relative)
    assert found.read_u64(SLOT) == BASE + 0x1000
    assert found.raw(SLOT, 8) == bytes(range(8, 16))
    # A part of a slot, from either side.
    whole = (BASE + 0x1000).to_bytes(8, "little")
    assert found.read(SLOT + 4, 6) == whole[4:] + b"\x10\x11"
    assert found.read(SLOT - 2, 4) == b"\x06\x07" + whole[:2]
    assert found.read(BASE, 8) == bytes(range(8))
    assert (relative.value_at(SLOT), relative.value_at(SLOT + 1)) == (BASE + 0x1000, None)
    assert relative.within(SLOT, SLOT + 1).slots.tolist() == [SLOT]
    assert relative.within(SLOT + 1, SLOT + 8).slots.tolist() == []


def test_open_relocations_by_place() -> None:
    places = np.array([BASE, BASE + 8, BASE + 16], np.uint64)
    rows = ObjectRelocations(
        places=places,
        types=np.array([257, 257, 283], np.uint32),
        addends=np.array([0, -4, 8], np.int64),
        targets=np.array([BASE, BASE - 4, 0], np.uint64),
        is_defined=np.array([True, True, False]),
        symbols=np.array([0, 0, 1], np.int64),
        name_of=("near", "far").__getitem__,
    )
    assert len(rows) == 3
    assert rows[1] == ObjectRelocation(BASE + 8, 257, "near", -4, BASE - 4)
    assert rows[2] == ObjectRelocation(BASE + 16, 283, "far", 8, None)
    for given in (rows, list(rows)):
        found = image(relocations=given).relocations_within(BASE + 1, BASE + 17)
        assert [r.place for r in found] == [BASE + 8, BASE + 16]
    assert [r.place for r in rows[:2]] == [BASE, BASE + 8]


def test_tables_are_listed_where_there_are_symbols() -> None:
    assert image().lists_tables
    assert not image(kind=ImageKind.RAW).lists_tables
    assert not image(symbols=symbol_table([])).lists_tables
