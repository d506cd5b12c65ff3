"""Functions whose run-time address the text shows: a symbol and an address on one line."""

from collections.abc import Iterable
from typing import NamedTuple

from whypanic.arch.layout_tables import IMAGE_SPAN, TOP
from whypanic.arch.layouts import Range, is_kernel
from whypanic.model.fault import PageTable
from whypanic.model.provenance import Fact
from whypanic.model.regions import Region
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole

_LARGEST_FUNCTION = 1 << 20
_NOT_IMAGE = ("bpf_prog_", "bpf_trampoline_", "bpf_dispatcher_", "ftrace_trampoline", "0x")
"""Code that the kernel generates; its symbols name no module."""


class Span(NamedTuple):
    """Addresses of one function whose symbol was printed."""

    first: int
    last: int
    fact: Fact


def symbol_spans(facts: Iterable[Fact]) -> tuple[list[Span], list[Span]]:
    """Return what lies in the kernel image, and what lies in modules.

    Registers must be those of code at EL1: EL2 has its own addresses. Frames of EL2 are skipped,
    their addresses are link addresses.
    """
    image: list[Span] = []
    modules: list[Span] = []
    for fact in facts:
        # 4.14 printed swapper_pg_dir as a virtual address; it lies in the image.
        if isinstance(fact, PageTable) and fact.owner == "swapper":
            if fact.pgd is not None and is_kernel(fact.pgd):
                image.append(Span(fact.pgd, fact.pgd, fact))
            continue
        value, ref = _address_and_symbol(fact)
        if value is None or ref is None:
            continue
        if is_kernel(value) and not ref.symbol.startswith(_NOT_IMAGE):
            (modules if ref.module else image).append(_span(value, ref, fact))
    return image, modules


def _address_and_symbol(fact: Fact) -> tuple[int | None, SymbolRef | None]:
    if isinstance(fact, Frame) and fact.role is not TraceRole.HYP:
        return fact.address, fact.ref
    if isinstance(fact, Register) and fact.name in ("pc", "lr"):
        return fact.value, fact.ref
    return None, None


def _span(value: int, ref: SymbolRef, fact: Fact) -> Span:
    offset, size = ref.offset or 0, ref.size or 0
    if offset < size <= _LARGEST_FUNCTION and is_kernel(value - offset):
        return Span(value - offset, min(value - offset + size, TOP) - 1, fact)
    return Span(value, value, fact)


def window_of(spans: list[Span]) -> tuple[int, int] | None:
    """Return the window of the spans around their median: a damaged address must not stretch it."""
    if not spans:
        return None
    middle = sorted(s.first for s in spans)[len(spans) // 2]
    near = [s for s in spans if abs(s.first - middle) < IMAGE_SPAN]
    return min(s.first for s in near), max(s.last for s in near)


def module_ranges(spans: list[Span]) -> list[Range]:
    """Return one range for each module, from its lowest to its highest known address."""
    by_module: dict[str, list[Span]] = {}
    for span in spans:
        ref = span.fact.ref if isinstance(span.fact, Frame | Register) else None
        by_module.setdefault(ref.module or "" if ref else "", []).append(span)
    return [
        Range(Region.MODULE, *window, f"module {name}", True)
        for name, own in by_module.items()
        if (window := window_of(own)) is not None
    ]
