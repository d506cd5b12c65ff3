"""When FAR_ELx holds an address, and how much of it.

Source: Arm ARM DDI 0487 L, FAR_EL1 and FAR_EL2, and FnV in ESR_EL1.ISS for aborts.
"""

from whypanic.arch.esr import EsrView, FaultKind

_TAG_UNKNOWN = {
    FaultKind.TAG_CHECK: "bits [63:60] are UNKNOWN on a tag check fault",
    FaultKind.EXTERNAL_ABORT: (
        "bits [63:56] are UNKNOWN on an external abort where the top byte is ignored (TBI)"
    ),
    FaultKind.EXTERNAL_ABORT_ON_WALK: (
        "bits [63:56] are UNKNOWN on an external abort where the top byte is ignored (TBI)"
    ),
}


def far_validity(esr: EsrView) -> tuple[bool | None, str]:
    """Return whether FAR means anything for this exception, and one sentence that says why.

    None: the syndrome alone does not settle it.
    """
    valid = esr.far_valid
    if esr.is_abort:
        return valid, _abort_reason(esr, valid)
    if esr.ec in (0x34, 0x35):
        if valid:
            return True, "a watchpoint sets FAR to the address that hit"
        return False, "FnV=1: the watchpoint left FAR without an address"
    if valid:
        return True, "a PC alignment fault sets FAR to the misaligned PC"
    if valid is None:
        return None, f"EC {esr.ec:#04x} ({esr.ec_name}) is taken to EL3 only"
    return False, f"EC {esr.ec:#04x} ({esr.ec_short}) does not set FAR: its value is stale"


def _abort_reason(esr: EsrView, valid: bool | None) -> str:
    if valid is False:
        return "FnV=1: the external abort left FAR without an address"
    if valid is None:
        return f"FnV is set, which is reserved for {esr.fsc_name}: FAR is not to be relied on"
    side = "instruction" if esr.is_instruction_abort else "data"
    kind = esr.fault_kind
    note = _TAG_UNKNOWN.get(kind) if kind is not None else None
    reason = f"FAR holds the address of this {side} abort"
    return f"{reason}; {note}" if note else reason
