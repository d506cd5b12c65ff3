"""How many entries of a table a branch can pick: by the compare that guards it, or the width of its index."""

from typing import NamedTuple

from whypanic.arch.insn import Insn
from whypanic.code.flow import ENTRY, Flow
from whypanic.code.register_values import RegisterValues
from whypanic.code.table_idioms import TableForm

_MAX_GUARDS = 64
_MAX_COPIES = 16
_MAX_WAYS = 3
_MAX_BEFORES = 8
_UNDER = {"cc": 0, "ls": 1, "lt": 0, "le": 1}
"""Condition -> what is added to the number compared with to get the first value that fails it."""
_OPPOSITE = {"cs": "cc", "hi": "ls", "ge": "lt", "gt": "le"}


class Bound(NamedTuple):
    entries: int
    place: int
    """Number of the word that sets the bound."""
    text: str
    places: frozenset[int] = frozenset()
    loose: bool = False
    """The index can be no greater, but the table may end before: the rest never comes."""


class _Value(NamedTuple):
    """A register's value: what it was copied from, plus a number."""

    key: tuple[str | int, ...]
    added: int = 0
    width: int | None = None
    """It is below 1 << width."""
    place: int = ENTRY


def index_bound(values: RegisterValues, form: TableForm) -> Bound | None:
    """Return how many entries the code lets the index pick; None where that is not told."""
    flow = values.flow
    found = _index_of(values, form)
    if found is None:
        return None
    register, place = found
    index = _value(flow, register, place)
    if index is None:
        return None
    guard = _guard(values, flow.block_of(form.load), index)
    if guard is not None:
        return guard
    if index.width is not None:
        at = flow.address(index.place)
        return Bound(
            (1 << index.width) + index.added,
            index.place,
            f"{index.width}-bit index at {at:#x}",
            frozenset((index.place,)),
            loose=True,
        )
    return None


def _index_of(values: RegisterValues, form: TableForm) -> tuple[str, int] | None:
    """Return the register that holds the index, unscaled, and the word before which it does."""
    flow = values.flow
    memory = flow.insn(form.load).memory
    if memory is None:
        return None
    shift = form.entry_bytes.bit_length() - 1
    place = form.load
    if memory.index is not None and not values.before(memory.base, place).terms:
        return _unscaled(flow, memory.index, place, shift - memory.shift)
    if memory.index is not None:
        return (memory.base, place) if not shift else None
    made = flow.definitions(memory.base, place)
    insn = flow.insn(made[0]) if len(made) == 1 and made[0] != ENTRY else None
    if insn is None or insn.mnemonic != "add" or len(insn.reads) != 2:
        return None
    first, second = insn.reads
    if not values.before(first, made[0]).terms:
        scaled = insn.word >> 10 & (7 if insn.word >> 21 & 1 else 63)
        return _unscaled(flow, second, made[0], shift - scaled)
    return _unscaled(flow, first, made[0], shift)


def _unscaled(flow: Flow, register: str, place: int, shift: int) -> tuple[str, int] | None:
    """Return what a register was made from by a shift to the left of so many bits."""
    if not shift:
        return register, place
    made = flow.definitions(register, place)
    insn = flow.insn(made[0]) if len(made) == 1 and made[0] != ENTRY else None
    if insn is None or insn.mnemonic not in ("ubfm", "sbfm"):
        return None
    immr, bits = insn.word >> 16 & 63, 32 if insn.is_32bit else 64
    return (insn.reads[0], made[0]) if bits - immr == shift else None


def _value(flow: Flow, register: str, place: int, depth: int = 2) -> _Value | None:
    added = 0
    for _ in range(_MAX_COPIES):
        made = flow.definitions(register, place)
        if len(made) != 1:
            return _Value(("merge", register, *made), added) if made else None
        place = made[0]
        if place == ENTRY:
            return _Value(("entry", register), added)
        insn = flow.insn(place)
        if register not in insn.writes:
            return _Value(("call", register, place), added)
        name, word = insn.mnemonic, insn.word
        if name == "orr" and insn.immediate is None and word >> 5 & 31 == 31:
            if not insn.reads or word >> 10 & 63:
                return _Value(("made", register, place), added)
            register = insn.reads[0]
        elif name in ("ubfm", "sbfm") and not word >> 16 & 63 and word >> 10 & 63 == 31:
            register = insn.reads[0]
        elif name in ("add", "sub", "subs", "adds") and insn.immediate is not None:
            added += insn.immediate if name[:3] == "add" else -insn.immediate
            register = insn.reads[0]
        else:
            key: tuple[str | int, ...] = ("made", register, place)
            width = _width(insn, register)
            if width is not None and insn.memory is None and depth:
                # The same bits of the same value, taken out twice.
                source = _value(flow, insn.reads[0], place, depth - 1)
                bits = insn.immediate if insn.immediate is not None else word >> 10 & 0xFFF
                if source is not None:
                    key = ("bits", insn.mnemonic, bits, source.added, *source.key)
            return _Value(key, added, width, place)
    return None


def _width(insn: Insn, register: str) -> int | None:
    """Return how many bits a result can have; None where the instruction does not tell."""
    memory, word = insn.memory, insn.word
    if memory is not None:
        narrow = memory.load and not memory.signed and register in memory.data and memory.size <= 2
        return memory.size * 8 if narrow else None
    if insn.mnemonic == "and" and insn.immediate is not None:
        return insn.immediate.bit_length()
    if insn.mnemonic == "ubfm":
        immr, imms = word >> 16 & 63, word >> 10 & 63
        width = imms - immr + 1 if immr <= imms else imms + 1 + (32 if insn.is_32bit else 64) - immr
        return width if width < 32 else None
    return None


def _guard(values: RegisterValues, block: int, index: _Value) -> Bound | None:
    """Return what the nearest compare says that every way to a block goes by."""
    flow = values.flow
    for _ in range(_MAX_GUARDS):
        found = _ways_bound(values, block, block, index, _MAX_WAYS)
        if found is not None:
            return found
        above = flow.dominators[block]
        if above is None:
            return None
        block = above
    return None


def _ways_bound(
    values: RegisterValues, top: int, block: int, index: _Value, depth: int
) -> Bound | None:
    """Return the loosest of the bounds that hold on the ways into a block; None where one has none."""
    flow = values.flow
    if block >= len(flow.starts) or not depth:
        return None
    found: list[Bound] = []
    previous = flow.blocks_before(block)
    for before in previous if len(previous) <= _MAX_BEFORES else ():
        bound = _edge_bound(values, before, block, top, index)
        is_plain = len(flow.afters[before]) == 1 and not _is_made_in(flow, before, index)
        if bound is None and is_plain:
            bound = _ways_bound(values, top, before, index, depth - 1)
        if bound is None:
            return None
        found.append(bound)
    return max(found, key=lambda bound: bound.entries) if found else None


def _edge_bound(
    values: RegisterValues, above: int, block: int, top: int, index: _Value
) -> Bound | None:
    """Return the bound that the branch at the end of one block sets where it leads to the next."""
    flow = values.flow
    last = flow.last_of(above)
    insn = flow.insn(last)
    if insn.branch is None or insn.branch.condition is None or insn.branch.offset is None:
        return None
    taken = last + insn.branch.offset // 4
    if taken == last + 1:
        return None
    condition: str | None = insn.branch.condition
    if flow.starts[block] != taken:
        condition = _OPPOSITE.get(insn.branch.condition)
    if condition not in _UNDER:
        return None
    place = _flags(flow, above)
    compare = None if place is None else flow.insn(place)
    if place is None or compare is None or compare.mnemonic != "subs":
        return None
    limit = compare.immediate
    if limit is None:
        if compare.word >> 10 & 63 or compare.word >> 21 & 1 or compare.word >> 22 & 3:
            return None
        second = values.before(f"x{compare.word >> 16 & 31}", place)
        if second.terms or compare.word >> 16 & 31 == 31:
            return None
        limit = second.constant
    compared = _value(flow, f"x{compare.word >> 5 & 31}", place)
    if compared is None or not _is_same(flow, top, compared.key, index.key):
        return None
    count = limit + _UNDER[condition] + index.added - compared.added
    if count <= 0:
        return None
    return Bound(count, place, f"cmp at {flow.address(place):#x}", frozenset((place, last)))


def _is_same(
    flow: Flow, top: int, compared: tuple[str | int, ...], index: tuple[str | int, ...]
) -> bool:
    """Tell whether a compared value is the index, or one that it may be and none replaces behind a block."""
    if compared == index:
        return True
    if index[0] != "merge" or compared[1] != index[1] or compared[0] not in ("made", "merge"):
        return False
    others = set(index[2:]) - set(compared[2:])
    return set(compared[2:]) <= set(index[2:]) and not any(
        isinstance(n, int) and _is_behind(flow, top, n) for n in others
    )


def _is_made_in(flow: Flow, block: int, index: _Value) -> bool:
    """Tell whether a block makes one of the values that the index may be."""
    made = (n for n in index.key[2:] if isinstance(n, int) and n != ENTRY)
    return index.key[0] == "merge" and any(flow.block_of(n) == block for n in made)


def _is_behind(flow: Flow, top: int, place: int) -> bool:
    """Tell whether a word runs only where a block has run before."""
    if place == ENTRY:
        return False
    block: int | None = flow.block_of(place)
    while block is not None and block != top:
        block = flow.dominators[block]
    return block is not None


def _flags(flow: Flow, block: int) -> int | None:
    """Return which word set the flags that the branch at the end of a block reads."""
    for _ in range(8):
        for place in range(flow.last_of(block), flow.starts[block] - 1, -1):
            insn = flow.insn(place)
            if "nzcv" in insn.writes:
                return place
            if insn.branch is not None and insn.branch.link:
                return None
        previous = flow.blocks_before(block)
        if len(previous) != 1:
            return None
        block = previous[0]
    return None
