"""What code does with a value, forward from the instruction that makes it.

Every way that the flow of the function has is followed; what may be a use counts as one.
"""

from collections import deque
from enum import StrEnum
from typing import NamedTuple

from whypanic.arch.insn import Insn
from whypanic.code.flow import Flow

_MAX_STEPS = 20_000
_ARGUMENTS = tuple(f"x{n}" for n in range(8))
_CALL_CLOBBERED = frozenset((*(f"x{n}" for n in range(19)), "x30"))
_STACK = ("sp", "x29")
_SAME = ("bfm", "autia", "autib", "autiza", "autizb", "pacia", "pacib", "xpaci", "xpacd")
_SELECTS = ("csel",)


class Use(StrEnum):
    BRANCHED = "branched to"
    DEREFERENCED = "used as the address of an access"
    PASSED = "passed to a call"
    RETURNED = "returned"
    STORED = "stored"
    ERET = "written to ELR_EL2"
    SYSTEM = "written to a system register"
    CONVERTED = "made into another value"


class Used(NamedTuple):
    """One use."""

    kind: Use
    place: int
    """Number of the word."""
    register: str = ""
    """System register of a SYSTEM use."""


def uses_of(flow: Flow, place: int, register: str) -> tuple[Used, ...]:
    """Return the uses of the value that a word puts into a register, by place; at most one of a kind at a place."""
    found: set[Used] = set()
    block = flow.block_of(place)
    entering: dict[int, frozenset[str]] = {}
    todo: deque[tuple[int, int, frozenset[str]]] = deque(
        [(block, place + 1, frozenset((register,)))]
    )
    steps = 0
    while todo:
        block, at, holding = todo.popleft()
        if block < len(flow.starts):
            last = flow.last_of(block)
            while at <= last and holding and steps < _MAX_STEPS:
                steps += 1
                if flow.is_code(at):
                    holding = _step(flow, at, holding, found)
                at += 1
        if not holding or steps >= _MAX_STEPS:
            continue
        for after in flow.afters[block]:
            known = entering.get(after, frozenset())
            if not holding <= known:
                entering[after] = known | holding
                start = flow.starts[after] if after < len(flow.starts) else 0
                todo.append((after, start, entering[after]))
    return tuple(sorted(found, key=lambda use: (use.place, use.kind)))


def _step(flow: Flow, at: int, holding: frozenset[str], found: set[Used]) -> frozenset[str]:
    """Return where the value is after one instruction."""
    insn = flow.insn(at)
    if insn.memory is not None:
        return _access(insn, at, holding, found)
    if insn.branch is not None:
        return _branch(flow, insn, at, holding, found)
    held = [r for r in insn.reads if r in holding]
    if insn.system_register is not None and held:
        name = insn.system_register
        found.add(Used(Use.ERET if name == "elr_el2" else Use.SYSTEM, at, name))
        return holding
    kept = holding - frozenset(insn.writes)
    if not held or not insn.writes:
        return kept
    results = frozenset(w for w in insn.writes if w != "nzcv")
    if not results:
        return kept  # a compare
    if _moves(insn):
        return kept | results
    found.add(Used(Use.CONVERTED, at))
    return kept


def _moves(insn: Insn) -> bool:
    """Tell whether the result is the address, or one near it."""
    name = insn.mnemonic
    if name in _SAME or name in _SELECTS:
        return True
    if insn.is_32bit:
        return False
    if name in ("add", "sub", "adds", "subs") and insn.immediate is not None:
        return True
    return name == "orr" and insn.immediate is None and insn.word >> 5 & 31 == 31


def _access(insn: Insn, at: int, holding: frozenset[str], found: set[Used]) -> frozenset[str]:
    memory = insn.memory
    assert memory is not None
    if memory.base in holding or (memory.index in holding and memory.base not in _STACK):
        found.add(Used(Use.DEREFERENCED, at))
    on_stack = memory.base in _STACK and memory.index is None and memory.writeback is None
    slots = [
        f"[{memory.base}{memory.offset + n * memory.size:+d}]" for n in range(len(memory.data))
    ]
    kept = holding
    if memory.store:
        for slot, register in zip(slots, memory.data, strict=True):
            if register in holding and not memory.fp:
                if on_stack and memory.size == 8:
                    kept |= {slot}
                else:
                    found.add(Used(Use.STORED, at))
            elif on_stack:
                kept -= {slot}
    loaded: frozenset[str] = frozenset()
    if memory.load and on_stack and memory.size == 8 and not memory.fp:
        pairs = zip(slots, memory.data, strict=True)
        loaded = frozenset(register for slot, register in pairs if slot in holding)
    # A base that is stepped still is an address near the value.
    stepped = {memory.base} if memory.writeback is not None else set()
    return (kept - (frozenset(insn.writes) - stepped)) | loaded


def _branch(
    flow: Flow, insn: Insn, at: int, holding: frozenset[str], found: set[Used]
) -> frozenset[str]:
    branch = insn.branch
    assert branch is not None
    if branch.kind in ("br", "blr", "ret") and branch.register in holding:
        found.add(Used(Use.BRANCHED, at))
    leaves = branch.kind == "b" and flow.place(flow.address(at) + (branch.offset or 0)) is None
    others = [a for a in _ARGUMENTS if a in holding and a != branch.register]
    if (branch.link or leaves or branch.kind == "br") and others:
        found.add(Used(Use.PASSED, at))
    if branch.kind == "ret" and "x0" in holding:
        found.add(Used(Use.RETURNED, at))
    return holding - _CALL_CLOBBERED if branch.link else holding
