"""What the architecture reports for a fault at EL2: ESR_EL2, FAR_EL2, ELR_EL2 and SPSR_EL2, by rule.

Source: Arm ARM DDI 0487 L, ESR_EL2 (ISS encodings by exception class), FAR_EL2, SPSR_EL2, and the pseudocode named
beside each function. All faults here are taken from EL2 to EL2 and belong to stage 1, so that ISV is 0 and HPFAR_EL2
is not written. Branch Target exceptions (BTI) are not modelled.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from whypanic.arch.fields import bits
from whypanic.replay.address_space import AddressSpace
from whypanic.replay.protocol import PAGE_BYTES, Permission

MASK_64 = (1 << 64) - 1


class ExceptionClass(IntEnum):
    """ESR_EL2.EC [31:26]."""

    UNKNOWN = 0x00
    FP_ACCESS = 0x07
    SVC64 = 0x15
    HVC64 = 0x16
    INSTRUCTION_ABORT_SAME_EL = 0x21
    PC_ALIGNMENT = 0x22
    DATA_ABORT_SAME_EL = 0x25
    SP_ALIGNMENT = 0x26
    BRK64 = 0x3C


_IL = 1 << 25
_CM, _WNR = 1 << 8, 1 << 6
_TRANSLATION, _PERMISSION, _ALIGNMENT = 0b000100, 0b001100, 0b100001
"""DFSC and IFSC; the first two have the level in bits [1:0]."""
_FP_ISS = 1 << 24 | 0b1110 << 20
"""CV = 1, COND = 0b1110: an A64 instruction."""
_LAST_LEVEL = 3
"""A page descriptor holds the permissions."""


class Fault(NamedTuple):
    """An exception taken to EL2."""

    esr: int
    elr: int
    far: int | None
    """None: the exception class leaves FAR_EL2 as it was."""
    reason: str


class ExceptionTakenError(Exception):
    """The instruction is not executed: EL2 takes an exception."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class UnansweredError(Exception):
    """What the architecture does next cannot be told; the message is a sentence."""


def _esr(ec: ExceptionClass, iss: int = 0) -> int:
    return ec << 26 | _IL | iss


def undefined(pc: int, what: str) -> Fault:
    """Return the fault of an UNDEFINED instruction; `what` is the subject of the sentence."""
    return Fault(_esr(ExceptionClass.UNKNOWN), pc, None, f"{what} is undefined")


def fp_trap(pc: int) -> Fault:
    """Return the fault of an FP or SIMD instruction under CPTR_EL2.TFP (AArch64.AdvSIMDFPAccessTrap)."""
    reason = "an FP or SIMD instruction is trapped at EL2"
    return Fault(_esr(ExceptionClass.FP_ACCESS, _FP_ISS), pc, None, reason)


def call(pc: int, mnemonic: str, immediate: int) -> Fault:
    """Return the exception of SVC or HVC at EL2, which EL2 takes itself; ELR_EL2 is the next instruction."""
    ec = ExceptionClass.HVC64 if mnemonic == "hvc" else ExceptionClass.SVC64
    return Fault(
        _esr(ec, immediate), pc + 4 & MASK_64, None, f"{mnemonic} at EL2 enters EL2 itself"
    )


def breakpoint_instruction(pc: int, immediate: int) -> Fault:
    """Return the exception of BRK; ISS holds its 16-bit comment."""
    reason = f"brk #{immediate:#x} was executed"
    return Fault(_esr(ExceptionClass.BRK64, immediate), pc, None, reason)


def pc_alignment(pc: int) -> Fault:
    """Return the fault of a PC that is no multiple of 4 (AArch64.PCAlignmentFault): FAR_EL2 is the PC."""
    return Fault(_esr(ExceptionClass.PC_ALIGNMENT), pc, pc, f"the PC {pc:#x} is not aligned")


def sp_alignment(pc: int, sp: int) -> Fault:
    """Return the fault of an access through an SP that is no multiple of 16 (AArch64.SPAlignmentFault)."""
    reason = f"sp is {sp:#x}, not a multiple of 16"
    return Fault(_esr(ExceptionClass.SP_ALIGNMENT), pc, None, reason)


def alignment_fault(pc: int, va: int, *, write: bool) -> Fault:
    """Return the Data Abort of an access that must be aligned and is not."""
    iss = _ALIGNMENT | (_WNR if write else 0)
    reason = f"the {'store to' if write else 'load from'} {va:#x} is not aligned"
    return Fault(_esr(ExceptionClass.DATA_ABORT_SAME_EL, iss), pc, va, reason)


def fetch_fault(space: AddressSpace, pc: int) -> Fault | None:
    """Return the fault of fetching an instruction, or None: alignment first, then translation, then permission."""
    if pc & 3:
        return pc_alignment(pc)
    level = space.missing_level(pc)
    if level is not None:
        esr = _esr(ExceptionClass.INSTRUCTION_ABORT_SAME_EL, _TRANSLATION | level)
        reason = f"the fetch from {pc:#x} finds no mapping: translation fault, level {level}"
        return Fault(esr, pc, pc, reason)
    page = space.page_at(pc)
    if page is None or page.permission is Permission.EXECUTE:
        return None
    esr = _esr(ExceptionClass.INSTRUCTION_ABORT_SAME_EL, _PERMISSION | _LAST_LEVEL)
    return Fault(
        esr, pc, pc, f"the fetch from {pc:#x} is not permitted: `{page.name}` is not executable"
    )


def access_fault(
    space: AddressSpace, pc: int, va: int, n_bytes: int, *, load: bool, store: bool
) -> Fault | None:
    """Return the Data Abort of an access of `n_bytes` at `va`, or None; FAR_EL2 is the first byte that faults.

    An access that loads and stores (atomic) faults as a read where the read would have faulted: WnR is 0 then.
    """
    end = va + max(n_bytes, 1)
    while va < end:
        at = va & MASK_64
        level = space.missing_level(at)
        if level is not None:
            return _translation(pc, at, level, write=store and not load)
        page = space.page_at(at)
        if store and page is not None and page.permission is not Permission.READ_WRITE:
            iss = _PERMISSION | _LAST_LEVEL | _WNR
            reason = f"the store to {at:#x} is not permitted: `{page.name}` is not writable"
            return Fault(_esr(ExceptionClass.DATA_ABORT_SAME_EL, iss), pc, at, reason)
        va = (va & -PAGE_BYTES) + PAGE_BYTES
    return None


def maintenance_fault(space: AddressSpace, pc: int, va: int) -> Fault | None:
    """Return the Data Abort of a cache operation by address on what is not mapped: CM and WnR are 1."""
    level = space.missing_level(va)
    return None if level is None else _translation(pc, va, level, write=True, maintenance=True)


def _translation(pc: int, va: int, level: int, *, write: bool, maintenance: bool = False) -> Fault:
    iss = _TRANSLATION | level | (_WNR if write else 0) | (_CM if maintenance else 0)
    kind = "cache operation on" if maintenance else "store to" if write else "load from"
    reason = f"the {kind} {va:#x} finds no mapping: translation fault, level {level}"
    return Fault(_esr(ExceptionClass.DATA_ABORT_SAME_EL, iss), pc, va, reason)


# Bits of PSTATE that exist only with a feature: (bit, ID register, lsb of the field, least value).
# DDI 0487 L, SPSR_EL2 and the ID register named. BTYPE is followed apart.
# fmt: off
_OPTIONAL_BITS = (
    (25, "id_aa64pfr1_el1",   8, 2),  # TCO     FEAT_MTE2
    (24, "id_aa64pfr0_el1",  48, 1),  # DIT     FEAT_DIT
    (23, "id_aa64mmfr2_el1",  4, 1),  # UAO     FEAT_UAO
    (22, "id_aa64mmfr1_el1", 20, 1),  # PAN     FEAT_PAN
    (13, "id_aa64pfr1_el1",  36, 1),  # ALLINT  FEAT_NMI
    (12, "id_aa64pfr1_el1",   4, 1),  # SSBS    FEAT_SSBS
)
PSTATE_FIELDS = {"tco": 25, "dit": 24, "uao": 23, "pan": 22, "allint": 13, "ssbs": 12}
"""Bit of each one-bit field that MSR (immediate) and MSR write by name."""
# fmt: on
_EL2H = 0b1001
_BTYPE = 0b11 << 10


class Pstate:
    """PSTATE at EL2 but for NZCV: DAIF, and the bits of features, which a job does not give."""

    def __init__(self, daif: int, identification: Mapping[str, int]) -> None:
        self.daif: int | None = daif & 15
        self._value = 0
        self._known = 0xFFFF_FFFF
        for bit, register, lsb, least in _OPTIONAL_BITS:
            found = identification.get(register)
            if found is None or bits(found, lsb, 4) >= least:
                self._known &= ~(1 << bit)
        self._has_btype = bool(identification.get("id_aa64pfr1_el1", 1) & 15)
        self._branched = False

    def after_branch(self, *, indirect: bool) -> None:
        """Note what the instruction leaves in BTYPE: BR and BLR set it on a core with FEAT_BTI, all others clear it."""
        self._branched = indirect and self._has_btype

    def write(self, bit: int, value: int | None) -> None:
        """Set one bit; None: its value is unknown now."""
        mask = 1 << bit
        self._known = self._known & ~mask if value is None else self._known | mask
        self._value = self._value & ~mask | (mask if value else 0)

    def saved(self, nzcv: int | None) -> tuple[int, int]:
        """Return (SPSR_EL2 of an exception taken now, mask of its bits that are known)."""
        value = self._value & self._known | _EL2H | (nzcv or 0) << 28 | (self.daif or 0) << 6
        known = self._known & (~_BTYPE if self._branched else -1)
        if nzcv is None:
            known &= ~(15 << 28)
        if self.daif is None:
            known &= ~(15 << 6)
        return value, known & 0xFFFF_FFFF
