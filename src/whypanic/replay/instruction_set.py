"""Which instructions a core has, by its identification registers, and which no run here can answer.

Source: Arm ARM DDI 0487 L, ID_AA64ISAR0_EL1, ID_AA64ISAR1_EL1, ID_AA64ISAR2_EL1, ID_AA64MMFR1_EL1, ID_AA64PFR0_EL1:
the field named in each row. An instruction of a feature that a core lacks is UNDEFINED.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from whypanic.arch.fields import bits
from whypanic.arch.insn.record import Group, Insn


class Feature(NamedTuple):
    name: str
    register: str
    lsb: int
    least: int = 1


# fmt: off
LSE      = Feature("FEAT_LSE",     "id_aa64isar0_el1", 20, 2)
CRC32    = Feature("FEAT_CRC32",   "id_aa64isar0_el1", 16)
FLAGM    = Feature("FEAT_FlagM",   "id_aa64isar0_el1", 52)
FLAGM2   = Feature("FEAT_FlagM2",  "id_aa64isar0_el1", 52, 2)
LRCPC    = Feature("FEAT_LRCPC",   "id_aa64isar1_el1", 20)
LRCPC2   = Feature("FEAT_LRCPC2",  "id_aa64isar1_el1", 20, 2)
LRCPC3   = Feature("FEAT_LRCPC3",  "id_aa64isar1_el1", 20, 3)
DPB      = Feature("FEAT_DPB",     "id_aa64isar1_el1",  0)
DPB2     = Feature("FEAT_DPB2",    "id_aa64isar1_el1",  0, 2)
SB       = Feature("FEAT_SB",      "id_aa64isar1_el1", 36)
CSSC     = Feature("FEAT_CSSC",    "id_aa64isar2_el1", 52)
HBC      = Feature("FEAT_HBC",     "id_aa64isar2_el1", 20)
LOR      = Feature("FEAT_LOR",     "id_aa64mmfr1_el1", 16)
PAN      = Feature("FEAT_PAN",     "id_aa64mmfr1_el1", 20)
UAO      = Feature("FEAT_UAO",     "id_aa64mmfr2_el1",  4)
DIT      = Feature("FEAT_DIT",     "id_aa64pfr0_el1",  48)
SSBS     = Feature("FEAT_SSBS2",   "id_aa64pfr1_el1",   4, 2)
VHE      = Feature("FEAT_VHE",     "id_aa64mmfr1_el1",  8)
RAS      = Feature("FEAT_RAS",     "id_aa64pfr0_el1",  28)
RNG      = Feature("FEAT_RNG",     "id_aa64isar0_el1", 60)
SVE      = Feature("FEAT_SVE",     "id_aa64pfr0_el1",  32)

_BY_MNEMONIC: dict[str, Feature] = {
    **dict.fromkeys(("crc32b", "crc32h", "crc32w", "crc32x"), CRC32),
    **dict.fromkeys(("crc32cb", "crc32ch", "crc32cw", "crc32cx"), CRC32),
    **dict.fromkeys(("rmif", "setf8", "setf16", "cfinv"), FLAGM),
    **dict.fromkeys(("xaflag", "axflag"), FLAGM2),
    **dict.fromkeys(("ldapr", "ldaprb", "ldaprh"), LRCPC),
    **dict.fromkeys(("ldlar", "ldlarb", "ldlarh", "stllr", "stllrb", "stllrh"), LOR),
    **dict.fromkeys(("smax", "umax", "smin", "umin", "ctz", "cnt", "abs"), CSSC),
    "sb": SB, "dc cvap": DPB, "dc cvadp": DPB2,
}
_BY_SYSTEM_REGISTER = (
    ("pan", PAN), ("uao", UAO), ("dit", DIT), ("ssbs", SSBS), ("zcr_", SVE), ("rndr", RNG),
    ("lorsa_", LOR), ("lorea_", LOR), ("lorn_", LOR), ("lorc_", LOR),
    ("contextidr_el2", VHE), ("ttbr1_el2", VHE), ("cnthv_", VHE),
    ("disr_", RAS), ("vdisr_", RAS), ("vsesr_", RAS), ("errselr_", RAS),
)
"""By the start of the register's name; registers of features not listed count as there, with an unknown value."""
_KEY_REGISTERS = ("apia", "apib", "apda", "apdb")
# fmt: on
# Pointer authentication has a field for each algorithm: any of them will do.
_ADDRESS_KEYS = (("id_aa64isar1_el1", 4), ("id_aa64isar1_el1", 8), ("id_aa64isar2_el1", 12))
_GENERIC_KEYS = (("id_aa64isar1_el1", 24), ("id_aa64isar1_el1", 28), ("id_aa64isar2_el1", 8))

_NEVER_RUN = {
    # MTE, and what waits or copies for a time that no replay models
    **dict.fromkeys(("irg", "gmi", "addg", "subg", "subp", "subps"), "memory tagging"),
    **dict.fromkeys(("wfet", "wfit"), "a wait with a time-out"),
    **dict.fromkeys(("tstart", "ttest", "tcommit", "tcancel"), "a transaction"),
    **dict.fromkeys(("addpt", "subpt", "maddpt", "msubpt"), "checked pointer arithmetic"),
    **dict.fromkeys(("ldraa", "ldrab"), "an authenticated load"),
    **dict.fromkeys(("mrrs", "msrr", "sysp"), "a 128-bit system register"),
    **dict.fromkeys(("ld64b", "st64b", "st64bv", "st64bv0"), "a single-copy 64-byte access"),
    **dict.fromkeys(("sysl", "chkfeat", "gcsb dsync", "pacm", "drps"), "this system instruction"),
    **dict.fromkeys(("swpp", "ldclrp", "ldsetp", "ldiapp", "stilp"), "a 128-bit access"),
}
_NEVER_RUN_PREFIXES = {"rcw": "a read-check-write", "cpy": "a memory copy", "set": "a memory set"}


class Standing(Enum):
    RUNS = "runs"
    UNDEFINED = "undefined"
    """The core lacks the feature."""
    UNKNOWN = "unknown"


class Allocation(NamedTuple):
    """Whether a core has an instruction."""

    standing: Standing
    what: str = ""
    """The feature lacking, or why it is unknown."""


_RUNS = Allocation(Standing.RUNS)


def allocation(insn: Insn, identification: Mapping[str, int]) -> Allocation:
    """Return whether a core with these identification registers has an instruction that a run can model."""
    reason = _unanswered(insn)
    if reason:
        return Allocation(Standing.UNKNOWN, reason)
    if needs_authentication(insn):
        keys = _GENERIC_KEYS if insn.mnemonic == "pacga" else _ADDRESS_KEYS
        return _any_of(keys, "FEAT_PAuth", identification)
    if (insn.system_register or "").startswith(_KEY_REGISTERS):
        return _any_of(_ADDRESS_KEYS, "FEAT_PAuth", identification)
    feature = _feature(insn)
    if feature is None:
        return _RUNS
    register = identification.get(feature.register)
    if register is None:
        return Allocation(Standing.UNKNOWN, f"whether the core has {feature.name} is unknown")
    if bits(register, feature.lsb, 4) < feature.least:
        return Allocation(Standing.UNDEFINED, feature.name)
    if insn.group is Group.SVE:
        return Allocation(Standing.UNKNOWN, "an SVE instruction is not modelled")
    return _RUNS


def has_authentication(identification: Mapping[str, int]) -> bool:
    """Return whether the core may have pointer authentication: False only where its registers deny it."""
    return _any_of(_ADDRESS_KEYS, "", identification).standing is not Standing.UNDEFINED


def needs_authentication(insn: Insn) -> bool:
    """Return whether an instruction is one of FEAT_PAuth that no older core has as a hint."""
    if insn.group is Group.POINTER_AUTH:
        return insn.word >> 12 != 0xD5032
    return insn.branch is not None and insn.branch.authenticated


def _any_of(
    fields: tuple[tuple[str, int], ...], name: str, identification: Mapping[str, int]
) -> Allocation:
    if any(bits(identification.get(register, 0), lsb, 4) for register, lsb in fields):
        return _RUNS
    if any(register not in identification for register, _ in fields):
        return Allocation(Standing.UNKNOWN, f"whether the core has {name} is unknown")
    return Allocation(Standing.UNDEFINED, name)


def _unanswered(insn: Insn) -> str:
    if insn.group is Group.UNALLOCATED:
        return "the word is not one this program knows"
    if insn.group is Group.SME:
        return "an SME instruction is not modelled"
    memory = insn.memory
    what = _NEVER_RUN.get(insn.mnemonic, "")
    if memory is not None and memory.tag:
        what = "memory tagging"
    elif not what and memory is not None:
        what = _NEVER_RUN_PREFIXES.get(insn.mnemonic[:3], "")
    if insn.mnemonic.endswith(("ppc", "ppcr")):
        what = "authentication with the PC"
    if insn.mnemonic == "sys":
        what = "this system instruction"
    if insn.mnemonic.startswith("dc ") and "g" in insn.mnemonic:
        what = "memory tagging"
    if insn.system_register in ("allint", "svcr", "tco") and insn.immediate is not None:
        what = "this PSTATE field"
    if _is_nameless(insn.system_register or ""):
        what = "a system register without a name"
    return f"{what} is not modelled" if what else ""


def _is_nameless(register: str) -> bool:
    """Return whether a register is neither named nor in the space that cores fill as they like."""
    parts = register.split("_")
    if len(parts) != 5 or register[0] != "s" or not register[1].isdigit():
        return False
    return parts[0] != "s3" or parts[2] not in ("c11", "c15")


def _feature(insn: Insn) -> Feature | None:
    memory = insn.memory
    if insn.group is Group.SVE:
        return SVE
    if memory is not None and memory.atomic:
        return LSE
    if memory is not None and memory.ordered and (memory.writeback or memory.fp):
        return LRCPC3
    if insn.mnemonic.startswith(("ldapur", "stlur")):
        return LRCPC2
    if insn.mnemonic.startswith("bc."):
        return HBC
    if insn.system_register is not None:
        rows = _BY_SYSTEM_REGISTER
        return next((f for start, f in rows if insn.system_register.startswith(start)), None)
    return _BY_MNEMONIC.get(insn.mnemonic)
