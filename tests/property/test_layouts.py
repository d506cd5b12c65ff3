from hypothesis import given
from hypothesis import strategies as st

from whypanic.arch.layouts import Layout, build_layout, classify, is_kernel, is_user
from whypanic.arch.values import (
    ascii_text,
    error_pointer,
    find_poison,
    nature,
    near_error_pointer,
    strip_pac,
    strip_tag,
)
from whypanic.model.regions import Region

VALUES = st.one_of(
    st.integers(0, (1 << 64) - 1),
    st.integers(0, 1 << 17),
    st.integers(0, 1 << 52).map(lambda low: (1 << 64) - 1 - low),
    st.binary(min_size=8, max_size=8).map(lambda b: int.from_bytes(b, "little")),
)
LAYOUTS: tuple[Layout, ...] = tuple(
    build_layout(version=version, va_bits=va_bits, page_kib=page_kib, kasan=kasan)
    for version in (None, (3, 18), (4, 14), (5, 4), (5, 12), (6, 1), (6, 12))
    for va_bits, page_kib in ((None, None), (39, 4), (48, 4), (48, 64), (52, 64))
    for kasan in (None, True, False)
)
MAYBE_VALUE = st.none() | VALUES


@given(VALUES, st.sampled_from(LAYOUTS))
def test_classify_is_total_and_consistent(value: int, layout: Layout) -> None:
    found = classify(value, layout)
    assert found.region in Region
    assert found.note
    assert found.region not in found.alternatives
    assert len(set(found.alternatives)) == len(found.alternatives)
    if found.certain:
        assert found.alternatives == ()
    if found.region is Region.USER:
        assert is_user(found.address, layout)
    if found.region in (Region.LINEAR, Region.IMAGE, Region.VMALLOC, Region.MODULE):
        assert is_kernel(found.address, layout)
        assert found.address in (value, strip_tag(value), strip_pac(value, layout.va_bits or 48))


@given(
    st.none() | st.tuples(st.integers(-3, 100), st.integers(-3, 100)),
    st.none() | st.integers(-1, 70),
    MAYBE_VALUE,
    MAYBE_VALUE,
    MAYBE_VALUE,
    st.none() | st.booleans(),
    VALUES,
)
def test_any_facts_make_a_layout(
    version: tuple[int, int] | None,
    va_bits: int | None,
    offset: int | None,
    base: int | None,
    hint: int | None,
    flipped: bool | None,
    value: int,
) -> None:
    layout = build_layout(
        version=version,
        va_bits=va_bits,
        kernel_offset=offset,
        kimage_base=base,
        image_hint=hint,
        flipped=flipped,
    )
    assert layout.candidates
    assert all(0 <= r.first <= r.last < 1 << 64 for r in layout.ranges)
    classify(value, layout)


@given(VALUES, st.integers(0, 0x2000))
def test_values_are_read_without_exception(value: int, reach: int) -> None:
    assert all(isinstance(story, str) for story in nature(value))
    for near in near_error_pointer(value, reach):
        assert (value + near.errno) % (1 << 64) == near.offset
    poison = find_poison(value)
    if poison is not None and poison.base >> 32 and "KVM" not in poison.name:
        assert (poison.base + poison.offset - value) % (1 << 56) == 0
    error = error_pointer(value)
    assert error is None or (value + error.errno) % (1 << 64) == 0
    assert strip_tag(strip_tag(value)) == strip_tag(value)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=6, max_size=8))
def test_text_is_found_again(text: str) -> None:
    assert ascii_text(int.from_bytes(text.encode(), "little")) == text
