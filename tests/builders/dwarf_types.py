"""C types of DWARF in words: names of types, members of structures with their offsets. By pyelftools."""

from collections.abc import Iterator
from typing import NamedTuple

from elftools.dwarf.die import DIE

_WRAPPERS = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_atomic_type")
STRUCTS = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union"}


class Leaf(NamedTuple):
    """A member that is no structure itself."""

    path: str
    type: str
    begin: int
    size: int


def type_of(die: DIE | None) -> DIE | None:
    if die is None or "DW_AT_type" not in die.attributes:
        return None
    found: DIE = die.get_DIE_from_attribute("DW_AT_type")
    return found


def bare(die: DIE | None) -> DIE | None:
    while die is not None and die.tag in _WRAPPERS:
        die = type_of(die)
    return die


def origin_of(die: DIE) -> DIE:
    while "DW_AT_abstract_origin" in die.attributes:
        found = die.get_DIE_from_attribute("DW_AT_abstract_origin")
        assert found is not None
        die = found
    return die


def enclosing_function(die: DIE) -> DIE:
    while die.tag == "DW_TAG_lexical_block":
        outer = die.get_parent()
        assert outer is not None
        die = outer
    return origin_of(die)


def name_of(die: DIE) -> str:
    return (
        str(die.attributes["DW_AT_name"].value.decode()) if "DW_AT_name" in die.attributes else ""
    )


def type_name(die: DIE | None) -> str:
    """Return a type in C, without qualifiers."""
    if die is None:
        return "void"
    if die.tag in {"DW_TAG_const_type", "DW_TAG_volatile_type"}:
        return type_name(type_of(die))
    if die.tag == "DW_TAG_pointer_type":
        pointee = type_name(type_of(die))
        return pointee + ("*" if pointee.endswith("*") else " *")
    if die.tag == "DW_TAG_subroutine_type":
        return "function"
    word = STRUCTS.get(str(die.tag)) or ("enum" if die.tag == "DW_TAG_enumeration_type" else "")
    return f"{word} {name_of(die)}".strip()


def _size(die: DIE | None) -> int:
    die = bare(die)
    if die is None:
        return 0
    if die.tag == "DW_TAG_array_type":
        return _size(type_of(die)) * max(_length(die), 0)
    return (
        int(die.attributes["DW_AT_byte_size"].value) if "DW_AT_byte_size" in die.attributes else 0
    )


def _length(die: DIE) -> int:
    """Return the number of elements of an array; of several dimensions the product."""
    total = 1
    for child in die.iter_children():
        if child.tag == "DW_TAG_subrange_type":
            bound = child.attributes.get("DW_AT_upper_bound")
            count = child.attributes.get("DW_AT_count")
            total *= count.value if count else (bound.value + 1 if bound else 0)
    return total


def leaves(die: DIE, path: str, begin: int) -> Iterator[Leaf]:
    """Yield the members of a structure that are no structures; of arrays the first 64 elements."""
    for member in die.iter_children():
        if member.tag != "DW_TAG_member" or "DW_AT_data_bit_offset" in member.attributes:
            continue
        place = member.attributes.get("DW_AT_data_member_location")
        where = f"{path}.{name_of(member)}".strip(".") if name_of(member) else path
        yield from _leaf(type_of(member), where, begin + (place.value if place else 0))


def _leaf(die: DIE | None, path: str, begin: int) -> Iterator[Leaf]:
    naked = bare(die)
    if naked is not None and naked.tag in STRUCTS:
        yield from leaves(naked, path, begin)
    elif naked is not None and naked.tag == "DW_TAG_array_type":
        element = type_of(naked)
        n_dimensions = sum(c.tag == "DW_TAG_subrange_type" for c in naked.iter_children())
        if n_dimensions == 1:
            for i in range(min(_length(naked), 64)):
                yield from _leaf(element, f"{path}[{i}]", begin + i * _size(element))
    else:
        yield Leaf(path, type_name(die), begin, _size(die))
