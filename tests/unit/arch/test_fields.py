from whypanic.arch.fields import Field, FieldSpec, bits, set_reserved, split_fields

LAYOUT = (
    FieldSpec("A", 4, 4, {1: "one"}),
    FieldSpec("B", 0, 2, lambda n: f"n={n}"),
    FieldSpec("RES0", 12, 2),
)


def test_bits_shifts_down() -> None:
    assert bits(0xABCD, 4, 8) == 0xBC
    assert bits(0b100, 2) == 1


def test_gaps_become_reserved_fields_and_order_is_descending() -> None:
    assert split_fields(0x1003E, LAYOUT, 16) == (
        Field("RES0", 14, 2, 0, "reserved"),
        Field("RES0", 12, 2, 0, "reserved"),
        Field("RES0", 8, 4, 0, "reserved"),
        Field("A", 4, 4, 3, "unknown or reserved value 0x3"),
        Field("RES0", 2, 2, 3, "res0_set: reserved bits are set"),
        Field("B", 0, 2, 2, "n=2"),
    )


def test_set_reserved_finds_only_set_ones() -> None:
    assert set_reserved(split_fields(0x3E, LAYOUT, 16)) == (
        Field("RES0", 2, 2, 3, "res0_set: reserved bits are set"),
    )


def test_a_layout_may_be_empty() -> None:
    assert split_fields(5, (), 8) == (Field("RES0", 0, 8, 5, "res0_set: reserved bits are set"),)
