"""The `Mem abort info:` and `Data abort info:` blocks: an ESR and its decoded fields.

Source: arch/arm64/mm/fault.c `mem_abort_decode()`, `data_abort_decode()`; esr_class_str[] in
arch/arm64/kernel/traps.c names the classes (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, hex_digits, number
from whypanic.model.fault import PrintedField, Syndrome, SyndromePlace
from whypanic.model.provenance import Source

# fmt: off
CLASS_CODES: dict[str, int] = {
    "Unknown/Uncategorized": 0x00, "WFI/WFE": 0x01, "ASIMD": 0x07, "PAC": 0x09, "BTI": 0x0D, "PSTATE.IL": 0x0E,
    "SVC (AArch64)": 0x15, "HVC (AArch64)": 0x16, "SMC (AArch64)": 0x17, "MSR/MRS (AArch64)": 0x18, "SVE": 0x19,
    "ERET/ERETAA/ERETAB": 0x1A, "FPAC": 0x1C, "SME": 0x1D, "IABT (lower EL)": 0x20, "IABT (current EL)": 0x21,
    "PC Alignment": 0x22, "DABT (lower EL)": 0x24, "DABT (current EL)": 0x25, "SP Alignment": 0x26, "MOPS": 0x27,
    "FP (AArch32)": 0x28, "FP (AArch64)": 0x2C, "GCS": 0x2D, "SError": 0x2F, "Breakpoint (lower EL)": 0x30,
    "Breakpoint (current EL)": 0x31, "Software Step (lower EL)": 0x32, "Software Step (current EL)": 0x33,
    "Watchpoint (lower EL)": 0x34, "Watchpoint (current EL)": 0x35, "BKPT (AArch32)": 0x38, "BRK (AArch64)": 0x3C,
}
"""Words of esr_class_str[] to EC; the kernel printed no number before 5.3."""

# fmt: on
_FIELDS = r"(?P<name>[A-Z][A-Za-z0-9]{0,9}) = (?:0x(?P<hex>[0-9a-fA-F]{1,16})|(?P<decimal>\d{1,10}))(?!\w)"


_ESR_WIDTHS = (8, 16)
"""`0x%08x`, since 5.19 `0x%016lx`: any width between these is a line that another one overwrote."""


def _head(_match: re.Match[str], _source: Source) -> Facts:
    return ()


def _esr(match: re.Match[str], source: Source) -> Facts:
    digits = match["esr"]
    if hex_digits(digits) not in _ESR_WIDTHS and hex_digits(digits) > _ESR_WIDTHS[0]:
        return ()
    return (
        Syndrome(
            esr=number(digits),
            place=SyndromePlace.MEM_ABORT,
            n_digits=hex_digits(digits),
            source=source,
        ),
    )


def exception_class(match: re.Match[str], source: Source) -> Facts:
    """Return EC (by number, or by the name that older kernels printed alone) and IL."""
    words = match["words"].strip()
    code = number(match["ec"]) if match["ec"] else CLASS_CODES.get(words)
    facts: list[PrintedField] = []
    if code is not None:
        facts.append(PrintedField(name="EC", value=code, meaning=words, source=source))
    if match["il"]:
        bits = int(match["il"])
        facts.append(
            PrintedField(name="IL", value=int(bits == 32), meaning=f"{bits} bits", source=source)
        )
    return tuple(facts)


def _fsc(match: re.Match[str], source: Source) -> Facts:
    meaning = (match["words"] or "").strip()
    return (PrintedField(name="FSC", value=number(match["fsc"]), meaning=meaning, source=source),)


def fields(match: re.Match[str], source: Source) -> Facts:
    """Return every `NAME = value` of the line; ISS and ISS2 are hexadecimal with 0x."""
    return tuple(
        PrintedField(
            name=found["name"],
            value=number(found["hex"]) if found["hex"] else int(found["decimal"]),
            source=source,
        )
        for found in compiled(_FIELDS).finditer(match.string)
    )


def _access_size(match: re.Match[str], source: Source) -> Facts:
    return (PrintedField(name="SAS", value=int(match["n"]), meaning="bytes", source=source),)


_NAMES = "SET|FnV|EA|S1PTW|ISV|ISS2?|CM|WnR|TnD|TagAccess|GCS|Overlay|DirtyBit|Xs|SSE|SRT|SF|AR"

# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("abort info:", r"(?:\w+: )?Mem abort info:",                                       _head,            Part.ABORT_HEAD),
    Rule("abort info:", r"(?:\w+: )?Data abort info:",                                      _head,            Part.ABORT),
    Rule("ESR = ",      r"ESR = (?P<esr>0x[0-9a-fA-F]{1,16})\b",                            _esr,             Part.ABORT),
    Rule("EC = 0x",     r"EC = (?P<ec>0x[0-9a-fA-F]{1,2}): (?P<words>.{1,40}?)(?:, IL = (?P<il>\d{1,3}) bits)?$",
                                                                                            exception_class, Part.ABORT),
    Rule("Exception class", r"Exception class = (?P<words>[^,]{1,40})(?P<ec>(?!))?(?:, IL = (?P<il>\d{1,3}) bits)?",
                                                                                            exception_class, Part.ABORT),
    Rule("FSC = 0x",    r"FSC = (?P<fsc>0x[0-9a-fA-F]{1,2})(?:: ?(?P<words>.{0,80}))?",     _fsc,             Part.ABORT),
    Rule("Access size", r"Access size = (?P<n>\d{1,2}) byte",                               _access_size,     Part.ABORT),
    Rule(" = ",         rf"(?:{_NAMES}) = (?:0x[0-9a-fA-F]+|\d+)(?:,|$)",                   fields,          Part.ABORT),
)
# fmt: on
