"""Dispatch of a word to the encoding group that holds it."""

from collections.abc import Callable
from functools import lru_cache

from whypanic.arch.insn.branches import decode_branch
from whypanic.arch.insn.data_processing import decode_data_immediate, decode_data_register
from whypanic.arch.insn.fp_simd import decode_fp_simd, decode_sme, decode_sve
from whypanic.arch.insn.load_store import decode_load_store
from whypanic.arch.insn.record import Group, Insn, unallocated


def _decode_reserved(word: int) -> Insn:
    if word >> 31:
        return decode_sme(word)
    if word >> 16 == 0:
        return Insn(word, "udf", Group.UDF, immediate=word)
    return unallocated(word)


# Arm ARM DDI 0487, "A64 instruction set encoding": op0 is bits [28:25].
# fmt: off
_BY_OP0: tuple[Callable[[int], Insn], ...] = (
    _decode_reserved,       # 0000  reserved, SME
    unallocated,            # 0001
    decode_sve,             # 0010
    unallocated,            # 0011
    decode_load_store,      # 0100  x1x0
    decode_data_register,   # 0101  x101
    decode_load_store,      # 0110
    decode_fp_simd,         # 0111  x111
    decode_data_immediate,  # 1000  100x
    decode_data_immediate,  # 1001
    decode_branch,          # 1010  101x
    decode_branch,          # 1011
    decode_load_store,      # 1100
    decode_data_register,   # 1101
    decode_load_store,      # 1110
    decode_fp_simd,         # 1111
)
# fmt: on


@lru_cache(maxsize=1 << 12)
def decode(word: int) -> Insn:
    """Return what a word encodes. Total: bits above 31 are ignored, unknown words are UNALLOCATED."""
    word &= 0xFFFFFFFF
    return _BY_OP0[(word >> 25) & 0xF](word)
