"""The view of one ESR value: fields with meanings, and what the reports and causes ask of it.

Source: Arm ARM DDI 0487 L, ESR_EL1, ESR_EL2, FAR_EL1, FAR_EL2 and HPFAR_EL2.
"""

from typing import NamedTuple

from whypanic.arch.esr.exception_class import exception_class
from whypanic.arch.esr.fault_status import FaultKind, fault_status
from whypanic.arch.esr.iss import layout_of
from whypanic.arch.fields import Field, FieldSpec, bits, set_reserved, split_fields

_INSTRUCTION_ABORTS = (0x20, 0x21)
_DATA_ABORTS = (0x24, 0x25)
_WATCHPOINTS = (0x34, 0x35)
_BREAKS = (0x38, 0x3C)
_GRANULE_PROTECTION_CHECK = 0x1E
_PC_ALIGNMENT = 0x22
_SERROR = 0x2F
_EXTERNAL_ABORT = 0x10
_SETS_HPFAR = (
    FaultKind.TRANSLATION,
    FaultKind.ACCESS_FLAG,
    FaultKind.ADDRESS_SIZE,
    FaultKind.GPF,
)
# fmt: off
_LOWER_EL = (0x20, 0x24, 0x30, 0x32, 0x34)
_SAME_EL  = (0x21, 0x25, 0x31, 0x33, 0x35)
# fmt: on


class EsrView(NamedTuple):
    """One decoded syndrome. Any 64-bit value has one; reserved values are shown, never refused."""

    esr: int
    ec: int
    ec_name: str
    """The manual's words for the exception class."""
    ec_short: str
    """The kernel's string for it, e.g. `DABT (current EL)`."""
    il: int
    """1: a 32-bit instruction."""
    iss: int
    iss2: int
    """Bits [55:32], shifted down."""
    fields: tuple[Field, ...]
    """Most significant first; every bit of the 64 belongs to exactly one."""
    el: int | None = None
    """The Exception level that took the exception, where the caller knows it."""

    @property
    def res0_set(self) -> tuple[Field, ...]:
        """Reserved fields in which bits are set."""
        return set_reserved(self.fields)

    @property
    def is_instruction_abort(self) -> bool:
        return self.ec in _INSTRUCTION_ABORTS

    @property
    def is_data_abort(self) -> bool:
        return self.ec in _DATA_ABORTS

    @property
    def is_abort(self) -> bool:
        return self.is_instruction_abort or self.is_data_abort

    @property
    def same_el(self) -> bool | None:
        """Taken without a change of Exception level; None where the class does not say."""
        return True if self.ec in _SAME_EL else False if self.ec in _LOWER_EL else None

    @property
    def fsc(self) -> int | None:
        """DFSC or IFSC, only for instruction and data aborts."""
        return self.iss & 0x3F if self.is_abort else None

    @property
    def fsc_name(self) -> str | None:
        return None if self.fsc is None else fault_status(self.fsc).name

    @property
    def fault_kind(self) -> FaultKind | None:
        return None if self.fsc is None else fault_status(self.fsc).kind

    @property
    def fault_level(self) -> int | None:
        """Table level of the fault, -2..3 (-2 only with 128-bit descriptors), where one applies."""
        return None if self.fsc is None else fault_status(self.fsc).level

    @property
    def fnv(self) -> bool | None:
        """FnV as it stands, for aborts and watchpoints; it means something only with FSC 0x10
        or for a watchpoint."""
        return bool(bits(self.iss, 10)) if self.is_abort or self.ec in _WATCHPOINTS else None

    @property
    def wnr(self) -> bool | None:
        """The access was a write. None where the syndrome has no (valid) WnR."""
        if self.is_data_abort or self.ec in _WATCHPOINTS:
            return bool(bits(self.iss, 6))
        return None

    @property
    def s1ptw(self) -> bool | None:
        return bool(bits(self.iss, 7)) if self.is_abort else None

    @property
    def cm(self) -> bool | None:
        """The access was made by a cache maintenance or address translation instruction."""
        if self.is_data_abort or self.ec in _WATCHPOINTS:
            return bool(bits(self.iss, 8))
        return None

    @property
    def isv(self) -> bool | None:
        """The syndrome describes the access (`sas_bytes`, `srt`). None: not a data abort."""
        return bool(bits(self.iss, 24)) if self.is_data_abort else None

    @property
    def sas_bytes(self) -> int | None:
        """Size of the access in bytes, with ISV only."""
        return 1 << bits(self.iss, 22, 2) if self.isv else None

    @property
    def srt(self) -> int | None:
        """Number of the register that was loaded or stored, with ISV only."""
        return bits(self.iss, 16, 5) if self.isv else None

    @property
    def far_valid(self) -> bool | None:
        """FAR holds the address of this fault. None where the syndrome does not settle it."""
        if self.is_abort:
            if not self.fnv:
                return True
            return False if self.fsc == _EXTERNAL_ABORT else None
        if self.ec in _WATCHPOINTS:
            return not self.fnv
        if self.ec == _GRANULE_PROTECTION_CHECK:
            return None
        return self.ec == _PC_ALIGNMENT

    @property
    def hpfar_valid(self) -> bool:
        """HPFAR_EL2 holds the IPA of this fault: a stage 2 fault taken to EL2 from below.

        A stage 2 permission fault sets it only during a stage 1 walk. With `el` unknown, an abort
        from a lower Exception level is taken to be one to EL2.
        """
        if self.same_el is not False or not self.is_abort or self.el not in (None, 2):
            return False
        if self.s1ptw:
            return self.fault_kind in (*_SETS_HPFAR, FaultKind.PERMISSION)
        return self.fault_kind in _SETS_HPFAR

    @property
    def brk_immediate(self) -> int | None:
        """The immediate of a BRK (or AArch32 BKPT) instruction."""
        return self.iss & 0xFFFF if self.ec in _BREAKS else None

    @property
    def is_serror(self) -> bool:
        return self.ec == _SERROR


def decode_esr(esr: int, *, el: int | None = None) -> EsrView:
    """Return the view of a syndrome.

    :param esr: 32 or 64 bits; taken modulo 2^64.
    :param el: Exception level that took the exception (1, 2, 3), where known.
    """
    esr &= (1 << 64) - 1
    ec = bits(esr, 26, 6)
    row = exception_class(ec)
    fields = split_fields(
        esr,
        (
            FieldSpec("EC", 26, 6, f"{row.short}: {row.name}"),
            FieldSpec("IL", 25, 1, {0: "16-bit instruction", 1: "32-bit instruction"}),
            *layout_of(ec, esr),
        ),
    )
    return EsrView(
        esr=esr,
        ec=ec,
        ec_name=row.name,
        ec_short=row.short,
        il=bits(esr, 25),
        iss=bits(esr, 0, 25),
        iss2=bits(esr, 32, 24),
        fields=fields,
        el=el,
    )
