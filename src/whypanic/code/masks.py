"""Masks that find instructions in whole arrays of words: an instruction is there where `word & mask == value`.

Source: Arm ARM DDI 0487, the encoding index; each row is held against `arch.insn.decode` by a test.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.kernel_image import Words


class Mask(NamedTuple):
    mask: int
    value: int

    def hits(self, words: Words) -> NDArray[np.bool_]:
        """Return which words are this instruction, bool[n]."""
        found: NDArray[np.bool_] = (words & np.uint32(self.mask)) == np.uint32(self.value)
        return found

    def fits(self, word: int) -> bool:
        """Tell whether one word is this instruction."""
        return word & self.mask == self.value


# fmt: off
MASKS = {
    # Branches
    "br":              Mask(0xFFFFFC1F, 0xD61F0000),
    "blr":             Mask(0xFFFFFC1F, 0xD63F0000),
    "br|blr":          Mask(0xFFDFFC1F, 0xD61F0000),
    "ret":             Mask(0xFFFFFC1F, 0xD65F0000),
    "any register":    Mask(0xFE000000, 0xD6000000),  # br, blr, ret, eret, drps, with pointer authentication or not
    "b":               Mask(0xFC000000, 0x14000000),
    "bl":              Mask(0xFC000000, 0x94000000),
    "b|bl":            Mask(0x7C000000, 0x14000000),
    "b.cond":          Mask(0xFF000000, 0x54000000),  # bc.cond too
    "cbz|cbnz":        Mask(0x7E000000, 0x34000000),
    "tbz|tbnz":        Mask(0x7E000000, 0x36000000),
    # Addresses
    "adr":             Mask(0x9F000000, 0x10000000),
    "adrp":            Mask(0x9F000000, 0x90000000),
    "add x imm":       Mask(0xFF800000, 0x91000000),
    "sub x imm":       Mask(0xFF800000, 0xD1000000),
    "ldr literal":     Mask(0x3B000000, 0x18000000),  # ldr, ldrsw, prfm, SIMD
    "ldr w literal":   Mask(0xFF000000, 0x18000000),
    "ldr x literal":   Mask(0xFF000000, 0x58000000),
    "ldrsw literal":   Mask(0xFF000000, 0x98000000),
    "prfm literal":    Mask(0xFF000000, 0xD8000000),
    "ldr x uimm":      Mask(0xFFC00000, 0xF9400000),
    "ld/st uimm":      Mask(0x3B000000, 0x39000000),  # every size, SIMD and prfm too
    "movn":            Mask(0xFF800000, 0x92800000),
    "movz":            Mask(0xFF800000, 0xD2800000),
    "movk":            Mask(0xFF800000, 0xF2800000),
    "movz w":          Mask(0xFF800000, 0x52800000),
    "mov":             Mask(0xFFE0FFE0, 0xAA0003E0),
    "mov w":           Mask(0xFFE0FFE0, 0x2A0003E0),
    # Tables
    "ldr x register":  Mask(0xFFE00C00, 0xF8600800),
    "ldrsw register":  Mask(0xFFE00C00, 0xB8A00800),
    "ldr w register":  Mask(0xFFE00C00, 0xB8600800),
    "ldrh register":   Mask(0xFFE00C00, 0x78600800),
    "ldrb register":   Mask(0xFFE00C00, 0x38600800),
    "add x shifted":   Mask(0xFFE00000, 0x8B000000),  # lsl only
    "add x extended":  Mask(0xFFE00000, 0x8B200000),
    "ubfm x":          Mask(0xFFC00000, 0xD3400000),
    "sbfm x":          Mask(0xFFC00000, 0x93400000),
    "ubfm w":          Mask(0xFFC00000, 0x53000000),
    "and w imm":       Mask(0xFF800000, 0x12000000),
    "and x imm":       Mask(0xFF800000, 0x92000000),
    "cmp w imm":       Mask(0xFF80001F, 0x7100001F),
    "subs imm":        Mask(0x7F800000, 0x71000000),
    "subs shifted":    Mask(0x7FE00000, 0x6B000000),  # lsl only
    # System
    "mrs":             Mask(0xFFF00000, 0xD5300000),
    "msr register":    Mask(0xFFF00000, 0xD5100000),
    "mrs *_el2":       Mask(0xFFFF0000, 0xD53C0000),
    "msr *_el2":       Mask(0xFFFF0000, 0xD51C0000),
    "mrs sp_el0":      Mask(0xFFFFFFE0, 0xD5384100),
    "hint":            Mask(0xFFFFF01F, 0xD503201F),
    "nop":             Mask(0xFFFFFFFF, 0xD503201F),
    "bti":             Mask(0xFFFFFF3F, 0xD503241F),
    "paciasp":         Mask(0xFFFFFFFF, 0xD503233F),
    "autiasp":         Mask(0xFFFFFFFF, 0xD50323BF),
    "svc":             Mask(0xFFE0001F, 0xD4000001),
    "hvc":             Mask(0xFFE0001F, 0xD4000002),
    "smc":             Mask(0xFFE0001F, 0xD4000003),
    "brk":             Mask(0xFFE0001F, 0xD4200000),
    "udf":             Mask(0xFFFF0000, 0x00000000),
    "dc zva":          Mask(0xFFFFFFE0, 0xD50B7420),
    # Stack, vectors, memory
    "scs push":        Mask(0xFFFFFFFF, 0xF800865E),  # str x30, [x18], #8
    "scs pop":         Mask(0xFFFFFFFF, 0xF85F8E5E),  # ldr x30, [x18, #-8]!
    "fp data":         Mask(0x0E000000, 0x0E000000),
    "fp load-store":   Mask(0x0E000000, 0x0C000000),  # MOPS too: see below
    "mops":            Mask(0x3B200C00, 0x19000400),
    "sve":             Mask(0x1E000000, 0x04000000),
    "sme":             Mask(0x9E000000, 0x80000000),
    "exclusive":       Mask(0x3F800000, 0x08000000),  # LDXR.. and CASP
    "cas":             Mask(0x3FA07C00, 0x08A07C00),
    "lse":             Mask(0x3F200C00, 0x38200000),  # atomics; LDAPR
}
# fmt: on


def field(words: Words, lo: int, width: int) -> Words:
    """Return `width` bits from bit `lo` up of every word, uint32[n]."""
    return (words >> np.uint32(lo)) & np.uint32((1 << width) - 1)


def signed_field(words: Words, lo: int, width: int) -> NDArray[np.int64]:
    """Return a field read as two's complement, int64[n]."""
    raw = field(words, lo, width).astype(np.int64)
    return (raw ^ (1 << (width - 1))) - (1 << (width - 1))
