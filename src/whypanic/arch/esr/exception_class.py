"""Exception classes: bits [31:26] of a syndrome.

Source: Arm ARM DDI 0487 L, ESR_EL1.EC, ESR_EL2.EC and ESR_EL3.EC. The short names are those of the
kernel's `esr_class_str[]` (arch/arm64/kernel/traps.c, as of v6.13), which reports print behind
` -- ` and in `EC = 0x..: `.
"""

from typing import NamedTuple


class ExceptionClass(NamedTuple):
    """One row: code, the kernel's string, and the manual's words."""

    code: int
    short: str
    name: str


UNRECOGNIZED = "UNRECOGNIZED EC"
"""The kernel's string for a class that its table lacks."""

_C = ExceptionClass
_NONE = UNRECOGNIZED
_SAME = "taken without a change in Exception level"
_LOWER = "from a lower Exception level"

# fmt: off
EXCEPTION_CLASSES: tuple[ExceptionClass, ...] = (
    _C(0x00, "Unknown/Uncategorized",      "Unknown reason"),
    _C(0x01, "WFI/WFE",                    "Trapped WFI, WFE, WFIT or WFET instruction"),
    _C(0x03, "CP15 MCR/MRC",               "Trapped AArch32 MCR or MRC access (coproc 15)"),
    _C(0x04, "CP15 MCRR/MRRC",             "Trapped AArch32 MCRR or MRRC access (coproc 15)"),
    _C(0x05, "CP14 MCR/MRC",               "Trapped AArch32 MCR or MRC access (coproc 14)"),
    _C(0x06, "CP14 LDC/STC",               "Trapped AArch32 LDC or STC access (coproc 14)"),
    _C(0x07, "ASIMD",                      "Trapped SME, SVE, Advanced SIMD or floating-point access"),
    _C(0x08, "CP10 MRC/VMRS",              "Trapped AArch32 VMRS access from ID group traps"),
    _C(0x09, "PAC",                        "Trapped use of a pointer authentication instruction"),
    _C(0x0a, "OTHER",                      "Trapped instruction that no other class covers"),
    _C(0x0c, "CP14 MCRR/MRRC",             "Trapped AArch32 MRRC access (coproc 14)"),
    _C(0x0d, "BTI",                        "Branch Target exception"),
    _C(0x0e, "PSTATE.IL",                  "Illegal Execution state"),
    _C(0x11, "SVC (AArch32)",              "SVC instruction execution in AArch32 state"),
    _C(0x12, "HVC (AArch32)",              "HVC instruction execution in AArch32 state"),
    _C(0x13, "SMC (AArch32)",              "SMC instruction execution in AArch32 state"),
    _C(0x14, _NONE,                        "Trapped MSRR, MRRS or 128-bit System instruction"),
    _C(0x15, "SVC (AArch64)",              "SVC instruction execution in AArch64 state"),
    _C(0x16, "HVC (AArch64)",              "HVC instruction execution in AArch64 state"),
    _C(0x17, "SMC (AArch64)",              "SMC instruction execution in AArch64 state"),
    _C(0x18, "MSR/MRS (AArch64)",          "Trapped MSR, MRS or System instruction in AArch64"),
    _C(0x19, "SVE",                        "Trapped access to SVE functionality"),
    _C(0x1a, "ERET/ERETAA/ERETAB",         "Trapped ERET, ERETAA or ERETAB instruction execution"),
    _C(0x1b, _NONE,                        "Trapped TSTART instruction (TME)"),
    _C(0x1c, "FPAC",                       "Pointer authentication failure"),
    _C(0x1d, "SME",                        "Trapped access to SME functionality"),
    _C(0x1e, _NONE,                        "Granule Protection Check exception"),
    _C(0x1f, "EL3 IMP DEF",                "IMPLEMENTATION DEFINED exception to EL3"),
    _C(0x20, "IABT (lower EL)",            f"Instruction Abort {_LOWER}"),
    _C(0x21, "IABT (current EL)",          f"Instruction Abort {_SAME}"),
    _C(0x22, "PC Alignment",               "PC alignment fault"),
    _C(0x24, "DABT (lower EL)",            f"Data Abort {_LOWER}"),
    _C(0x25, "DABT (current EL)",          f"Data Abort {_SAME}"),
    _C(0x26, "SP Alignment",               "SP alignment fault"),
    _C(0x27, "MOPS",                       "Memory Copy and Memory Set exception"),
    _C(0x28, "FP (AArch32)",               "Trapped floating-point exception in AArch32 state"),
    _C(0x2c, "FP (AArch64)",               "Trapped floating-point exception in AArch64 state"),
    _C(0x2d, "Guarded Control Stack",      "Guarded Control Stack exception"),
    _C(0x2f, "SError",                     "SError exception"),
    _C(0x30, "Breakpoint (lower EL)",      f"Breakpoint exception {_LOWER}"),
    _C(0x31, "Breakpoint (current EL)",    f"Breakpoint exception {_SAME}"),
    _C(0x32, "Software Step (lower EL)",   f"Software Step exception {_LOWER}"),
    _C(0x33, "Software Step (current EL)", f"Software Step exception {_SAME}"),
    _C(0x34, "Watchpoint (lower EL)",      f"Watchpoint exception {_LOWER}"),
    _C(0x35, "Watchpoint (current EL)",    f"Watchpoint exception {_SAME}"),
    _C(0x38, "BKPT (AArch32)",             "BKPT instruction execution in AArch32 state"),
    _C(0x3a, "Vector catch (AArch32)",     "Vector Catch exception from AArch32 state"),
    _C(0x3c, "BRK (AArch64)",              "BRK instruction execution in AArch64 state"),
    _C(0x3d, _NONE,                        "Profiling (PMU) exception"),
)
# fmt: on

_BY_CODE = {row.code: row for row in EXCEPTION_CLASSES}


def exception_class(code: int) -> ExceptionClass:
    """Return the row of a 6-bit class; an unallocated one says so and keeps its number."""
    row = _BY_CODE.get(code)
    if row is None:
        return ExceptionClass(code, UNRECOGNIZED, f"Unallocated exception class {code:#04x}")
    return row
