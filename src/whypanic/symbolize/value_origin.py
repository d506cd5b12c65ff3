"""Where register values came from, along instructions that certainly ran: sums of things that happened.

`ldr x0, [x19, #0x48]; add x1, x0, #0x10` makes x1 what was loaded there plus 0x10. Two registers with equal origins
hold equal values.

Source: Arm ARM DDI 0487, pseudocode of ADD, SUB (immediate, shifted, extended register), ORR (shifted register), ADR,
ADRP, MOVZ, MRS, LDR, LDP; AAPCS64 for what a call may change.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from whypanic.arch.insn import Insn
from whypanic.arch.insn.record import MASK_64, X_OR_SP, field, signed
from whypanic.symbolize.block_path import CLOBBERED, SYSTEM_CALLS, Step

_MAX_ATOMS = 4
_REGISTERS = (*(f"x{n}" for n in range(31)), "sp")
_PER_CPU = ("tpidr_el1", "tpidr_el2")
_ADD_MASK, _ADD_SHIFTED, _ADD_EXTENDED = 0xFFE00000, 0x8B000000, 0x8B200000
_MOV_MASK, _MOV = 0xFFE0FFE0, 0xAA0003E0


class What(StrEnum):
    """What made a value."""

    ENTRY = "entry"
    """Held by a register where the path begins."""
    LOADED = "loaded"
    """Eight bytes loaded."""
    RETURNED = "returned"
    PER_CPU = "per-cpu"
    """Offset of this CPU's copies of per-CPU variables."""
    CURRENT = "current"
    LOOP = "loop"
    """Changed by earlier rounds of a loop, perhaps."""
    OTHER = "other"


class Atom(NamedTuple):
    what: What
    at: int = 0
    """Number of the step that made it."""
    register: str = ""
    """In which it was made."""


class Origin(NamedTuple):
    atoms: tuple[Atom, ...]
    """Sorted; () for a constant of the code."""
    constant: int = 0
    """Modulo 2^64."""

    def plus(self, distance: int) -> "Origin":
        return Origin(self.atoms, (self.constant + distance) & MASK_64)

    @property
    def distance(self) -> int:
        """The constant as a signed number."""
        return signed(self.constant, 64)

    @property
    def only(self) -> Atom | None:
        """The atom where it is the only one."""
        return self.atoms[0] if len(self.atoms) == 1 else None


State = dict[str, Origin]


def origins(path: Sequence[Step]) -> list[State]:
    """Return for each instruction of a path what each register held before it."""
    state: State = {name: Origin((Atom(What.ENTRY, 0, name),)) for name in _REGISTERS}
    states = []
    for at, step in enumerate(path):
        if step.forgets:
            unknown = {name: Origin((Atom(What.LOOP, at, name),)) for name in step.forgets}
            state = {**state, **{n: o for n, o in unknown.items() if n in state}}
        states.append(state)
        changed = _changed(state, step, at)
        state = {**state, **{n: o for n, o in changed.items() if n in state}}
    return states


def _changed(state: State, step: Step, at: int) -> State:
    """Return the registers that an instruction writes, and their origins."""
    insn = step.insn
    changed = {name: Origin((Atom(What.OTHER, at, name),)) for name in insn.writes}
    if insn.branch is not None and insn.branch.link:
        changed |= {name: Origin((Atom(What.OTHER, at, name),)) for name in CLOBBERED}
        changed["x0"] = Origin((Atom(What.RETURNED, at, "x0"),))
    elif insn.mnemonic in SYSTEM_CALLS:
        changed |= {name: Origin((Atom(What.OTHER, at, name),)) for name in CLOBBERED}
    elif insn.memory is not None:
        changed |= _accessed(state, insn, at)
    elif insn.system_register is not None and insn.mnemonic == "mrs":
        what = What.CURRENT if insn.system_register == "sp_el0" else None
        what = What.PER_CPU if insn.system_register in _PER_CPU else what
        if what is not None:
            # Equal wherever it is read: code with a per-CPU address in its hands is not preempted.
            changed = {name: Origin((Atom(what),)) for name in insn.writes}
    elif not insn.is_32bit:
        made = _computed(state, step, at)
        changed |= {name: made for name in insn.writes if made is not None and name != "nzcv"}
    return changed


def _accessed(state: State, insn: Insn, at: int) -> State:
    memory = insn.memory
    if memory is None:
        return {}
    changed = {}
    plain = memory.load and not (memory.store or memory.fp or memory.tag or memory.exclusive)
    if plain and memory.size == 8 and not insn.mnemonic.startswith("ldra"):
        changed = {n: Origin((Atom(What.LOADED, at, n),)) for n in memory.data if n != "xzr"}
    if memory.writeback and memory.step is not None and memory.base not in changed:
        changed[memory.base] = state[memory.base].plus(memory.step)
    return changed


def _computed(state: State, step: Step, at: int) -> Origin | None:
    """Return the value that arithmetic makes; None where it is no sum."""
    insn, word = step.insn, step.insn.word
    rn, rm = X_OR_SP[field(word, 5, 5)], X_OR_SP[field(word, 16, 5)]
    if insn.mnemonic in ("adr", "adrp"):
        page = step.address & ~0xFFF if insn.mnemonic == "adrp" else step.address
        return Origin((), (page + (insn.immediate or 0)) & MASK_64)
    if insn.mnemonic == "movz":
        return Origin((), (insn.immediate or 0) & MASK_64)
    if word & _MOV_MASK == _MOV:
        return Origin(()) if rm == "sp" else state[rm]
    if insn.mnemonic in ("add", "adds", "sub", "subs") and insn.immediate is not None:
        return state[rn].plus(-insn.immediate if insn.mnemonic[0] == "s" else insn.immediate)
    if word & _ADD_MASK not in (_ADD_SHIFTED, _ADD_EXTENDED):
        return None
    is_plain = word & _ADD_MASK == _ADD_SHIFTED and not field(word, 10, 6)
    rm = X_OR_SP[field(word, 16, 5)]
    if rm == "sp" or (is_plain and rn == "sp"):
        return None
    index = state[rm] if is_plain else Origin((Atom(What.OTHER, at, f"{rm} scaled"),))
    atoms = (*state[rn].atoms, *index.atoms)
    if len(atoms) > _MAX_ATOMS:
        return None
    return Origin(tuple(sorted(atoms)), (state[rn].constant + index.constant) & MASK_64)
