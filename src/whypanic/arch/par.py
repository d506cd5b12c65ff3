"""PAR_EL1: the result of an address translation instruction.

Source: Arm ARM DDI 0487 L, PAR_EL1. The poison is Linux arch/arm64/kvm/sys_regs.c, `reset_unknown`.
"""

from typing import NamedTuple

from whypanic.arch.esr.fault_status import fault_status
from whypanic.arch.fields import Field, FieldSpec, bits, split_fields

KVM_POISON = 0x1DE7EC7EDBADC0DE
"""What KVM puts into a guest's system registers whose reset value is UNKNOWN."""

_MOVABLE = 0xFFFFFFF000
_F = FieldSpec
_SUCCESS = (
    _F("ATTR", 56, 8, lambda attr: f"memory attributes as in MAIR: {attr:#04x}"),
    _F("PA", 12, 40, lambda page: f"physical address {page << 12:#x}"),
    _F("NSE", 11, 1, "Root or Realm, where implemented; otherwise RES1"),
    _F("IMPDEF", 10, 1, "IMPLEMENTATION DEFINED"),
    _F("NS", 9, 1, {0: "Secure, or always 0", 1: "Non-secure"}),
    _F("SH", 7, 2, {0: "non-shareable", 2: "outer shareable", 3: "inner shareable"}),
    _F("F", 0, 1, "the translation succeeded"),
)
_FAILURE = (
    _F("IMPDEF", 48, 16, "IMPLEMENTATION DEFINED"),
    _F("DirtyBit", 15, 1, {0: "", 1: "dirty state"}),
    _F("Overlay", 14, 1, {0: "", 1: "permission overlay"}),
    _F("TopLevel", 13, 1, {0: "", 1: "TopLevel check"}),
    _F("AssuredOnly", 12, 1, {0: "", 1: "AssuredOnly check"}),
    _F("RES1", 11, 1, "reads as 1"),
    _F("S", 9, 1, {0: "fault at stage 1", 1: "fault at stage 2"}),
    _F("PTW", 8, 1, {0: "", 1: "stage 2 fault on a stage 1 walk"}),
    _F("FST", 1, 6, lambda code: fault_status(code).name),
    _F("F", 0, 1, "the translation failed"),
)


class ParView(NamedTuple):
    """One decoded value."""

    fields: tuple[Field, ...]
    failed: bool
    """F: the translation was aborted."""
    note: str
    poison: bool = False
    """KVM's reset poison of guest registers: no translation result at all."""


def is_kvm_poison(value: int) -> bool:
    """Tell whether PAR holds KVM's reset poison.

    The register drops bits that it does not implement, so any subset that keeps the poison's bits
    [39:12] counts.
    """
    return value & ~KVM_POISON == 0 and value & _MOVABLE == KVM_POISON & _MOVABLE


def decode_par(value: int) -> ParView:
    """Return the view of a 64-bit PAR_EL1."""
    value &= (1 << 64) - 1
    failed = bool(bits(value, 0))
    fields = split_fields(value, _FAILURE if failed else _SUCCESS)
    if is_kvm_poison(value):
        note = (
            "KVM's reset poison 0x1de7ec7edbadc0de less the bits PAR does not hold: the guest's "
            "EL1 registers were loaded, so this happened inside the world switch"
        )
        return ParView(fields, failed, note, poison=True)
    if value == 0:
        return ParView(fields, failed, "zero: no address translation left a result here")
    if failed:
        return ParView(fields, failed, f"translation failed: {fault_status(value >> 1 & 63).name}")
    return ParView(fields, failed, f"translated to {bits(value, 12, 40) << 12:#x}")
