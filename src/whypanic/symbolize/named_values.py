"""Registers whose value is an address in the image."""

from collections.abc import Sequence

from whypanic.arch.layouts import Layout, is_kernel
from whypanic.arch.values import MASK64, strip_tag
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.image import HypSlide, NamedValue, Slide
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register, SymbolRef
from whypanic.symbolize.kernel_sizes import may_be_left_out

_NOT_NAMED = frozenset({"pc", "lr", "pstate", "pmr_save"})
_FIRST_HYP = 1 << 16
"""Smaller values are numbers, whatever the hyp slide would make of them."""
_VA_LIMIT = 1 << 52


def name_values(
    image: KernelImage,
    registers: Sequence[Register],
    slide: Slide | None,
    hyp_slide: HypSlide | None,
    layout: Layout | None = None,
) -> tuple[NamedValue, ...]:
    """Return the registers whose values are addresses in the image; PC and lr are not among them.

    :param registers: as printed; one value is named once for each register.
    :param slide: None: kernel addresses are not named.
    :param hyp_slide: for registers of EL2: None at EL1.
    """
    found = []
    for register in registers:
        value = register.value
        if value is None or register.name in _NOT_NAMED:
            continue
        because: Fact | None = None
        link = None
        if slide is not None and is_kernel(value, layout):
            link, because = (strip_tag(value) - slide.value) & MASK64, slide
        elif hyp_slide is not None and _FIRST_HYP <= value < _VA_LIMIT:
            link, because = (value + hyp_slide.value) & MASK64, hyp_slide
        ref = name_address(image, link) if link is not None else None
        if link is None or ref is None or because is None:
            continue
        section = image.section_at(link)
        found.append(
            NamedValue(
                source=register.source,
                because=(register, because),
                register=register.name,
                value=value,
                ref=ref,
                section=section.name if section else None,
            )
        )
    return tuple(found)


def name_address(image: KernelImage, link: int) -> SymbolRef | None:
    """Return a link VA as symbol and offset, or section and offset where no symbol spans it; None: not in the image."""
    section = image.section_at(link)
    if section is None and (image.sections or not image.contains(link)):
        return None
    symbol = image.symbol_at(link)
    if symbol is not None and not may_be_left_out(symbol.name):
        inside = symbol.address <= link < symbol.end or link == symbol.address
        if inside or (not symbol.size and (section is None or symbol.address >= section.address)):
            return SymbolRef(
                symbol=symbol.name, offset=link - symbol.address, size=symbol.size or None
            )
    if section is None:
        return None
    return SymbolRef(symbol=section.name, offset=link - section.address, size=section.size)
