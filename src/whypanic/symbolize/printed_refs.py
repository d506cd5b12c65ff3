"""The symbols with offset and size that a report printed, and the addresses printed beside them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from whypanic.arch.esr import decode_esr
from whypanic.arch.layouts import is_kernel
from whypanic.arch.values import strip_pac
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.fault import FaultAddress, Headline, PageTable, Syndrome, SyndromePlace
from whypanic.model.hyp import HypPanicAt
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole

_TABLE = SymbolRef(symbol="swapper_pg_dir", offset=0)
_KNOWN_VA_BITS = (36, 39, 42, 47, 48, 52)


class PrintedRef(NamedTuple):
    """A symbol as the kernel printed it."""

    ref: SymbolRef
    fact: Fact


class Pair(NamedTuple):
    """A symbol and the address at which it ran."""

    ref: SymbolRef
    address: int
    """In the running kernel."""
    fact: Fact


def printed_refs(facts: Iterable[Fact]) -> list[PrintedRef]:
    """Return every symbol that the kernel printed with an offset, in order, the same one once.

    Frames that a script wrote again, and names of inlined functions, have no offset.
    """
    seen: set[tuple[str, int | None, int | None, str | None]] = set()
    found = []
    for fact in facts:
        ref = _ref(fact)
        if ref is None or ref.offset is None or "$" in ref.symbol:
            continue
        key = (ref.symbol, ref.offset if ref.size is None else None, ref.size, ref.module)
        if key not in seen:
            seen.add(key)
            found.append(PrintedRef(ref, fact))
    return found


def _ref(fact: Fact) -> SymbolRef | None:
    if isinstance(fact, Frame):
        return None if fact.inlined else fact.ref
    if isinstance(fact, Register):
        return fact.ref if fact.name in ("pc", "lr") else None
    return fact.ref if isinstance(fact, Headline | HypPanicAt) else None


def address_pairs(facts: Sequence[Fact], image: KernelImage) -> list[Pair]:
    """Return symbols with the kernel addresses that were printed for them, at EL1; the same pair once.

    An instruction abort at EL1 whose report names PC by its symbol only is a pair too: FAR_EL1 is PC then.
    Frames of EL2 are none: they are printed as link addresses.
    """
    bits = va_bits_of(image, facts)
    found: dict[tuple[str, int | None, str | None, int], Pair] = {}
    for ref, value, fact in (*_direct(facts), *_fetched(facts)):
        address = without_pac(value, bits)
        if ref.offset is not None and is_kernel(address):
            found.setdefault(
                (ref.symbol, ref.offset, ref.module, address), Pair(ref, address, fact)
            )
    return list(found.values())


def _direct(facts: Iterable[Fact]) -> Iterator[tuple[SymbolRef, int, Fact]]:
    for fact in facts:
        if isinstance(fact, Frame):
            if fact.role is not TraceRole.HYP and fact.ref is not None and fact.address is not None:
                yield fact.ref, fact.address, fact
        elif isinstance(fact, Register):
            if fact.name in ("pc", "lr") and fact.ref is not None and fact.value is not None:
                yield fact.ref, fact.value, fact
        elif isinstance(fact, PageTable) and fact.owner == "swapper" and fact.pgd is not None:
            yield _TABLE, fact.pgd, fact


def _fetched(facts: Sequence[Fact]) -> Iterator[tuple[SymbolRef, int, Fact]]:
    """DDI 0487, FAR_EL1: for an Instruction Abort it holds the address that could not be fetched, which is ELR_EL1."""
    syndrome = next((f for f in facts if isinstance(f, Syndrome)), None)
    far = next((f for f in facts if isinstance(f, FaultAddress)), None)
    pc = next((f for f in facts if isinstance(f, Register) and f.name == "pc"), None)
    if syndrome is None or far is None or pc is None or pc.ref is None or pc.value is not None:
        return
    if syndrome.place is SyndromePlace.HYP_PANIC or not syndrome.complete:
        return
    esr = decode_esr(syndrome.esr)
    if esr.is_instruction_abort and esr.same_el and esr.far_valid is not False:
        yield pc.ref, far.va, far


def va_bits_of(image: KernelImage, facts: Iterable[Fact]) -> int:
    """Return the width of kernel addresses: as printed, else as the image's link address tells it.

    The image is linked at the bottom of the kernel's half of the address space (up to 5.3) or in its middle (5.4).
    """
    for fact in facts:
        if isinstance(fact, PageTable) and fact.va_bits:
            return fact.va_bits
    ones = 64 - (~image.base & (1 << 64) - 1).bit_length()
    return next((bits for bits in (64 - ones + 1, 64 - ones) if bits in _KNOWN_VA_BITS), 48)


def without_pac(address: int, va_bits: int) -> int:
    """Return a kernel address without tag and PAC; others as they are."""
    return strip_pac(address, va_bits) if address >> 55 & 1 else address
