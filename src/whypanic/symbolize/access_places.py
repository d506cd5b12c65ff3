"""What lies where an access is, seen from a pointer: member, element, padding, in front of it or behind it."""

from typing import NamedTuple

from whypanic.symbolize.access_terms import Term
from whypanic.symbolize.debug_info import Member, TypeLayout

_MAX_NAMED = 4
"""Members listed in one sentence."""
_FARTHEST_ELEMENT = 1 << 16
"""Elements behind the pointer that an access is still said to be an array's."""


class Access(NamedTuple):
    """One access, as seen from a register that takes part in its address."""

    register: str
    value: int
    offset: int | None
    """From that register's value to the address accessed."""
    n_bytes: int
    n_elements: int
    index_words: str | None = None
    """Words about the index register."""


class Place(NamedTuple):
    """What an access is in terms of a pointer."""

    words: str
    member: Member | None = None
    is_inside: bool = False
    is_exact: bool = False


def place_of(access: Access, term: Term) -> Place:
    """Return what lies where the access is, seen from a pointer."""
    pointee, delta = term.pointee, term.delta
    if term.symbol is not None and delta is not None and access.offset is not None:
        mine = "this CPU's " if term.text.startswith("this_cpu_ptr(") else ""
        distance = delta + access.offset
        behind = f" + {distance:#x}" if distance else ""
        return Place(f"the access is to {mine}`{term.symbol}`{behind}", is_inside=True)
    if term.is_integer and access.offset is not None:
        return Place(f"the access is at {_signed_hex(access.offset)} from it")
    if pointee is None or delta is None or access.offset is None:
        return Place("")
    offset = delta + access.offset
    if not pointee.structure:
        return _scalar(access, term.text, pointee, offset)
    here = f"the access at {_signed_hex(offset)}"
    if offset < 0:
        return Place(f"{here} lies before it, in whatever contains that {pointee.structure}")
    members = pointee.members(offset, access.n_bytes)
    if members:
        return _inside(access, term.text, pointee, offset, members)
    if not pointee.size:
        return Place(f"{here} is to a {pointee.structure}, of which the image has no members")
    i, rest = divmod(offset, pointee.size)
    end = f"{here} lies behind the end of that {pointee.structure} ({pointee.size:#x} bytes)"
    inner = pointee.members(rest, access.n_bytes)
    if i > _FARTHEST_ELEMENT or not inner or not inner[0].path:
        return Place(end)
    return Place(f"{end}, where an array would have `{term.text}[{i}].{inner[0].path}`")


def _inside(
    access: Access, text: str, pointee: TypeLayout, offset: int, members: tuple[Member, ...]
) -> Place:
    here, first = f"the access at +{offset:#x}", members[0]
    if not first.path:
        return Place(f"{here} is to padding of {pointee.structure}", None, is_inside=True)
    if not first.exact:
        size = f" of {_bytes(access.n_bytes)}" if access.n_bytes else ""
        named = _listed([f"`{text}->{m.path}` ({m.type})" for m in members])
        return Place(f"{here}{size} is in {named}", first, is_inside=True)
    alternatives = [m for m in members if m.exact]
    size = f", {_bytes(access.n_bytes)}" if access.n_bytes else ""
    named = _listed([f"`{text}->{m.path}` ({m.type}{size})" for m in alternatives])
    also = ""
    if access.n_elements == 2:
        second = pointee.members(offset + access.n_bytes, access.n_bytes)
        also = f", with `{text}->{second[0].path}` behind it" if second and second[0].path else ""
    return Place(f"{here} is {named}{also}", first, is_inside=True, is_exact=True)


def _scalar(access: Access, text: str, pointee: TypeLayout, offset: int) -> Place:
    """Return the element of what is no structure: `*p`, `p[5]`."""
    here = f"the access at {_signed_hex(offset)}"
    if not pointee.size:
        return Place(f"{here} is to something whose type the pointer does not tell")
    i, rest = divmod(offset, pointee.size)
    name = f"*{text}" if i == 0 else f"{text}[{i}]"
    fits = rest == 0 and access.n_bytes in (0, pointee.size)
    if abs(i) > _FARTHEST_ELEMENT:
        return Place(here)
    verb = "is" if fits else "is in"
    words = f"{here} {verb} `{name}` ({pointee.name})"
    return Place(words, None, is_inside=i == 0, is_exact=fits and i == 0)


def _listed(words: list[str]) -> str:
    rest = len(words) - _MAX_NAMED
    shown = words[:_MAX_NAMED]
    if rest > 0:
        return f"{', '.join(shown)} or {rest} more"
    return " or ".join(shown)


def _signed_hex(offset: int) -> str:
    return f"-{-offset:#x}" if offset < 0 else f"+{offset:#x}"


def _bytes(n: int) -> str:
    return "1 byte" if n == 1 else f"{n} bytes"
