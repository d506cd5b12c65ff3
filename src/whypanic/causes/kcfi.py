"""What the registers at a kCFI trap hold: the hash in front of the target, and the one the caller expected.

Source: clang -fsanitize=kcfi on AArch64 loads the word before the target into w16 and the expected hash into w17
(`ldur w16, [xN, #-4]; movk w17, ...; cmp w16, w17; b.eq; brk #imm`); Linux arch/arm64/include/asm/brk-imm.h
(CFI_BRK_IMM_TARGET bits 4:0, CFI_BRK_IMM_TYPE bits 9:5, base 0x8000).
"""

from typing import NamedTuple

from whypanic.causes.case import CaseView
from whypanic.model.provenance import Fact

_BASE = 0x8000
_FOUND_REGISTER = "x16"
_NO_HASHES = frozenset({0x00000000, 0xD503201F, 0xD503245F, 0xD503249F, 0xD65F03C0, 0xFFFFFFFF})
"""Padding and what ends a function before this one: zeroes, NOP, BTI C, BTI J, RET, erased bytes."""


class Hashes(NamedTuple):
    found: int
    expected: int
    facts: tuple[Fact, ...]


def hash_found(case: CaseView) -> Hashes | None:
    """Return both hashes of a kCFI trap; None for other CFI reports or where registers are missing."""
    esr = case.esr
    immediate = esr.brk_immediate if esr is not None else None
    if immediate is None or immediate & ~0x3FF != _BASE or case.syndrome is None:
        return None
    found = case.registers.get(_FOUND_REGISTER)
    expected = case.registers.get(f"x{immediate >> 5 & 0x1F}")
    if found is None or expected is None or found.value is None or expected.value is None:
        return None
    if found.name == expected.name:
        return None
    low = 0xFFFF_FFFF
    return Hashes(found.value & low, expected.value & low, (case.syndrome, found, expected))


def is_no_hash(word: int) -> bool:
    """True for words that stand where a hash is missing."""
    return word in _NO_HASHES
