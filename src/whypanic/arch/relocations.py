"""ELF relocations of AArch64: their numbers, and what a static linker makes of a word.

Source: ELF for the Arm 64-bit Architecture (ARM-software/abi-aa, aaelf64.rst), tables of static relocations. The terms
are its own: S the symbol's address, A the addend, P the place, G(GDAT(S)) the address of a GOT slot that holds S.
PREL32 is allowed the range of both the older text and the newer, signed one. MOVW_SABS, MOVW_PREL, TLS and GOT-relative
ones are left out: kernels do not use them in C code.
"""

from enum import StrEnum
from typing import NamedTuple

_MASK_64 = (1 << 64) - 1
_PAGE = ~0xFFF


class Operation(StrEnum):
    """How X is made; a GOT slot's address stands for S+A where `is_got`."""

    TARGET = "S+A"
    PLACE = "S+A-P"
    PAGE = "Page(S+A)-Page(P)"


class Field(NamedTuple):
    """Where the bits of X go."""

    name: str
    mask: int
    """With `value`: which words have this field; 0 for data."""
    value: int
    lo: int = 0
    """Lowest bit in the word."""


class Relocation(NamedTuple):
    """One row of the tables."""

    number: int
    name: str
    operation: Operation
    field: Field
    shift: int
    """Low bits of X that are not stored."""
    width: int
    """Bits stored."""
    first: int | None = None
    """X must be at least this ..."""
    last: int | None = None
    """... and below this; None: not checked."""
    aligned: bool = False
    """The bits not stored must be zero."""
    is_got: bool = False

    @property
    def is_data(self) -> bool:
        """The place is data, not an instruction."""
        return self.field is _DATA

    @property
    def encodings(self) -> "tuple[Field, ...]":
        """Instructions that may stand at the place: CONDBR19 is for B.cond, CBZ and CBNZ alike."""
        return (self.field, _COMPARE) if self.field is _B_COND else (self.field,)

    @property
    def is_split(self) -> bool:
        """ADR and ADRP: the two lowest bits stored stand apart, in bits 30:29."""
        return self.field in (_ADR, _ADRP)

    @property
    def scales_with_access(self) -> bool:
        """A load or store, whose size must be the one that the relocation is for."""
        return self.field is _LOAD_STORE


_DATA = Field("data", 0, 0)
_ADR = Field("ADR", 0x9F000000, 0x10000000)
_ADRP = Field("ADRP", 0x9F000000, 0x90000000)
_ADD = Field("ADD (immediate)", 0x7F800000, 0x11000000, 10)
_LOAD_STORE = Field("load or store with an unsigned offset", 0x3B000000, 0x39000000, 10)
_LITERAL = Field("LDR (literal)", 0x3B000000, 0x18000000, 5)
_B = Field("B", 0xFC000000, 0x14000000)
_BL = Field("B or BL", 0x7C000000, 0x14000000)
_B_COND = Field("conditional branch", 0xFF000000, 0x54000000, 5)
_COMPARE = Field("CBZ or CBNZ", 0x7E000000, 0x34000000, 5)
_TEST = Field("TBZ or TBNZ", 0x7E000000, 0x36000000, 5)
_MOVE = Field("MOVZ or MOVK", 0x5F800000, 0x52800000, 5)

_S, _P, _G = Operation.TARGET, Operation.PLACE, Operation.PAGE
_R = "R_AARCH64_"

# fmt: off
RELOCATIONS: tuple[Relocation, ...] = (
    #           number  name                             X   field      shift width first      last
    Relocation(257, _R + "ABS64",                        _S, _DATA,        0, 64),
    Relocation(258, _R + "ABS32",                        _S, _DATA,        0, 32, -1 << 31, 1 << 32),
    Relocation(259, _R + "ABS16",                        _S, _DATA,        0, 16, -1 << 15, 1 << 16),
    Relocation(260, _R + "PREL64",                       _P, _DATA,        0, 64),
    Relocation(261, _R + "PREL32",                       _P, _DATA,        0, 32, -1 << 31, 1 << 32),
    Relocation(262, _R + "PREL16",                       _P, _DATA,        0, 16, -1 << 15, 1 << 16),
    Relocation(263, _R + "MOVW_UABS_G0",                 _S, _MOVE,        0, 16, 0, 1 << 16),
    Relocation(264, _R + "MOVW_UABS_G0_NC",              _S, _MOVE,        0, 16),
    Relocation(265, _R + "MOVW_UABS_G1",                 _S, _MOVE,       16, 16, 0, 1 << 32),
    Relocation(266, _R + "MOVW_UABS_G1_NC",              _S, _MOVE,       16, 16),
    Relocation(267, _R + "MOVW_UABS_G2",                 _S, _MOVE,       32, 16, 0, 1 << 48),
    Relocation(268, _R + "MOVW_UABS_G2_NC",              _S, _MOVE,       32, 16),
    Relocation(269, _R + "MOVW_UABS_G3",                 _S, _MOVE,       48, 16),
    Relocation(273, _R + "LD_PREL_LO19",                 _P, _LITERAL,     2, 19, -1 << 20, 1 << 20, True),
    Relocation(274, _R + "ADR_PREL_LO21",                _P, _ADR,         0, 21, -1 << 20, 1 << 20),
    Relocation(275, _R + "ADR_PREL_PG_HI21",             _G, _ADRP,       12, 21, -1 << 32, 1 << 32),
    Relocation(276, _R + "ADR_PREL_PG_HI21_NC",          _G, _ADRP,       12, 21),
    Relocation(277, _R + "ADD_ABS_LO12_NC",              _S, _ADD,         0, 12),
    Relocation(278, _R + "LDST8_ABS_LO12_NC",            _S, _LOAD_STORE,  0, 12),
    Relocation(279, _R + "TSTBR14",                      _P, _TEST,        2, 14, -1 << 15, 1 << 15, True),
    Relocation(280, _R + "CONDBR19",                     _P, _B_COND,      2, 19, -1 << 20, 1 << 20, True),
    Relocation(282, _R + "JUMP26",                       _P, _B,           2, 26, -1 << 27, 1 << 27, True),
    Relocation(283, _R + "CALL26",                       _P, _BL,          2, 26, -1 << 27, 1 << 27, True),
    Relocation(284, _R + "LDST16_ABS_LO12_NC",           _S, _LOAD_STORE,  1, 11, aligned=True),
    Relocation(285, _R + "LDST32_ABS_LO12_NC",           _S, _LOAD_STORE,  2, 10, aligned=True),
    Relocation(286, _R + "LDST64_ABS_LO12_NC",           _S, _LOAD_STORE,  3,  9, aligned=True),
    Relocation(299, _R + "LDST128_ABS_LO12_NC",          _S, _LOAD_STORE,  4,  8, aligned=True),
    Relocation(309, _R + "GOT_LD_PREL19",                _P, _LITERAL,     2, 19, -1 << 20, 1 << 20, True, True),
    Relocation(311, _R + "ADR_GOT_PAGE",                 _G, _ADRP,       12, 21, -1 << 32, 1 << 32, is_got=True),
    Relocation(312, _R + "LD64_GOT_LO12_NC",             _S, _LOAD_STORE,  3,  9, aligned=True, is_got=True),
    Relocation(314, _R + "PLT32",                        _P, _DATA,        0, 32, -1 << 31, 1 << 31),
    Relocation(1027, _R + "RELATIVE",                    _S, _DATA,        0, 64),
)
# fmt: on

BY_NAME = {row.name: row for row in RELOCATIONS}
BY_NUMBER = {row.number: row for row in RELOCATIONS}


def relocate_word(word: int, kind: Relocation, *, target: int, place: int) -> int:
    """Return an instruction with the field of X replaced.

    :param target: S+A, or the address of the GOT slot where `kind.is_got`.
    :param place: P, the address of the instruction.
    :raises ValueError: if the word has no such field, or X does not fit into it.
    """
    field = kind.field
    if kind.is_data or all(word & known.mask != known.value for known in kind.encodings):
        message = f"{word:#010x} is not {field.name}"
        raise ValueError(message)
    stored = _stored(kind, target, place)
    if kind.is_split:
        return word & ~0x60FFFFE0 | (stored & 3) << 29 | (stored >> 2) << 5
    mask = (1 << kind.width) - 1
    if kind.scales_with_access:
        # The immediate always has 12 bits; a page holds fewer elements of more than one byte.
        mask = 0xFFF
        if kind.shift != _access_shift(word):
            message = f"{word:#010x} is an access of {1 << _access_shift(word)} bytes"
            raise ValueError(message)
    return word & ~(mask << field.lo) | stored << field.lo


def relocate_data(kind: Relocation, *, target: int, place: int) -> bytes:
    """Return the little-endian bytes of a data relocation.

    :raises ValueError: if it is one of an instruction, or X does not fit.
    """
    if not kind.is_data:
        message = f"{kind.field.name} cannot be in data"
        raise ValueError(message)
    return _stored(kind, target, place).to_bytes(kind.width // 8, "little")


def _access_shift(word: int) -> int:
    """Return log2 of the bytes of a load or store; opc<1> with V set and size 0 is the 16-byte form."""
    is_quad = word >> 26 & 1 and word >> 23 & 1 and word >> 30 == 0
    return 4 if is_quad else word >> 30


def _stored(kind: Relocation, target: int, place: int) -> int:
    if kind.operation is Operation.PLACE:
        x = target - place
    elif kind.operation is Operation.PAGE:
        x = (target & _PAGE) - (place & _PAGE)
    else:
        x = target & _MASK_64
    if kind.operation is not Operation.TARGET or (kind.first is not None and kind.first < 0):
        # Sums are modulo 2^64, read as signed.
        x &= _MASK_64
        x -= (x >> 63) << 64
    if kind.first is not None and kind.last is not None and not kind.first <= x < kind.last:
        message = f"{x:#x} does not fit"
        raise ValueError(message)
    if kind.aligned and x & (1 << kind.shift) - 1:
        message = f"{x:#x} is not a multiple of {1 << kind.shift}"
        raise ValueError(message)
    return x >> kind.shift & (1 << kind.width) - 1
