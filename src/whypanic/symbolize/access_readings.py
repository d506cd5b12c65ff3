"""The faulting access in the words of the source: whose pointer it was, and which member lies at that offset.

Every variable that the debug information puts into the base register is a reading; so is every expression that the
code certainly made the value from. Readings are never narrowed by guessing: what is not known is left out.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from whypanic.arch.insn import Insn, Memory
from whypanic.arch.insn.record import MASK_64, effective_address, signed
from whypanic.arch.values import ascii_text, error_pointer, find_poison
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.image import AccessReading
from whypanic.model.provenance import Fact, Source
from whypanic.symbolize.access_places import Access, Place, place_of
from whypanic.symbolize.access_terms import INDIRECT_CALL, How, Term, Terms
from whypanic.symbolize.block_path import Step, path_to
from whypanic.symbolize.debug_info import DebugInfo, TypeLayout, Variable

_MAX_READINGS = 16
_LOWEST_POINTER = 0x10000
_FRAME = ("sp", "x29")
_HIGHEST_USER = 1 << 52


def read_access(
    insn: Insn,
    pc_link: int,
    registers: Mapping[str, int],
    debug_info: DebugInfo | None,
    *,
    source: Source,
    image: KernelImage | None = None,
    tables: Mapping[int, Collection[int]] | None = None,
    because: Sequence[Fact] = (),
) -> tuple[AccessReading, ...]:
    """Return all readings of a memory access, best first; () where nothing is known of its pointer.

    :param registers: printed values of x0..x30 and sp, before the instruction; without that of the base register
        there is no reading.
    :param image: where the code before the access is read from; None: only what the debug information says of PC.
    :param tables: where the jump tables of the function lead; see `path_to`.
    """
    memory = insn.memory
    if memory is None or memory.base == "pc" or memory.base not in registers:
        return ()
    path = path_to(image, pc_link, tables) if image is not None else ()
    if not path or path[-1].insn.word != insn.word:
        # Patched code: what the file has before it need not be what ran.
        path = (Step(pc_link, insn),)
    terms = Terms(path, registers, debug_info, image)
    found = _on_stack(insn, memory, registers, terms)
    if memory.base != "sp":
        found += _through_pointer(insn, memory, registers, terms)
    unique = {reading.sentence: reading for reading in found}
    readings = list(unique.values())[:_MAX_READINGS]
    return tuple(replace(each, source=source, because=tuple(because)) for each in readings)


def _through_pointer(
    insn: Insn, memory: Memory, registers: Mapping[str, int], terms: Terms
) -> list[AccessReading]:
    per_cpu = _per_cpu(memory, registers, terms)
    if per_cpu:
        return per_cpu
    found: list[AccessReading] = []
    accesses = _accesses(insn, memory, registers, terms)
    for access in accesses:
        reach = access.offset or 0
        named = terms.of(access.register, reach)
        made = terms.made(terms.states[-1][access.register], reach)
        placed = [(term, place_of(access, term), _origin(term, made)) for term in named]
        structs = {place.member.struct for _, place, _ in placed if place.member is not None}
        for term in made:
            place = place_of(access, term)
            if place.member is not None and place.member.struct not in structs:
                placed.append((term, place, None))
        if not any(_is_certain(term, place) for term, place, _ in placed):
            same = _same_value(access, terms, only_telling=True)
            texts = {term.text for term, _, _ in placed}
            placed += [(term, place, None) for term, place in same if term.text not in texts]
        placed.sort(key=lambda each: _rank(access, each[0], each[1]))
        found += [_reading(terms, access, *each) for each in placed]
        if any(term.pointee is not None for term in named):
            break
    if not found:
        found = [
            _reading(terms, access, term, place, None)
            for access in accesses
            for term, place in _same_value(access, terms, only_telling=False)
        ]
    return found


def _is_certain(term: Term, place: Place) -> bool:
    return term.how <= How.COPIED and term.delta == 0 and place.is_inside


def _accesses(
    insn: Insn, memory: Memory, registers: Mapping[str, int], terms: Terms
) -> list[Access]:
    """Return the access as seen from its base, then from an index that may be the pointer."""
    address = effective_address(insn, registers, None)
    pointers = [memory.base]
    if memory.index is not None and memory.shift == 0 and memory.extend in (None, "lsl", "sxtx"):
        pointers.append(memory.index)
    found = []
    for register in pointers:
        if register not in registers:
            continue
        value = registers[register] & MASK_64
        offset = None if address is None else signed(address - value, 64)
        words = None
        if register == memory.base and memory.index is not None:
            name = _index_name(terms, memory)
            number = registers.get(memory.index)
            words = f"{memory.index}{f' (`{name}`)' if name else ''}"
            words += " is not known" if number is None else f" = {number:#x}"
        found.append(Access(register, value, offset, memory.size, max(memory.n_elements, 1), words))
    return found


def _index_name(terms: Terms, memory: Memory) -> str | None:
    """Return the variable that the index register held."""
    for variable in terms.variables(terms.last):
        if variable.register is not None and variable.register == memory.index:
            return variable.name
    return None


def _same_value(access: Access, terms: Terms, *, only_telling: bool) -> list[tuple[Term, Place]]:
    """Return pointers whose value the register happens to have, or one inside what they point to.

    Many pointers are NULL at a time, so that it tells little: of those only the ones with a member of that offset and
    size are returned. An address, and a NULL that was computed from something else, are telling.
    """
    found = []
    for variable in terms.variables(terms.last):
        layout, value = variable.layout, variable.value
        if layout is None or value is None or variable.base is None or layout.pointee is None:
            continue
        delta = signed(access.value - value, 64)
        is_address = value & MASK_64 >= _LOWEST_POINTER
        if delta and not (is_address and 0 < delta < layout.pointee.size):
            continue
        if only_telling and not is_address and not variable.delta:
            continue
        term = Term(variable.name, layout, variable.function, How.SAME_VALUE, delta)
        place = place_of(access, term)
        if place.is_exact or (is_address and place.is_inside):
            found.append((term, place))
    return found


def _per_cpu(memory: Memory, registers: Mapping[str, int], terms: Terms) -> list[AccessReading]:
    """Return the reading of an access through a constant address plus this CPU's offset, or the other way round."""
    if memory.index is None or memory.shift or memory.extend not in (None, "lsl", "sxtx"):
        return []
    state = terms.states[-1]
    base, index = state[memory.base], state[memory.index]
    atoms = tuple(sorted((*base.atoms, *index.atoms)))
    total = base._replace(atoms=atoms).plus(index.constant)
    if len(atoms) > 2 or not any(atom.what == "per-cpu" for atom in atoms):
        return []
    value = registers[memory.base]
    other = registers.get(memory.index)
    access = Access(memory.base, value, memory.offset, memory.size, max(memory.n_elements, 1), None)
    words = f"{memory.base} + {memory.index}" + (
        f" ({(value + other) & MASK_64:#x})" if other is not None else ""
    )
    found = []
    for term in terms.made(total, memory.offset):
        place = place_of(access, term)
        where = f": {place.words}" if place.words else f" of {_quoted(term.text)}"
        reading = _reading(terms, access, term, place, None)
        found.append(replace(reading, sentence=f"{words} is an address that the code makes{where}"))
    return found


def _on_stack(
    insn: Insn, memory: Memory, registers: Mapping[str, int], terms: Terms
) -> list[AccessReading]:
    """Return the variable of the stack frame that is accessed."""
    address = effective_address(insn, registers, None)
    found = []
    for variable in terms.variables(terms.last):
        at, layout = variable.address, variable.layout
        if not variable.in_memory or at is None or layout is None or address is None:
            continue
        if variable.base not in _FRAME or memory.base not in _FRAME:
            continue
        offset = signed(address - at, 64)
        if not 0 <= offset < max(layout.size, 1):
            continue
        found.append(_stack_reading(variable, layout, offset, memory, registers[memory.base]))
    return found


def _stack_reading(
    variable: Variable, layout: TypeLayout, offset: int, memory: Memory, value: int
) -> AccessReading:
    members = layout.members(offset, memory.size) if layout.structure else ()
    member = next((m for m in members if m.path), None)
    name = variable.name if member is None else f"{variable.name}.{member.path}"
    type_ = layout.name if member is None else member.type
    return AccessReading(
        source=Source(),
        function=variable.function or None,
        variable=variable.name,
        type=layout.name,
        register=memory.base,
        pointer=value,
        struct=layout.structure,
        member=None if member is None else member.path,
        member_type=None if member is None else member.type,
        offset=offset,
        sentence=f"the access is that of `{name}` ({type_}), which lies on the stack of {variable.function}()",
    )


def _rank(access: Access, term: Term, place: Place) -> tuple[bool, bool, bool, int, bool, bool]:
    """Order readings: pointers before numbers; what fits; bad values; how the value is known; members first."""
    value = None if term.delta is None else (access.value - term.delta) & MASK_64
    is_bad = value is not None and _is_bad_pointer(value) and not _is_below_null(access, value)
    has_no_member = place.member is None or not place.member.path
    return (
        term.is_integer,
        not place.is_inside,
        not is_bad,
        int(term.how),
        has_no_member,
        not place.is_exact,
    )


def _is_bad_pointer(value: int) -> bool:
    """Tell NULL, an error pointer and a poison itself from what was computed from them."""
    poison = find_poison(value)
    return (
        value == 0 or _error_name(value) is not None or (poison is not None and not poison.offset)
    )


def _is_below_null(access: Access, value: int) -> bool:
    """Tell what container_of() makes of a NULL member, which may be the number of an error."""
    return access.value == 0 and value >> 63 == 1


def _error_name(value: int) -> str | None:
    """Return `ENODEV`; None for numbers that are no error's."""
    error = error_pointer(value)
    return None if error is None or error.name.startswith("errno") else error.name


def _origin(term: Term, made: Sequence[Term]) -> str | None:
    """Return the expression that a variable's value came from, where that is another one."""
    if term.how is not How.HELD or term.delta != 0:
        return None
    return next((m.text for m in made if m.delta == 0 and m.text != term.text), None)


def _reading(
    terms: Terms, access: Access, term: Term, place: Place, origin: str | None
) -> AccessReading:
    member = place.member
    value = None if term.delta is None else (access.value - term.delta) & MASK_64
    offset = None
    if term.delta is not None and access.offset is not None:
        offset = access.offset + term.delta
    return AccessReading(
        source=Source(),
        function=term.function or None,
        variable=term.text,
        type=None if term.layout is None else term.layout.name,
        register=access.register,
        pointer=access.value,
        struct=member.struct if member else term.pointee.structure if term.pointee else None,
        member=None if member is None else member.path,
        member_type=None if member is None else member.type,
        offset=offset,
        value=value,
        origin=origin,
        coincides=term.how is How.SAME_VALUE or term.delta is None,
        sentence=_sentence(access, term, place, origin, terms.compiled_function),
    )


def _sentence(
    access: Access, term: Term, place: Place, origin: str | None, compiled: str | None
) -> str:
    inlined = bool(term.function) and compiled is not None and term.function != compiled
    words = _holding(access, term, inlined=inlined)
    if origin is not None:
        words += f", {_origin_words(origin)}"
    if access.index_words is not None:
        words += f", and {access.index_words}"
    return f"{words}: {place.words}" if place.words else words


def _holding(access: Access, term: Term, *, inlined: bool) -> str:
    """Return what the register held."""
    register, value = access.register, _value_words(access.value)
    if term.symbol is not None:
        return f"{register} is an address that the code makes, and held {value}"
    type_ = f" ({term.layout.name})" if term.layout is not None else ""
    name = f"{_quoted(term.text)}{type_}"
    if inlined:
        name += f" of the inlined {term.function}()"
    if term.delta is None:
        return f"{register} held an address computed from {name}"
    if term.is_integer:
        return f"{register} held {name}, {access.value:#x}"
    if term.how is How.SAME_VALUE:
        near = f" plus {term.delta:#x}" if term.delta else ""
        return f"{register} held the same value as {name}{near}, {value}"
    if not term.delta:
        return f"{register} held {name}, {value}"
    whole = (access.value - term.delta) & MASK_64
    value = _value_words(whole)
    if _is_below_null(access, whole):
        value = f"NULL - {term.delta:#x}"
    sign = "-" if term.delta < 0 else "+"
    return (
        f"{register} held {name} {sign} {abs(term.delta):#x}, with {_quoted(term.text)} = {value}"
    )


def _quoted(text: str) -> str:
    """Return an expression in backquotes, and of a call what it returned."""
    if text == INDIRECT_CALL:
        return f"what {text} returned"
    return f"what `{text}` returned" if text.endswith("()") else f"`{text}`"


def _origin_words(text: str) -> str:
    if text == INDIRECT_CALL:
        return f"returned by {text}"
    return f"{'returned by' if text.endswith('()') else 'which was'} `{text}`"


def _value_words(value: int) -> str:
    """Return what a pointer's value is: NULL, an error, a poison, an address."""
    if value == 0:
        return "NULL"
    poison, error = find_poison(value), _error_name(value)
    if poison is not None:
        sign = "-" if poison.offset < 0 else "+"
        near = f" {sign} {abs(poison.offset):#x}" if poison.offset else ""
        return f"{value:#x} ({poison.name}{near})"
    if error is not None:
        return f"the error pointer -{error}"
    text = ascii_text(value)
    if text is not None:
        return f'{value:#x} (the characters "{text}")'
    is_user = _LOWEST_POINTER <= value < _HIGHEST_USER
    return f"the user address {value:#x}" if is_user else f"{value:#x}"
