"""Variables in scope at a link VA, and the register that holds each, by drgn's evaluation of DWARF locations.

drgn evaluates a location from register values and does not say which registers it used. So every variable is evaluated
for two sets of made-up values that are different for every register: a variable that follows x19 in both is in x19, one
that follows it at a distance is computed from it or lies in memory there. Its value is then evaluated from the given
registers, and is known only when it does not change with those that were not given.

The registers go in as a `struct pt_regs` built here, so that nothing has to be looked up by name, which would make
drgn index all debug information. Types are given an explicit language for the same reason.

Sources: drgn 0.3, `Program.stack_trace()` of a `struct pt_regs`; Linux arch/arm64/include/asm/ptrace.h (regs[31], sp,
pc, pstate).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from whypanic.arch.insn.record import signed
from whypanic.symbolize.debug_info import Member, TypeLayout, Variable
from whypanic.symbolize.members import Layout

if TYPE_CHECKING:
    from drgn import Object, Program, StackFrame, StackTrace

_NAMES = (*(f"x{n}" for n in range(31)), "sp")
_MAX_VARIABLES = 256
"""Of one function."""
_LARGEST_IN_REGISTERS = 64
"""Bytes of the largest structure that is looked through for members in registers."""
_MASK = (1 << 64) - 1
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
"""Odd, so that small multiples differ in every byte."""


class _Value(NamedTuple):
    """A variable evaluated for one set of registers."""

    data: bytes | None = None
    """None: in memory, or absent."""
    number: int | None = None
    address: int | None = None
    """None: not in memory."""


class _Found(NamedTuple):
    function: str
    name: str
    layout: Layout | None
    value: _Value


def variables_at(
    program: "Program",
    pc: int,
    registers: Mapping[str, int],
    offset: int | None = None,
    n_bytes: int = 0,
) -> tuple[Variable, ...] | None:
    """Return variables and parameters in scope at a link VA, innermost inlined function first.

    Those that are optimised out there are left out. Of a small structure that lives in registers, the members that do
    are answered as variables named `whole.member`.

    :param registers: values of x0..x30 and sp before the instruction at `pc`, as far as they are known.
    :param offset: what is asked of pointers: the member at this offset of their pointee; None: nothing.
    :param n_bytes: size of the access there; 0: not known.
    :return: None where the debug information has no function at that address.
    """
    tags = tuple(_tags(multiplier) for multiplier in _MULTIPLIERS)
    known = {name: registers[name] & _MASK for name in _NAMES if name in registers}
    # All known: the third and fourth would be equal; none: they would be the first two.
    n_given = 0 if not known else 1 if len(known) == len(_NAMES) else 2
    rounds = [*tags, *({**tag, **known} for tag in tags[:n_given])]
    evaluated = []
    for values in rounds:
        found = _evaluate(program, pc, values)
        if found is None:
            return None
        evaluated.append(found)
    variables: list[Variable] = []
    for each in zip(*evaluated, strict=False):
        with suppress(
            Exception
        ):  # a type that drgn cannot follow spoils one variable, not the others
            variables += _variables(each, tags, offset, n_bytes)
    return tuple(variables)


def _tags(multiplier: int) -> dict[str, int]:
    """Return a made-up value for every register, each with a lowest byte of its own."""
    return {name: multiplier * (i + 1) & _MASK for i, name in enumerate(_NAMES)}


def _evaluate(program: "Program", pc: int, values: Mapping[str, int]) -> list[_Found] | None:
    """Return all variables in scope for one set of registers; None where there is no function."""
    try:
        frames = list(_frames(program.stack_trace(_pt_regs(program, pc, values))))
    except Exception:
        # What drgn raises for debug information that it cannot follow is a bare Exception, or one of many.
        return None
    if not any(frame.function_name for frame in frames):
        return None
    found: list[_Found] = []
    for frame in frames:
        try:
            names = list(dict.fromkeys(frame.locals()))[:_MAX_VARIABLES]
        except Exception:
            names = []
        found += [_found(frame, name) for name in names]
    return found


def _frames(trace: "StackTrace") -> "Iterator[StackFrame]":
    """Yield the inlined functions of the first frame, and the one that they were inlined into."""
    for frame in trace:
        yield frame
        if not frame.is_inline:
            return


def _found(frame: "StackFrame", name: str) -> _Found:
    function = frame.function_name or ""
    try:
        variable = frame[name]
        layout = Layout(variable.type_)
        return _Found(function, name, layout, _value(variable))
    except Exception:
        return _Found(function, name, None, _Value())


def _value(variable: "Object") -> _Value:
    if variable.absent_:
        return _Value()
    if variable.address_ is not None:
        return _Value(address=variable.address_)
    number: Any = None
    if not Layout(variable.type_).structure:
        number = variable.value_()
    number = int(number) if isinstance(number, int) else None
    return _Value(variable.to_bytes_(), number)


def _pt_regs(program: "Program", pc: int, values: Mapping[str, int]) -> "Object":
    """Return a `struct pt_regs` whose type is not that of the debug information."""
    from drgn import Language, Object, TypeMember

    c = Language.C
    u64 = program.int_type("unsigned long", 8, False, language=c)
    members = (
        TypeMember(program.array_type(u64, 31, language=c), "regs", 0),
        TypeMember(u64, "sp", 31 * 64),
        TypeMember(u64, "pc", 32 * 64),
        TypeMember(u64, "pstate", 33 * 64),
    )
    type_ = program.struct_type("pt_regs", 34 * 8, members, language=c)
    x = [values[name] for name in _NAMES[:31]]
    return Object(
        program, type_, value={"regs": x, "sp": values["sp"], "pc": pc & _MASK, "pstate": 0}
    )


def _variables(
    rounds: Sequence[_Found], tags: Sequence[Mapping[str, int]], offset: int | None, n_bytes: int
) -> Iterator[Variable]:
    """Yield what the rounds say of one variable: two with made-up registers, then those with the given ones."""
    first, layout = rounds[0], rounds[0].layout
    if layout is None:
        return
    values = [found.value for found in rounds]
    if any(value == _Value() for value in values):
        return
    given = values[2:] or values
    if values[0].address is not None:
        yield _in_memory(first, layout, values, tags)
        return
    simple = [value.data for value in values if value.data is not None]
    if len(simple) != len(values):
        return
    if layout.structure is not None:
        yield from _pieces(first, layout, simple, tags, offset, n_bytes)
        return
    register, delta = _followed(simple[0], simple[1], tags)
    number = given[0].number if len({value.number for value in given}) == 1 else None
    pointee = layout.pointee
    yield Variable(
        first.function,
        first.name,
        layout.name,
        register if delta == 0 else None,
        number,
        None if pointee is None else pointee.structure,
        _members(pointee, offset, n_bytes),
        base=register,
        delta=delta,
        layout=layout,
    )


def _members(pointee: TypeLayout | None, offset: int | None, n_bytes: int) -> tuple[Member, ...]:
    return () if pointee is None or offset is None else pointee.members(offset, n_bytes)


def _in_memory(
    found: _Found, layout: Layout, values: Sequence[_Value], tags: Sequence[Mapping[str, int]]
) -> Variable:
    addresses = [value.address or 0 for value in values]
    given = addresses[2:] or addresses
    pairs = [address.to_bytes(8, "little") for address in addresses[:2]]
    register, delta = _followed(pairs[0], pairs[1], tags)
    pointee = layout.pointee
    return Variable(
        found.function,
        found.name,
        layout.name,
        None,
        None,
        None if pointee is None else pointee.structure,
        base=register,
        delta=delta,
        in_memory=True,
        address=given[0] if len(set(given)) == 1 else None,
        layout=layout,
    )


def _pieces(
    found: _Found,
    layout: Layout,
    simple: Sequence[bytes],
    tags: Sequence[Mapping[str, int]],
    offset: int | None,
    n_bytes: int,
) -> Iterator[Variable]:
    """Yield members of a structure each of which lives in a register."""
    size = len(simple[0])
    if size > _LARGEST_IN_REGISTERS:
        return
    for i in range(0, size - 7, 8):
        parts = [data[i : i + 8] for data in simple]
        given = parts[2:] or parts
        register, delta = _followed(parts[0], parts[1], tags)
        member = next(iter(layout.members(i, 8)), None)
        if register is None or delta or member is None or not member.exact:
            continue
        pointee = None if member.layout is None else member.layout.pointee
        yield Variable(
            found.function,
            f"{found.name}.{member.path}",
            member.type,
            register,
            int.from_bytes(given[0], "little") if len(set(given)) == 1 else None,
            None if pointee is None else pointee.structure,
            _members(pointee, offset, n_bytes),
            base=register,
            layout=member.layout,
        )


def _followed(
    one: bytes, other: bytes, tags: Sequence[Mapping[str, int]]
) -> tuple[str | None, int]:
    """Return the register that a value follows, and at which distance; None where it follows none of them."""
    if len(one) > 8 or len(one) != len(other):
        return None, 0
    n_bits = len(one) * 8
    mask = (1 << n_bits) - 1
    values = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    for name in _NAMES:
        deltas = {(value - tag[name]) & mask for value, tag in zip(values, tags, strict=True)}
        if len(deltas) != 1:
            continue
        delta = signed(deltas.pop(), n_bits)
        # A few bits follow any register at some distance.
        if delta == 0 or n_bits >= 32:
            return name, delta
    return None, 0
