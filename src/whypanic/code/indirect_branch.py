"""Where an indirect branch of a listing gets its target: a table of addresses, of offsets, or something else.

The idioms are those that compilers emit for a switch, a computed goto and calls through pointers; the words
decide, never the printed mnemonics.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise

from whypanic.arch.insn import Group, Insn, decode
from whypanic.arch.insn.evaluate import Reason, Run
from whypanic.arch.insn.text import render
from whypanic.model.code import Listing, ListingLine
from whypanic.model.provenance import Derived

_MAX_SLICE = 64
_CONDITIONAL = ("b.cond", "cbz", "cbnz", "tbz", "tbnz")


class TargetOrigin(StrEnum):
    """What the branch register was made from."""

    ABSOLUTE_TABLE = "absolute-table"
    """An 8-byte entry picked by an index, branched to unchanged."""
    RELATIVE_TABLE = "relative-table"
    """An entry picked by an index and added to a base."""
    POINTER = "pointer"
    """An 8-byte value loaded without an index: structure member, GOT slot, global."""
    LITERAL = "literal"
    """A PC-relative literal: the linked address as data."""
    CONSTANT = "constant"
    """MOVZ/MOVK: the linked address in the instructions."""
    PC_RELATIVE = "pc-relative"
    """ADR or ADRP+ADD: follows the code to wherever it runs."""
    ARGUMENT = "argument"
    """A value that the function was given."""
    UNKNOWN = "unknown"


class IndirectBranch(Derived, frozen=True, kw_only=True):
    """One BR or BLR of a listing and the slice behind it."""

    function: str | None
    line: ListingLine
    register: str
    call: bool
    origin: TargetOrigin
    entry_bytes: int | None = None
    index: str | None = None
    """Index register at the load, for tables."""
    load: ListingLine | None = None
    slice: tuple[ListingLine, ...] = ()
    """The lines that make the target, in program order, the branch last."""
    bounded: bool = False
    """A compare and a conditional branch guard the index: a switch; without them a computed goto or an array."""

    @property
    def statement(self) -> str:
        where = f"{self.function or 'listing'}+{self.offset:#x}"
        return f"`{instruction_text(self.line)}` at {where}: target from {_WORDS[self.origin]}"

    @property
    def offset(self) -> int:
        """Offset of the branch from the first line of its listing."""
        first = self.because[0]
        return self.line.address - (first.lines[0].address if isinstance(first, Listing) else 0)


def instruction_text(line: ListingLine) -> str:
    """Return the text of a listed instruction, made from its word; the printed words only where it has none."""
    return line.text if line.word is None else render(line.word)


_WORDS = {
    TargetOrigin.ABSOLUTE_TABLE: "a table of 8-byte addresses, used unchanged",
    TargetOrigin.RELATIVE_TABLE: "a table of offsets, added to a base",
    TargetOrigin.POINTER: "a pointer in memory",
    TargetOrigin.LITERAL: "a literal that holds a linked address",
    TargetOrigin.CONSTANT: "a linked address built by MOVZ/MOVK",
    TargetOrigin.PC_RELATIVE: "a PC-relative address",
    TargetOrigin.ARGUMENT: "a value the function was given",
    TargetOrigin.UNKNOWN: "a value whose origin is not in the listing",
}


def find_indirect_branches(listing: Listing) -> tuple[IndirectBranch, ...]:
    """Return every BR and BLR of a listing with the origin of its target, in order.

    Lines without an encoding end a slice: what they do is not known.
    """
    insns = _Flow(listing)
    found = []
    for position, insn in enumerate(insns.insns):
        if insn is None or insn.branch is None or insn.branch.kind not in ("br", "blr"):
            continue
        register = insn.branch.register
        if register is not None:
            found.append(_slice(listing, insns, position, register, call=insn.branch.link))
    return tuple(found)


def is_taken_in(outcome: Run, branch: IndirectBranch) -> bool:
    """Return whether a run of the code ended at this branch, about to take it."""
    at = outcome.stop.address
    return outcome.reason is Reason.INDIRECT_BRANCH and at == branch.line.address


def index_at_load(outcome: Run, branch: IndirectBranch) -> int | None:
    """Return the index with which a run loaded the branch's target; None where there is none, or it is not known.

    The index register may be overwritten between the load and the branch; the state at the load counts.
    """
    for step in reversed(outcome.steps):
        if step.insn.memory is not None and step.insn.memory.index == branch.index:
            return None if branch.index is None else step.before.get(branch.index)
    return None


def is_whole(listing: Listing) -> bool:
    """Return whether a listing can be a function from end to end: then what it does not show is not there.

    Every line has its word, none is missing between two, the last one does not fall through, and no conditional
    branch leads out.
    """
    lines = listing.lines
    insns = [decode(line.word) for line in lines if line.word is not None]
    if not insns or len(insns) != len(lines) or not _ends_fall_through(insns[-1]):
        return False
    if any(b.address - a.address != _WORD_BYTES for a, b in pairwise(lines)):
        return False
    places = range(lines[0].address, lines[-1].address + _WORD_BYTES)
    return all(
        line.address + insn.branch.offset in places
        for line, insn in zip(lines, insns, strict=True)
        if insn.branch is not None
        and insn.branch.offset is not None
        and insn.branch.kind in _CONDITIONAL
    )


class _Flow:
    """The instructions of a listing and how control comes to each of them."""

    def __init__(self, listing: Listing) -> None:
        self.insns = [None if x.word is None else decode(x.word) for x in listing.lines]
        self._addresses = [line.address for line in listing.lines]
        places = {line.address: position for position, line in enumerate(listing.lines)}
        self._jumps: dict[int, list[int]] = {}
        for position, (line, insn) in enumerate(zip(listing.lines, self.insns, strict=True)):
            branch = None if insn is None else insn.branch
            if branch is not None and branch.offset is not None and not branch.link:
                target = places.get(line.address + branch.offset)
                if target is not None:
                    self._jumps.setdefault(target, []).append(position)

    def __getitem__(self, position: int) -> Insn | None:
        return self.insns[position]

    def before(self, position: int) -> Iterator[tuple[int, Insn | None]]:
        """Yield what ran before a place, nearest first: by fall-through, else from the one branch that leads there.

        Ends with (-1, None) at the listing's first line, and without it where the way is not known: behind a line
        without an encoding, or where lines are missing.
        """
        for _ in range(_MAX_SLICE):
            at = position - 1
            if at < 0:
                yield -1, None
                return
            insn = self.insns[at]
            if insn is None or self._addresses[position] - self._addresses[at] != _WORD_BYTES:
                return
            if _ends_fall_through(insn):
                sources = self._jumps.get(position, ())
                if len(sources) != 1 or sources[0] >= position:
                    return
                at = sources[0]
                insn = self.insns[at]
            yield at, insn
            position = at


def _slice(
    listing: Listing, insns: _Flow, position: int, register: str, *, call: bool
) -> IndirectBranch:
    chain: list[int] = []
    origin, entry_bytes, index, load = TargetOrigin.UNKNOWN, None, None, None
    wanted, at = register, position
    while True:
        at_def, insn = _definition(insns, at, wanted)
        if insn is None or at_def is None:
            given = at_def == -1 and wanted in _ARGUMENTS
            origin = TargetOrigin.ARGUMENT if given else TargetOrigin.UNKNOWN
            break
        chain.append(at_def)
        at = at_def
        memory = insn.memory
        if memory is not None and memory.load and not memory.fp:
            load = at_def
            if memory.base == "pc":
                origin = TargetOrigin.LITERAL
            elif memory.index is not None and memory.size == _POINTER_BYTES:
                origin, entry_bytes, index = TargetOrigin.ABSOLUTE_TABLE, memory.size, memory.index
            elif memory.index is not None:
                origin, entry_bytes, index = TargetOrigin.RELATIVE_TABLE, memory.size, memory.index
            elif memory.size == _POINTER_BYTES:
                origin, index = _pointer_or_table(insns, at_def, memory.base)
                entry_bytes = _POINTER_BYTES if index else None
            break
        if insn.mnemonic in ("movz", "movk", "movn"):
            origin = TargetOrigin.CONSTANT
            break
        if insn.mnemonic in ("adr", "adrp"):
            origin = TargetOrigin.PC_RELATIVE
            break
        if _is_move(insn):
            wanted = next(iter(insn.reads))
            continue
        if insn.mnemonic == "add" and len(insn.reads) == 2:
            found = _offset_load(insns, at_def, insn.reads)
            if found is not None:
                load = found
                memory = insns[found].memory  # type: ignore[union-attr]
                origin = TargetOrigin.RELATIVE_TABLE
                entry_bytes = memory.size if memory else None
                index = memory.index if memory else None
                chain.append(found)
            break
        if insn.mnemonic == "add" and len(insn.reads) == 1:
            wanted = insn.reads[0]
            continue
        break
    lines = listing.lines
    members = sorted({*chain, *_table_base(insns, load), *_index_chain(insns, load, index)})
    bounded = index is not None and _is_bounded(insns, position)
    return IndirectBranch(
        source=lines[position].source,
        because=(listing, lines[position]),
        function=listing.function,
        line=lines[position],
        register=register,
        call=call,
        origin=origin,
        entry_bytes=entry_bytes,
        index=index,
        load=None if load is None else lines[load],
        slice=(*(lines[i] for i in members), lines[position]),
        bounded=bounded,
    )


_POINTER_BYTES = 8
_WORD_BYTES = 4
_ARGUMENTS = tuple(f"x{n}" for n in range(8))
"""AAPCS64: other registers hold nothing of use at a function's first instruction."""


def _definition(insns: _Flow, place: int, register: str) -> tuple[int | None, Insn | None]:
    """Return the nearest earlier write of a register; (-1, None) when the function's start is reached first."""
    for at, insn in insns.before(place):
        if insn is None:
            return at if at < 0 else None, None
        if register in insn.writes:
            return at, insn
    return None, None


def _ends_fall_through(insn: Insn) -> bool:
    branch = insn.branch
    if branch is None:
        return insn.group is Group.UDF
    return branch.kind in ("b", "br", "ret", "eret") or branch.link


def _is_move(insn: Insn) -> bool:
    return insn.mnemonic in ("mov", "orr") and len(insn.reads) == 1 and insn.immediate is None


def _offset_load(insns: _Flow, place: int, registers: Sequence[str]) -> int | None:
    """Return where one of the two summands was loaded through an index."""
    for register in registers:
        at, insn = _definition(insns, place, register)
        while insn is not None and at is not None and insn.mnemonic in ("lsl", "ubfm", "sbfm"):
            at, insn = _definition(insns, at, insn.reads[0])
        if (
            at is not None
            and insn is not None
            and insn.memory is not None
            and insn.memory.load
            and insn.memory.base != "pc"
            and (insn.memory.size < _POINTER_BYTES or insn.memory.index is not None)
        ):
            return at
    return None


def _pointer_or_table(insns: _Flow, at: int, base: str) -> tuple[TargetOrigin, str | None]:
    """Tell `ldr x, [table + index*8]` with the sum formed by an ADD from a plain member load."""
    _, insn = _definition(insns, at, base)
    if insn is not None and insn.mnemonic == "add" and len(insn.reads) == 2:
        for register in insn.reads:
            _, made = _definition(insns, at, register)
            if made is not None and made.mnemonic in ("adr", "adrp", "add"):
                other = insn.reads[1] if register == insn.reads[0] else insn.reads[0]
                return TargetOrigin.ABSOLUTE_TABLE, other
    return TargetOrigin.POINTER, None


def _table_base(insns: _Flow, load: int | None) -> list[int]:
    """Return the lines that form the table's address: ADRP and ADD, or ADR."""
    if load is None:
        return []
    insn = insns[load]
    if insn is None or insn.memory is None:
        return []
    members: list[int] = []
    at, wanted = load, insn.memory.base
    for _ in range(4):
        found, made = _definition(insns, at, wanted)
        if made is None or found is None:
            break
        if made.mnemonic not in ("adr", "adrp", "add", "mov", "movz", "movk"):
            break
        members.append(found)
        if not made.reads:
            if made.mnemonic != "movk":
                break
            at = found
            continue
        at, wanted = found, made.reads[0]
    return members


def _index_chain(insns: _Flow, load: int | None, index: str | None) -> list[int]:
    if load is None or index is None:
        return []
    members: list[int] = []
    at, wanted = load, index
    for _ in range(4):
        found, made = _definition(insns, at, wanted)
        if made is None or found is None or made.memory is not None:
            break
        members.append(found)
        if not made.reads or made.system_register:
            break
        at, wanted = found, made.reads[0]
    return members


def _is_bounded(insns: _Flow, position: int) -> bool:
    """Return whether a compare and a conditional branch stand before the indirect branch."""
    return any(
        insn is not None and insn.branch is not None and insn.branch.kind in _CONDITIONAL
        for _, insn in insns.before(position)
    )
