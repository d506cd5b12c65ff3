from whypanic.app.far_regions import regions_of


def test_all_eras_agree_on_null() -> None:
    (row,) = regions_of(0x18, None)
    assert (row.kernels, row.region, row.certain) == ("every era", "null", True)


def test_the_halves_changed_places_in_5_4() -> None:
    rows = regions_of(0xFFFF_8000_1234_5678, None, va_bits=48, page_kib=4)
    assert {row.region for row in rows} > {"linear"}
    assert any("3.7..4.5" in row.kernels and row.region == "linear" for row in rows)


def test_one_release() -> None:
    (row,) = regions_of(0xFFFF_0004_3920_0000, (5, 19), va_bits=48)
    assert (row.kernels, row.region) == ("5.19", "linear")
