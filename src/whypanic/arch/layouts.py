"""What region of the address space a value lies in, as far as one kernel's layout is known.

Bit 55 selects the translation table, bits 55:va_bits must be copies of it (Arm ARM DDI 0487, address
tagging and TTBR selection). Everything beyond that is convention of Linux and comes from
`layout_tables`, from ranges that the log printed, or from addresses whose symbol it printed.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from whypanic.arch.layout_tables import (
    ERAS,
    IMAGE_SPAN,
    KASAN_SCALES,
    KNOWN_VA_BITS,
    TOP,
    Config,
    Era,
    Placement,
    configs,
    eras_of,
    place,
    shadow_offset,
)
from whypanic.arch.values import (
    MASK64,
    ascii_text,
    error_pointer,
    find_poison,
    pointer_tag,
    strip_pac,
    strip_tag,
    text_plus_offset,
)
from whypanic.model.regions import Region

_M: Final = 1 << 20
_SURE_IMAGE: Final = 4 * _M
"""No kernel that boots is smaller."""
_NEAR_MODULES: Final = 128 * _M
_FAR_MODULES: Final = 2048 * _M
_WITHOUT_TAGS: Final = {"3.7", "4.6"}
"""Eras before tag-based KASAN (5.0): mainline did not set TCR_EL1.TBI1, a tagged address faults."""


class Range(NamedTuple):
    """An address range with one meaning."""

    region: Region
    first: int
    last: int
    """Inclusive."""
    name: str
    printed: bool
    """From the log (a printed range, or spanned by addresses with symbols), not derived."""


class Layout(NamedTuple):
    """What is known of one kernel's address space."""

    va_bits: int | None
    flipped: bool | None
    """True: the linear map is the lower half (5.4 and later). None: not known."""
    page_kib: int | None
    ranges: tuple[Range, ...]
    """May overlap: first match is the likeliest, further ones are what else it may be."""
    hyp: tuple[int, int] | None
    """HYP VA range as printed, inclusive."""
    kimage: tuple[int, int] | None
    """Addresses that certainly belong to the kernel image, inclusive."""
    candidates: tuple[str, ...]
    """Names of the eras still possible, likeliest first."""


class Classified(NamedTuple):
    """The region of one value."""

    region: Region
    note: str
    """What the region is called there and what was done to the value, for a reader."""
    address: int
    """The address without tag and PAC where the region rests on removing them; else the value."""
    certain: bool
    """No other reading fits what is known of the layout."""
    alternatives: tuple[Region, ...]


def is_user(value: int, layout: Layout | None = None) -> bool:
    """Return whether TTBR0 translates the address: bits 55:va_bits zero; any tag is allowed.

    Without known va_bits 48 counts.
    """
    va_bits = (layout.va_bits if layout else None) or 48
    return not value >> 55 & 1 and not (value & (1 << 56) - 1) >> va_bits


def is_kernel(value: int, layout: Layout | None = None) -> bool:
    """Return whether TTBR1 translates the address: bits 55:va_bits set; any tag is allowed.

    Without known va_bits the widest range, 52 bits, counts.
    """
    va_bits = (layout.va_bits if layout else None) or 52
    return strip_tag(value & MASK64) >= TOP - (1 << va_bits)


def classify(value: int, layout: Layout) -> Classified:
    """Return the region of a 64-bit value; total, and never an exception."""
    value &= MASK64
    page = max(layout.page_kib or 4, 4) << 10
    if value < page:
        return _sure(Region.NULL, _null_note(value, page), value)
    if (error := error_pointer(value)) is not None:
        return _sure(Region.ERROR_POINTER, f"-{error.name}, ERR_PTR(-{error.errno})", value)
    if (poison := find_poison(value)) is not None:
        return _sure(Region.POISON, poison.sentence, value)
    if layout.hyp is not None and layout.hyp[0] <= value <= layout.hyp[1]:
        return _sure(Region.HYP, "in the printed HYP VA range", value)
    if value >> 55 & 1:
        return _classify_upper(value, layout)
    return _classify_lower(value, layout)


def _sure(region: Region, note: str, value: int) -> Classified:
    return Classified(region, note, value, True, ())


def _null_note(value: int, page: int) -> str:
    if value == 0:
        return "NULL"
    if value == 0x10:
        return "NULL + 0x10, or ZERO_SIZE_PTR"
    return f"NULL + {value:#x}, in the first page ({page >> 10} KiB)"


def _classify_lower(value: int, layout: Layout) -> Classified:
    if (found := _look_up(value, layout)) is not None:
        return _less_certain(found, Region.USER)
    tag = pointer_tag(value)
    text = ascii_text(value)
    if is_user(value, layout):
        if tag is None:
            return _sure(Region.USER, "user address", value)
        if text is not None:
            return Classified(Region.TEXT, f'text "{text}"', value, False, (Region.USER,))
        note = f"user address with tag {tag:#x}"
        return Classified(Region.USER, note, strip_tag(value), False, (Region.NON_CANONICAL,))
    if text is not None:
        return _sure(Region.TEXT, f'text "{text}"', value)
    if (text := text_plus_offset(value)) is not None:
        note = f'text "{text}" above the lowest byte: characters plus an offset'
        return Classified(Region.TEXT, note, value, False, (Region.NON_CANONICAL,))
    if layout.va_bits is None and value < 1 << 52:
        alternatives = (Region.USER,)
        return Classified(Region.NON_CANONICAL, "beyond 48 bits", value, False, alternatives)
    return _sure(Region.NON_CANONICAL, "between the user and the kernel range", value)


def _classify_upper(value: int, layout: Layout) -> Classified:
    if (found := _look_up(value, layout)) is not None:
        if is_kernel(value, layout) and pointer_tag(value) is None:
            return found
        return _less_certain(found, Region.NON_CANONICAL)
    va_bits = layout.va_bits or 48
    untagged = strip_tag(value)
    if untagged != value and untagged >= TOP - (1 << va_bits):
        found = _look_up(untagged, layout) or _sure(Region.UNKNOWN, "kernel address", untagged)
        note = f"{found.note}, tag {value >> 56:#x} removed"
        if layout.candidates and set(layout.candidates) <= _WITHOUT_TAGS:
            return Classified(Region.NON_CANONICAL, note, value, False, (found.region,))
        return _less_certain(found._replace(note=note), Region.NON_CANONICAL)
    found = _look_up(strip_pac(value, va_bits), layout)
    if found is not None and found.region in (Region.IMAGE, Region.MODULE):
        note = f"{found.note}, authentication code removed"
        return _less_certain(found._replace(note=note), Region.NON_CANONICAL)
    return _sure(Region.NON_CANONICAL, "between the user and the kernel range", value)


def _less_certain(found: Classified, other: Region) -> Classified:
    rest = tuple(r for r in found.alternatives if r is not other)
    return found._replace(certain=False, alternatives=(*rest, other))


def _look_up(address: int, layout: Layout) -> Classified | None:
    """Return what the ranges say of an address, None where they say nothing."""
    names: dict[Region, str] = {}
    for r in layout.ranges:
        if r.first <= address <= r.last:
            if r.printed:
                return _sure(r.region, r.name, address)
            names.setdefault(r.region, r.name)
    if not names:
        return None
    # A gap of one configuration says less than the region that another has there.
    regions: list[Region] = [*names]
    regions.sort(key=lambda r: r is Region.UNKNOWN)
    note, certain = names[regions[0]], len(names) == 1 and layout.va_bits is not None
    if layout.va_bits is None and 1 << 55 <= address < TOP - (1 << 48):
        regions.append(Region.NON_CANONICAL)
    rest = tuple(r for r in regions[1:] if r is not Region.UNKNOWN)
    return Classified(regions[0], note, address, certain, rest)


def build_layout(
    *,
    version: tuple[int, int] | None,
    va_bits: int | None,
    page_kib: int | None = None,
    kasan: bool | None = None,
    printed: Sequence[Range] = (),
    hyp: tuple[int, int] | None = None,
    kernel_offset: int | None = None,
    kimage_base: int | None = None,
    image_hint: int | None = None,
    image_window: tuple[int, int] | None = None,
    flipped: bool | None = None,
    stack: int | None = None,
    development: bool = False,
) -> Layout:
    """Return the layout that fits what is known.

    :param version: (major, minor) of the kernel. Loses against the measured facts below.
    :param va_bits: vabits_actual; values that no kernel has count as unknown.
    :param kasan: whether the kernel has a KASAN shadow (generic or software tags).
    :param printed: ranges that the log states.
    :param hyp: HYP VA range, inclusive; for code at EL2 only: it overlaps user addresses.
    :param kernel_offset: KASLR displacement; 0 where KASLR is off, None where not known.
    :param kimage_base: KIMAGE_VADDR as the `Kernel Offset` line prints it.
    :param image_hint: one address inside the kernel image.
    :param image_window: lowest and highest address known to lie inside the image.
    :param flipped: whether the linear map is the lower half, measured.
    :param stack: an address on the stack of the task. Stacks are vmalloc memory in most kernels since
        4.14, which orders the candidates and excludes none; nor does the image begin beside one.
    :param development: the kernel may already hold what the release after `version` brought.
    """
    va_bits = va_bits if va_bits in KNOWN_VA_BITS else None
    page_kib = page_kib if page_kib in (4, 16, 64) else None
    window = _window(image_window, image_hint, va_bits)
    eras = eras_of(version, development=development) if version else ()
    placements = _candidates(eras, va_bits, page_kib, kasan, flipped, kimage_base)
    if stack is not None:
        placements.sort(key=lambda p: not p.vmalloc[0] <= stack < p.vmalloc[1])
    sure = window
    if kimage_base is not None and kernel_offset is not None:
        start = kimage_base + kernel_offset & MASK64
        if is_kernel(start) and start <= MASK64 - _SURE_IMAGE:
            sure = _join((start, start + _SURE_IMAGE - 1), window)
    ranges = sorted(printed, key=lambda r: r.last - r.first)
    if sure is not None:
        ranges.append(Range(Region.IMAGE, *sure, "kernel image", True))
    for placement in placements:
        ranges += _ranges_of(placement, kernel_offset, sure, stack)
    names = dict.fromkeys(p.config.era.name for p in placements)
    directions = {p.config.era.flipped for p in placements}
    return Layout(
        va_bits=va_bits,
        flipped=directions.pop() if len(directions) == 1 else None,
        page_kib=page_kib,
        ranges=_distinct(ranges),
        hyp=hyp,
        kimage=sure,
        candidates=tuple(names),
    )


def _window(
    window: tuple[int, int] | None, hint: int | None, va_bits: int | None
) -> tuple[int, int] | None:
    """Join window and hint, unless they are no kernel addresses or too far apart for one image."""
    bottom = TOP - (1 << (va_bits or 52))
    joined = _join(window, (hint, hint) if hint is not None else None)
    if joined is None or not bottom <= joined[0] <= joined[1] <= MASK64:
        return None
    return joined


def _join(a: tuple[int, int] | None, b: tuple[int, int] | None) -> tuple[int, int] | None:
    if a is None or b is None:
        return a or b
    joined = min(a[0], b[0]), max(a[1], b[1])
    return joined if joined[1] - joined[0] < 2 * IMAGE_SPAN else a


def _candidates(
    by_version: tuple[Era, ...],
    va_bits: int | None,
    page_kib: int | None,
    kasan: bool | None,
    flipped: bool | None,
    kimage_base: int | None,
) -> list[Placement]:
    """Return the configurations left, likeliest first: measured facts beat the version."""
    every = tuple(reversed(ERAS))
    pool: list[Placement] = []
    # Where nothing has the base (a tree of its own), direction and version still stand.
    demands = ((kimage_base, flipped), (None, flipped), (None, None))
    for (base, direction), eras in product(demands, (by_version or every, every)):
        pool = [
            p
            for p in map(place, configs(eras, va_bits, page_kib, kasan))
            if (direction is None or p.config.era.flipped is direction)
            and (base is None or p.kimage == base)
        ]
        if pool:
            break
    return pool


def _ranges_of(
    placement: Placement,
    kernel_offset: int | None,
    sure: tuple[int, int] | None,
    stack: int | None,
) -> list[Range]:
    """Return the ranges of one configuration, likely readings first."""
    before, after = _image_ranges(placement, kernel_offset, sure, stack)
    rows, shadow = _fixed_ranges(placement.config)
    return [*before, *rows, *after, *shadow]


@lru_cache(maxsize=1024)
def _fixed_ranges(config: Config) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """Return the ranges that no displacement moves: segments, and KASAN's shadow of what is no kernel address."""
    segments = place(config).segments
    rows = tuple(Range(s.region, s.first, s.end - 1, s.name, False) for s in segments)
    offset = shadow_offset(config)
    if offset is None or config.kasan is None:
        return rows, ()
    last = offset + (1 << config.va_bits - KASAN_SCALES[config.kasan]) - 1
    name = "KASAN shadow of a user or NULL-based address"
    return rows, (Range(Region.KASAN_SHADOW, offset, last, name, False),)


def _image_ranges(
    placement: Placement,
    kernel_offset: int | None,
    sure: tuple[int, int] | None,
    stack: int | None,
) -> tuple[list[Range], list[Range]]:
    """Return likely and less likely places of the image and of modules loaded beside it.

    Linux arch/arm64/kernel/kaslr.c: the image is displaced by 2^(va-3) or more into vmalloc (by any
    amount in early versions); modules then lie within 128 MiB below `_etext`, or 2 GiB around it.
    """
    era, kimage = placement.config.era, placement.kimage
    if sure is None and kernel_offset is not None:
        start = kimage + kernel_offset & MASK64
        sure = (start, start) if is_kernel(start) else None
    if sure is not None:
        first, last = max(sure[1] - IMAGE_SPAN, 0), min(sure[0] + IMAGE_SPAN, MASK64)
        if kernel_offset is not None:
            first = sure[0]
        before = [_image(first, last)]
        if kimage <= sure[0] < kimage + IMAGE_SPAN:
            return [_image(max(first, kimage), last)], []
        after = []
        modules = Range(Region.MODULE, max(first - _NEAR_MODULES, 0), first - 1, "modules", False)
        if era.modules_mib <= 128 and modules.last > modules.first:
            before.append(modules)
        near = max(first - _FAR_MODULES, 0), min(last + _FAR_MODULES, MASK64)
        after.append(Range(Region.MODULE, *near, "modules", False))
        return before, after
    displaced = stack is not None and kimage <= stack < kimage + _SURE_IMAGE
    before = [] if displaced else [_image(kimage, min(kimage + IMAGE_SPAN - 1, MASK64))]
    if era.name == "3.7":
        return before, []
    first, end = placement.vmalloc
    if era.flipped:
        first += (1 << placement.config.va_min - 3) - (1 << placement.config.va_min - 6)
    after = [_image(first, end - 1), Range(Region.MODULE, first, end - 1, "modules", False)]
    return before, after if first < end else []


def _image(first: int, last: int) -> Range:
    return Range(Region.IMAGE, first, last, "kernel image", False)


def _distinct(ranges: Iterable[Range]) -> tuple[Range, ...]:
    seen: dict[tuple[Region, int, int], Range] = {}
    for r in ranges:
        if r.first <= r.last:
            seen.setdefault((r.region, r.first, r.last), r)
    return tuple(seen.values())
