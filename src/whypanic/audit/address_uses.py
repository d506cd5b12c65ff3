"""Addresses of the image that a domain's code forms, and what it does with them."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.audit.function_code import FunctionCode, codes_of, relative, spans_of
from whypanic.audit.value_uses import Use, uses_of
from whypanic.audit.view import AuditView, Instructions
from whypanic.code.execution_domains import Domain
from whypanic.code.flow import ENTRY
from whypanic.code.register_values import Sum, Term, Unknown
from whypanic.formats.kernel_image import Addresses

_PAGE = np.uint64(0xFFF)
_FURTHEST = np.uint64(0x8000)
"""How far behind the page of an ADRP a load of eight bytes with an unsigned offset may look."""
MAX_WORDS = 1 << 18
"""Words of one domain whose values are followed: ten times the hyp code of the largest kernel."""
_ESCAPES = (Use.PASSED, Use.STORED, Use.RETURNED)
_MASK_64 = (1 << 64) - 1


class Does(StrEnum):
    LOADS = "loads from"
    STORES = "stores to"
    BRANCHES = "branches to"
    HANDS_ON = "hands on the address of"


class AddressUse(NamedTuple):
    """One instruction that uses an address formed by ADR or ADRP."""

    code: FunctionCode
    place: int
    """Number of the word."""
    does: Does
    target: int
    """Link VA; of an indexed access the constant part."""
    indexed: bool
    """Something that is not known is added."""
    places: frozenset[int]
    """Numbers of the words that the address was made by."""

    @property
    def address(self) -> int:
        """Link VA of the instruction."""
        return self.code.address(self.place)


def formed_addresses(code: Instructions) -> tuple[Addresses, Addresses, NDArray[np.bool_]]:
    """Return places, addresses, and which are pages: of every ADR and ADRP."""
    adr, adrp = code.found("adr"), code.found("adrp")
    pages = (adrp.places & ~_PAGE) + (relative(adrp.words) << 12).astype(np.uint64)
    exact = adr.places + relative(adr.words).astype(np.uint64)
    is_page = np.arange(len(adrp.places) + len(adr.places)) < len(adrp.places)
    return (
        np.concatenate([adrp.places, adr.places]),
        np.concatenate([pages, exact]),
        is_page,
    )


def uses_outside(
    view: AuditView, domain: Domain, inside: tuple[tuple[int, int], ...]
) -> Iterator[AddressUse]:
    """Yield the uses of addresses outside some ranges, function by function.

    At most MAX_WORDS of code. A function is looked at that has an ADR to elsewhere, or an ADRP from whose page
    something elsewhere is in reach.
    """
    places, addresses, is_page = formed_addresses(view.instructions(domain))
    ends = np.where(is_page, addresses + _FURTHEST, addresses + np.uint64(1))
    whole = np.zeros(len(places), np.bool_)
    for first, end in inside:
        whole |= (addresses >= np.uint64(first)) & (ends <= np.uint64(end)) & (ends > addresses)
    n_words = 0
    for span in spans_of(view, domain, np.sort(places[~whole])):
        n_words += (span.end - span.first) // 4
        if n_words > MAX_WORDS:
            break
        for code in codes_of(view, span):
            yield from _uses(code)


def _uses(code: FunctionCode) -> Iterator[AddressUse]:
    flow = code.flow
    words = np.array(flow.words, np.uint32)
    memory = (words & np.uint32(0x0A000000)) == np.uint32(0x08000000)
    branch = (words & np.uint32(0xFE1FF000)) == np.uint32(0xD61F0000)
    branch |= (words & np.uint32(0xFE1FF000)) == np.uint32(0xD63F0000)
    formed = (words & np.uint32(0x1F000000)) == np.uint32(0x10000000)
    makers = frozenset(p for p in np.flatnonzero(formed).tolist() if flow.is_code(p))
    if not makers:
        return
    used: set[int] = set()
    for place in np.flatnonzero(memory | branch).tolist():
        if not flow.is_code(place):
            continue
        for use in (*_accesses(code, place, makers), *_branches(code, place, makers)):
            used |= use.places
            yield use
    yield from _handed_on(code, makers, used)


def _accesses(code: FunctionCode, place: int, makers: frozenset[int]) -> Iterator[AddressUse]:
    memory = code.flow.insn(place).memory
    insn = code.flow.insn(place)
    if memory is None or memory.base in ("pc", "sp", "x29") or insn.mnemonic.startswith("prf"):
        return
    offset = 0 if memory.writeback == "post" else memory.offset
    for base in _values(code, memory.base, place):
        index = None if memory.index is None else code.values.before(memory.index, place)
        indexed = bool(base.terms) or (index is not None and bool(index.terms))
        places, constant = base.places, base.constant + offset
        if index is not None:
            places |= index.places
            if not index.terms:
                constant += index.constant << memory.shift
        if not places & makers or any(_is_per_cpu(code, t) for t in base.terms):
            continue
        if index is not None and any(_is_per_cpu(code, t) for t in index.terms):
            continue
        does = Does.STORES if memory.store else Does.LOADS
        yield AddressUse(code, place, does, constant & _MASK_64, indexed, places | {place})


def _branches(code: FunctionCode, place: int, makers: frozenset[int]) -> Iterator[AddressUse]:
    branch = code.flow.insn(place).branch
    if branch is None or branch.kind not in ("br", "blr") or branch.register is None:
        return
    for value in _values(code, branch.register, place):
        if not value.terms and value.places & makers:
            yield AddressUse(
                code, place, Does.BRANCHES, value.constant, False, value.places | {place}
            )


def _values(code: FunctionCode, register: str, place: int) -> Iterator[Sum]:
    """Yield what each way brings into a register, entry left out."""
    definitions = code.flow.definitions(register, place)
    for definition in definitions[:8]:
        if definition != ENTRY:
            yield code.values.made(register, definition)


def _is_per_cpu(code: FunctionCode, term: Term) -> bool:
    """Tell whether a summand is what a system register holds: TPIDR_EL2, the offset of this CPU's copy."""
    atom = term.atom
    if not isinstance(atom, Unknown) or atom.place == ENTRY or not 0 <= atom.place < len(code.flow):
        return False
    return code.flow.insn(atom.place).mnemonic == "mrs"


def _handed_on(code: FunctionCode, makers: frozenset[int], used: set[int]) -> Iterator[AddressUse]:
    """Yield addresses that are completed but never accessed here: passed to a call, stored or returned."""
    flow = code.flow
    words = np.array(flow.words, np.uint32)
    adds = (words & np.uint32(0xFF800000)) == np.uint32(0x91000000)
    adrs = (words & np.uint32(0x9F000000)) == np.uint32(0x10000000)
    for place in np.flatnonzero(adds | adrs).tolist():
        if place in used or not flow.is_code(place):
            continue
        insn = flow.insn(place)
        value = code.values.made(insn.writes[0], place) if insn.writes else None
        if value is None or value.terms or not value.places & makers:
            continue
        uses = uses_of(flow, place, insn.writes[0])
        if any(use.kind in _ESCAPES for use in uses):
            yield AddressUse(
                code, place, Does.HANDS_ON, value.constant, False, value.places | {place}
            )
