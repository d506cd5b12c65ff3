"""The calls on a stopped CPU's stack, by its frame records: no debug information is needed.

A frame record is the caller's frame pointer and the return address, and x29 points to the innermost one. Where the
kernel took an exception there is one inside the registers that it saved, `struct pt_regs`. An nVHE hypervisor's records
go on in the kernel's: code at EL2 finds the host's x29 in its own and saves it as any other.

Source: AAPCS64 2023Q3, The Frame Pointer; Arm ARM DDI 0487 L, D8 Pointer authentication (the signature lies in the bits
above the address, but for bit 55); Linux arch/arm64/include/asm/ptrace.h (5.10 to 6.12, and 6.13 on),
arch/arm64/include/asm/stacktrace/frame.h (6.13).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from whypanic.arch.values import strip_pac
from whypanic.lab.places import Namer

_MAX_FRAMES = 64
_INSN_BYTES = 4
_VECTORS_BYTES, _VECTOR_BYTES = 0x800, 0x80
_X29, _X30, _PC = 8 * 29, 8 * 30, 8 * 32
"""Offsets in `struct pt_regs`."""
_RECORD_IN_REGS = 304
"""Offset of `stackframe` in `struct pt_regs`, 4.18 to 6.12: {x29, pc}."""
_MARK_IN_REGS = 296
"""The same from 6.13 on: {0, 0, type}."""
_TYPE_PT_REGS = 2
"""FRAME_META_TYPE_PT_REGS."""


class Memory(Protocol):
    """Memory by virtual address."""

    def physical(self, va: int) -> int | None: ...

    def read_u64(self, va: int) -> int | None: ...


class Frame(NamedTuple):
    """One function that was called, or interrupted, and has not returned."""

    address: int
    """Where it runs: its PC, or the return address in it."""
    pa: int | None
    """Physical address of the instruction that it is at: that of the call for a return address."""
    name: str | None
    """`symbol+0x4`."""
    frame_pointer: int
    """x29 while it runs."""

    @property
    def text(self) -> str:
        return self.name or f"{self.address:#x}"

    @property
    def function(self) -> str | None:
        return None if self.name is None else self.name.partition("+")[0]


class _Context(NamedTuple):
    """Registers of an interrupted function."""

    pc: int
    x29: int
    x30: int


def before_exception(registers: Mapping[str, int], el: int | None) -> dict[str, int]:
    """Return the registers with the PC of before an exception whose vector has not run yet."""
    pc, vectors = registers.get("pc", 0), registers.get(f"VBAR_EL{el}")
    taken = vectors is not None and 0 <= pc - vectors < _VECTORS_BYTES
    if not taken or pc % _VECTOR_BYTES or f"ELR_EL{el}" not in registers:
        return dict(registers)
    return {**registers, "pc": registers[f"ELR_EL{el}"]}


def frame_chain(
    memory: Memory, registers: Mapping[str, int], name_of: Namer, va_bits: int = 48
) -> tuple[Frame, ...]:
    """Return the frames of a CPU, innermost first.

    :param registers: pc, x29 and x30.
    :param name_of: names physical addresses.
    :param va_bits: bits of an address that are no signature.
    """
    start = _Context(registers.get("pc", 0), registers.get("x29", 0), registers.get("x30", 0))
    frames: list[Frame] = []
    for frame in _frames(memory, start, name_of, va_bits):
        frames.append(frame)
        if len(frames) >= _MAX_FRAMES:
            break
    return tuple(frames)


def _frames(
    memory: Memory, context: _Context | None, name_of: Namer, va_bits: int
) -> Iterator[Frame]:
    seen: set[int] = set()
    while context is not None:
        fp = context.x29
        interrupted = _frame(memory, context.pc, 0, fp, name_of)
        yield interrupted
        link: int | None = strip_pac(context.x30, va_bits)
        context = None
        while fp and fp not in seen and not fp % 8:
            seen.add(fp)
            caller, address = memory.read_u64(fp), memory.read_u64(fp + 8)
            if caller is None or address is None:
                return
            context = _saved_registers(memory, fp, caller, address)
            if context is not None:
                break
            if not address:
                return
            address = strip_pac(address, va_bits)
            if link is not None:
                yield from _leaf(memory, interrupted, link, address, name_of)
                link = None
            yield _frame(memory, address, _INSN_BYTES, caller, name_of)
            fp = caller


def _saved_registers(memory: Memory, fp: int, caller: int, address: int) -> _Context | None:
    """Return the registers that a record is part of; None for one that a function made."""
    offset = _RECORD_IN_REGS
    if not caller and not address:
        if memory.read_u64(fp + 16) != _TYPE_PT_REGS:
            return None
        offset = _MARK_IN_REGS
    at = fp - offset
    pc, x29, x30 = (memory.read_u64(at + i) for i in (_PC, _X29, _X30))
    if pc is None or x29 is None or x30 is None:
        return None
    if offset == _RECORD_IN_REGS and (x29, pc) != (caller, address):
        return None
    return _Context(pc, x29, x30)


def _leaf(memory: Memory, first: Frame, link: int, address: int, name_of: Namer) -> Iterator[Frame]:
    """Yield the caller of a function that has not made its record, or makes none: x30 still holds it.

    Behind a call x30 points into the function itself; before one it is what the record has.
    """
    if link != address:
        caller = _frame(memory, link, _INSN_BYTES, first.frame_pointer, name_of)
        if caller.function is not None and caller.function != first.function:
            yield caller


def _frame(memory: Memory, address: int, back: int, fp: int, name_of: Namer) -> Frame:
    """Return a frame.

    :param back: bytes from the instruction to `address`: a call that never returns may be the last of its function.
    """
    pa = memory.physical(address - back)
    name = None if pa is None else name_of(pa)
    if name is not None and back:
        symbol, _, offset = name.partition("+")
        name = f"{symbol}+{int(offset or '0', 16) + back:#x}"
    return Frame(address, pa, name, fp)
