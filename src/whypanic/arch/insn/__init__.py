"""A64 instructions, decoded from their 32-bit encoding and never from a printed mnemonic."""

from whypanic.arch.insn.decode import decode
from whypanic.arch.insn.record import Branch, Group, Insn, Memory, effective_address

__all__ = ["Branch", "Group", "Insn", "Memory", "decode", "effective_address"]
