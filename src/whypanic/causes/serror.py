"""The syndrome of an SError interrupt: what kind of error, and how bad.

Sources: Arm ARM DDI 0487 L, ESR_EL1, ISS of an SError interrupt (IDS, AET, EA, DFSC); Linux
arch/arm64/include/asm/esr.h and kernel/traps.c (arm64_is_fatal_ras_serror()), 6.12.117, read; for IDS 1 the
Cortex-A53 TRM DDI 0500J table 4.95 and the Cortex-A35 TRM 100236 table B2-34, read. Cortex-A57 and A72 print the same
values, from memory.
"""

from enum import StrEnum

from whypanic.causes.case import CaseView

_EC_SERROR = 0x2F
_IDS = 1 << 24
_DFSC_SERROR = 0x11
AET = {
    0: "uncontainable",
    1: "unrecoverable",
    2: "restartable",
    3: "recoverable",
    6: "corrected",
}
"""Asynchronous error type, ISS[12:10]."""


class SerrorSource(StrEnum):
    """What the core says of an implementation-defined syndrome, where it is of the cores that define it."""

    DECODE = "no device answered at the address (DECERR)"
    SLAVE = "the device refused the access (SLVERR)"
    ECC = "a double-bit error in the L2 cache"
    PIN = "an error pin of the system was asserted"


_DEFINED = {
    (0, 0): SerrorSource.DECODE,
    (0, 1): SerrorSource.ECC,
    (0, 2): SerrorSource.SLAVE,
    (1, 0): SerrorSource.PIN,
    (1, 1): SerrorSource.PIN,
}
"""By ISS[23:22] and ISS[1:0]."""


def serror_source(case: CaseView) -> SerrorSource | None:
    """Return the source of an SError with an implementation-defined syndrome that is of the known form."""
    esr = _serror(case)
    if esr is None or not esr & _IDS or esr & 0x3F_FFFC:
        return None
    return _DEFINED.get((esr >> 22 & 3, esr & 3))


def error_type(case: CaseView) -> str | None:
    """Return the asynchronous error type in words, where the syndrome has one."""
    esr = _serror(case)
    if esr is None or esr & _IDS or esr & 0x3F != _DFSC_SERROR:
        return None
    return AET.get(esr >> 10 & 7, "reserved")


def _serror(case: CaseView) -> int | None:
    syndrome = case.syndrome
    if syndrome is None or syndrome.esr >> 26 & 0x3F != _EC_SERROR:
        return None
    return syndrome.esr
