"""Random straight-line blocks of integer code, as jobs for an engine.

A block computes on x0..x23, loads and stores around x28, then folds the memory and the flags into x24 and x29 and
returns, so that the registers at the end show everything it did. Some blocks end in a fault instead.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

from builders import a64
from whypanic.arch.insn import Group, decode
from whypanic.replay.protocol import Job, Permission, Region

CODE = 0x8000_0900_0000
DATA_PAGE = 0x8000_0901_0000
READ_ONLY_PAGE = 0x8000_0901_2000
STACK_PAGE = 0x8000_0A00_0000
RETURN = 0x8000_0F00_0000
N_BYTES = 256
"""Bytes of a page that a block knows: the last ones, so that an access can run out of the page."""

N_FREE = 24
FOLDED, POINTER, INDEX, BASE, MIDDLE, FLAGS = 24, 25, 26, 27, 28, 29
RESERVED = frozenset({"sp", *(f"x{n}" for n in range(N_FREE, 31))})
WINDOW = 64
CORNERS = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
UNMAPPED = (
    0x0,
    0x8,
    DATA_PAGE + 0x1000,
    0x8000_0980_0000,
    0x8000_8000_0000,
    0x8100_0000_0000,
    0x0000_7FFF_F000,
    0x0001_0000_0000_0000,
    0x00FF_8000_0901_0000,
    0xFFFF_0000_0901_0000,
    0xFFFF_FFFF_FFFF_FFF8,
)
"""One for every level at which a walk can end, the first page, and addresses past the 48 bits of TTBR0_EL2."""

Words = list[int]
_Make = Callable[[random.Random], Words]


class Extras(NamedTuple):
    """What the core has beyond Armv8.0."""

    lse: bool = False


NO_EXTRAS = Extras()


# fmt: off
_NOT_MODELLED = frozenset({
    "addg", "subg", "gmi", "irg", "subp", "subps",  # FEAT_MTE: unknown in one engine, on every core
    "addpt", "subpt", "maddpt", "msubpt",           # FEAT_CPA
})
# fmt: on


def _free(source: random.Random) -> int:
    return source.randrange(N_FREE)


def _data_processing(source: random.Random) -> Words:
    """Return any integer data-processing word that leaves the reserved registers alone."""
    while True:
        op0 = source.choice((0b1000, 0b1001, 0b0101, 0b1101))
        word = source.getrandbits(32) & ~(0xF << 25) | op0 << 25
        insn = decode(word)
        if insn.group not in (Group.DATA_IMMEDIATE, Group.DATA_REGISTER):
            continue
        if insn.mnemonic not in _NOT_MODELLED and not RESERVED & set(insn.writes):
            return [word]


# fmt: off
_TWO_SOURCES = (0b000010, 0b000011, 0b001000, 0b001001, 0b001010, 0b001011,  # udiv sdiv lslv lsrv asrv rorv
                0b010000, 0b010001, 0b010010, 0b010100, 0b010101, 0b010110)  # crc32b h w, crc32cb h w
# fmt: on


def _two_sources(source: random.Random) -> Words:
    word = 0x1AC00000 | source.choice(_TWO_SOURCES) << 10
    wide = source.getrandbits(1) if not word >> 14 & 1 else 0
    return [word | wide << 31 | _three(source)]


def _three(source: random.Random) -> int:
    return _free(source) << 16 | _free(source) << 5 | _free(source)


def _one_source(source: random.Random) -> Words:
    wide = source.getrandbits(1)
    opcode = source.choice((0, 1, 2, 4, 5) + (3,) * wide)  # rbit rev16 rev32 clz cls rev
    return [0x5AC00000 | wide << 31 | opcode << 10 | _free(source) << 5 | _free(source)]


def _multiply(source: random.Random) -> Words:
    kind = source.choice(
        (0x1B000000, 0x9B000000, 0x9B200000, 0x9BA00000)
    )  # madd w, x; smaddl; umaddl
    word = kind | source.getrandbits(1) << 15 | source.choice((31, _free(source))) << 10
    return [source.choice((word, 0x9B407C00, 0x9BC07C00)) | _three(source)]  # smulh, umulh


def _select(source: random.Random) -> Words:
    word = 0x1A800000 | source.getrandbits(1) << 31 | source.getrandbits(1) << 30
    return [word | source.getrandbits(4) << 12 | source.getrandbits(1) << 10 | _three(source)]


def _compare_conditionally(source: random.Random) -> Words:
    word = 0x3A400000 | source.getrandbits(1) << 31 | source.getrandbits(1) << 30
    word |= source.getrandbits(5) << 16 | source.getrandbits(4) << 12
    return [word | source.getrandbits(1) << 11 | _free(source) << 5 | source.getrandbits(4)]


def _carry(source: random.Random) -> Words:
    return [0x1A000000 | source.getrandbits(3) << 29 | _three(source)]


def _address(source: random.Random) -> Words:
    kind = source.choice((0x10000000, 0x90000000))
    return [kind | source.getrandbits(2) << 29 | source.getrandbits(19) << 5 | _free(source)]


def _flags(source: random.Random) -> Words:
    if source.getrandbits(1):
        return [a64.mrs_nzcv(_free(source))]
    return [a64.msr(_free(source), 3, 3, 4, 2, 0)]


def _quiet(source: random.Random) -> Words:
    # nop, dmb ish, dsb sy, isb, prfm pldl1keep
    prefetch = 0xF9800000 | MIDDLE << 5
    return [source.choice((a64.NOP, 0xD5033BBF, 0xD5033F9F, 0xD5033FDF, prefetch))]


# Memory ------------------------------------------------------------------------------------------

_OPCODES = ((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2), (0, 1))
"""By log2 of the size: store, load, load signed into x, into w."""


def _sized(source: random.Random) -> tuple[int, int]:
    log2 = source.randrange(4)
    return log2, log2 << 30 | source.choice(_OPCODES[log2]) << 22


def _scaled(source: random.Random) -> Words:
    log2, bits = _sized(source)
    return [
        0x39000000 | bits | source.randrange(WINDOW >> log2) << 10 | MIDDLE << 5 | _free(source)
    ]


def _unscaled(source: random.Random) -> Words:
    _, bits = _sized(source)
    return [0x38000000 | bits | _nine(source) << 12 | MIDDLE << 5 | _free(source)]


def _nine(source: random.Random) -> int:
    return source.randrange(-WINDOW, WINDOW) & 0x1FF


def _written_back(source: random.Random) -> Words:
    _, bits = _sized(source)
    mode = source.choice((0x400, 0xC00))
    word = 0x38000000 | bits | _nine(source) << 12 | mode | BASE << 5 | _free(source)
    return [a64.mov(BASE, MIDDLE), word, a64.eor(_free(source), BASE, _free(source))]


def _indexed(source: random.Random) -> Words:
    log2, bits = _sized(source)
    shift = source.getrandbits(1)
    option = source.choice((0b010, 0b011, 0b110, 0b111))
    reach = WINDOW >> (log2 if shift else 0)
    index = source.randrange(-reach, reach) if option != 0b010 else source.randrange(reach)
    word = 0x38200800 | bits | INDEX << 16 | option << 13 | shift << 12 | MIDDLE << 5
    return [*a64.mov_value(INDEX, index & (1 << 64) - 1), word | _free(source)]


def _pair(source: random.Random) -> Words:
    first = source.randrange(N_FREE - 1)
    bits = source.choice((0x29000000, 0x29400000, 0x69400000, 0xA9000000, 0xA9400000))
    offset = source.randrange(-WINDOW // 8, WINDOW // 8) & 0x7F
    return [bits | offset << 15 | (first + 1) << 10 | MIDDLE << 5 | first]


def _literal(source: random.Random) -> Words:
    kind = source.choice((0x18000000, 0x58000000, 0x98000000))
    return [kind | source.randrange(3) << 5 | _free(source)]


def _aligned_base() -> int:
    return 0x927CEC00 | MIDDLE << 5 | BASE  # and x27, x28, #~0xf


def _ordered(source: random.Random) -> Words:
    log2 = source.randrange(4)
    kind = source.choice((0x08DFFC00, 0x089FFC00))  # ldar, stlr
    return [_aligned_base(), kind | log2 << 30 | BASE << 5 | _free(source)]


def _exclusive(source: random.Random) -> Words:
    log2 = source.randrange(4)
    load = 0x085F7C00 | log2 << 30 | source.getrandbits(1) << 15 | BASE << 5 | _free(source)
    store = 0x08007C00 | log2 << 30 | source.getrandbits(1) << 15 | BASE << 5 | _free(source)
    status = source.choice([n for n in range(N_FREE) if n != store & 31])
    return [_aligned_base(), load, store | status << 16]


def _atomic(source: random.Random) -> Words:
    log2, ordering = source.randrange(4), source.getrandbits(2)
    operation = source.choice([n << 12 for n in range(8)] + [1 << 15])  # ldadd ... ldumin, swp
    word = 0x38200000 | log2 << 30 | ordering << 22 | operation | BASE << 5
    return [_aligned_base(), word | _free(source) << 16 | _free(source)]


_COMPUTE: tuple[_Make, ...] = (
    *(_data_processing,) * 9,
    _two_sources,
    _one_source,
    _multiply,
    _select,
    _compare_conditionally,
    _carry,
    _address,
    _flags,
    _quiet,
)
_MEMORY: tuple[_Make, ...] = (
    _scaled,
    _unscaled,
    _written_back,
    _indexed,
    _pair,
    _literal,
    _ordered,
    _exclusive,
)

# Faults ------------------------------------------------------------------------------------------


def _access_at_pointer(source: random.Random) -> Words:
    _, bits = _sized(source)
    pair = source.choice((0xA9000000, 0xA9400000)) | 23 << 10
    return [source.choice((0x39000000 | bits, pair)) | POINTER << 5 | source.randrange(23)]


def _unmapped(source: random.Random) -> tuple[int, Words]:
    return source.choice(UNMAPPED), _access_at_pointer(source)


def _read_only(source: random.Random) -> tuple[int, Words]:
    data = READ_ONLY_PAGE + 0x1000 - source.randrange(8, N_BYTES)
    return source.choice((data, CODE + source.randrange(WINDOW))), _access_at_pointer(source)


def _out_of_the_page(source: random.Random) -> tuple[int, Words]:
    page = source.choice((DATA_PAGE, READ_ONLY_PAGE))
    return page + 0x1000 - source.randrange(1, 16), _access_at_pointer(source)


def _trap(source: random.Random) -> tuple[int, Words]:
    immediate = source.getrandbits(16)
    kinds = (a64.brk, a64.brk, a64.udf, a64.hvc, lambda n: 0xD4000001 | n << 5)
    return 0, [source.choice(kinds)(immediate)]


def _fetch(source: random.Random) -> tuple[int, Words]:
    target = source.choice((*UNMAPPED[2:], READ_ONLY_PAGE, DATA_PAGE, STACK_PAGE))
    target = target & ~3 | (source.choice((1, 2, 3)) if source.random() < 0.2 else 0)
    return target, [source.choice((a64.br, a64.blr, lambda n: a64.RET & ~0x3E0 | n << 5))(POINTER)]


def _misaligned(source: random.Random) -> tuple[int, Words]:
    pointer = DATA_PAGE + 0x1000 - WINDOW + source.choice((1, 2, 3, 5, 6, 7))
    kind = source.choice((0xC85F7C00, 0xC8DFFC00, 0xC89FFC00))  # ldxr, ldar, stlr of 8 bytes
    return pointer, [kind | POINTER << 5 | _free(source)]


FAULTS = (_unmapped, _unmapped, _read_only, _out_of_the_page, _trap, _fetch, _misaligned)

# Blocks ------------------------------------------------------------------------------------------


def _ending() -> Words:
    words = [a64.mrs_nzcv(FLAGS), a64.movz(FOLDED, 0)]
    for offset in range(-WINDOW - 16, WINDOW + 16, 16):
        words.append(a64.load_pair(INDEX, BASE, MIDDLE, offset))
        # eor x24, xn, x24, ror #7: the place of a value counts, not the value alone
        words += [0xCAC01C00 | FOLDED << 16 | n << 5 | FOLDED for n in (INDEX, BASE)]
    return [*words, a64.RET]


ENDING = tuple(_ending())
"""The last words of every block."""


def make_block(name: str, seed: str, cpu: str, extras: Extras = NO_EXTRAS) -> Job:
    """Return the job of one random block; the same for the same arguments."""
    source = random.Random(seed)
    memory = (*_MEMORY, *(_atomic,) * (2 * extras.lse))
    words: Words = []
    for _ in range(source.randrange(4, 12)):
        words += source.choice(memory if source.random() < 0.3 else _COMPUTE)(source)
    pointer = source.getrandbits(64)
    if source.random() < 0.35:
        pointer, fault = source.choice(FAULTS)(source)
        words += fault
    words += ENDING
    registers = {f"x{n}": _value(source) for n in range(30)}
    registers["x25"] = pointer
    registers["x28"] = DATA_PAGE + 0x1000 - N_BYTES // 2 + source.choice((0, 0, 1, 2, 4, 7))
    registers["sp"] = STACK_PAGE + 0x1000
    return Job(
        id=name,
        cpu=cpu,
        entry=CODE,
        regions=(
            Region(CODE, a64.code(words), Permission.EXECUTE, "text"),
            _region(source, DATA_PAGE, Permission.READ_WRITE, "data"),
            _region(source, READ_ONLY_PAGE, Permission.READ, "rodata"),
            _region(source, STACK_PAGE, Permission.READ_WRITE, "stack"),
        ),
        registers=registers,
        nzcv=source.getrandbits(4),
        return_va=RETURN,
    )


def _region(source: random.Random, page: int, permission: Permission, name: str) -> Region:
    return Region(page + 0x1000 - N_BYTES, source.randbytes(N_BYTES), permission, name)


def _value(source: random.Random) -> int:
    return source.choice(CORNERS) if source.random() < 0.4 else source.getrandbits(64)
