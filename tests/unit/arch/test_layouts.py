import pytest

from whypanic.arch.layouts import Layout, Range, build_layout, classify, is_kernel, is_user
from whypanic.model.regions import Region

OLD = build_layout(version=(4, 14), va_bits=48, page_kib=4, kasan=False, kernel_offset=0)
NEW = build_layout(version=(6, 1), va_bits=48, page_kib=4, kasan=False, kernel_offset=0)
KASLR = build_layout(
    version=(6, 1),
    va_bits=48,
    page_kib=4,
    kasan=False,
    kernel_offset=0x2A5C71200000,
    kimage_base=0xFFFF800008000000,
)
ANDROID = build_layout(version=(5, 10), va_bits=39, page_kib=4, kasan=False)
NOTHING = build_layout(version=None, va_bits=None)


@pytest.mark.parametrize(
    ("layout", "value", "region"),
    [
        (NEW, 0, Region.NULL),
        (NEW, 0xFF8, Region.NULL),
        (NEW, 0x1000, Region.USER),
        (NEW, 0x0000AAAAD5341000, Region.USER),
        (NEW, 0x0000FFFFFFFFFFFF, Region.USER),
        (NEW, 0x0001000000000000, Region.NON_CANONICAL),
        (NEW, 0xFFFEFFFFFFFFFFFF, Region.NON_CANONICAL),
        (NEW, 0xFFFF000004C0FFE8, Region.LINEAR),
        (NEW, 0xFFFF7FFFFFFFFFFF, Region.LINEAR),
        (NEW, 0xFFFF800000A10000, Region.MODULE),
        (NEW, 0xFFFF800008123450, Region.IMAGE),
        (NEW, 0xFFFF80002B003C40, Region.VMALLOC),
        (NEW, 0xFFFFFC0001234560, Region.VMEMMAP),
        (NEW, 0xFFFFFBFFFDC00000, Region.FIXMAP),
        (NEW, 0xFFFFFBFFFEE00000, Region.PCI_IO),
        (NEW, 0xFFFFFFFFFFFFFFEA, Region.ERROR_POINTER),
        (NEW, 0xDEAD000000000122, Region.POISON),
        (NEW, 0x6B6B6B6B6B6B6B6B, Region.POISON),
        (NEW, 0x74726F702D746573, Region.TEXT),
        (OLD, 0xFFFF000000A10000, Region.MODULE),
        (OLD, 0xFFFF000008A6B204, Region.IMAGE),
        (OLD, 0xFFFF00001C003C40, Region.VMALLOC),
        (OLD, 0xFFFF800012345678, Region.LINEAR),
        (OLD, 0xFFFF7E0000123440, Region.VMEMMAP),
        (ANDROID, 0xFFFFFF8012345678, Region.LINEAR),
        (ANDROID, 0xFFFFFFC008123450, Region.MODULE),
        (ANDROID, 0xFFFFFFC010A23450, Region.IMAGE),
        (ANDROID, 0x0000FFFF12345678, Region.NON_CANONICAL),
    ],
)
def test_regions(layout: Layout, value: int, region: Region) -> None:
    assert classify(value, layout).region is region


def test_the_same_address_before_and_after_5_4() -> None:
    address = 0xFFFF800012345678
    assert classify(address, OLD)[0] is Region.LINEAR
    assert classify(address, NEW).region is Region.VMALLOC
    unknown = classify(address, NOTHING)
    assert not unknown.certain
    assert {unknown.region, *unknown.alternatives} >= {Region.LINEAR, Region.VMALLOC, Region.IMAGE}


def test_certainty_depends_on_what_is_known() -> None:
    linear = 0xFFFF700012345678
    assert classify(linear, NEW).certain
    maybe_kasan = classify(linear, build_layout(version=(6, 1), va_bits=48, page_kib=4))
    assert (maybe_kasan.region, maybe_kasan.certain) == (Region.LINEAR, False)
    assert maybe_kasan.alternatives == (Region.KASAN_SHADOW,)
    assert not classify(linear, NOTHING).certain


def test_kaslr_places_the_image_and_its_modules() -> None:
    start = 0xFFFF800008000000 + 0x2A5C71200000
    assert KASLR.kimage is not None
    assert KASLR.kimage[0] == start
    assert classify(start + 0x1234, KASLR)[:1] == (Region.IMAGE,)
    assert classify(start + 0x1234, KASLR).certain
    later = classify(start + (20 << 20), KASLR)
    assert (later.region, later.certain) == (Region.IMAGE, False)
    below = classify(start - 0x100000, KASLR)
    assert (below.region, below.alternatives) == (Region.MODULE, (Region.VMALLOC,))
    # Where the image would be without KASLR there is ordinary vmalloc now.
    assert classify(0xFFFF800008123450, KASLR)[0] is Region.VMALLOC
    assert classify(0xFFFF800008123450, KASLR).certain


def test_without_knowing_of_kaslr_vmalloc_may_hold_the_image() -> None:
    layout = build_layout(version=(6, 1), va_bits=48, page_kib=4, kasan=False)
    far = classify(0xFFFFB5A3C1234568, layout)
    assert (far.region, far.alternatives) == (Region.VMALLOC, (Region.IMAGE, Region.MODULE))
    assert classify(0xFFFF80002B003C40, layout).certain


def test_hint_places_the_image() -> None:
    layout = build_layout(
        version=(6, 1),
        va_bits=48,
        kasan=False,
        image_window=(0xFFFFB5A3C1000000, 0xFFFFB5A3C1FFFFFF),
    )
    assert classify(0xFFFFB5A3C1800000, layout).certain
    near = classify(0xFFFFB5A3C3000000, layout)
    assert (near.region, near.certain) == (Region.IMAGE, False)
    assert classify(0xFFFFA5A3C3000000, layout)[0] is Region.VMALLOC
    one = build_layout(version=(6, 1), va_bits=48, image_hint=0xFFFFB5A3C1234568)
    assert one.kimage == (0xFFFFB5A3C1234568, 0xFFFFB5A3C1234568)


def test_hostile_hints_are_ignored() -> None:
    layout = build_layout(
        version=(6, 1),
        va_bits=1000,
        page_kib=5,
        kernel_offset=(1 << 64) - 1,
        kimage_base=0x1234,
        image_hint=7,
    )
    assert (layout.va_bits, layout.page_kib, layout.kimage) == (None, None, None)
    assert layout.candidates == ("5.15",)


def test_printed_ranges_win() -> None:
    printed = (
        Range(Region.VMALLOC, 0xFFFF000008000000, 0xFFFF7DFFBFFEFFFF, "vmalloc", True),
        Range(Region.IMAGE, 0xFFFF000008080000, 0xFFFF0000091FFFFF, ".text", True),
    )
    layout = build_layout(version=(4, 14), va_bits=48, printed=printed)
    inside = classify(0xFFFF000008A6B204, layout)
    assert (inside.region, inside.note, inside.certain) == (Region.IMAGE, ".text", True)
    assert classify(0xFFFF000009200000, layout)[:2] == (Region.VMALLOC, "vmalloc")


def test_hyp_range_only_where_it_was_given() -> None:
    hyp = (0x0000400000000000, 0x00007FFFFFFFFFFF)
    at_el2 = build_layout(version=(5, 10), va_bits=48, hyp=hyp)
    assert classify(0x0000600012345678, at_el2).region is Region.HYP
    assert classify(0x0000300012345678, at_el2).region is Region.USER
    assert classify(0x0000600012345678, NEW).region is Region.USER
    guess = Range(Region.HYP, *hyp, "hyp VA, by the PC at EL2", False)
    guessed = classify(0x600012345678, build_layout(version=None, va_bits=48, printed=(guess,)))
    assert (guessed.region, guessed.alternatives) == (Region.HYP, (Region.USER,))


def test_tagged_pointer() -> None:
    found = classify(0xF4FF000012345678, NEW)
    assert (found.region, found.address) == (Region.LINEAR, 0xFFFF000012345678)
    assert not found.certain
    assert Region.NON_CANONICAL in found.alternatives
    assert "tag 0xf4" in found.note
    user = classify(0x3400AAAAD5341000, NEW)
    assert (user.region, user.address, user.certain) == (Region.USER, 0xAAAAD5341000, False)


def test_tagged_pointer_in_an_era_without_kernel_tags() -> None:
    layout = build_layout(version=(4, 9), va_bits=48, kasan=False)
    found = classify(0xF4FF800012345678, layout)
    assert (found.region, found.alternatives) == (Region.NON_CANONICAL, (Region.LINEAR,))


def test_authentication_code_is_removed_from_code_addresses_only() -> None:
    code = classify(0x9AD3800008123450, NEW)
    assert (code.region, code.address) == (Region.IMAGE, 0xFFFF800008123450)
    assert not code.certain
    assert "authentication" in code.note
    assert classify(0x9AD3000008123450, NEW).region is Region.NON_CANONICAL


def test_shadow_of_a_null_based_address() -> None:
    kasan = build_layout(version=(6, 1), va_bits=48, page_kib=4, kasan=True)
    found = classify(0xDFFF800000000003, kasan)
    assert found.region is Region.KASAN_SHADOW
    assert Region.NON_CANONICAL in found.alternatives
    assert classify(0xFFFF700000001234, kasan).region is Region.KASAN_SHADOW


def test_first_page_follows_the_page_size() -> None:
    big = build_layout(version=(6, 1), va_bits=48, page_kib=64)
    assert classify(0xFFF8, big).region is Region.NULL
    assert classify(0xFFF8, NEW).region is Region.USER


def test_text_like_kernel_address_is_no_text() -> None:
    assert classify(0xFFFF616161616161, NEW).region is Region.LINEAR


def test_measured_direction_beats_the_version() -> None:
    layout = build_layout(version=(4, 18), va_bits=48, flipped=True)
    assert layout.flipped is True
    assert "4.6" not in layout.candidates
    based = build_layout(version=(4, 18), va_bits=48, kimage_base=0xFFFF800010000000)
    assert set(based.candidates) == {"5.4", "5.10", "5.11"}


def test_base_that_no_era_has_leaves_version_and_direction() -> None:
    layout = build_layout(
        version=(6, 1), va_bits=48, kernel_offset=0, kimage_base=0xFFFF9000_0000_0000
    )
    assert layout.candidates == ("5.15",)
    assert classify(0xFFFF900000001000, layout)[0] is Region.IMAGE


def test_a_stack_orders_the_candidates_and_excludes_none() -> None:
    old = build_layout(version=None, va_bits=48, stack=0xFFFF00001C003C40)
    assert old.flipped is None
    assert old.candidates[0] in {"5.0", "4.6", "3.7"}
    assert classify(0xFFFF800012345678, old).region is Region.LINEAR
    # In 6.5 and later modules would lie there.
    before = build_layout(version=None, va_bits=48, stack=0xFFFF8000094B3A50)
    assert before.candidates[0] == "5.15"
    assert set(before.candidates) == set(old.candidates)


def test_a_stack_where_the_image_would_begin_tells_of_kaslr() -> None:
    layout = build_layout(version=(6, 1), va_bits=48, kasan=False, stack=0xFFFF800008003E00)
    assert classify(0xFFFF800008A03E00, layout)[:1] == (Region.VMALLOC,)
    later = build_layout(version=(6, 1), va_bits=48, kasan=False, stack=0xFFFF80000B003E00)
    assert classify(0xFFFF800008A03E00, later)[:1] == (Region.IMAGE,)


def test_text_plus_offset() -> None:
    # "action" above a lowest byte that is no character.
    found = classify(0x006E6F69746361A8, NEW)
    assert (found.region, found.certain) == (Region.TEXT, False)
    assert 'text "action"' in found.note
    assert found.alternatives == (Region.NON_CANONICAL,)


def test_predicates() -> None:
    assert is_user(0xAAAA12345678)
    assert is_user(0x3400AAAA12345678)
    assert not is_user(0xFFFF800012345678)
    assert not is_user(0x0000FFFF12345678, ANDROID)
    assert is_kernel(0xFFFF800012345678)
    assert is_kernel(0xF4FF800012345678, NEW)
    assert not is_kernel(0xFFFF800012345678, ANDROID)
    assert not is_kernel(0xFFF0000012345678, NEW)
    assert not is_kernel(0x1234)
