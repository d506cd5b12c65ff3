"""Where each era of arm64 Linux puts things in the kernel half of the address space.

Sources, opened: Linux arch/arm64/include/asm/memory.h of trees of 3.x, 4.4, 4.6, 4.14, 5.1, 5.4,
5.18 and 6.6, pgtable.h of 6.12, Documentation/arm64/memory.rst (5.4), the one under
Documentation/arch (6.12), and KASAN_SHADOW_OFFSET in Kconfig. Names in capitals are those of
memory.h. Not opened: the trees on both sides of every boundary; 5.10 and 6.9 rest on another
debugger's table of the same constants.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from whypanic.model.regions import Region

KNOWN_VA_BITS: Final = (36, 39, 42, 47, 48, 52)
TOP: Final = 1 << 64
"""Exclusive end of the address space."""

_K: Final = 1 << 10
_M: Final = 1 << 20
_G: Final = 1 << 30

PAGES_OF_VA: Final[dict[int, tuple[int, ...]]] = {
    36: (16,), 39: (4,), 42: (64,), 47: (16,), 48: (4, 64, 16), 52: (64, 4, 16),
}  # fmt: skip
"""Page sizes in KiB that a kernel of so many VA bits may have, commonest first."""

KASAN_SCALES: Final[dict[str, int]] = {"generic": 3, "sw-tags": 4}
"""log2 of the bytes that one shadow byte stands for."""

_VMALLOC_IN_USE: Final = 1 << 34
"""How far from its beginning vmalloc is in use, stacks at least."""

_FIXMAP_BYTES: Final = 6 * _M
"""Room for FDT, early ioremap and page-table slots below FIXADDR_TOP; the size varies a little."""

IMAGE_SPAN: Final = 64 * _M
"""Kernel images are taken to be no larger than this; only huge debugging builds are."""


_UNKNOWN_VA: Final = (39, 48, 52)
"""Tried when va_bits is not known; 39 first because its half lies inside that of the others."""


class Era(NamedTuple):
    """One layout, as far as constants go."""

    name: str
    """The release it came with."""
    since: tuple[int, int]
    last: tuple[int, int]
    also: tuple[tuple[int, int], ...]
    """Other releases of which some trees have this layout: backports, or sources disagree."""
    flipped: bool
    """The linear map is the lower half."""
    shadow: str
    """KASAN shadow: `bottom` of the kernel half, its `middle`, or the end of the `linear` map."""
    bpf_mib: int
    """BPF JIT region in front of the modules."""
    modules_mib: int
    vmemmap: str
    """Rule for vmemmap and what surrounds it; see `_upper_part`."""


# fmt: off
ERAS: Final = (
    #    name    since    last      also                flipped shadow   bpf modules vmemmap
    Era("3.7",  (3, 7),  (4, 5),   (),                  False, "bottom",   0,   64, "3.7"),
    Era("4.6",  (4, 6),  (4, 20),  ((4, 4),),           False, "bottom",   0,  128, "4.7"),
    Era("5.0",  (5, 0),  (5, 3),   ((4, 14), (4, 19)),  False, "bottom", 128,  128, "4.7"),
    Era("5.4",  (5, 4),  (5, 9),   (),                  True,  "middle", 128,  128, "5.4"),
    Era("5.10", (5, 10), (5, 10),  (),                  True,  "middle", 128,  128, "5.10"),
    Era("5.11", (5, 11), (5, 14),  (),                  True,  "linear", 128,  128, "5.11"),
    Era("5.15", (5, 15), (6, 4),   (),                  True,  "linear",   0,  128, "5.11"),
    Era("6.5",  (6, 5),  (6, 8),   (),                  True,  "linear",   0, 2048, "5.11"),
    Era("6.9",  (6, 9),  (99, 99), ((6, 8),),           True,  "linear",   0, 2048, "6.9"),
)
# fmt: on


def eras_of(version: tuple[int, int], *, development: bool = False) -> tuple[Era, ...]:
    """Return the eras a release may have: its own first, then those of trees with backports.

    :param development: also that of the next release.
    """
    eras = [e for e in ERAS if e.since <= version <= e.last]
    eras += [e for e in ERAS if version in e.also]
    if development:
        following = (version[0], version[1] + 1)
        eras += [e for e in ERAS if e.since <= following <= e.last and e not in eras]
    return tuple(eras)


def image_bases() -> list[int]:
    """Return every KIMAGE_VADDR without KASAN since 5.4; no two are closer than an image."""
    megabytes = sorted({e.bpf_mib + e.modules_mib for e in ERAS if e.flipped})
    return [TOP - (1 << va - 1) + (m << 20) for va in KNOWN_VA_BITS[:-1] for m in megabytes]


def va_bits_needed(value: int) -> int | None:
    """Return the smallest VA size that holds a kernel address; None where it is none, or a mask."""
    distance = TOP - value
    if not 1 << 20 < distance <= 1 << 52 or value & 0xFFFFFFFF == 0:
        return None
    # 42 and 47 bits are rare: their addresses count as those of 48-bit kernels, whose halves fit.
    return next(bits for bits in (39, 48, 52) if distance <= 1 << bits)


def va_bits_of_stack(value: int) -> int | None:
    """Return the VA size by where vmalloc begins: it is filled from there, stacks are near."""
    for bits in (48, 39, 47, 42, 36):
        if 0 <= value - (TOP - (1 << bits - 1)) < _VMALLOC_IN_USE:
            return bits
    return va_bits_needed(value)


def in_upper_half(address: int, va_bits: int) -> bool | None:
    """Return whether the address is in the upper half of the kernel's range; None outside it."""
    if not TOP - (1 << va_bits) <= address < TOP:
        return None
    return address >= TOP - (1 << min(va_bits, 48) - 1)


class Config(NamedTuple):
    """One way in which a kernel may have been configured."""

    era: Era
    va_bits: int
    """vabits_actual"""
    va_config: int
    """VA_BITS: 52 where such a kernel runs on a CPU without LVA."""
    page_kib: int
    kasan: str | None
    """`generic`, `sw-tags` or None"""

    @property
    def va_min(self) -> int:
        """VA_BITS_MIN"""
        if self.va_config <= 48:
            return self.va_config
        return 47 if self.page_kib == 16 and self.era.vmemmap == "6.9" else 48

    @property
    def page_shift(self) -> int:
        return self.page_kib.bit_length() + 9

    @property
    def upper_half(self) -> int:
        """_PAGE_END(VA_BITS_MIN), before 5.4 PAGE_OFFSET: the upper half of the kernel's range."""
        return TOP - (1 << self.va_min - 1)

    @property
    def bottom(self) -> int:
        """First address that TTBR1 translates."""
        return TOP - (1 << self.va_bits)


def configs(
    eras: Iterable[Era], va_bits: int | None, page_kib: int | None, kasan: bool | None
) -> Iterator[Config]:
    """Yield every way in which kernels of some eras may be configured, likeliest first."""
    for va, era in product((va_bits,) if va_bits else _UNKNOWN_VA, eras):
        if va == 52 and not era.flipped:
            continue
        pages = (page_kib,) if page_kib else PAGES_OF_VA[va] if va_bits else PAGES_OF_VA[va][:1]
        for page, shadow in product(pages, _shadows(era, kasan)):
            yield Config(era, va, va, page, shadow)
            if va == 48 and page == 64 and era.flipped:
                yield Config(era, va, 52, page, shadow)


def _shadows(era: Era, kasan: bool | None) -> tuple[str | None, ...]:
    scales: tuple[str | None, ...] = tuple(KASAN_SCALES) if era.since >= (5, 0) else ("generic",)
    if kasan is None:
        return (None, *scales)
    return scales if kasan else (None,)


class Segment(NamedTuple):
    """Half-open: [first, end)."""

    region: Region
    first: int
    end: int
    name: str


class Placement(NamedTuple):
    """One configuration, worked out."""

    config: Config
    segments: tuple[Segment, ...]
    """Ascending, without gaps or overlaps, from the bottom of the kernel half to the top."""
    kimage: int
    """KIMAGE_VADDR: where the image begins when it is not randomised (without TEXT_OFFSET)."""
    vmalloc: tuple[int, int]
    """VMALLOC_START, VMALLOC_END"""


@lru_cache(maxsize=1024)
def place(config: Config) -> Placement:
    """Return the regions of one configuration."""
    era = config.era
    if era.name == "3.7":
        return _place_image_in_linear_map(config)
    rows: list[Segment] = []
    shadow_first, shadow_end = _shadow(config)
    if era.flipped:
        linear_end = TOP - (1 << config.va_bits - 1) if era.shadow == "middle" else shadow_first
        rows.append(Segment(Region.LINEAR, config.bottom, linear_end, "linear map"))
    rows.append(Segment(Region.KASAN_SHADOW, shadow_first, shadow_end, "KASAN shadow"))
    at = config.bottom if not era.flipped else config.upper_half
    if config.kasan and era.shadow != "linear":
        at = shadow_end
    if era.bpf_mib:
        rows.append(Segment(Region.MODULE, at, at + era.bpf_mib * _M, "BPF JIT region"))
        at += era.bpf_mib * _M
    kimage = at + era.modules_mib * _M
    rows.append(Segment(Region.MODULE, at, kimage, "modules"))
    upper, vmalloc_end = _upper_part(config)
    rows.append(Segment(Region.VMALLOC, kimage, vmalloc_end, "vmalloc"))
    rows += upper
    if not era.flipped:
        rows.append(Segment(Region.LINEAR, config.upper_half, TOP, "linear map"))
    return Placement(config, _without_gaps(rows, config.bottom), kimage, (kimage, vmalloc_end))


def _place_image_in_linear_map(config: Config) -> Placement:
    """Before 4.6: modules end where the linear map begins, and the image is at its beginning."""
    modules = config.upper_half - config.era.modules_mib * _M
    shadow_first, shadow_end = _shadow(config)
    rows = [Segment(Region.KASAN_SHADOW, shadow_first, shadow_end, "KASAN shadow")]
    upper, vmalloc_end = _upper_part(config)
    rows.append(Segment(Region.VMALLOC, shadow_end, vmalloc_end, "vmalloc"))
    rows += upper
    rows.append(Segment(Region.MODULE, modules, config.upper_half, "modules"))
    rows.append(Segment(Region.LINEAR, config.upper_half, TOP, "linear map"))
    segments = _without_gaps(rows, config.bottom)
    return Placement(config, segments, config.upper_half, (shadow_end, vmalloc_end))


def _shadow(config: Config) -> tuple[int, int]:
    """Return KASAN_SHADOW_START and KASAN_SHADOW_END; an empty range without KASAN."""
    shadow = config.era.shadow
    base = config.bottom if shadow == "bottom" else config.upper_half
    if config.kasan is None:
        return base, base
    scale = KASAN_SCALES[config.kasan]
    n_bytes = 1 << config.va_bits - scale
    if shadow == "bottom":
        return base, base + n_bytes
    end = base if shadow == "linear" else base + (1 << config.va_min - scale)
    return end - n_bytes, end


def shadow_offset(config: Config) -> int | None:
    """Return KASAN_SHADOW_OFFSET: shadow = (address >> scale) + offset. None without KASAN."""
    if config.kasan is None:
        return None
    return (_shadow(config)[1] - (1 << 64 - KASAN_SCALES[config.kasan])) % TOP


def _upper_part(config: Config) -> tuple[list[Segment], int]:
    """Return the segments between vmalloc and the linear map or the top, and VMALLOC_END.

    struct page is taken to have 64 bytes, as in every usual configuration.
    """
    shift = config.page_shift
    per_page = shift - 6
    span = config.upper_half - (TOP - (1 << config.va_config))
    size = span >> per_page
    rule = config.era.vmemmap
    if rule == "3.7":
        pud = 1 << _pud_shift(config)
        size = -(-(1 << config.va_config - per_page) // pud) * pud
        vmalloc_end = config.upper_half - pud - size - 64 * _K
        first = vmalloc_end + 64 * _K
        io_end = config.upper_half - (config.era.modules_mib + 2) * _M
        fixmap_top = io_end - 18 * _M
    elif rule == "4.7":
        first = config.upper_half - size
        io_end, fixmap_top = first - 2 * _M, first - 20 * _M
        vmalloc_end = first - (1 << _pud_shift(config)) - 64 * _K
    elif rule in ("5.4", "5.10"):
        first = TOP - size - 2 * _M
        io_end, fixmap_top = first - 2 * _M, first - 20 * _M
        if rule == "5.10":
            io_end, fixmap_top = first - 8 * _M, first - 32 * _M
        vmalloc_end = TOP - size - (1 << _pud_shift(config)) - 64 * _K
    elif rule == "5.11":
        first = TOP - (1 << config.va_config - per_page)
        io_end, fixmap_top = first - 8 * _M, first - 32 * _M
        vmalloc_end = first - 256 * _M
    else:
        first = TOP - _G - size
        io_end, fixmap_top = TOP - _G + 24 * _M, TOP - 8 * _M
        unused = (1 << config.va_config) - (1 << config.va_bits) >> per_page
        vmalloc_end = first + unused - 8 * _M
        first, size = first + unused, size - unused
    rows = [
        Segment(Region.VMEMMAP, first, first + size, "vmemmap"),
        Segment(Region.FIXMAP, fixmap_top - _FIXMAP_BYTES, fixmap_top, "fixmap"),
        Segment(Region.PCI_IO, io_end - 16 * _M, io_end, "PCI I/O"),
    ]
    return sorted(rows, key=lambda row: row.first), vmalloc_end


def _pud_shift(config: Config) -> int:
    """Return PUD_SHIFT: that of the top level where the PUD is folded (asm/pgtable-hwdef.h)."""
    per_level = config.page_shift - 3
    n_levels = -(-(config.va_config - config.page_shift) // per_level)
    return per_level * (3 if n_levels > 3 else n_levels) + 3


def _without_gaps(rows: list[Segment], bottom: int) -> tuple[Segment, ...]:
    """Clip what overlaps (combinations that no kernel has) and name what lies between."""
    out: list[Segment] = []
    at = bottom
    for row in rows:
        first, end = max(row.first, at), min(row.end, TOP)
        if first >= end:
            continue
        if first > at:
            out.append(Segment(Region.UNKNOWN, at, first, "unused address space"))
        out.append(Segment(row.region, first, end, row.name))
        at = end
    if at < TOP:
        out.append(Segment(Region.UNKNOWN, at, TOP, "unused address space"))
    return tuple(out)
