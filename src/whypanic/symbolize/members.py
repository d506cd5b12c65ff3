"""What lies at an offset of a C type: members, elements of arrays, bit-fields, every alternative of a union.

Types are drgn's; their sizes and offsets come from DWARF, which may be hostile: depth and counts are bounded.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from whypanic.symbolize.debug_info import Member

if TYPE_CHECKING:
    from drgn import Type, TypeMember

_MAX_DEPTH = 24
_MAX_VISITS = 2000
"""Types looked into for one answer: unions of unions multiply."""
_MAX_FOUND = 16
_MAX_NAME = 200
_WIDEST_BIT_FIELD = 128

_STRUCTURES = frozenset({"STRUCT", "UNION", "CLASS"})
_SCALARS = frozenset({"INT", "BOOL", "FLOAT", "ENUM", "POINTER"})


class Layout:
    """A type of the debug information, and what its bytes mean."""

    def __init__(self, type_: "Type") -> None:
        self._type = type_

    def __repr__(self) -> str:
        return f"Layout({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, int]:
        return self.name, self.size

    @property
    def name(self) -> str:
        """`struct foo *`, as C would write it."""
        return _type_name(self._type)

    @property
    def size(self) -> int:
        """Bytes; 0 where it is not known, as for void and incomplete structures."""
        return _size(self._type)

    @property
    def is_pointer(self) -> bool:
        return _kind(self._type) == "POINTER"

    @property
    def pointee(self) -> "Layout | None":
        """What it points to; None for what is no pointer."""
        plain = _plain(self._type)
        return Layout(plain.type) if _kind(plain) == "POINTER" else None

    @property
    def structure(self) -> str | None:
        """`struct foo` where it is a structure or union; `struct <anonymous>` where it has no name."""
        plain = _plain(self._type)
        if _kind(plain) not in _STRUCTURES:
            return None
        if plain.tag is None:
            name = _type_name(self._type.unqualified())
            return name if "{" not in name else f"{_kind(plain).lower()} <anonymous>"
        return f"{_kind(plain).lower()} {plain.tag}"[:_MAX_NAME]

    def members(self, offset: int, n_bytes: int = 0) -> tuple[Member, ...]:
        """Return what lies at an offset; see `members_at`."""
        return members_at(self._type, offset, n_bytes)


def members_at(type_: "Type", offset: int, n_bytes: int = 0) -> tuple[Member, ...]:
    """Return what lies at an offset of a type, exact ones first; () before its begin and behind its end.

    An access that covers a whole structure or array inside the type is answered with that one first where no scalar
    fits exactly. Of a type that is no structure the path is empty, and its own type is named.

    :param n_bytes: size of the access; 0: not known, and whatever begins at the offset is exact.
    :return: every alternative of a union; for padding one member without path and type.
    """
    name = Layout(type_).structure or _type_name(type_)
    try:
        if offset < 0 or (offset >= _size(type_) and not _has_open_end(type_)):
            return ()
        found = list(_Search(name, n_bytes).visit(type_, "", offset, 0, named=False))
    except Exception:
        # The types of members are read here, and drgn raises a bare Exception where they are damaged.
        return ()
    if not found:
        return (Member(name, "", "", exact=False),)
    found.sort(key=lambda member: not member.exact)
    return tuple(dict.fromkeys(found))[:_MAX_FOUND]


class _Search:
    """One walk down a type."""

    def __init__(self, name: str, n_bytes: int) -> None:
        self.name = name
        self.n_bytes = n_bytes
        self.n_visits = 0

    def visit(
        self, type_: "Type", path: str, offset: int, depth: int, *, named: bool = True
    ) -> Iterator[Member]:
        """Yield what lies at an offset of the type at `path`; a member without a name is never the answer itself."""
        plain = _plain(type_)
        kind = _kind(plain)
        self.n_visits += 1
        if depth > _MAX_DEPTH or self.n_visits > _MAX_VISITS:
            return
        if kind in _SCALARS:
            exact = offset == 0 and self.n_bytes in (0, _size(plain))
            yield self._member(type_, path, exact=exact)
            return
        inner: list[Member] = []
        if kind in _STRUCTURES:
            inner = list(self._structure(plain, path, offset, depth))
        elif kind == "ARRAY":
            element = _size(plain.type)
            if element:
                i, rest = divmod(offset, element)
                inner = list(self.visit(plain.type, f"{path}[{i}]", rest, depth + 1))
        is_whole = named and offset == 0 and self.n_bytes > 0 and self.n_bytes == _size(plain)
        if is_whole and not any(member.exact for member in inner):
            yield self._member(type_, path, exact=True)
        yield from inner

    def _structure(self, plain: "Type", path: str, offset: int, depth: int) -> Iterator[Member]:
        members = plain.members or ()
        last = len(members) - 1 if _kind(plain) != "UNION" else -1
        for i in _candidates(members, offset, self.n_bytes, is_union=_kind(plain) == "UNION"):
            member = members[i]
            here = f"{path}.{member.name}" if path and member.name else member.name or path
            begin = member.bit_offset // 8
            if member.bit_field_size:
                yield from self._bit_field(member, here, offset)
                continue
            inside = begin <= offset < begin + _size(member.type)
            if inside or (i == last and begin <= offset and _has_open_end(member.type)):
                named = bool(member.name)
                yield from self.visit(member.type, here, offset - begin, depth + 1, named=named)

    def _bit_field(self, member: "TypeMember", path: str, offset: int) -> Iterator[Member]:
        """Compilers read a bit-field through any bytes that hold it: it is never exact."""
        first, n_bits = member.bit_offset, member.bit_field_size or 0
        if (
            member.name
            and first < (offset + max(self.n_bytes, 1)) * 8
            and offset * 8 < first + n_bits
        ):
            words = f"{_type_name(member.type)} : {n_bits}"
            yield Member(
                self.name, path[:_MAX_NAME], words, exact=False, layout=Layout(member.type)
            )

    def _member(self, type_: "Type", path: str, *, exact: bool) -> Member:
        return Member(
            self.name,
            path[:_MAX_NAME],
            _type_name(type_),
            exact,
            is_function_pointer=_is_function_pointer(type_),
            layout=Layout(type_),
        )


def _candidates(
    members: "Sequence[TypeMember]", offset: int, n_bytes: int, *, is_union: bool
) -> list[int]:
    """Return the numbers of members that may hold an offset, without looking at the types of all.

    Members of a structure follow each other, so that one that begins behind another ends it.
    """
    first, end = offset * 8, (offset + max(n_bytes, 1)) * 8
    begins = [member.bit_offset for member in members]
    before = [begin for begin in begins if begin <= first]
    nearest = 0 if is_union or not before else max(before) // 8 * 8
    lowest = max(nearest - _WIDEST_BIT_FIELD, 0)
    return [i for i, begin in enumerate(begins) if lowest <= begin < end]


def _is_function_pointer(type_: "Type") -> bool:
    plain = _plain(type_)
    return _kind(plain) == "POINTER" and _kind(plain.type) == "FUNCTION"


def _has_open_end(type_: "Type") -> bool:
    """Tell whether it ends in an array without a length, `slots[]` or the older `slots[0]`."""
    plain = _plain(type_)
    for _ in range(_MAX_DEPTH):
        if _kind(plain) == "ARRAY":
            return not plain.length
        if _kind(plain) not in _STRUCTURES or not plain.members:
            return False
        if _kind(plain) == "UNION":
            return False
        plain = _plain(plain.members[-1].type)
    return False


def _plain(type_: "Type") -> "Type":
    """Return the type behind typedefs, without qualifiers."""
    for _ in range(_MAX_DEPTH):
        if type_.kind.name != "TYPEDEF":
            break
        type_ = type_.type
    return type_.unqualified()


def _kind(type_: "Type") -> str:
    """Return STRUCT, POINTER, ... of the type behind typedefs."""
    return str(_plain(type_).kind.name)


def _size(type_: "Type") -> int:
    """Return bytes; 0 for void, functions, incomplete types and arrays without a length."""
    plain, factor = _plain(type_), 1
    for _ in range(_MAX_DEPTH):
        if _kind(plain) != "ARRAY":
            break
        factor *= plain.length or 0
        plain = _plain(plain.type)
    if _kind(plain) == "ENUM":
        plain = plain.type  # None where it is incomplete
    # void, functions and arrays have no such attribute.
    return factor * (getattr(plain, "size", None) or 0)


def _type_name(type_: "Type") -> str:
    """Return the name on one line: the body of a type without a name is left out."""
    name = type_.type_name()
    return name[:_MAX_NAME] if "\n" not in name else f"{name.partition(' {')[0]} <anonymous>"
