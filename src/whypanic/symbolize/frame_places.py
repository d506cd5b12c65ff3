"""The link VA of every frame, of PC and of lr: the instruction itself, or the call before a return address.

A symbol with its offset gives a place by itself, without any slide. Where several symbols share a name the size behind
it tells them apart, then the raw address where one is printed, then the calls: a return address stands behind a call,
and a call by `bl` names the function that the frame inside it lies in. What is left open stays open and is said.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from whypanic.arch.insn.decode import decode
from whypanic.arch.layouts import is_kernel
from whypanic.arch.values import MASK64
from whypanic.formats.kernel_image import KernelImage
from whypanic.formats.symbol_table import Symbol
from whypanic.model.context import KernelVersion
from whypanic.model.hyp import HypPanic
from whypanic.model.image import HypSlide, Slide
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole
from whypanic.symbolize.kernel_sizes import fitting
from whypanic.symbolize.lookups import CALL_SITE, EXACT, Lookup, lookups
from whypanic.symbolize.printed_refs import va_bits_of, without_pac
from whypanic.symbolize.symbol_names import find_printed, is_of_image, module_name, names_no_image

ImageOf = Callable[[str | None], KernelImage | None]
"""Returns the image of a module (with _ for -), of the kernel for None; None where there is none."""

NO_IMAGE = "no image of this module"
GENERATED = "code that the kernel made while it ran: no image has it"
NOT_FOUND = "the image has no such symbol"
WRONG_SIZE = "the image's symbol of this name has another size"
OUTSIDE = "the address is not in the image"
NO_PLACE = "neither an offset nor an address is printed"
UNKNOWN_SLIDE = "only an address is printed, and how far the image was moved is not known"
CONTRADICTED = "the address printed beside the symbol is another place: the symbol was taken"
BY_SIZE = "of several symbols of this name the one with this size"
BY_ADDRESS = "of several symbols of this name the one at the printed address"
BY_CALLS = "of several symbols of this name the one that fits the calls"
_MAX_DUPLICATES = 64
_WORD = 4


class Placed(NamedTuple):
    """A frame or register, and where it is."""

    fact: Frame | Register
    address: int | None
    """Link VA to look up; None: not known, `note` says why."""
    image: KernelImage | None
    how: str
    """exact: PC or the instruction itself; call-site: the call before a return address."""
    note: str | None = None
    alternatives: tuple[int, ...] = ()
    """Link VAs that remain where the place is not known for certain."""


class _Work(NamedTuple):
    """What is known of one fact on the way."""

    fact: Frame | Register
    image: KernelImage | None
    how: str
    places: tuple[int, ...]
    """Link VAs as printed: PC, or a return address."""
    starts: tuple[int, ...]
    """Start of the function of each place; its own place where only an address is known."""
    notes: tuple[str, ...]


def place_frames(
    image_of: ImageOf,
    facts: Sequence[Fact],
    slide: Slide | None,
    *,
    module_slides: Sequence[Slide] = (),
    hyp_slide: HypSlide | None = None,
) -> list[Placed]:
    """Return where every frame, and every printed pc and lr, lies in its image, in the order of the facts.

    :param slide: of the kernel image; needed only for what is printed without a symbol.
    :param module_slides: from `slides.solve_slide` of each module.
    """
    panic = next((f for f in facts if isinstance(f, HypPanic)), None)
    frames = [f for f in facts if isinstance(f, Frame)]
    release = next((f.release for f in facts if isinstance(f, KernelVersion)), None)
    ways = dict(
        zip(
            (id(f) for f in frames),
            lookups(frames, release=release, hyp_panic=panic is not None),
            strict=True,
        )
    )
    wanted = [f for f in facts if isinstance(f, Frame) or _is_place(f)]
    placer = _Placer(image_of, facts, slide, module_slides, hyp_slide, panic)
    placer.look_up(wanted)
    work = []
    for fact in wanted:
        if isinstance(fact, Frame):
            work.append(placer.start(fact, ways[id(fact)]))
        elif isinstance(fact, Register):
            work.append(placer.start(fact, Lookup(EXACT if fact.name == "pc" else CALL_SITE)))
    _compare_calls(work)
    _follow_trace(work)
    return [_finished(item) for item in work]


def _is_place(fact: Fact) -> bool:
    return isinstance(fact, Register) and fact.name in ("pc", "lr")


class _Placer:
    """Turns symbols and addresses into link VAs; names are looked up together."""

    def __init__(
        self,
        image_of: ImageOf,
        facts: Sequence[Fact],
        slide: Slide | None,
        module_slides: Sequence[Slide],
        hyp_slide: HypSlide | None,
        panic: HypPanic | None,
    ) -> None:
        self._image_of = image_of
        self._slide = slide
        self._module_slides = {s.module: s for s in module_slides}
        self._hyp_slide = hyp_slide
        self._panic = panic
        self._images: dict[str | None, KernelImage | None] = {None: image_of(None)}
        self._symbols: dict[tuple[str | None, str], tuple[Symbol, ...]] = {}
        kernel = self._images[None]
        self._va_bits = va_bits_of(kernel, facts) if kernel else 48

    def look_up(self, facts: Sequence[Fact]) -> None:
        """Find all printed symbols, image by image."""
        names: dict[str | None, list[str]] = {}
        for fact in facts:
            ref = fact.ref if isinstance(fact, Frame | Register) else None
            if ref is not None and not names_no_image(ref.symbol, ref.module):
                names.setdefault(module_name(ref.module), []).append(ref.symbol)
        for module, wanted in names.items():
            image = self._image(module)
            if image is not None and is_of_image(module, image):
                for name, symbols in find_printed(image, wanted).items():
                    self._symbols[module, name] = symbols

    def _image(self, module: str | None) -> KernelImage | None:
        if module not in self._images:
            self._images[module] = self._image_of(module)
        return self._images[module]

    def start(self, fact: Frame | Register, lookup: Lookup) -> _Work:
        """Return all places that a fact may mean."""
        notes = (lookup.note,) if lookup.note else ()
        ref = fact.ref
        value = fact.address if isinstance(fact, Frame) else fact.value
        if ref is None or ref.offset is None:
            return self._by_address(fact, value, lookup.how, notes)
        if names_no_image(ref.symbol, ref.module):
            return _Work(fact, None, lookup.how, (), (), (*notes, GENERATED))
        module = module_name(ref.module)
        image = self._image(module)
        if image is None:
            return _Work(fact, None, lookup.how, (), (), (*notes, NO_IMAGE) if module else notes)
        symbols = self._symbols.get((module, ref.symbol), ())
        fit = fitting(image, symbols, ref)[:_MAX_DUPLICATES]
        if not fit:
            note = WRONG_SIZE if symbols else NOT_FOUND
            return _Work(fact, image, lookup.how, (), (), (*notes, note))
        fit = tuple({s.address: s for s in fit}.values())
        if len(symbols) > len(fit) == 1 and len({s.address for s in symbols}) > 1:
            notes = (*notes, BY_SIZE)
        return self._against_address(fact, image, fit, ref, value, lookup.how, notes)

    def _against_address(
        self,
        fact: Frame | Register,
        image: KernelImage,
        symbols: Sequence[Symbol],
        ref: SymbolRef,
        value: int | None,
        how: str,
        notes: tuple[str, ...],
    ) -> _Work:
        """Hold symbols against the address printed beside them."""
        offset = ref.offset or 0
        places = tuple(s.address + offset for s in symbols)
        starts = tuple(s.address for s in symbols)
        link = self._link(fact, value, image, module_name(ref.module))
        if link is not None:
            if link in places:
                if len(places) > 1:
                    notes = (*notes, BY_ADDRESS)
                return _Work(fact, image, how, (link,), (link - offset,), notes)
            notes = (*notes, CONTRADICTED)
        return _Work(fact, image, how, places, starts, notes)

    def _by_address(
        self, fact: Frame | Register, value: int | None, how: str, notes: tuple[str, ...]
    ) -> _Work:
        module = module_name(fact.ref.module) if fact.ref else None
        image = self._image(module)
        if image is None:
            return _Work(fact, None, how, (), (), notes)
        if value is None:
            return _Work(fact, image, how, (), (), (*notes, NO_PLACE))
        link = self._link(fact, value, image, module)
        if link is None:
            may_be = is_kernel(value) and self._slide is None
            return _Work(fact, image, how, (), (), (*notes, UNKNOWN_SLIDE if may_be else OUTSIDE))
        return _Work(fact, image, how, (link,), (link,), notes)

    def _link(
        self,
        fact: Frame | Register,
        value: int | None,
        image: KernelImage,
        module: str | None,
    ) -> int | None:
        """Return the link VA of a printed address; None where its slide is not known or it is not in the image."""
        if value is None:
            return None
        link: int | None = None
        # PC is what it is: only return addresses are signed.
        signed = isinstance(fact, Frame) or fact.name != "pc"
        plain = without_pac(value, self._va_bits) if signed else value
        if isinstance(fact, Frame) and fact.role is TraceRole.HYP:
            # kvm_nvhe_dump_backtrace_entry() prints link addresses (Linux 6.1 arch/arm64/kvm/stacktrace.c, read).
            link = value
        elif is_kernel(plain):
            slide = self._module_slides.get(module) if module else self._slide
            if slide is None:
                return None
            link = (plain - slide.value) & MASK64
            if slide.section is not None:
                section = image.section_at(link)
                return link if section is not None and section.name == slide.section else None
        elif self._panic is not None and value == self._panic.pc and self._hyp_slide is not None:
            link = (value + self._hyp_slide.value) & MASK64
        return link if link is not None and image.contains(link) else None


# Calls -------------------------------------------------------------------------------------------


def _compare_calls(work: list[_Work]) -> None:
    """Drop places that contradict the calls, where several remain."""
    for i, item in enumerate(work):
        if item.image is None or len(set(item.places)) < 2:
            continue
        inner = work[i - 1] if i and _same_trace(work[i - 1], item) else None
        outer = work[i + 1] if i + 1 < len(work) and _same_trace(item, work[i + 1]) else None
        kept = [k for k in range(len(item.places)) if _is_call(item, k)]
        if len(kept) != 1 and inner is not None:
            kept = [k for k in kept if _calls(item, k, inner)] or kept
        if len(kept) != 1 and outer is not None and len(outer.places) == 1:
            called = _callee(outer, 0)
            kept = [k for k in kept if called is None or item.starts[k] == called] or kept
        if kept and len(kept) < len(item.places):
            notes = (*item.notes, BY_CALLS) if len(kept) == 1 else item.notes
            work[i] = item._replace(
                places=tuple(item.places[k] for k in kept),
                starts=tuple(item.starts[k] for k in kept),
                notes=notes,
            )


def _follow_trace(work: list[_Work]) -> None:
    """Give PC and lr the place of the first and second frame of the fault's trace, where the same words name both."""
    first = next((i for i, w in enumerate(work) if _is_fault_frame(w)), None)
    if first is None:
        return
    for i, item in enumerate(work):
        if not isinstance(item.fact, Register) or len(item.places) < 2:
            continue
        at = first if item.fact.name == "pc" else first + 1
        frame = work[at] if at < len(work) else None
        if frame is None or not _is_fault_frame(frame) or len(frame.places) != 1:
            continue
        if frame.fact.ref == item.fact.ref and frame.places[0] in item.places:
            work[i] = item._replace(
                places=frame.places, starts=frame.starts, notes=(*item.notes, BY_CALLS)
            )


def _is_fault_frame(item: _Work) -> bool:
    return isinstance(item.fact, Frame) and item.fact.role is TraceRole.FAULT


def _same_trace(inner: _Work, outer: _Work) -> bool:
    """Tell whether one frame is right inside another and was called by it."""
    a, b = inner.fact, outer.fact
    return (
        isinstance(a, Frame)
        and isinstance(b, Frame)
        and a.trace == b.trace
        and outer.how == CALL_SITE
        and not a.inlined
    )


def _is_call(item: _Work, k: int) -> bool:
    """Tell whether a return address stands behind a call; where the image has no bytes, it may."""
    if item.how != CALL_SITE:
        return True
    word = _word_before(item, k)
    if word is None:
        return True
    branch = decode(word).branch
    return branch is not None and branch.link


def _calls(item: _Work, k: int, inner: _Work) -> bool:
    """Tell whether the call leads to the function of the frame inside; a call by register may."""
    target = _callee(item, k)
    return (
        target is None
        or not inner.starts
        or inner.image is not item.image
        or target in inner.starts
    )


def _callee(item: _Work, k: int) -> int | None:
    """Return where the `bl` before a return address leads; None for a call by register, or without bytes."""
    word = _word_before(item, k) if item.how == CALL_SITE else None
    branch = decode(word).branch if word is not None else None
    if branch is None or branch.kind != "bl" or branch.offset is None:
        return None
    return (item.places[k] - _WORD + branch.offset) & MASK64


def _word_before(item: _Work, k: int) -> int | None:
    data = item.image.read(item.places[k] - _WORD, _WORD) if item.image else None
    return int.from_bytes(data, "little") if data is not None else None


def _finished(item: _Work) -> Placed:
    back = _WORD if item.how == CALL_SITE else 0
    places = tuple(dict.fromkeys((place - back) & MASK64 for place in item.places))
    notes = item.notes
    if len(places) > 1:
        notes = (*notes, f"{len(places)} symbols of this name fit: which one is not known")
    note = "; ".join(notes) or None
    if len(places) == 1:
        return Placed(item.fact, places[0], item.image, item.how, note)
    return Placed(item.fact, None, item.image, item.how, note, places)
