"""The address layout of the kernel that crashed, inferred from everything the text shows of it.

Versions are a hint only: vendors backport layouts. What was measured (printed ranges, the base of
the `Kernel Offset` line, addresses whose symbol stands beside them) decides where the two disagree,
and the sentence says so.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from whypanic.arch.layout_tables import (
    IMAGE_SPAN,
    KNOWN_VA_BITS,
    TOP,
    eras_of,
    image_bases,
    in_upper_half,
    va_bits_needed,
    va_bits_of_stack,
)
from whypanic.arch.layouts import Layout, Range, build_layout, is_kernel
from whypanic.code.report_wording import WORDED, told_by_wording
from whypanic.code.symbol_spans import Span, module_ranges, symbol_spans, window_of
from whypanic.model.context import CommandLine, KernelOffset, KernelVersion, MemoryRange, Task
from whypanic.model.fault import KasanHint, PageTable
from whypanic.model.hyp import HypPanic, HypPanicAt, HypVaRange
from whypanic.model.provenance import Derived, Fact, Source
from whypanic.model.regions import Region
from whypanic.model.registers import Register
from whypanic.model.trace import Frame

F = TypeVar("F", bound=Fact)

_SMALLEST_STACK = 16 << 10
_PRINTED_REGIONS = {
    "kasan": Region.KASAN_SHADOW,
    "modules": Region.MODULE,
    "vmalloc": Region.VMALLOC,
    ".text": Region.IMAGE,
    ".rodata": Region.IMAGE,
    ".init": Region.IMAGE,
    ".data": Region.IMAGE,
    ".bss": Region.IMAGE,
    "fixed": Region.FIXMAP,
    "pci i/o": Region.PCI_IO,
    "vmemmap": Region.VMEMMAP,
    "memory": Region.LINEAR,
}
_HEX = frozenset("0123456789abcdef")
_SHADOW_USERS = ("__asan_", "__hwasan_", "kasan_check_range", "kasan_non_canonical_hook")


class KernelLayout(Derived, frozen=True, kw_only=True):
    """The layout, and in one sentence what it is and where that is known from."""

    layout: Layout
    sentence: str

    @property
    def statement(self) -> str:
        return self.sentence


class _Found(NamedTuple):
    """A value, the fact it was read from, and words for how."""

    value: int
    fact: Fact
    how: str


class _Facts:
    """The facts of one report, by type."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._by_type: dict[type[Fact], list[Fact]] = {}
        for fact in facts:
            self._by_type.setdefault(type(fact), []).append(fact)
        self.at_el2 = HypPanic in self._by_type or HypPanicAt in self._by_type

    def all(self, cls: type[F]) -> list[F]:
        return self._by_type.get(cls, [])  # type: ignore[return-value]

    def first(self, cls: type[F], where: Callable[[F], bool] = lambda _: True) -> F | None:
        return next((f for f in self.all(cls) if where(f)), None)


def infer_layout(facts: Iterable[Fact]) -> KernelLayout:
    """Return what the facts of one report tell of its kernel's layout; always an answer."""
    known = _Facts(facts)
    version = _version(known)
    number = version.number if version else None
    development = _development(version)
    printed = _printed_ranges(known)
    image, modules = _spans(known)
    offset = known.first(KernelOffset)
    base = _image_base(known, offset)
    va = _va_bits(known, number, printed, base, image + modules)
    va_bits = va.value if va else None
    flipped = _direction(known, va_bits, number, printed, base, image, modules)
    if flipped is None and number is None:
        told = told_by_wording(f for cls in WORDED for f in known.all(cls))
        flipped = None if told is None else _Found(int(told.lower), told.fact, told.how)
    window = window_of(image)
    measured = None if flipped is None else bool(flipped.value)
    stated = [r for r, _ in printed] + module_ranges(modules) + _hyp_window(known, va_bits)
    stated += _stack_window(known, va_bits, number, measured, development=development)
    layout = build_layout(
        version=number,
        va_bits=va_bits,
        page_kib=next((t.page_kib for t in known.all(PageTable) if t.page_kib), None),
        kasan=_kasan(known, printed),
        printed=stated,
        hyp=_hyp_range(known),
        kernel_offset=_displacement(known, offset),
        kimage_base=base.value if base else None,
        image_window=window,
        flipped=measured,
        stack=_stack(known),
        development=development,
    )
    because = _because(va, flipped, version, offset, printed)
    return KernelLayout(
        layout=layout,
        sentence=_sentence(layout, va, flipped, version),
        because=because,
        source=because[0].source if because else Source(),
    )


def _version(known: _Facts) -> KernelVersion | None:
    """Return the version of the report's own line, else of the banner."""
    return known.first(KernelVersion, lambda v: not v.banner) or known.first(KernelVersion)


def _development(version: KernelVersion | None) -> bool:
    """Return whether this may be a tree on the way to the next release, by its name.

    `6.4.0`, `6.4.0+` and `6.4.0-01234-g...` are also the names of the merge window after 6.4, and
    linux-next is ahead of whatever it is called.
    """
    parts = version.release.split(".", 2) if version else []
    if len(parts) < 3 or not parts[2].startswith("0"):
        return False
    rest = parts[2][1:]
    if "-next" in rest:
        return True
    plain = not rest or rest.startswith(("+", "-dirty"))
    words = rest.removesuffix("-dirty").split("-")
    described = any(w[:1] == "g" and len(w) > 7 and _HEX.issuperset(w[1:]) for w in words)
    return plain or (described and "-rc" not in rest)


def _displacement(known: _Facts, offset: KernelOffset | None) -> int | None:
    if offset is not None:
        return offset.offset if offset.enabled else 0
    off = any("nokaslr" in line.text.split() for line in known.all(CommandLine))
    return 0 if off else None


def _kasan(known: _Facts, printed: list[tuple[Range, Fact]]) -> bool | None:
    """Return whether there is a shadow; a report alone does not tell, hardware tags have none."""
    if known.all(KasanHint) or any(r.region is Region.KASAN_SHADOW for r, _ in printed):
        return True
    refs = [f.ref for f in known.all(Frame)] + [r.ref for r in known.all(Register)]
    if any(r and r.symbol.startswith(_SHADOW_USERS) for r in refs):
        return True
    return False if printed else None


def _printed_ranges(known: _Facts) -> list[tuple[Range, Fact]]:
    """Return the lines of `Virtual kernel memory layout:` that hold true addresses."""
    found: list[tuple[Range, Fact]] = []
    for fact in known.all(MemoryRange):
        region = _PRINTED_REGIONS.get(fact.name.strip().lower())
        if region and fact.first < fact.last <= TOP and is_kernel(fact.first):
            name = f"{fact.name.strip()}, as printed"
            found.append((Range(region, fact.first, fact.last - 1, name, True), fact))
    return found


def _spans(known: _Facts) -> tuple[list[Span], list[Span]]:
    """Return functions of the image and of modules whose run-time address the text has."""
    facts: list[Fact] = [*known.all(Frame), *known.all(PageTable)]
    if not known.at_el2:
        facts += known.all(Register)
    return symbol_spans(facts)


def _image_base(known: _Facts, offset: KernelOffset | None) -> _Found | None:
    """Return KIMAGE_VADDR: printed, or from a hyp symbol, which the kernel prints without KASLR."""
    if offset is not None and offset.base is not None and is_kernel(offset.base):
        return _Found(offset.base, offset, "the base of the Kernel Offset line")
    for at in known.all(HypPanicAt):
        if at.address is None or at.ref is None or not at.ref.symbol.startswith("__kvm_nvhe_"):
            continue
        for base in image_bases():
            if base <= at.address < base + IMAGE_SPAN:
                return _Found(base, at, "the link address of a hyp symbol")
    return None


def _va_bits(
    known: _Facts,
    version: tuple[int, int] | None,
    printed: list[tuple[Range, Fact]],
    base: _Found | None,
    spans: list[Span],
) -> _Found | None:
    tables = sorted(known.all(PageTable), key=lambda t: t.owner != "swapper")
    for table in tables:
        bits = table.va_bits
        if bits is not None and bits in KNOWN_VA_BITS:
            if table.owner == "user" and bits == 52 and version and version < (5, 4):
                bits = 48  # 5.0 to 5.3 widened user space only
            return _Found(bits, table, "")
    addresses: list[tuple[int, Fact, str]] = [(r.first, f, "printed ranges") for r, f in printed]
    addresses += [] if base is None else [(base.value, base.fact, base.how)]
    addresses += [(s.first, s.fact, "addresses with symbols") for s in spans]
    best: _Found | None = None
    for address, fact, how in addresses:
        needed = va_bits_needed(address)
        if needed is not None and (best is None or needed > best.value):
            best = _Found(needed, fact, f", from {how}")
    if best is None:
        stack = known.first(Register, lambda r: r.name == "sp")
        bits = va_bits_of_stack(stack.value) if stack and stack.value and not known.at_el2 else None
        if stack is not None and bits is not None:
            best = _Found(bits, stack, ", from the stack pointer")
        panic = known.first(HypPanic)
        if panic is not None and panic.pc is not None and 1 << 48 <= panic.pc < 1 << 52:
            best = _Found(52, panic, ", from the PC at EL2")
    return _widened(known, best)


def _widened(known: _Facts, best: _Found | None) -> _Found | None:
    """Return 52 bits where two general registers need so many and the rest would fit 48."""
    if best is None or best.value != 48:
        return best
    wide = [
        register
        for register in known.all(Register)
        if register.name[:1] == "x" and register.value and va_bits_needed(register.value) == 52
    ]
    if len({register.value for register in wide}) < 2:
        return best
    return _Found(52, wide[0], ", from register values")


def _direction(
    known: _Facts,
    va_bits: int | None,
    version: tuple[int, int] | None,
    printed: list[tuple[Range, Fact]],
    base: _Found | None,
    image: list[Span],
    modules: list[Span],
) -> _Found | None:
    """Return 1 where the linear map was measured to be the lower half, 0 for the upper one."""
    if va_bits is None:
        return None
    for r, fact in printed:
        if r.region is Region.LINEAR and (upper := in_upper_half(r.first, va_bits)) is not None:
            return _Found(not upper, fact, "the printed memory range")
    if base is not None and (upper := in_upper_half(base.value, va_bits)) is not None:
        return _Found(upper, base.fact, base.how)
    for table in known.all(PageTable):
        if table.owner == "user" and table.pgd is not None:
            upper = in_upper_half(table.pgd, va_bits)
            if upper is not None:
                return _Found(not upper, table, "a page table in the linear map")
    window = window_of(image)
    if window is not None and (upper := in_upper_half(window[0], va_bits)) is not None:
        # Nothing of a 5.4 image can be in the first 128 MiB of the upper half: modules are.
        start_of_half = window[0] - (TOP - (1 << min(va_bits, 48) - 1)) < 128 << 20
        in_linear_map = start_of_half and (version is None or version < (4, 6))
        return _Found(upper and not in_linear_map, image[0].fact, "addresses with symbols")
    window = window_of(modules)
    if window is not None and (upper := in_upper_half(window[0], va_bits)) is not None:
        return _Found(upper, modules[0].fact, "addresses in modules")
    return None


def _stack(known: _Facts) -> int | None:
    """Return SP of code at EL1."""
    stack = known.first(Register, lambda r: r.name == "sp")
    if stack is None or stack.value is None or known.at_el2 or not is_kernel(stack.value):
        return None
    return stack.value


def _stack_window(
    known: _Facts,
    va_bits: int | None,
    version: tuple[int, int] | None,
    flipped: bool | None,
    *,
    development: bool,
) -> list[Range]:
    """Return the aligned block around SP where that is vmalloc memory (VMAP_STACK, 4.14 and later).

    Stacks are aligned to their size, 16 KiB or more. Only the boot CPU's idle task (pid 0) has its
    stack in the image.
    """
    stack, task = _stack(known), known.first(Task)
    if flipped is None and version is not None:
        directions = {era.flipped for era in eras_of(version, development=development)}
        flipped = directions.pop() if len(directions) == 1 else None
    old = version is not None and version < (4, 14)
    if stack is None or va_bits is None or flipped is None or old or not (task and task.pid):
        return []
    if in_upper_half(stack, va_bits) is not flipped:
        return []
    first = stack & -_SMALLEST_STACK
    last = first + _SMALLEST_STACK - 1
    return [Range(Region.VMALLOC, first, last, "stack of the task, in vmalloc", True)]


def _hyp_range(known: _Facts) -> tuple[int, int] | None:
    """Return the printed range for a report of EL2; at EL1 the same numbers are user addresses."""
    line = known.first(HypVaRange, lambda r: r.first <= r.last)
    return (line.first, line.last) if line and known.at_el2 else None


def _hyp_window(known: _Facts, va_bits: int | None) -> list[Range]:
    """Return the half of EL2's range that the hyp PC lies in: every hyp VA has that bit in common.

    Source: Linux arch/arm64/kvm/va_layout.c; the top bit is the opposite of the idmap page's.
    """
    panic = known.first(HypPanic)
    if panic is None or panic.pc is None or panic.pc >> 52:
        return []
    half = 1 << (va_bits or 48) - 1  # where the width is not known, 48 is the commonest
    first = panic.pc & half
    if panic.pc >= 2 * half:
        return []
    return [Range(Region.HYP, first, first + half - 1, "hyp VA, by the PC at EL2", False)]


def _because(
    va: _Found | None,
    flipped: _Found | None,
    version: KernelVersion | None,
    offset: KernelOffset | None,
    printed: list[tuple[Range, Fact]],
) -> tuple[Fact, ...]:
    """Return the facts used, most telling first."""
    facts: list[Fact] = [f for _, f in printed]
    facts += [f.fact for f in (flipped, va) if f is not None]
    facts += [f for f in (offset, version) if f is not None]
    unique: list[Fact] = []
    for fact in facts:
        if not any(fact is other for other in unique):
            unique.append(fact)
    return tuple(unique)


def _sentence(
    layout: Layout, va: _Found | None, flipped: _Found | None, version: KernelVersion | None
) -> str:
    number = version.number if version else None
    if va is None and flipped is None and number is None:
        return "neither the width of addresses nor the kernel's version is in the text"
    width = f"{va.value}-bit{va.how}" if va else "width of addresses not known"
    if layout.candidates == ("3.7",):
        half = "image inside the linear map, which is the upper half (before 4.6)"
    elif layout.flipped is None:
        half = "which half is the linear map is not known"
    elif layout.flipped:
        half = "linear map in the lower half (5.4 and later)"
    else:
        half = "linear map in the upper half (before 5.4)"
    words = f"{width}, {half}"
    if flipped is None or number is None or version is None:
        return words
    usual = eras_of(number, development=_development(version))
    if usual and not any(era.name in layout.candidates for era in usual):
        return f"{words}, measured by {flipped.how} against version {version.release[:40]}"
    return words
