"""Bit fields of a register value: how a layout is written down, and how a value is cut by it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

RES0 = "RES0"
"""Name of every field that no layout row claims, and of rows that the manual itself reserves."""

Meanings = str | Mapping[int, str] | Callable[[int], str]
"""What a field's value means: one text for all values, a table, or a function of the value."""


class Field(NamedTuple):
    """One field of one value. `lo` is the bit position of its lowest bit."""

    name: str
    lo: int
    width: int
    value: int
    meaning: str


class FieldSpec(NamedTuple):
    """One row of a layout."""

    name: str
    lo: int
    width: int
    meanings: Meanings = ""


def bits(value: int, lo: int, width: int = 1) -> int:
    """Return bits [lo+width-1:lo] of a value, shifted down."""
    return value >> lo & (1 << width) - 1


def meaning_of(spec: FieldSpec, value: int) -> str:
    """Return the words for one field value; a value that the table lacks is named as unknown."""
    meanings = spec.meanings
    if isinstance(meanings, str):
        return meanings
    if callable(meanings):
        return meanings(value)
    return meanings.get(value, f"unknown or reserved value {value:#x}")


def reserved_field(lo: int, width: int, value: int) -> Field:
    """Return a reserved field; set bits are said (`res0_set`), never an error."""
    return Field(RES0, lo, width, value, "res0_set: reserved bits are set" if value else "reserved")


def split_fields(value: int, specs: tuple[FieldSpec, ...], width: int = 64) -> tuple[Field, ...]:
    """Return the fields of a value, most significant first; every bit belongs to exactly one.

    :param value: taken modulo 2^width.
    :param specs: rows that do not overlap, in any order; bits that no row names become RES0 fields.
    """
    found: list[Field] = []
    top = width
    for spec in sorted(specs, key=lambda row: row.lo, reverse=True):
        end = spec.lo + spec.width
        if end < top:
            found.append(reserved_field(end, top - end, bits(value, end, top - end)))
        raw = bits(value, spec.lo, spec.width)
        if spec.name == RES0:
            found.append(reserved_field(spec.lo, spec.width, raw))
        else:
            found.append(Field(spec.name, spec.lo, spec.width, raw, meaning_of(spec, raw)))
        top = spec.lo
    if top:
        found.append(reserved_field(0, top, bits(value, 0, top)))
    return tuple(found)


def set_reserved(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the reserved fields in which bits are set."""
    return tuple(field for field in fields if field.name == RES0 and field.value)
