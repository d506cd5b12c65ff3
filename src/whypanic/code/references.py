"""What leads to an address of an image, and what a piece of its code refers to."""

from collections.abc import Iterable, Iterator

import numpy as np

from whypanic.arch.relocations import BY_NUMBER
from whypanic.code.execution_domains import domain_at, domains_of
from whypanic.code.hyp_relocations import hyp_relocations
from whypanic.code.image_code import data_mask, linked_words, slot_value
from whypanic.code.masks import MASKS
from whypanic.code.sweep import Leads, Sweep, sweeps_of
from whypanic.formats.kernel_image import Addresses, ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol, is_local_label
from whypanic.model.image import CodeReference
from whypanic.model.provenance import Origin, Source

MAX_REFERENCES = 1000
"""References of one question that become facts; the arrays behind them are whole."""
_POINTER_BYTES = 8
_ABS64 = 257
_NEAR = 0x10000
"""Bytes behind a symbol without a size that may still be its own."""
_HYP = ("hyp", "hyp-idmap")


def branch_places(image: KernelImage, target: int) -> Addresses:
    """Return the link VA of every direct branch to an address, sorted, whole."""
    return _joined(sweep.branches_to(target) for sweep in sweeps_of(image))


def branches_to(
    image: KernelImage, target: int, *, within: tuple[int, int] | None = None
) -> tuple[CodeReference, ...]:
    """Return the direct branches and calls to an address, by place, at most MAX_REFERENCES.

    :param within: only those that lie in [first, end).
    """
    if within is None:
        places = branch_places(image, target)
    else:
        sweep = _sweep(image, *within)
        places = np.empty(0, np.uint64) if sweep is None else sweep.branches_to(target)
    return tuple(_branch(image, int(p), target) for p in places[:MAX_REFERENCES].tolist())


def references_from(image: KernelImage, first: int, end: int) -> tuple[CodeReference, ...]:
    """Return what the code of [first, end) refers to outside itself, by place.

    Branches and calls that leave, addresses formed by ADR or ADRP with its second instruction, literals, and slots of
    the GOT with what they hold. Straight-line pairs only; at most MAX_REFERENCES.
    """
    sweep = _sweep(image, first, end)
    if sweep is None:
        return ()
    found: list[CodeReference] = []
    for leads in (sweep.branches, sweep.conditional()):
        found += (_branch(image, p, t) for p, t in _listed(leads.leaving(first, end)))
    found += (
        _reference(image, "address", p, t) for p, t in _listed(sweep.adr().leaving(first, end))
    )
    pairs = sweep.pairs
    for place, target, loads in zip(
        pairs.places.tolist(), pairs.targets.tolist(), pairs.loads.tolist(), strict=True
    ):
        if first <= target < end:
            continue
        section = image.section_at(target)
        if loads and section is not None and section.name.startswith(".got"):
            held = slot_value(image, target)
            text = f"load from the GOT slot at {target:#x}"
            found.append(_reference(image, "got", place, held or target, text=text, slot=target))
        else:
            found.append(_reference(image, "address", place, target))
    found += _literals(image, sweep)
    seen = {reference.place & ~3 for reference in found}
    for entry in image.relocations_within(first, end):
        kind = BY_NUMBER.get(entry.type)
        if entry.target is None and kind is not None and entry.place & ~3 not in seen:
            found.append(_undefined(image, entry.place, entry.symbol, kind.name))
    return tuple(sorted(found, key=lambda reference: reference.place)[:MAX_REFERENCES])


def slots_holding(
    image: KernelImage, value: int, end: int | None = None
) -> tuple[CodeReference, ...]:
    """Return the eight-byte slots whose value is an address, or lies in [value, end), by place.

    Slots that the kernel relocates; in an image without such every aligned eight bytes, literals among the code too. At
    most MAX_REFERENCES.
    """
    span = np.uint64((end if end is not None else value + 1) - value)
    if image.is_object:
        hits = [
            (entry.place, entry.target)
            for entry in image.relocations
            if entry.type == _ABS64
            and entry.target is not None
            and 0 <= entry.target - value < span
        ]
        return tuple(_slot(image, *hit) for hit in sorted(hits)[:MAX_REFERENCES])
    if len(image.relative.slots):
        inside = np.flatnonzero(image.relative.values - np.uint64(value) < span)
        slots, values = image.relative.slots[inside], image.relative.values[inside]
    else:
        parts = list(_data_slots(image, value, span))
        slots = _joined(part.places for part in parts)
        values = _joined(part.targets for part in parts)
    return tuple(
        _slot(image, place, held)
        for place, held in _listed(Leads(slots[:MAX_REFERENCES], values[:MAX_REFERENCES]))
    )


def _data_slots(image: KernelImage, value: int, span: np.uint64) -> Iterator[Leads]:
    for extent in image.extents:
        start = -extent.address % _POINTER_BYTES
        count = (len(extent.data) - start) // _POINTER_BYTES
        if count <= 0:
            continue
        held = np.frombuffer(extent.data[start : start + count * _POINTER_BYTES], "<u8")
        hits = np.flatnonzero(held - np.uint64(value) < span)
        places = np.uint64(extent.address + start) + hits.astype(np.uint64) * np.uint64(8)
        yield Leads(places, held[hits])


def _sweep(image: KernelImage, first: int, end: int) -> Sweep | None:
    words = linked_words(image, first, end)
    return None if words is None else Sweep(words, first, data_mask(image, first, words))


def _joined(parts: Iterable[Addresses]) -> Addresses:
    found = [part for part in parts if len(part)]
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _listed(leads: Leads) -> Iterator[tuple[int, int]]:
    return zip(leads.places.tolist(), leads.targets.tolist(), strict=True)


def _literals(image: KernelImage, sweep: Sweep) -> Iterator[CodeReference]:
    """Yield literals that hold an address of the image."""
    leads = sweep.literals()
    wide = {int(p) for p in sweep.at(sweep.found("ldr x literal")).tolist()}
    for place, literal in _listed(leads):
        held = slot_value(image, literal) if place in wide else None
        if held is not None and image.contains(held):
            text = f"literal at {literal:#x}"
            yield _reference(image, "literal", place, held, text=text, slot=literal)


def _branch(image: KernelImage, place: int, target: int) -> CodeReference:
    word = _word(image, place)
    kind = "call" if word is not None and MASKS["bl"].fits(word) else "branch"
    return _reference(image, kind, place, target)


def _slot(image: KernelImage, place: int, held: int) -> CodeReference:
    return _reference(image, "slot", place, held, slot=place)


def _reference(
    image: KernelImage,
    kind: str,
    place: int,
    target: int,
    *,
    text: str = "",
    slot: int | None = None,
) -> CodeReference:
    section, symbol = image.section_at(place), image.symbol_at(place)
    domain = domain_at(image, place)
    name = _name(image, target) if image.contains(target) else None
    is_code = slot is None or slot != place
    return CodeReference(
        source=Source(origin=Origin.IMAGE, address=place),
        kind=kind,
        place=place,
        function=symbol.name if symbol is not None and _spans(image, symbol, place) else None,
        section=section.name if section is not None else None,
        target=target,
        target_symbol=name,
        domain=domain.name if domain is not None else _data_domain(image, place),
        covered=None if slot is None else _is_covered(image, slot),
        word=_word(image, place) if is_code else None,
        text=text,
    )


def _name(image: KernelImage, address: int) -> str | None:
    """Return symbol and offset; section and offset where the compiler's own label alone stands there."""
    aimed = image.symbol_at(address)
    if aimed is None or not _spans(image, aimed, address):
        return None
    start, name = aimed.address, aimed.name
    if is_local_label(name):
        section = image.section_at(address)
        if section is None:
            return None
        start, name = section.address, section.name
    return f"{name}+{address - start:#x}" if address != start else name


def _spans(image: KernelImage, symbol: Symbol, address: int) -> bool:
    if symbol.size and image.kind not in (ImageKind.RAW, ImageKind.SYSTEM_MAP):
        return symbol.address <= address < symbol.end
    near = address - symbol.address < _NEAR
    return near and image.section_at(symbol.address) == image.section_at(address)


def _undefined(image: KernelImage, place: int, symbol: str, relocation: str) -> CodeReference:
    made = _reference(image, "undefined", place, 0, text=relocation)
    return CodeReference(
        source=made.source,
        kind=made.kind,
        place=place,
        function=made.function,
        section=made.section,
        target=0,
        target_symbol=symbol,
        domain=made.domain,
        word=made.word,
        text=relocation,
    )


def _data_domain(image: KernelImage, address: int) -> str | None:
    return next((d.name for d in domains_of(image) if d.holds_data(address)), None)


def _is_covered(image: KernelImage, slot: int) -> bool | None:
    """Tell whether .hyp.reloc lists a slot; None for one that is not the hyp's."""
    domain = domain_at(image, slot)
    name = domain.name if domain is not None else _data_domain(image, slot)
    listed = hyp_relocations(image)
    if listed is not None and listed.covers(slot):
        return True
    return False if name in _HYP else None


def _word(image: KernelImage, place: int) -> int | None:
    data = image.read(place, 4)
    return None if data is None or place % 4 else int.from_bytes(data, "little")
