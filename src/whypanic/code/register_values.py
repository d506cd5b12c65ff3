"""What a register of a function holds, as a sum of a constant, loaded values and values that are not known.

A value is only given where every way to the instruction agrees on it.
"""

from collections.abc import Callable
from typing import NamedTuple

from whypanic.arch.insn import Insn
from whypanic.arch.insn.record import MASK_32, MASK_64, signed
from whypanic.code.flow import ENTRY, Flow

_MAX_DEPTH = 24
_MAX_DEFINITIONS = 16
_MAX_TERMS = 3

_STACK = ("sp", "x29")

ConstantReader = Callable[[int], int | None]
"""Address of an eight-byte slot that no code changes -> what it holds, or None where it is not such a slot."""


class Unknown(NamedTuple):
    """A value that is not followed further."""

    register: str
    place: int
    """Number of the word that made it; ENTRY."""


class Loaded(NamedTuple):
    """A value loaded from memory."""

    address: "Sum"
    size: int
    signed: bool
    place: int


class Term(NamedTuple):
    """One summand that is not constant: extended, then shifted left."""

    atom: Unknown | Loaded
    extend: str | None = None
    """uxtb..sxtw; None: all 64 bits."""
    shift: int = 0


class Sum(NamedTuple):
    """Constant plus terms, modulo 2^64."""

    constant: int
    terms: tuple[Term, ...] = ()
    places: frozenset[int] = frozenset()
    """Numbers of the words that it was made by."""


_EXTENDS = ("uxtb", "uxth", "uxtw", None, "sxtb", "sxth", "sxtw", None)
"""By the option field of ADD (extended register); UXTX and SXTX change nothing."""
_UBFM_EXTENDS = {(0, 7): "uxtb", (0, 15): "uxth", (0, 31): "uxtw"}
_SBFM_EXTENDS = {(0, 7): "sxtb", (0, 15): "sxth", (0, 31): "sxtw"}


def same_shape(a: Sum, b: Sum) -> bool:
    """Tell whether two sums are equal, whatever their unknown values are."""
    return (
        a.constant == b.constant
        and len(a.terms) == len(b.terms)
        and all(_same_term(x, y) for x, y in zip(a.terms, b.terms, strict=True))
    )


def _same_term(a: Term, b: Term) -> bool:
    if a.shift != b.shift:
        return False
    if isinstance(a.atom, Loaded) and isinstance(b.atom, Loaded):
        return (
            a.extend == b.extend
            and (a.atom.size, a.atom.signed) == (b.atom.size, b.atom.signed)
            and same_shape(a.atom.address, b.atom.address)
        )
    return not isinstance(a.atom, Loaded) and not isinstance(b.atom, Loaded)


class RegisterValues:
    """Values of one function's registers, worked out when asked for."""

    def __init__(self, flow: Flow, constant: ConstantReader) -> None:
        self.flow = flow
        self._constant = constant
        self._made: dict[tuple[int, str], Sum] = {}
        self._depth = 0

    def before(self, register: str, place: int) -> Sum:
        """Return the value of a register before a word."""
        if register == "xzr":
            return Sum(0)
        unknown = Sum(0, (Term(Unknown(register, place)),))
        if self._depth > _MAX_DEPTH:
            return unknown
        definitions = self.flow.definitions(register, place)
        if not 0 < len(definitions) <= _MAX_DEFINITIONS:
            return unknown
        found = [self.made(register, definition) for definition in definitions]
        if any(not same_shape(found[0], other) for other in found[1:]):
            return unknown
        if len(found) == 1:
            return found[0]
        return found[0]._replace(places=frozenset().union(*(f.places for f in found)))

    def made(self, register: str, definition: int) -> Sum:
        """Return the value that one word gives a register."""
        key = (definition, register)
        kept = self._made.get(key)
        if kept is not None:
            return kept
        unknown = Sum(0, (Term(Unknown(register, definition)),))
        self._made[key] = unknown  # for a value made from itself, around a loop
        if definition == ENTRY:
            return unknown
        insn = self.flow.insn(definition)
        self._depth += 1
        made: Sum | None = None
        if register[0] == "[":
            stored = self.flow.stored(register)[definition]
            made = None if stored == "?" else self.before(stored, definition)
        elif register in _results(insn):
            made = self._evaluate(insn, definition)
        self._depth -= 1
        if made is None or len(made.terms) > _MAX_TERMS:
            made = unknown
        made = made._replace(places=made.places | {definition})
        self._made[key] = made
        return made

    def _evaluate(self, insn: Insn, place: int) -> Sum | None:
        name, word = insn.mnemonic, insn.word
        if name in ("adr", "adrp"):
            pc = self.flow.address(place)
            return Sum(((pc & ~0xFFF if name == "adrp" else pc) + (insn.immediate or 0)) & MASK_64)
        if name in ("movz", "movn"):
            return Sum((insn.immediate or 0) & MASK_64)
        if insn.memory is not None:
            return self._load(insn, place)
        if name == "orr" and word >> 5 & 31 == 31:
            if insn.immediate is not None:
                return Sum(insn.immediate & MASK_64)
            if not word >> 10 & 63:
                moved = self.before(_x(word >> 16), place)
                return _extended(moved, "uxtw") if insn.is_32bit else moved
        if name == "movk":
            base = self.before(insn.writes[0], place)
            at = 16 * (word >> 21 & 3)
            if base.terms:
                return None
            value = base.constant & ~(0xFFFF << at) | (word >> 5 & 0xFFFF) << at
            return Sum(value & (MASK_32 if insn.is_32bit else MASK_64), (), base.places)
        if insn.is_32bit:
            return None
        if name in ("add", "sub") and insn.immediate is not None:
            base = self.before(insn.reads[0], place)
            amount = insn.immediate if name == "add" else -insn.immediate
            return base._replace(constant=(base.constant + amount) & MASK_64)
        if name == "add":
            return self._add(word, place)
        if name in ("ubfm", "sbfm"):
            return self._bit_field(word, place, is_signed=name == "sbfm")
        return None

    def _add(self, word: int, place: int) -> Sum | None:
        second = self._operand(_x(word >> 16), place)
        if word >> 21 & 1:
            base = self._operand("sp" if word >> 5 & 31 == 31 else _x(word >> 5), place)
            extended = _extended(second, _EXTENDS[word >> 13 & 7])
            shifted = None if extended is None else _shifted(extended, word >> 10 & 7)
        else:
            base = self._operand(_x(word >> 5), place)
            shifted = None if word >> 22 & 3 else _shifted(second, word >> 10 & 63)
        return None if shifted is None else _added(base, shifted)

    def _operand(self, register: str, place: int) -> Sum:
        """Return the value of one of two summands; an index less its lowest value is not taken apart.

        The constant of a sum must be the address of the table or label alone.
        """
        value = self.before(register, place)
        if value.terms and value.constant:
            return Sum(0, (Term(Unknown(register, place)),))
        return value

    def _bit_field(self, word: int, place: int, *, is_signed: bool) -> Sum | None:
        immr, imms = word >> 16 & 63, word >> 10 & 63
        source = self.before(_x(word >> 5), place)
        extends = _SBFM_EXTENDS if is_signed else _UBFM_EXTENDS
        if (immr, imms) in extends:
            return _extended(source, extends[immr, imms])
        if immr <= imms:
            return None
        # LSL, UBFIZ, SBFIZ: the low imms + 1 bits to bit 64 - immr.
        shift, width = 64 - immr, imms + 1
        if width + shift == 64 and not is_signed:
            return _shifted(source, shift)
        extend = extends.get((0, imms))
        extended = None if extend is None else _extended(source, extend)
        return None if extended is None else _shifted(extended, shift)

    def _load(self, insn: Insn, place: int) -> Sum | None:
        memory = insn.memory
        plain = memory is not None and memory.load and not (memory.store or memory.fp or memory.tag)
        if memory is None or not plain or memory.n_elements != 1 or memory.exclusive:
            return None
        if insn.mnemonic[:5] in ("ldraa", "ldrab") or memory.size > 8:
            return None
        if memory.base == "pc":
            address: Sum | None = Sum((self.flow.address(place) + memory.offset) & MASK_64)
        else:
            address = self.before(memory.base, place)
            if memory.writeback != "post":
                moved = (address.constant + memory.offset) & MASK_64
                address = address._replace(constant=moved)
        if memory.index is not None and address is not None:
            index = self._operand(memory.index, place)
            extend = memory.extend if memory.extend in ("uxtw", "sxtw") else None
            extended = _extended(index, extend)
            if extended is None:
                extended = Sum(0, (Term(Unknown(memory.index, place), extend),))
            shifted = _shifted(extended, memory.shift)
            address = None if shifted is None else _added(address, shifted)
        if address is None:
            return None
        if not address.terms and memory.size == 8:
            value = self._constant(address.constant)
            if value is not None:
                return Sum(value, (), address.places)
        if memory.size == 8 and memory.base in _STACK and memory.index is None:
            slot = f"[{memory.base}{memory.offset:+d}]"
            if not memory.writeback and self.flow.keeps_slot(slot, memory.base, place):
                held = self.before(slot, place)
                if not held.terms:
                    return held
        loaded = Loaded(address, memory.size, memory.signed, place)
        return Sum(0, (Term(loaded),), address.places)


def _results(insn: Insn) -> tuple[str, ...]:
    """Return the registers whose value is the instruction's result: not a base that is stepped."""
    if insn.memory is not None:
        return insn.memory.data if insn.memory.load else ()
    return () if insn.branch is not None else insn.writes


def _x(number: int) -> str:
    return "xzr" if number & 31 == 31 else f"x{number & 31}"


def _extended(value: Sum, extend: str | None) -> Sum | None:
    """Return a value extended from some of its low bits; None where that is no sum of this form."""
    if extend is None:
        return value
    bits = {"b": 8, "h": 16, "w": 32}[extend[3]]
    if not value.terms:
        low = value.constant & ((1 << bits) - 1)
        return value._replace(constant=(signed(low, bits) if extend[0] == "s" else low) & MASK_64)
    if value.constant or len(value.terms) != 1:
        return None
    term = value.terms[0]
    if term.extend is None and not term.shift:
        narrow = (
            isinstance(term.atom, Loaded) and term.atom.size * 8 < bits and not term.atom.signed
        )
        return value if narrow else value._replace(terms=(term._replace(extend=extend),))
    inner = 64 if term.extend is None else {"b": 8, "h": 16, "w": 32}[term.extend[3]]
    fits = not term.shift and term.extend is not None and term.extend[0] == "u" and inner < bits
    same = term.extend == extend and not term.shift
    return value if fits or same else None


def _shifted(value: Sum, shift: int) -> Sum | None:
    terms = tuple(term._replace(shift=term.shift + shift) for term in value.terms)
    return value._replace(constant=value.constant << shift & MASK_64, terms=terms)


def _added(a: Sum, b: Sum) -> Sum | None:
    if len(a.terms) + len(b.terms) > _MAX_TERMS:
        return None
    return Sum((a.constant + b.constant) & MASK_64, a.terms + b.terms, a.places | b.places)
