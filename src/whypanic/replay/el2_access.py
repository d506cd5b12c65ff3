"""One load, store or atomic at EL2: checked against the pages, run, and followed in what is known.

Source: Arm ARM DDI 0487 L, pseudocode AArch64.CheckAlignment, CheckSPAlignment, and of each instruction;
"CONSTRAINED UNPREDICTABLE behavior" for the register combinations that are refused.
"""

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from whypanic.arch.insn.record import MASK_64, Insn, Memory, X, effective_address, field, signed
from whypanic.replay import architecture
from whypanic.replay.architecture import ExceptionTakenError, UnansweredError
from whypanic.replay.protocol import MemoryAccess

if TYPE_CHECKING:
    from whypanic.replay.el2_run import El2Run


class _Piece(NamedTuple):
    """Contiguous bytes, and the registers they go to or come from."""

    va: int
    n_bytes: int
    registers: tuple[str, ...]


def perform(run: "El2Run", insn: Insn, accesses: list[MemoryAccess]) -> None:
    """Run a load or store; append what it accessed, also where it faults.

    :raises ExceptionTakenError: if the access faults.
    :raises UnansweredError: if its address is unknown, or the architecture leaves the result open.
    """
    memory = insn.memory
    if memory is None:
        return
    va = _address(run, insn, memory)
    _refuse_unpredictable(run, insn, memory)
    try:
        _check(run, memory, va, accesses)
    except ExceptionTakenError:
        if memory.exclusive and memory.store and run.monitor is None:
            _refuse_exclusive(run, "whether {} faults without a monitor")
        raise
    if memory.exclusive:
        _follow_monitor(run, memory, va)
    if memory.atomic:
        _update(run, insn, memory, va, accesses)
    elif memory.store:
        _store(run, insn, _pieces(memory, va), accesses)
    else:
        _load(run, insn, _pieces(memory, va), accesses)


def _address(run: "El2Run", insn: Insn, memory: Memory) -> int:
    what = f"the address of the {'store' if memory.store else 'load'}"
    for name in (memory.base, memory.index):
        if name is not None and name != "pc":
            run.need(name, what)
    va = effective_address(insn, run.values, run.pc)
    if va is None:
        message = f"{what} at {run.place(run.pc)} is unknown"
        raise UnansweredError(message)
    return va


def _refuse_unpredictable(run: "El2Run", insn: Insn, memory: Memory) -> None:
    clash = bool(memory.writeback) and memory.base in memory.data
    if memory.load and not memory.atomic and len(memory.data) > 1:
        clash |= len(set(memory.data)) < len(memory.data)
    if memory.exclusive and memory.store:
        status = X[field(insn.word, 16, 5)]
        clash |= status in (*memory.data, memory.base) and status != "xzr"
    if clash:
        message = f"the registers of {insn.mnemonic} at {run.place(run.pc)} make it unpredictable"
        raise UnansweredError(message)


def _check(run: "El2Run", memory: Memory, va: int, accesses: list[MemoryAccess]) -> None:
    pc, n_bytes, write = run.pc, memory.n_bytes, memory.store and not memory.load
    if memory.base == "sp" and run.system.checks_sp and run.values["sp"] & 15:
        raise ExceptionTakenError(architecture.sp_alignment(pc, run.values["sp"]))
    whole = memory.atomic or memory.exclusive
    fault = None
    if va % (n_bytes if whole else memory.size):
        within = (va & 15) + n_bytes <= run.system.unaligned_within
        if run.system.checks_alignment or ((whole or memory.ordered) and not within):
            fault = architecture.alignment_fault(pc, va, write=write)
    fault = fault or architecture.access_fault(
        run.space, pc, va, n_bytes, load=memory.load, store=memory.store
    )
    if fault is not None:
        accesses.append(_shown(run, va, n_bytes, None, write=write))
        raise ExceptionTakenError(fault)


def _follow_monitor(run: "El2Run", memory: Memory, va: int) -> None:
    """Mark or clear the local monitor; a store elsewhere than marked has no defined result."""
    here = (va, memory.n_bytes)
    if memory.load:
        run.monitor = here
        return
    if run.monitor not in (None, here):
        _refuse_exclusive(run, "what {} does, away from the address marked,")
    run.monitor = None


def _refuse_exclusive(run: "El2Run", what: str) -> NoReturn:
    """Source: DDI 0487 L, "Exclusive access instructions and Shareable memory locations", STXR."""
    message = f"{what.format(f'the store-exclusive at {run.place(run.pc)}')} is up to the core"
    raise UnansweredError(message)


def _pieces(memory: Memory, va: int) -> tuple[_Piece, ...]:
    """Return one piece a register, or one for all where the registers interleave."""
    if len(memory.data) != memory.n_elements:
        return (_Piece(va, memory.n_bytes, memory.data),)
    return tuple(
        _Piece((va + n * memory.size) & MASK_64, memory.size, (name,))
        for n, name in enumerate(memory.data)
    )


def _shown(run: "El2Run", va: int, n_bytes: int, value: int | None, *, write: bool) -> MemoryAccess:
    page = run.space.page_at(va)
    return MemoryAccess(va, n_bytes, write, value, page.name if page else None)


def _loaded(run: "El2Run", piece: _Piece, accesses: list[MemoryAccess]) -> bool:
    """Note a load before it runs; return whether its value is known."""
    known = run.space.is_known(piece.va, piece.n_bytes)
    value = run.cpu.read_memory(piece.va, piece.n_bytes) if known else None
    accesses.append(_shown(run, piece.va, piece.n_bytes, value, write=False))
    return known


def _stored(run: "El2Run", piece: _Piece, accesses: list[MemoryAccess], *, known: bool) -> None:
    """Note a store after it ran."""
    run.space.mark(piece.va, piece.n_bytes, known=known)
    value = run.cpu.read_memory(piece.va, piece.n_bytes) if known else None
    accesses.append(_shown(run, piece.va, piece.n_bytes, value, write=True))


def _writeback(run: "El2Run", insn: Insn) -> dict[str, bool]:
    memory = insn.memory
    if memory is None or not memory.writeback:
        return {}
    # Without a step the post-index adds a register (LD1..LD4, ST1..ST4).
    step = None if memory.step is not None else X[field(insn.word, 16, 5)]
    return {memory.base: step is None or run.look(step) is not None}


def _load(
    run: "El2Run", insn: Insn, pieces: tuple[_Piece, ...], accesses: list[MemoryAccess]
) -> None:
    known = _writeback(run, insn)
    # A load of one lane keeps the others.
    is_lane = insn.mnemonic in ("ld1", "ld2", "ld3", "ld4") and bool(field(insn.word, 24, 1))
    for piece in pieces:
        is_known = _loaded(run, piece, accesses)
        for name in piece.registers:
            if name != "xzr":
                known[name] = is_known and (not is_lane or run.known[name])
    run.cpu.step(run.pc)
    run.take(known)


def _store(
    run: "El2Run", insn: Insn, pieces: tuple[_Piece, ...], accesses: list[MemoryAccess]
) -> None:
    exclusive = insn.memory is not None and insn.memory.exclusive
    known = _writeback(run, insn) | (dict.fromkeys(insn.writes, True) if exclusive else {})
    before = [run.space.is_known(piece.va, piece.n_bytes) for piece in pieces]
    run.cpu.step(run.pc)
    sources = [all(run.look(name) is not None for name in piece.registers) for piece in pieces]
    run.take(known)
    # A run alone decides the monitor: what it holds is known. Without a status register it is not asked.
    if exclusive and insn.writes and run.values[insn.writes[0]]:
        return
    for piece, was_known, is_known in zip(pieces, before, sources, strict=True):
        _stored(run, piece, accesses, known=is_known and (was_known or not exclusive))


def _update(
    run: "El2Run", insn: Insn, memory: Memory, va: int, accesses: list[MemoryAccess]
) -> None:
    piece = _Piece(va, memory.n_bytes, memory.data)
    old_known = _loaded(run, piece, accesses)
    half = len(memory.data) // 2
    operands = [run.look(name) for name in memory.data[:half]]
    replacements = [run.look(name) for name in memory.data[half:]]
    old = run.cpu.read_memory(va, memory.n_bytes)
    run.cpu.step(run.pc)
    if insn.mnemonic.startswith(("ldsmax", "ldsmin")):
        _correct_extreme(run, insn, memory, va, old)
    run.take(dict.fromkeys(insn.writes, old_known))
    known = all(value is not None for value in operands)
    if insn.mnemonic.startswith("cas"):
        mask = (1 << memory.size * 8) - 1
        expected = sum(
            ((value or 0) & mask) << n * memory.size * 8 for n, value in enumerate(operands)
        )
        known = known and old_known
        if known and expected == old:
            known = all(value is not None for value in replacements)
    elif not insn.mnemonic.startswith("swp"):
        known = known and old_known
    _stored(run, piece, accesses, known=known)


def _correct_extreme(run: "El2Run", insn: Insn, memory: Memory, va: int, old: int) -> None:
    """Store what LDSMAX or LDSMIN of less than 64 bits stores.

    Unicorn 2.1.4 compares the operands without their signs (measured; QEMU 7.2 compares them with).
    """
    width = memory.size * 8
    source = memory.data[0]
    operand = 0 if source == "xzr" else run.values[source]
    choose = max if insn.mnemonic.startswith("ldsmax") else min
    value = choose(signed(old, width), signed(operand, width))
    run.cpu.write_memory(va, memory.size, value & ((1 << width) - 1))
