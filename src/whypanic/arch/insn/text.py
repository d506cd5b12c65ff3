"""A word in assembler, for reading only: nothing is ever decided from it."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from whypanic.arch.insn.decode import decode


@lru_cache(maxsize=4096)
def render(word: int, address: int | None = None) -> str:
    """Return `mnemonic operands`; `.inst 0x........` for what the disassembler does not know.

    Without an address PC-relative operands are shown as `.+0x10`.
    """
    word &= 0xFFFFFFFF
    fallback = f".inst {word:#010x}"
    disassemble = _disassembler()
    if disassemble is None:
        return fallback
    found = next(iter(disassemble(word.to_bytes(4, "little"), address or 0, 1)), None)
    if found is None:
        return f"udf #{word}" if word >> 16 == 0 else fallback
    mnemonic, operands = found[2], found[3]
    offset = _pc_offset(word) if address is None else None
    if offset is not None:
        head, comma, _ = operands.rpartition(", ")
        sign = "-" if offset < 0 else "+"
        operands = f"{head}{comma}.{sign}{abs(offset):#x}"
    return f"{mnemonic} {operands}".rstrip()


@cache
def _disassembler() -> Callable[..., Any] | None:
    try:
        import capstone
    except ImportError:
        return None
    # Capstone 6 calls the architecture AARCH64.
    arch = getattr(capstone, "CS_ARCH_ARM64", None)
    if arch is None:
        arch = capstone.CS_ARCH_AARCH64
    lite: Callable[..., Any] = capstone.Cs(arch, capstone.CS_MODE_LITTLE_ENDIAN).disasm_lite
    return lite


def _pc_offset(word: int) -> int | None:
    insn = decode(word)
    if insn.branch is not None:
        return insn.branch.offset
    if insn.memory is not None and insn.memory.base == "pc":
        return insn.memory.offset
    if insn.mnemonic in ("adr", "adrp"):
        return insn.immediate
    return None
