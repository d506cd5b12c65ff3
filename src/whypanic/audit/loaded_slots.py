"""Loads of eight bytes whose address the code makes, and the absolute slots that they may pick from."""

from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from whypanic.audit.absolute_slots import Slots
from whypanic.audit.function_code import BEFORE_FIRST, FunctionCode
from whypanic.audit.view import AuditView
from whypanic.code.flow import ENTRY, Flow
from whypanic.code.masks import MASKS, field
from whypanic.code.register_values import RegisterValues, Sum, Term, Unknown

_MAX_DEFINITIONS = 8
_MAX_STEPS, _MAX_WAYS = 8, 4
_MAX_BUDGET = 20_000
"""Steps of one function through values that depend on the way."""
_STACK = ("sp", "x29")
_ZERO = 31
_MASK = (1 << 64) - 1
_MAX_EMPTY = 16
"""The same where no symbol says that the slot still is in the table."""


class Access(NamedTuple):
    """A load of eight bytes, and where from."""

    place: int
    register: str
    address: int
    """Constant part of the address."""
    terms: tuple[Term, ...]
    """What is added to it; () where the address is constant."""
    places: frozenset[int]

    @property
    def is_table(self) -> bool:
        """Whether it picks one of many consecutive pointers."""
        return len(self.terms) == 1 and self.terms[0].shift == 3


_KEPT: WeakKeyDictionary[AuditView, dict[tuple[int, int, bool], tuple[Access, ...]]] = (
    WeakKeyDictionary()
)


def accesses_of(view: AuditView, code: FunctionCode) -> tuple[Access, ...]:
    """Return the loads of eight bytes in a function whose address has a constant part, by place."""
    kept = _KEPT.setdefault(view, {})
    key = (code.span.first, code.span.end, bool(code.patched))
    if key not in kept:
        kept[key] = tuple(_accesses(code))
    return kept[key]


def _accesses(code: FunctionCode) -> Iterator[Access]:
    flow, values, budget = code.flow, code.values, [_MAX_BUDGET]
    words = np.array(flow.words, np.uint32)
    wide = (words & np.uint32(0xBB000000)) == np.uint32(0xB8000000)  # registers of 64 bits, one
    wide |= (words & np.uint32(0xBB000000)) == np.uint32(0xB9000000)
    wide &= field(words, 30, 1) == 1
    wide |= (words & np.uint32(0xFE400000)) == np.uint32(0xA8400000)  # LDP of X registers
    for place in np.flatnonzero(wide).tolist():
        if not flow.is_code(place):
            continue
        memory = flow.insn(place).memory
        if (
            memory is None
            or not memory.load
            or memory.size != 8
            or memory.fp
            or memory.base == "pc"
        ):
            continue
        for address in _addresses(values, place, budget):
            if not address.constant:
                continue
            for n, register in enumerate(memory.data):
                if register != "xzr":
                    yield Access(
                        place,
                        register,
                        address.constant + 8 * n,
                        address.terms,
                        address.places | {place},
                    )


def _addresses(values: RegisterValues, place: int, budget: list[int]) -> Iterator[Sum]:
    """Yield the addresses that a load may have: one for each value of its base that some way brings."""
    flow = values.flow
    memory = flow.insn(place).memory
    assert memory is not None
    index: Sum | None = None
    if memory.index is not None:
        index = values.before(memory.index, place)
        if index.terms or not index.constant:
            # Of an index only that it is one counts, and how it is scaled.
            shift = memory.shift
            if len(index.terms) == 1 and not index.constant:
                shift += index.terms[0].shift
            index = Sum(0, (Term(Unknown(memory.index, place), None, shift),), index.places)
    bases = flow.definitions(memory.base, place)
    for definition in bases[:_MAX_DEFINITIONS]:
        if definition == ENTRY:
            continue
        base = values.made(memory.base, definition)
        found = [base]
        if base.terms:
            found += _some_values(values, memory.base, definition, budget)
        for value in found:
            constant = value.constant
            if memory.writeback != "post":
                constant += memory.offset
            terms, places = value.terms, value.places
            if index is not None:
                constant += index.constant << memory.shift if not index.terms else 0
                terms, places = (*terms, *index.terms), places | index.places
            yield Sum(constant & _MASK, terms, places)


class _Step(NamedTuple):
    """A register, or slot of the stack, that a value is made of by adding to it."""

    source: str
    amount: int = 0
    terms: tuple[Term, ...] = ()


def _some_values(
    values: RegisterValues,
    register: str,
    definition: int,
    budget: list[int],
    seen: frozenset[tuple[str, int]] = frozenset(),
) -> Iterator[Sum]:
    """Yield the addresses that a word may make of others, where ways that meet before it bring different ones.

    :param budget: one number, of steps left.
    """
    budget[0] -= 1
    key = (register, definition)
    if definition == ENTRY or key in seen or len(seen) >= _MAX_STEPS or budget[0] < 0:
        return
    if register[0] != "[":
        made = values.made(register, definition)
        if not made.terms:
            yield made
            return
    flow = values.flow
    step = _step_before(flow, register, definition)
    if step is None:
        return
    for earlier in flow.definitions(step.source, definition)[:_MAX_WAYS]:
        for value in _some_values(values, step.source, earlier, budget, seen | {key}):
            if value.terms and step.terms:
                continue
            constant = (value.constant + step.amount) & _MASK
            yield Sum(constant, value.terms + step.terms, value.places | {definition})


def _step_before(flow: Flow, register: str, definition: int) -> _Step | None:
    """Return what a word makes a value of; None where that is no sum."""
    if register[0] == "[":
        stored = flow.stored(register).get(definition, "?")
        return None if stored == "?" else _Step(stored)
    insn = flow.insn(definition)
    memory, word = insn.memory, insn.word
    if memory is not None:
        plain = memory.load and memory.size == 8 and memory.index is None and not memory.writeback
        if not plain or memory.base not in _STACK or memory.n_elements != 1:
            return None
        return _Step(f"[{memory.base}{memory.offset:+d}]")
    if insn.is_32bit or not insn.reads:
        return None
    if insn.mnemonic in ("add", "sub") and insn.immediate is not None:
        return _Step(insn.reads[0], insn.immediate if insn.mnemonic == "add" else -insn.immediate)
    if MASKS["mov"].fits(word):
        return _Step(insn.reads[0])
    shift = None
    if MASKS["add x shifted"].fits(word):
        shift = word >> 10 & 63
    elif MASKS["add x extended"].fits(word):
        shift = word >> 10 & 7
    if shift is None or _ZERO in (word >> 5 & 31, word >> 16 & 31):
        return None
    index = Unknown(f"x{word >> 16 & 31}", definition)
    return _Step(f"x{word >> 5 & 31}", 0, (Term(index, None, shift),))


class Pointers(NamedTuple):
    """The slots that a load picks from."""

    first: int
    places: tuple[int, ...]


def pointers_at(view: AuditView, access: Access, slots: Slots) -> Pointers | None:
    """Return the absolute slots that a load may pick; None where it picks none."""
    first = access.address
    if not access.is_table:
        return Pointers(first, (first,)) if slots.has(first) else None
    end = _end_of_table(view, first)
    near = slots.within(first, end).places.tolist()
    if not near or (near[0] - first > _MAX_EMPTY and not _is_sized(view, first)):
        return None
    return Pointers(first, tuple(near))


def _is_sized(view: AuditView, address: int) -> bool:
    symbol = view.image.symbols.at(address)
    return symbol is not None and symbol.address <= address < symbol.end


def _end_of_table(view: AuditView, first: int) -> int:
    limit = first + BEFORE_FIRST
    symbols = view.image.symbols
    symbol = symbols.at(first)
    if symbol is not None and symbol.size and symbol.address <= first < symbol.end:
        return min(symbol.end, first + 8 * 4096)
    after = int(np.searchsorted(symbols.addresses, np.uint64(first), side="right"))
    if after < len(symbols):
        limit = min(limit, int(symbols.addresses[after]))
    return max(limit, first + 8)
