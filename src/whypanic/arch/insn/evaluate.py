"""Integer code run on registers of which some are unknown.

A value is either exact or None; an instruction that is not modelled makes every register it writes None. Source of
the semantics: Arm ARM DDI 0487, pseudocode of each instruction.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from whypanic.arch.insn.arithmetic import condition_holds
from whypanic.arch.insn.decode import decode
from whypanic.arch.insn.operations import OPERATIONS, Operands
from whypanic.arch.insn.record import (
    MASK_32,
    MASK_64,
    Group,
    Insn,
    effective_address,
    field,
    signed,
)

MemoryReader = Callable[[int, int], int | None]
"""(address, bytes) -> little-endian value, or None. Asked only for loads: it must answer only for memory that no
store of the evaluated code changes, such as a table in read-only data."""

_UNKNOWN_31: tuple[int | None, ...] = (None,) * 31
_NOTHING: Mapping[str, int] = MappingProxyType({})

_CALL_CLOBBERS = (*(f"x{n}" for n in range(19)), "x30", "nzcv")
"""What a callee may change under AAPCS64; x18 because the kernel may use it as the shadow call stack."""

_CONSTANT_REGISTERS = ("id_", "midr_", "mpidr_", "revidr_", "ctr_", "dczid_", "aidr_", "clidr_")
_PLAIN_REGISTERS = ("tpidr_el0", "tpidrro_el0", "tpidr_el1", "tpidr_el2", "sp_el0")
"""Registers that read as they were written, whatever the state of the CPU."""


class State(NamedTuple):
    """Registers before an instruction; None is unknown."""

    x: tuple[int | None, ...] = _UNKNOWN_31
    """x0..x30."""
    sp: int | None = None
    nzcv: int | None = None
    """N, Z, C, V as bits 3..0."""
    pc: int | None = None
    system: Mapping[str, int] = _NOTHING
    """Known system registers by lower-case name."""
    written: Mapping[str, int | None] = _NOTHING
    """System registers written by MSR on the way, with the value last written."""

    def get(self, name: str) -> int | None:
        """Return x0..x30, sp, nzcv or pc by name; xzr is 0."""
        if name == "xzr":
            return 0
        if name in ("sp", "nzcv", "pc"):
            value: int | None = getattr(self, name)
            return value
        return self.x[int(name[1:])] if name[0] == "x" else None

    @property
    def values(self) -> dict[str, int]:
        """Known general registers and sp by name."""
        values = {f"x{n}": value for n, value in enumerate(self.x) if value is not None}
        if self.sp is not None:
            values["sp"] = self.sp
        return values

    def with_values(self, values: Mapping[str, int | None]) -> "State":
        """Return the state with x0..x30, sp and nzcv replaced where named; other names are ignored."""
        x = list(self.x)
        for name, value in values.items():
            if name[0] == "x" and name != "xzr":
                x[int(name[1:])] = value
        return self._replace(
            x=tuple(x), sp=values.get("sp", self.sp), nzcv=values.get("nzcv", self.nzcv)
        )


def step(state: State, insn: Insn, memory: MemoryReader | None = None) -> State:
    """Return the state after one instruction. Calls are stepped over; `pc` is None where it cannot be told."""
    if insn.branch is not None:
        return _branch(state, insn)
    if insn.group in (Group.EXCEPTION, Group.UDF, Group.UNALLOCATED):
        known = insn.mnemonic in ("svc", "hvc", "smc")
        return _call(state) if known else state._replace(pc=None)
    results: dict[str, int | None] = dict.fromkeys(insn.writes)
    if insn.memory is not None and insn.group is Group.LOAD_STORE:
        results |= _access(state, insn, memory)
    elif insn.system_register is not None:
        state, moved = _move_system(state, insn)
        results |= moved
    elif insn.group in (Group.DATA_IMMEDIATE, Group.DATA_REGISTER):
        operation = OPERATIONS.get(insn.mnemonic)
        if operation is not None:
            results |= operation(Operands(state, insn))
    elif insn.mnemonic.startswith("at "):
        state = _forget(state, ("par_el1",))
    return state.with_values(results)._replace(pc=_next(state))


def _next(state: State) -> int | None:
    return None if state.pc is None else (state.pc + 4) & MASK_64


def _call(state: State) -> State:
    kept = {n: v for n, v in state.system.items() if n.startswith(_CONSTANT_REGISTERS)}
    after = state.with_values(dict.fromkeys(_CALL_CLOBBERS))
    return after._replace(pc=_next(state), system=kept)


def _branch(state: State, insn: Insn) -> State:
    branch = insn.branch
    if branch is None:
        return state
    if branch.link:
        return _call(state)
    if branch.kind == "eret" or (branch.authenticated and branch.register):
        return state._replace(pc=None)
    if branch.offset is None:
        return state._replace(pc=state.get(branch.register or "pc"))
    taken = is_taken(state, insn)
    if taken is None or state.pc is None:
        return state._replace(pc=None)
    return state._replace(pc=(state.pc + (branch.offset if taken else 4)) & MASK_64)


def is_taken(state: State, insn: Insn) -> bool | None:
    """Return whether a direct branch is taken; None when its condition is unknown."""
    branch = insn.branch
    if branch is None:
        return False
    if branch.condition is not None:
        condition = insn.word & 15
        if condition >= 14:
            return True
        return None if state.nzcv is None else condition_holds(condition, state.nzcv)
    if branch.register is None or branch.offset is None:
        return True
    value = state.get(branch.register)
    if value is None:
        return None
    if branch.kind in ("tbz", "tbnz"):
        return bool(value >> (insn.immediate or 0) & 1) == (branch.kind == "tbnz")
    value &= MASK_32 if insn.is_32bit else MASK_64
    return (value == 0) == (branch.kind == "cbz")


def _access(state: State, insn: Insn, reader: MemoryReader | None) -> dict[str, int | None]:
    """Return what a load or store leaves in registers, writeback included."""
    memory = insn.memory
    if memory is None:
        return {}
    results: dict[str, int | None] = {}
    plain = memory.load and not (memory.store or memory.fp or memory.tag or memory.exclusive)
    if reader is not None and plain and insn.mnemonic[:5] not in ("ldraa", "ldrab"):
        address = effective_address(insn, state.values, state.pc)
        for n, name in enumerate(memory.data):
            if address is None or name == "xzr":
                continue
            value = reader((address + n * memory.size) & MASK_64, memory.size)
            if value is not None:
                value = _extended(insn, value, memory.size, is_signed=memory.signed)
            results[name] = value
    if memory.writeback:
        base, added = state.get(memory.base), _writeback_step(state, insn)
        unpredictable = memory.base in memory.data
        known = base is not None and added is not None and not unpredictable
        results[memory.base] = (base + added) & MASK_64 if known else None  # type: ignore[operator]
    return results


def _extended(insn: Insn, value: int, size: int, *, is_signed: bool) -> int:
    if not is_signed:
        return value & (1 << size * 8) - 1
    return signed(value, size * 8) & (MASK_32 if insn.is_32bit else MASK_64)


def _writeback_step(state: State, insn: Insn) -> int | None:
    if insn.memory is not None and insn.memory.step is not None:
        return insn.memory.step
    # LD1..LD4 and ST1..ST4, post-index by a register.
    return state.get(f"x{field(insn.word, 16, 5)}")


def _forget(state: State, names: tuple[str, ...]) -> State:
    return state._replace(system={n: v for n, v in state.system.items() if n not in names})


def _move_system(state: State, insn: Insn) -> tuple[State, dict[str, int | None]]:
    """Return the state and the registers changed by MRS, MSR, MRRS or MSRR."""
    name, rt = insn.system_register or "", insn.word & 31
    register = "xzr" if rt == 31 else f"x{rt}"
    if insn.mnemonic == "mrs":
        value = state.system.get(name)
        if name == "nzcv":
            value = None if state.nzcv is None else state.nzcv << 28
        return state, {} if register == "xzr" else {register: value}
    if insn.mnemonic == "mrrs":
        return state, {}
    # With E2H the same register answers to several names, so that all of a stem are forgotten.
    stem = name.rpartition("_")[0] + "_"
    state = _forget(state, tuple(n for n in state.system if n.startswith(stem) or n == name))
    if insn.immediate is not None:
        return _forget(state, ("daif", name)), {}
    value = state.get(register) if insn.mnemonic == "msr" else None
    if name == "nzcv":
        return state, {"nzcv": None if value is None else value >> 28 & 15}
    state = state._replace(written={**state.written, name: value})
    if name in _PLAIN_REGISTERS and value is not None:
        state = state._replace(system={**state.system, name: value})
    return state, {}


class Reason(StrEnum):
    """Why a run ended."""

    INDIRECT_BRANCH = "indirect-branch"
    RETURN = "return"
    LEFT_CODE = "left-code"
    UNKNOWN_CONDITION = "unknown-condition"
    LIMIT = "limit"
    UNDEFINED = "undefined"
    EXCEPTION = "exception"
    """BRK, HLT, DCPS, ERET and the like."""


class Stop(NamedTuple):
    reason: Reason
    address: int
    """Of the instruction not executed; for LEFT_CODE the first address without a word."""
    register: str | None = None
    """Holds the target of an indirect branch or return, or what the condition needs."""
    value: int | None = None
    """Value of that register, if known; before authentication for BRAA, RETAA and their like."""


class Step(NamedTuple):
    address: int
    insn: Insn
    before: State


class Run(NamedTuple):
    steps: tuple[Step, ...]
    """In order of execution; the last one is the instruction at `stop.address`, where there is one."""
    final: State
    """Before the instruction at `stop.address`."""
    stop: Stop

    @property
    def reason(self) -> Reason:
        return self.stop.reason


def run(
    words: Mapping[int, int],
    start: int,
    state: State,
    *,
    limit: int,
    memory: MemoryReader | None = None,
    stop_at_calls: bool = False,
) -> Run:
    """Return the path of the code from `start` as far as it is certain.

    :param words: address -> word.
    :param limit: instructions executed at most.
    :param stop_at_calls: end at BLR as at BR; else calls are stepped over.
    """
    steps: list[Step] = []
    state = state._replace(pc=start)
    address = start
    while True:
        word = words.get(address)
        if word is None:
            return Run(tuple(steps), state, Stop(Reason.LEFT_CODE, address))
        if len(steps) >= limit:
            return Run(tuple(steps), state, Stop(Reason.LIMIT, address))
        insn = decode(word)
        steps.append(Step(address, insn, state))
        stop = _stop(state, insn, address, stop_at_calls=stop_at_calls)
        if stop is not None:
            return Run(tuple(steps), state, stop)
        state = step(state, insn, memory)
        if state.pc is None:
            return Run(tuple(steps), steps[-1].before, Stop(Reason.UNDEFINED, address))
        address = state.pc


def _stop(state: State, insn: Insn, address: int, *, stop_at_calls: bool) -> Stop | None:
    branch = insn.branch
    if insn.group in (Group.UDF, Group.UNALLOCATED):
        return Stop(Reason.UNDEFINED, address)
    if insn.group is Group.EXCEPTION:
        known = insn.mnemonic in ("svc", "hvc", "smc")
        return None if known else Stop(Reason.EXCEPTION, address)
    if branch is None:
        return None
    if branch.kind == "eret":
        return Stop(Reason.EXCEPTION, address)
    register = branch.register
    value = None if register is None else state.get(register)
    if branch.kind == "ret":
        return Stop(Reason.RETURN, address, register, value)
    if branch.kind == "br" or (branch.kind == "blr" and stop_at_calls):
        return Stop(Reason.INDIRECT_BRANCH, address, register, value)
    if branch.offset is not None and is_taken(state, insn) is None:
        return Stop(Reason.UNKNOWN_CONDITION, address, register or "nzcv")
    return None
