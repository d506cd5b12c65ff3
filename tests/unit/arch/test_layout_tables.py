from itertools import pairwise, product

import pytest

from whypanic.arch.layout_tables import (
    ERAS,
    IMAGE_SPAN,
    KNOWN_VA_BITS,
    TOP,
    Config,
    Era,
    eras_of,
    image_bases,
    in_upper_half,
    place,
    shadow_offset,
    va_bits_needed,
    va_bits_of_stack,
)
from whypanic.model.regions import Region


def era(name: str) -> Era:
    return next(e for e in ERAS if e.name == name)


def bounds(config: Config) -> dict[str, tuple[int, int]]:
    return {s.name: (s.first, s.end - 1) for s in place(config).segments if s.region != "unknown"}


def test_eras_follow_each_other_without_gap_or_overlap() -> None:
    assert len({e.name for e in ERAS}) == len(ERAS)
    for before, after in pairwise(ERAS):
        assert before.last < after.since
        assert after.since in {
            (before.last[0], before.last[1] + 1),
            (before.last[0] + 1, 0),
        }


def test_every_combination_covers_the_kernel_half_once() -> None:
    combinations = product(ERAS, KNOWN_VA_BITS, (4, 16, 64), (None, "generic", "sw-tags"))
    for each, va_bits, page_kib, kasan in combinations:
        placement = place(Config(each, va_bits, va_bits, page_kib, kasan))
        segments = placement.segments
        assert segments[0].first == TOP - (1 << va_bits)
        assert segments[-1].end == TOP
        assert all(a.end == b.first for a, b in pairwise(segments))
        assert all(s.first < s.end for s in segments)


# The rows of Documentation/arm64/memory.rst of 5.4, 48-bit with KASAN.
def test_5_4_as_documented_48_bit() -> None:
    config = Config(era("5.4"), 48, 48, 4, "generic")
    table = bounds(config)
    assert table["linear map"] == (0xFFFF000000000000, 0xFFFF7FFFFFFFFFFF)
    assert table["KASAN shadow"] == (0xFFFF800000000000, 0xFFFF9FFFFFFFFFFF)
    assert table["BPF JIT region"] == (0xFFFFA00000000000, 0xFFFFA00007FFFFFF)
    assert table["modules"] == (0xFFFFA00008000000, 0xFFFFA0000FFFFFFF)
    assert table["vmalloc"] == (0xFFFFA00010000000, 0xFFFFFDFFBFFEFFFF)
    assert table["fixmap"][1] == 0xFFFFFDFFFE9FFFFF
    assert table["PCI I/O"] == (0xFFFFFDFFFEC00000, 0xFFFFFDFFFFBFFFFF)
    assert table["vmemmap"] == (0xFFFFFDFFFFE00000, 0xFFFFFFFFFFDFFFFF)
    assert shadow_offset(config) == 0xDFFFA00000000000


def test_5_4_as_documented_52_bit_64k_pages() -> None:
    table = bounds(Config(era("5.4"), 52, 52, 64, "generic"))
    assert table["linear map"] == (0xFFF0000000000000, 0xFFF7FFFFFFFFFFFF)
    assert table["KASAN shadow"] == (0xFFFDA00000000000, 0xFFFF9FFFFFFFFFFF)
    assert table["vmalloc"] == (0xFFFFA00010000000, 0xFFFFF81FFFFEFFFF)
    assert table["vmemmap"] == (0xFFFFFC1FFFE00000, 0xFFFFFFFFFFDFFFFF)


def test_5_11_to_6_8_as_documented_52_bit_64k_pages() -> None:
    table = bounds(Config(era("6.5"), 52, 52, 64, "generic"))
    assert table["linear map"] == (0xFFF0000000000000, 0xFFFD7FFFFFFFFFFF)
    assert table["KASAN shadow"] == (0xFFFD800000000000, 0xFFFF7FFFFFFFFFFF)
    assert table["modules"] == (0xFFFF800000000000, 0xFFFF80007FFFFFFF)
    assert table["vmalloc"] == (0xFFFF800080000000, 0xFFFFFBFFEFFFFFFF)
    assert table["fixmap"][1] == 0xFFFFFBFFFDFFFFFF
    assert table["PCI I/O"] == (0xFFFFFBFFFE800000, 0xFFFFFBFFFF7FFFFF)
    assert table["vmemmap"] == (0xFFFFFC0000000000, 0xFFFFFFDFFFFFFFFF)


@pytest.mark.parametrize(
    ("name", "va_bits", "kimage"),
    [
        ("4.6", 48, 0xFFFF000008000000),
        ("4.6", 39, 0xFFFFFF8008000000),
        ("5.0", 48, 0xFFFF000010000000),
        ("5.4", 48, 0xFFFF800010000000),
        ("5.11", 48, 0xFFFF800010000000),
        ("5.15", 48, 0xFFFF800008000000),
        ("5.15", 39, 0xFFFFFFC008000000),
        ("6.5", 48, 0xFFFF800080000000),
        ("6.9", 39, 0xFFFFFFC080000000),
        ("6.9", 52, 0xFFFF800080000000),
    ],
)
def test_image_base_without_kasan(name: str, va_bits: int, kimage: int) -> None:
    page_kib = 4
    assert place(Config(era(name), va_bits, va_bits, page_kib, None)).kimage == kimage


def test_before_4_6_the_image_is_in_the_linear_map() -> None:
    placement = place(Config(era("3.7"), 39, 39, 4, None))
    assert placement.kimage == 0xFFFFFFC000000000
    modules = next(s for s in placement.segments if s.region is Region.MODULE)
    assert (modules.first, modules.end) == (0xFFFFFFBFFC000000, 0xFFFFFFC000000000)


@pytest.mark.parametrize(
    ("va_bits", "kasan", "offset"),
    [
        (48, "generic", 0xDFFF800000000000),
        (47, "generic", 0xDFFFC00000000000),
        (42, "generic", 0xDFFFFE0000000000),
        (39, "generic", 0xDFFFFFC000000000),
        (36, "generic", 0xDFFFFFF800000000),
        (48, "sw-tags", 0xEFFF800000000000),
        (39, "sw-tags", 0xEFFFFFC000000000),
        (48, None, None),
    ],
)
def test_shadow_offsets_of_kconfig(va_bits: int, kasan: str | None, offset: int | None) -> None:
    assert shadow_offset(Config(era("6.5"), va_bits, va_bits, 4, kasan)) == offset


def test_52_bit_kernel_on_a_48_bit_cpu() -> None:
    narrow = bounds(Config(era("6.9"), 48, 52, 64, None))
    wide = bounds(Config(era("6.9"), 52, 52, 64, None))
    assert narrow["linear map"] == (0xFFFF000000000000, 0xFFFF7FFFFFFFFFFF)
    assert narrow["vmalloc"][1] > wide["vmalloc"][1]


def test_eras_of_releases() -> None:
    def names(version: tuple[int, int]) -> list[str]:
        return [e.name for e in eras_of(version)]

    assert names((4, 5)) == ["3.7"]
    assert names((4, 14)) == ["4.6", "5.0"]
    assert names((5, 4)) == ["5.4"]
    assert names((6, 1)) == ["5.15"]
    assert names((6, 8)) == ["6.5", "6.9"]
    assert names((7, 1)) == ["6.9"]
    assert names((2, 6)) == []


def test_a_tree_under_development_may_have_the_next_era() -> None:
    assert [e.name for e in eras_of((6, 4), development=True)] == ["5.15", "6.5"]
    assert [e.name for e in eras_of((6, 1), development=True)] == ["5.15"]
    assert [e.name for e in eras_of((6, 8), development=True)] == ["6.5", "6.9"]


def test_image_bases_are_further_apart_than_an_image() -> None:
    bases = sorted(image_bases())
    assert 0xFFFF800008000000 in bases
    assert 0xFFFFFFC080000000 in bases
    assert all(b - a >= IMAGE_SPAN for a, b in pairwise(bases))


@pytest.mark.parametrize(
    ("value", "va_bits"),
    [
        (0xFFFFFF8012345678, 39),
        (0xFFFF800012345678, 48),
        (0xFFF0000012345678, 52),
        (0xFFEF000012345678, None),
        (0xFFFFFFFFFFFFFFF4, None),
        (0xFFFFFFFF00000000, None),
        (0x1234, None),
    ],
)
def test_width_that_an_address_needs(value: int, va_bits: int | None) -> None:
    assert va_bits_needed(value) == va_bits


def test_width_by_the_stack() -> None:
    assert va_bits_of_stack(0xFFFFFFC0123A3C40) == 39
    assert va_bits_of_stack(0xFFFF80002B003C40) == 48
    assert va_bits_of_stack(0xFFFFC00085003C40) == 47
    assert va_bits_of_stack(0xFFFF00001C003C40) == 48
    assert va_bits_of_stack(0) is None


def test_halves() -> None:
    assert in_upper_half(0xFFFF800000000000, 48) is True
    assert in_upper_half(0xFFFF7FFFFFFFFFFF, 48) is False
    assert in_upper_half(0xFFF0000000000000, 48) is None
    assert in_upper_half(0xFFF8000000000000, 52) is False
