"""What the images say of one report, as facts that the causes and the document read."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec.structs import replace

from whypanic.app.analysis import Explained
from whypanic.app.image_code_facts import CodeAtPc, call_through, compare_code
from whypanic.app.images import Images
from whypanic.causes.case import CaseView
from whypanic.formats.kernel_image import KernelImage
from whypanic.formats.symbol_table import Symbol, is_local_label
from whypanic.model.code import SourceLocation
from whypanic.model.context import KernelOffset
from whypanic.model.hyp import HypOffset, HypPanic
from whypanic.model.image import (
    CodeComparison,
    DebugEngine,
    FrameLocation,
    HypSlide,
    ImageIdentity,
    Located,
    Match,
    PcLocation,
    Slide,
)
from whypanic.model.provenance import Fact, Origin, Source
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame
from whypanic.symbolize.debug_info import Chain
from whypanic.symbolize.frame_places import Placed, place_frames
from whypanic.symbolize.hyp_slides import solve_hyp_slide
from whypanic.symbolize.identity import identify
from whypanic.symbolize.named_values import name_values
from whypanic.symbolize.slides import solve_slide
from whypanic.symbolize.symbol_names import module_name

_PREFERENCE = (Match.MATCHES, Match.UNKNOWN, Match.MISMATCH)


class _Held(NamedTuple):
    """One image held against a report."""

    image: KernelImage
    identity: ImageIdentity
    slide: Slide | None
    hyp: HypSlide | None
    compared: CodeComparison | None


def image_facts(images: Images, explained: Explained) -> Iterator[Fact]:
    """Yield what the images add to a report: the identity first, and nothing else where it is another kernel's."""
    case = explained.case
    kernels = [_hold(images, image, case) for image in images.kernels if image.module is None]
    kernel = _chosen(images, kernels)
    if kernel is not None and not kernel.identity.is_used:
        yield kernel.identity
        _tell(images, kernel.identity)
        return
    yield from _Reading(images, case, kernel).facts()


def _chosen(images: Images, kernels: Sequence[_Held]) -> _Held | None:
    """Return the image to read; None where several are given and the text does not tell whose it is."""
    best = min(kernels, key=_preference, default=None)
    if best is None:
        return None
    alike = [h for h in kernels if h.identity.match is best.identity.match and h.image.extents]
    if best.identity.match is Match.UNKNOWN and len({_build(h) for h in alike}) > 1:
        names = ", ".join(f"`{h.image.name}`" for h in alike)
        images.tell(f"warning: the text does not tell which image is the crashed kernel's: {names}")
        images.tell("hint: name one of them only")
        return None
    others = (h.image.build_id for h in alike if h.identity.certain)
    if any(
        None not in (other, best.image.build_id) and other != best.image.build_id
        for other in others
    ):
        # Two builds of one version string.
        return best._replace(identity=replace(best.identity, certain=False))
    return best


def _build(held: _Held) -> tuple[str | None, str | None]:
    return held.image.build_id, held.image.banner


def _hold(images: Images, image: KernelImage, case: CaseView) -> _Held:
    facts = case.facts
    slide = solve_slide(image, facts)
    hyp = solve_hyp_slide(image, facts) if case.at_el2 else None
    placed = _place_pc(image, facts, slide, hyp)
    compared = compare_code(image, placed, case, slide)
    identity = identify(image, facts, allow_mismatch=images.allow_mismatch, code=compared)
    return _Held(image, replace(identity, missing=image.missing), slide, hyp, compared)


def _place_pc(
    image: KernelImage, facts: Sequence[Fact], slide: Slide | None, hyp: HypSlide | None
) -> int | None:
    """Return the link VA of PC in this image."""
    module = image.module

    def image_of(name: str | None) -> KernelImage | None:
        return image if name == module else None

    wanted = [f for f in facts if not isinstance(f, Frame)]
    slides = (slide,) if slide is not None and module is not None else ()
    own = None if module is not None else slide
    placed = place_frames(image_of, wanted, own, module_slides=slides, hyp_slide=hyp)
    return next((p.address for p in placed if _is_pc(p) and p.image is image), None)


def _is_pc(placed: Placed) -> bool:
    return isinstance(placed.fact, Register) and placed.fact.name == "pc"


def _preference(held: _Held) -> tuple[int, bool, bool, bool]:
    """Return the key by which the best of several images comes first."""
    image = held.image
    return (
        _PREFERENCE.index(held.identity.match),
        not held.identity.certain,
        not image.has_debug_info,
        not image.extents,
    )


def _tell(images: Images, identity: ImageIdentity) -> None:
    reasons = "; ".join(c.text for c in identity.checks if not c.agrees)
    images.tell(f"warning: `{identity.name}` is not the crashed kernel's: {reasons}")
    images.tell("hint: pass the matching image, or use this one all the same with --allow-mismatch")


class _Reading:
    """One report read with the images that belong to it."""

    def __init__(self, images: Images, case: CaseView, kernel: _Held | None) -> None:
        self._images = images
        self._case = case
        self._kernel = kernel
        self._modules: dict[str, _Held | None] = {}

    def facts(self) -> Iterator[Fact]:
        """Yield everything: the image of PC first."""
        case, kernel = self._case, self._kernel
        slide, hyp = (kernel.slide, kernel.hyp) if kernel is not None else (None, None)
        names = self._named_modules()
        slides = [held.slide for held in map(self._module, names) if held and held.slide]
        placed = place_frames(
            self._image_of, case.facts, slide, module_slides=slides, hyp_slide=hyp
        )
        chains = self._locate(placed)
        pc = next((p for p in placed if _is_pc(p) and p.address is not None), None)
        held = self._holder(pc)
        yield from self._identities(held)
        if slide is not None:
            yield from self._slide(slide)
        if hyp is not None:
            yield from self._hyp_slide(hyp)
        for place in placed:
            if place.address is not None and place.image is not None:
                yield from self._located(place, chains)
        if kernel is not None:
            yield from name_values(kernel.image, list(case.registers.values()), slide, None)
        if pc is not None and pc.address is not None and held is not None:
            if held.compared is not None:
                yield held.compared
            debug = self._images.debug_info(held.image)
            if debug is not None:
                source = Source(origin=Origin.IMAGE, text=debug.engine)
                yield DebugEngine(source=source, name=debug.engine, caution=debug.caution)
            code = CodeAtPc(
                case,
                held.image,
                pc.address,
                slide=held.slide,
                debug=debug,
                tree=self._images.source,
            )
            yield from code.facts()
        lr = next((p for p in placed if _is_lr(p)), None)
        if pc is None and lr is not None and lr.address is not None and lr.image is not None:
            call = call_through(case, lr.image, lr.address)
            if call is not None:
                yield call

    def _holder(self, pc: Placed | None) -> _Held | None:
        """Return the image that holds PC; the kernel's where PC is in none."""
        if pc is not None and pc.image is not None and pc.image.module is not None:
            return self._module(pc.image.module)
        return self._kernel

    def _identities(self, held: _Held | None) -> Iterator[Fact]:
        for each in (self._kernel, *self._modules.values()):
            if each is not None:
                yield replace(each.identity, holds_pc=each is held)
                if not each.identity.is_used:
                    _tell(self._images, each.identity)

    def _named_modules(self) -> list[str]:
        return list(self._build_ids)

    @cached_property
    def _build_ids(self) -> dict[str, str | None]:
        """Names of the modules that the text names, with the build ids that it prints."""
        found: dict[str, str | None] = {}
        for fact in self._case.facts:
            ref = fact.ref if isinstance(fact, Frame | Register) else None
            name = None if ref is None else module_name(ref.module)
            if ref is not None and name is not None:
                found[name] = found.get(name) or ref.build_id
        return found

    def _module(self, name: str) -> _Held | None:
        if name not in self._modules:
            build_id = self._build_ids.get(name)
            image = None if build_id is None else self._images.module(name, build_id)
            # One of another build is named as such.
            image = image or self._images.module(name)
            held = None if image is None else _hold(self._images, image, self._case)
            self._modules[name] = held
        return self._modules[name]

    def _image_of(self, name: str | None) -> KernelImage | None:
        held = self._kernel if name is None else self._module(name)
        return held.image if held is not None and held.identity.is_used else None

    def _locate(self, placed: Sequence[Placed]) -> dict[tuple[int, int], Chain]:
        """Return the chains of all places, each image asked once."""
        asked: dict[int, tuple[KernelImage, list[int]]] = {}
        for place in placed:
            if place.address is not None and place.image is not None:
                asked.setdefault(id(place.image), (place.image, []))[1].append(place.address)
        found: dict[tuple[int, int], Chain] = {}
        for image, addresses in asked.values():
            debug = self._images.debug_info(image)
            if debug is None:
                continue
            wanted = list(dict.fromkeys(addresses))
            for address, chain in zip(wanted, debug.locate(wanted), strict=True):
                found[id(image), address] = chain
        return found

    def _located(
        self, place: Placed, chains: dict[tuple[int, int], Chain]
    ) -> Iterator[FrameLocation | PcLocation | SourceLocation]:
        image, address = place.image, place.address
        assert image is not None
        assert address is not None
        section = image.section_at(address)
        symbol = _symbol_at(image, address, place.fact.ref)
        located = Located(
            address=address,
            symbol=symbol.name if symbol else None,
            offset=address - symbol.address if symbol else None,
            size=symbol.size or None if symbol else None,
            section=section.name if section else None,
            module=image.module,
            chain=chains.get((id(image), address), ()),
        )
        fact, source = place.fact, Source(origin=Origin.IMAGE, address=address)
        if isinstance(fact, Frame):
            yield FrameLocation(
                source=source, because=(fact,), frame=fact, located=located, note=place.note or ""
            )
            return
        yield PcLocation(source=source, because=(fact,), register=fact.name, located=located)
        panic = self._case.get(HypPanic)
        if panic is not None and fact.name == "pc" and located.symbol is not None:
            own = located.chain[-1] if located.chain else None
            yield SourceLocation(
                source=source,
                address=panic.pc,
                function=located.symbol,
                file=own.file if own else None,
                line=own.line if own else None,
            )

    def _slide(self, slide: Slide) -> Iterator[Fact]:
        yield slide
        if self._case.get(KernelOffset) is None and self._kernel is not None:
            yield KernelOffset(
                source=Source(origin=Origin.IMAGE, text=slide.sentence),
                enabled=slide.value != 0,
                offset=slide.value,
                base=self._kernel.image.base,
            )

    def _hyp_slide(self, hyp: HypSlide) -> Iterator[Fact]:
        yield hyp
        if self._case.get(HypOffset) is None:
            yield HypOffset(source=Source(origin=Origin.IMAGE, text=hyp.sentence), offset=hyp.value)


def _symbol_at(image: KernelImage, address: int, ref: SymbolRef | None) -> Symbol | None:
    """Return the symbol that a place belongs to; padding behind a function is its own where the log says so."""
    symbol = image.symbol_at(address)
    if symbol is None or is_local_label(symbol.name):
        return None
    if symbol.size and address >= symbol.end and (ref is None or ref.symbol != symbol.name):
        return None
    return symbol


def _is_lr(placed: Placed) -> bool:
    return isinstance(placed.fact, Register) and placed.fact.name == "lr"
