"""Which table a branch goes through, told from what the value in its register is made of.

The forms are those that compilers emit for a switch, a computed goto and calls through arrays. Measured with clang 14
and 19 and GCC 11 and 12, `-mcmodel=tiny` and `large` and with BTI; the two of LLVM 7 and older from the listing of a
kernel built with clang 5 and from LLVM's `AArch64ISelLowering` (from memory).
"""

from typing import NamedTuple

from whypanic.arch.insn.record import MASK_64, signed
from whypanic.code.register_values import Loaded, Sum, Term
from whypanic.model.image import TableEntryKind

POINTER_BYTES = 8


class TableForm(NamedTuple):
    """A table and how an entry of it becomes an address."""

    table: int
    entry_bytes: int
    kind: TableEntryKind
    base: int | None
    signed_bits: int | None
    """Entries are two's complement of so many bits; None: unsigned."""
    shift: int
    """An entry counts units of 1 << shift bytes."""
    load: int
    """Number of the word that loads the entry."""
    picked_by: Term
    places: frozenset[int]

    def target(self, raw: int) -> int:
        """Return the address that the bits of an entry stand for."""
        if self.base is None:
            return raw
        value = raw if self.signed_bits is None else signed(raw, self.signed_bits)
        return (self.base + (value << self.shift)) & MASK_64


def table_form(value: Sum) -> TableForm | None:
    """Return the table that a branch's target comes from; None where it comes from none."""
    if len(value.terms) != 1:
        return None
    term = value.terms[0]
    loaded = term.atom
    if not isinstance(loaded, Loaded):
        return None
    address = loaded.address
    if len(address.terms) != 1 or not address.constant:
        return None
    index = address.terms[0]
    if 1 << index.shift != loaded.size:
        return None
    plain = term.extend is None and not term.shift
    if loaded.size == POINTER_BYTES:
        if value.constant or not plain:
            return None
        kind, base, bits = TableEntryKind.ABSOLUTE, None, None
    else:
        if not value.constant:
            return None
        kind, base, bits = TableEntryKind.RELATIVE, value.constant, _signed_bits(loaded, term)
    return TableForm(
        table=address.constant,
        entry_bytes=loaded.size,
        kind=kind,
        base=base,
        signed_bits=bits,
        shift=term.shift,
        load=loaded.place,
        picked_by=index,
        places=value.places,
    )


def _signed_bits(loaded: Loaded, term: Term) -> int | None:
    if loaded.signed:
        return loaded.size * 8
    if term.extend is not None and term.extend[0] == "s":
        return {"b": 8, "h": 16, "w": 32}[term.extend[3]]
    return None


_BOUNDED = "switch through addresses, LLVM up to 7, or a computed goto behind a compare"
_WIDTHS = {1: "byte", 2: "half", 4: "word"}


def idiom_of(form: TableForm, *, call: bool, in_function: bool, bounded: bool) -> str:
    """Return who emits a table of this form, and for what."""
    if form.kind is TableEntryKind.ABSOLUTE:
        if call or not in_function:
            return "array of function addresses"
        return _BOUNDED if bounded else "computed goto"
    width = _WIDTHS.get(form.entry_bytes, str(form.entry_bytes))
    if form.base == form.table:
        return f"LLVM {width}, relative to the table"
    producer = "GCC" if form.shift == 2 and form.signed_bits is not None else "LLVM"
    return f"{producer} {width}, relative to a label"
