"""The record of one decoded A64 instruction, and the address it accesses."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

MASK_64 = (1 << 64) - 1
MASK_32 = (1 << 32) - 1


class Group(StrEnum):
    """Coarse class of an encoding."""

    BRANCH = "branch"
    BRANCH_REGISTER = "branch-register"
    BRANCH_CONDITIONAL = "branch-conditional"
    LOAD_STORE = "load-store"
    DATA_IMMEDIATE = "data-immediate"
    DATA_REGISTER = "data-register"
    SYSTEM = "system"
    EXCEPTION = "exception"
    HINT = "hint"
    POINTER_AUTH = "pointer-auth"
    FP_SIMD = "fp-simd"
    SVE = "sve"
    SME = "sme"
    UDF = "udf"
    UNALLOCATED = "unallocated"


class Memory(NamedTuple):
    """What an instruction accesses."""

    base: str
    """x0..x30, sp, pc."""
    offset: int = 0
    """Signed bytes added to the base; 0 where there is an index and for post-index."""
    index: str | None = None  # type: ignore[assignment]  # hides tuple.index
    """x0..x30; None where there is none, and for xzr."""
    extend: str | None = None
    """lsl, uxtw, sxtw, sxtx: how the index is read."""
    shift: int = 0
    size: int = 0
    """Bytes of one element; 0 where the encoding fixes no extent (prefetch, cache operations, CPY*, SET*)."""
    n_elements: int = 1
    load: bool = False
    store: bool = False
    exclusive: bool = False
    atomic: bool = False
    """Reads, modifies and writes in one instruction (LD<op>, SWP, CAS)."""
    ordered: bool = False
    """Acquire or release."""
    writeback: str | None = None
    """`pre` or `post`."""
    step: int | None = None
    """Bytes the writeback adds to the base; None without writeback or where a register is added."""
    unprivileged: bool = False
    prefetch: bool = False
    signed: bool = False
    """A narrow load that extends the sign."""
    fp: bool = False
    tag: bool = False
    """Accesses allocation tags."""
    cache: bool = False
    """DC, IC or AT with an address in the base."""
    data: tuple[str, ...] = ()
    """Registers transferred, as encoded: xzr may be among them; w registers are named x."""

    @property
    def n_bytes(self) -> int:
        """Extent of the access; 0 where the encoding does not fix it."""
        return self.size * self.n_elements


class Branch(NamedTuple):
    kind: str
    """b, bl, b.cond, cbz, cbnz, tbz, tbnz, br, blr, ret, eret."""
    offset: int | None = None
    """Signed bytes from the branch to its target."""
    register: str | None = None
    """Holds the target, or the value compared."""
    link: bool = False
    authenticated: bool = False
    condition: str | None = None
    """eq, ne, ...: of b.cond."""


class Insn(NamedTuple):
    """One decoded word. Registers are x0..x30, sp, nzcv, v0..v31; xzr is never listed."""

    word: int
    mnemonic: str
    """Name in the manual, without aliases (subs, not cmp); `fp-simd`, `sve`, `sme` for what is not told apart."""
    group: Group
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    """All general registers and flags written; for SVE those that may be; vector registers only for loads."""
    memory: Memory | None = None
    branch: Branch | None = None
    system_register: str | None = None
    """Of MRS and MSR, e.g. `id_aa64mmfr0_el1`, or `s3_0_c0_c7_0`; of MSR immediate the field, e.g. `daifset`."""
    immediate: int | None = None
    """The value as used: shifted (mov*, add, sub), inverted (movn), as a mask (logical); adr, adrp: bytes from PC or
    its page; tbz, tbnz: number of the bit; also that of svc, hvc, brk, udf, hints and barriers."""
    is_32bit: bool = False


# fmt: off
CONDITIONS = (
    "eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv",
)
# fmt: on

X = (*(f"x{n}" for n in range(31)), "xzr")
"""Names by number where 31 is the zero register."""
X_OR_SP = (*X[:31], "sp")
"""Names by number where 31 is the stack pointer."""
V = tuple(f"v{n}" for n in range(32))


def field(word: int, lo: int, width: int) -> int:
    """Return `width` bits from bit `lo` up."""
    return (word >> lo) & ((1 << width) - 1)


def signed(value: int, width: int) -> int:
    """Return a value of `width` bits read as two's complement."""
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def listed(*names: str) -> tuple[str, ...]:
    """Return names of registers, each once, without xzr."""
    return tuple(dict.fromkeys(name for name in names if name != "xzr"))


def unallocated(word: int) -> Insn:
    """Return the answer for a word that no rule names."""
    return Insn(word, "unallocated", Group.UNALLOCATED)


def effective_address(insn: Insn, values: Mapping[str, int], pc: int | None) -> int | None:
    """Return the address accessed, modulo 2^64; None without access or when a register is unknown.

    :param values: register values before the instruction, by name.
    :param pc: address of the instruction itself.

    Source: Arm ARM DDI 0487, pseudocode of LDR (literal, immediate, register).
    """
    memory = insn.memory
    if memory is None:
        return None
    base = pc if memory.base == "pc" else values.get(memory.base)
    if base is None:
        return None
    address = base + memory.offset
    if memory.index is not None:
        index = values.get(memory.index)
        if index is None:
            return None
        if memory.extend == "uxtw":
            index &= MASK_32
        elif memory.extend == "sxtw":
            index = signed(index, 32)
        address += index << memory.shift
    return address & MASK_64
