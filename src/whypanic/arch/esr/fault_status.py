"""Fault status codes: the DFSC or IFSC in bits [5:0] of an abort's syndrome.

Source: Arm ARM DDI 0487 L, ESR_EL1.ISS for Data Aborts and Instruction Aborts. Names follow the
kernel's `fault_info[]` (arch/arm64/mm/fault.c) where it has one.
"""

from enum import StrEnum
from typing import NamedTuple


class FaultKind(StrEnum):
    """What kind of fault a status code stands for."""

    TRANSLATION = "translation"
    ACCESS_FLAG = "access-flag"
    PERMISSION = "permission"
    ADDRESS_SIZE = "address-size"
    ALIGNMENT = "alignment"
    EXTERNAL_ABORT = "external-abort"
    EXTERNAL_ABORT_ON_WALK = "external-abort-on-walk"
    ECC = "ecc"
    TLB_CONFLICT = "tlb-conflict"
    TAG_CHECK = "tag-check"
    GPF = "gpf"
    UNSUPPORTED_ATOMIC = "unsupported-atomic"
    IMPDEF = "impdef"
    UNKNOWN = "unknown"


class FaultStatus(NamedTuple):
    """One row: code, kind, table level (None where none applies), and name."""

    code: int
    kind: FaultKind
    level: int | None
    name: str


_K = FaultKind
_S = FaultStatus
_WALK = "external abort on translation table walk"
_ECC_WALK = "parity or ECC error on translation table walk"
_GPF_WALK = "granule protection fault on translation table walk"

# fmt: off
FAULT_STATUS: tuple[FaultStatus, ...] = (
    _S(0x00, _K.ADDRESS_SIZE,         0,    "level 0 address size fault (or of the TTBR)"),
    _S(0x01, _K.ADDRESS_SIZE,         1,    "level 1 address size fault"),
    _S(0x02, _K.ADDRESS_SIZE,         2,    "level 2 address size fault"),
    _S(0x03, _K.ADDRESS_SIZE,         3,    "level 3 address size fault"),
    _S(0x04, _K.TRANSLATION,          0,    "level 0 translation fault"),
    _S(0x05, _K.TRANSLATION,          1,    "level 1 translation fault"),
    _S(0x06, _K.TRANSLATION,          2,    "level 2 translation fault"),
    _S(0x07, _K.TRANSLATION,          3,    "level 3 translation fault"),
    _S(0x08, _K.ACCESS_FLAG,          0,    "level 0 access flag fault"),
    _S(0x09, _K.ACCESS_FLAG,          1,    "level 1 access flag fault"),
    _S(0x0a, _K.ACCESS_FLAG,          2,    "level 2 access flag fault"),
    _S(0x0b, _K.ACCESS_FLAG,          3,    "level 3 access flag fault"),
    _S(0x0c, _K.PERMISSION,           0,    "level 0 permission fault"),
    _S(0x0d, _K.PERMISSION,           1,    "level 1 permission fault"),
    _S(0x0e, _K.PERMISSION,           2,    "level 2 permission fault"),
    _S(0x0f, _K.PERMISSION,           3,    "level 3 permission fault"),
    _S(0x10, _K.EXTERNAL_ABORT,       None, "synchronous external abort"),
    _S(0x11, _K.TAG_CHECK,            None, "synchronous tag check fault"),
    _S(0x12, _K.EXTERNAL_ABORT_ON_WALK,-2,   f"level -2 {_WALK}"),
    _S(0x13, _K.EXTERNAL_ABORT_ON_WALK,-1,   f"level -1 {_WALK}"),
    _S(0x14, _K.EXTERNAL_ABORT_ON_WALK,0,    f"level 0 {_WALK}"),
    _S(0x15, _K.EXTERNAL_ABORT_ON_WALK,1,    f"level 1 {_WALK}"),
    _S(0x16, _K.EXTERNAL_ABORT_ON_WALK,2,    f"level 2 {_WALK}"),
    _S(0x17, _K.EXTERNAL_ABORT_ON_WALK,3,    f"level 3 {_WALK}"),
    _S(0x18, _K.ECC,                  None, "synchronous parity or ECC error"),
    _S(0x1b, _K.ECC,                  -1,   f"level -1 {_ECC_WALK}"),
    _S(0x1c, _K.ECC,                  0,    f"level 0 {_ECC_WALK}"),
    _S(0x1d, _K.ECC,                  1,    f"level 1 {_ECC_WALK}"),
    _S(0x1e, _K.ECC,                  2,    f"level 2 {_ECC_WALK}"),
    _S(0x1f, _K.ECC,                  3,    f"level 3 {_ECC_WALK}"),
    _S(0x21, _K.ALIGNMENT,            None, "alignment fault"),
    _S(0x22, _K.GPF,                  -2,   f"level -2 {_GPF_WALK}"),
    _S(0x23, _K.GPF,                  -1,   f"level -1 {_GPF_WALK}"),
    _S(0x24, _K.GPF,                  0,    f"level 0 {_GPF_WALK}"),
    _S(0x25, _K.GPF,                  1,    f"level 1 {_GPF_WALK}"),
    _S(0x26, _K.GPF,                  2,    f"level 2 {_GPF_WALK}"),
    _S(0x27, _K.GPF,                  3,    f"level 3 {_GPF_WALK}"),
    _S(0x28, _K.GPF,                  None, "granule protection fault"),
    _S(0x29, _K.ADDRESS_SIZE,         -1,   "level -1 address size fault"),
    _S(0x2a, _K.TRANSLATION,          -2,   "level -2 translation fault"),
    _S(0x2b, _K.TRANSLATION,          -1,   "level -1 translation fault"),
    _S(0x2c, _K.ADDRESS_SIZE,         -2,   "level -2 address size fault"),
    _S(0x30, _K.TLB_CONFLICT,         None, "TLB conflict abort"),
    _S(0x31, _K.UNSUPPORTED_ATOMIC,   None, "unsupported atomic hardware update fault"),
    _S(0x34, _K.IMPDEF,               None, "IMPLEMENTATION DEFINED fault (lockdown)"),
    _S(0x35, _K.IMPDEF,               None, "IMPLEMENTATION DEFINED fault (exclusive or atomic)"),
    _S(0x3d, _K.UNKNOWN,              None, "section domain fault (AArch32 only, in PAR)"),
    _S(0x3e, _K.UNKNOWN,              None, "page domain fault (AArch32 only, in PAR)"),
)
# fmt: on

_BY_CODE = {row.code: row for row in FAULT_STATUS}


def fault_status(code: int) -> FaultStatus:
    """Return the row of a 6-bit status code; a reserved one is of kind UNKNOWN and says so."""
    row = _BY_CODE.get(code)
    if row is None:
        return FaultStatus(code, FaultKind.UNKNOWN, None, f"reserved fault status {code:#04x}")
    return row
