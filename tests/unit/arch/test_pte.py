import pytest

from whypanic.arch.pte import decode_descriptor, memory_type, table_level


def test_read_only_executable_block() -> None:
    view = decode_descriptor(0x0040_0000_8220_0F91, "pmd", version=(6, 1))
    assert (view.kind, view.level) == ("block", 2)
    assert view.output_address == 0x82200000
    assert view.writable is False
    assert view.user is False
    assert (view.pxn, view.uxn) == (False, True)
    assert (view.af, view.dbm, view.gp, view.contiguous) == (True, False, False, False)
    assert view.attr_index == 4
    attribute = next(f for f in view.fields if f.name == "AttrIndx")
    assert attribute.meaning == "MT_DEVICE_nGnRE"


def test_writable_page() -> None:
    view = decode_descriptor(0x0068_0001_2345_6F03, "pte")
    assert view.kind == "page"
    assert view.output_address == 0x123456000
    assert view.writable is True
    assert view.pxn is True


def test_table() -> None:
    view = decode_descriptor(0x1000_0009_ABCD_E003, "pgd")
    assert view.kind == "table"
    assert view.output_address == 0x9ABCDE000
    assert view.writable is None
    assert not view.is_leaf


def test_invalid() -> None:
    assert decode_descriptor(0, "pte").note == "empty entry: nothing is mapped"
    stale = decode_descriptor(0x0068_0001_2345_6F02, "pte")
    assert not stale.valid
    assert "only Valid was cleared" in stale.note
    assert decode_descriptor(0x1234_5600, "pte").note.startswith("invalid: a swap entry")


def test_reserved_encodings_are_invalid() -> None:
    assert decode_descriptor(0x12345001, "pte").kind == "invalid"
    assert decode_descriptor(0x12345001, "pgd").kind == "invalid"


def test_48_bit_and_52_bit_addresses() -> None:
    assert decode_descriptor(0x1234_5678_A003, "pte", page_kib=64).output_address == (
        0xA_1234_5678_0000
    )
    lpa2 = decode_descriptor(0x0003_0000_1234_5303, "pte", va_bits=52)
    assert lpa2.output_address == 0xF_0000_1234_5000


@pytest.mark.parametrize(
    ("name", "page_kib", "va_bits", "level"),
    [
        ("pgd", 4, 48, 0),
        ("p4d", 4, 48, 0),
        ("pgd", 4, 39, 1),
        ("pud", 4, 39, 1),
        ("pmd", 4, 39, 2),
        ("pte", 4, 39, 3),
        ("pgd", 4, 52, -1),
        ("p4d", 4, 52, 0),
        ("pgd", 64, 42, 2),
        ("pud", 64, 42, 2),
        ("pgd", 64, 48, 1),
        ("pgd", 16, 47, 1),
        ("pgd", 16, 48, 0),
    ],
)
def test_levels_and_folding(name: str, page_kib: int, va_bits: int, level: int) -> None:
    assert table_level(name, page_kib=page_kib, va_bits=va_bits) == level


def test_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="pxd"):
        decode_descriptor(0, "pxd")
    with pytest.raises(ValueError, match="not one of -1"):
        decode_descriptor(0, 4)


def test_unknown_page_size_counts_as_4k() -> None:
    assert decode_descriptor(0x82200F11, "pmd", page_kib=8).output_address == 0x82200000


@pytest.mark.parametrize(
    ("index", "version", "name"),
    [
        (0, (4, 14), "DEVICE_nGnRnE"),
        (4, (5, 9), "NORMAL"),
        (0, (5, 10), "NORMAL"),
        (4, (5, 13), "DEVICE_nGnRnE"),
        (4, (5, 14), "DEVICE_nGnRE"),
        (3, (6, 12), "DEVICE_nGnRnE"),
        (6, (6, 12), None),
        (0, None, None),
        (7, None, None),
    ],
)
def test_memory_types(index: int, version: tuple[int, int] | None, name: str | None) -> None:
    assert memory_type(index, version) == name
