"""HPFAR_EL2: the intermediate physical address of a stage 2 fault.

Source: Arm ARM DDI 0487 L, HPFAR_EL2 and ESR_EL2.ISS (S1PTW); Linux
arch/arm64/kvm/hyp/include/hyp/fault.h, which trusts it for the same faults.
"""

from typing import NamedTuple

from whypanic.arch.esr import EsrView, FaultKind
from whypanic.arch.fields import Field, FieldSpec, bits, split_fields

_LAYOUT = (
    FieldSpec("NS", 63, 1, {0: "Secure, or always 0", 1: "Non-secure"}),
    FieldSpec("FIPA", 4, 44, lambda fipa: f"IPA {fipa << 12:#x}, if valid"),
)


class HpfarView(NamedTuple):
    """One decoded value."""

    fields: tuple[Field, ...]
    ipa: int
    """(HPFAR[47:4] << 12): an address of a 4 KiB page; the offset in it is FAR's."""
    valid: bool | None
    """None: no syndrome to judge by."""
    note: str


def decode_hpfar(value: int, esr: EsrView | None = None) -> HpfarView:
    """Return the view of HPFAR_EL2, judged by the syndrome of the same exception."""
    fields = split_fields(value, _LAYOUT)
    ipa = bits(value, 4, 44) << 12
    if esr is None:
        return HpfarView(fields, ipa, None, "valid only for a stage 2 fault: needs the ESR")
    return HpfarView(fields, ipa, esr.hpfar_valid, _note(esr))


def _note(esr: EsrView) -> str:
    if esr.hpfar_valid:
        return "set by this stage 2 fault"
    if not esr.is_abort:
        return f"EC {esr.ec:#04x} ({esr.ec_short}) does not set HPFAR: reset value or stale"
    if esr.same_el:
        return (
            "the abort was taken from the same Exception level, so no stage 2 fault set HPFAR: "
            "reset value, or left over from the last guest fault"
        )
    if esr.fault_kind is FaultKind.PERMISSION:
        return "a stage 2 permission fault sets HPFAR only during a stage 1 walk"
    return f"{esr.fsc_name} does not set HPFAR: reset value or stale"
