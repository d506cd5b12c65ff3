"""Which capabilities a kernel finds on a core of a given type, as far as its identification registers decide it.

Left out, and thus unknown, is what firmware, the command line, the exception level at boot or other CPUs decide: VHE
on a core that has it, KPTI, the Spectre mitigations, GIC priorities. Whether the kernel was built with support is not
looked at here.

Source: Debian linux-source-6.1 6.1.192-2, arch/arm64/kernel/cpufeature.c (arm64_features: register, field, least
value), proton-pack.c (has_spectre_v3a); those of later versions: 6.12.117-1. Fields: Arm ARM DDI 0487 L.
Errata: `cpucaps`.
"""

import re
from functools import cache
from typing import NamedTuple

from whypanic.arch.cores import CORE_NAMES
from whypanic.arch.cpucaps import ERRATUM_CORES, spellings
from whypanic.arch.identification import identification, replay_cores


class _Field(NamedTuple):
    capability: str
    register: str
    lo: int
    least: int
    """Lowest value of the four-bit field that has it."""


# fmt: off
_FIELDS: tuple[_Field, ...] = (
    _Field("HAS_CRC32",            "id_aa64isar0_el1", 16, 1),
    _Field("HAS_LSE_ATOMICS",      "id_aa64isar0_el1", 20, 2),
    _Field("HAS_TLB_RANGE",        "id_aa64isar0_el1", 56, 2),
    _Field("HAS_RNG",              "id_aa64isar0_el1", 60, 1),
    _Field("HAS_DCPOP",            "id_aa64isar1_el1",  0, 1),
    _Field("HAS_DCPODP",           "id_aa64isar1_el1",  0, 2),
    _Field("HAS_LDAPR",            "id_aa64isar1_el1", 20, 1),
    _Field("HAS_SB",               "id_aa64isar1_el1", 36, 1),
    _Field("HAS_WFXT",             "id_aa64isar2_el1",  0, 2),
    _Field("HAS_MOPS",             "id_aa64isar2_el1", 16, 1),
    _Field("HAS_FGT",              "id_aa64mmfr0_el1", 56, 1),
    _Field("HAS_ECV",              "id_aa64mmfr0_el1", 60, 1),
    _Field("HAS_ECV_CNTPOFF",      "id_aa64mmfr0_el1", 60, 2),
    _Field("HAS_PAN",              "id_aa64mmfr1_el1", 20, 1),
    _Field("HAS_EPAN",             "id_aa64mmfr1_el1", 20, 3),
    _Field("HAS_HCX",              "id_aa64mmfr1_el1", 40, 1),
    _Field("HAS_TIDCP1",           "id_aa64mmfr1_el1", 52, 1),
    _Field("HAS_UAO",              "id_aa64mmfr2_el1",  4, 1),
    _Field("HAS_STAGE2_FWB",       "id_aa64mmfr2_el1", 40, 1),
    _Field("HAS_ARMv8_4_TTL",      "id_aa64mmfr2_el1", 48, 1),
    _Field("HAS_EVT",              "id_aa64mmfr2_el1", 56, 1),
    _Field("HAS_E0PD",             "id_aa64mmfr2_el1", 60, 1),
    _Field("HAS_32BIT_EL0",        "id_aa64pfr0_el1",   0, 2),
    _Field("HAS_32BIT_EL1",        "id_aa64pfr0_el1",   4, 2),
    _Field("HAS_RAS_EXTN",         "id_aa64pfr0_el1",  28, 1),
    _Field("SVE",                  "id_aa64pfr0_el1",  32, 1),
    _Field("HAS_AMU_EXTN",         "id_aa64pfr0_el1",  44, 1),
    _Field("HAS_DIT",              "id_aa64pfr0_el1",  48, 1),
    _Field("BTI",                  "id_aa64pfr1_el1",   0, 1),
    _Field("SSBS",                 "id_aa64pfr1_el1",   4, 1),
    _Field("MTE",                  "id_aa64pfr1_el1",   8, 2),
    _Field("MTE_ASYMM",            "id_aa64pfr1_el1",   8, 3),
    _Field("SME",                  "id_aa64pfr1_el1",  24, 1),
    _Field("HAS_ADDRESS_AUTH_ARCH_QARMA5", "id_aa64isar1_el1",  4, 1),
    _Field("HAS_ADDRESS_AUTH_IMP_DEF",     "id_aa64isar1_el1",  8, 1),
    _Field("HAS_ADDRESS_AUTH_ARCH_QARMA3", "id_aa64isar2_el1", 12, 1),
    _Field("HAS_GENERIC_AUTH_ARCH_QARMA5", "id_aa64isar1_el1", 24, 1),
    _Field("HAS_GENERIC_AUTH_IMP_DEF",     "id_aa64isar1_el1", 28, 1),
    _Field("HAS_GENERIC_AUTH_ARCH_QARMA3", "id_aa64isar2_el1",  8, 1),
)
_ONLY_ABSENT: tuple[_Field, ...] = (
    # Without the field the capability is absent; with it something else decides.
    _Field("HAS_VIRT_HOST_EXTN",   "id_aa64mmfr1_el1",  8, 1),   # and the kernel entered at EL2
    _Field("HW_DBM",               "id_aa64mmfr1_el1",  0, 2),   # and no erratum
    _Field("HAS_CNP",              "id_aa64mmfr2_el1",  0, 1),   # and no crash kernel
    _Field("HAS_NESTED_VIRT",      "id_aa64mmfr2_el1", 24, 1),   # and the command line
)
# fmt: on
_ANY_OF = {
    "HAS_ADDRESS_AUTH": ("ARCH_QARMA5", "ARCH_QARMA3", "IMP_DEF"),
    "HAS_GENERIC_AUTH": ("ARCH_QARMA5", "ARCH_QARMA3", "IMP_DEF"),
}
_IDC, _DIC = 28, 29
_SPECTRE_V3A = frozenset({"Cortex-A57", "Cortex-A72"})
ALWAYS = ("ALWAYS_BOOT", "ALWAYS_SYSTEM")


class Core(NamedTuple):
    """A core type, and its revision where it was said."""

    name: str
    variant: int | None = None
    revision: int | None = None

    @property
    def text(self) -> str:
        """`Cortex-A57 r1p2`"""
        return self.name if self.variant is None else f"{self.name} r{self.variant}p{self.revision}"


def find_core(text: str) -> Core | None:
    """Return the core that a text names: `cortex-a57`, `Cortex-A57 r1p2`; None: no core known by that name."""
    match = _revision_pattern().search(text.strip())
    plain = text.strip()[: match.start()] if match else text.strip()
    wanted = plain.strip(" :,").lower()
    for name in (*CORE_NAMES.values(), *replay_cores()):
        if name.lower() == wanted:
            return Core(name, int(match[1]), int(match[2])) if match else Core(name)
    return None


def capabilities_of(core: Core) -> dict[str, bool]:
    """Return for each capability that is decided whether the core has it, by name without ARM64_."""
    found = dict.fromkeys(ALWAYS, True)
    registers = identification(core.name)
    if registers:
        for row in _FIELDS:
            found[row.capability] = registers[row.register] >> row.lo & 0xF >= row.least
        for name, ends in _ANY_OF.items():
            found[name] = any(found[f"{name}_{end}"] for end in ends)
        for row in _ONLY_ABSENT:
            if registers[row.register] >> row.lo & 0xF < row.least:
                found[row.capability] = False
        found["ALT_PAN_NOT_UAO"] = found["HAS_PAN"] and not found["HAS_UAO"]
        # ID_AA64PFR0_EL1.FP is 0xf where there is no floating point.
        floats = registers["id_aa64pfr0_el1"] >> 16 & 0xF != 0xF
        found |= {"HAS_FPSIMD": floats, "HAS_NO_FPSIMD": not floats}
        found["HAS_CACHE_IDC"] = bool(registers["ctr_el0"] >> _IDC & 1)
        found["HAS_CACHE_DIC"] = bool(registers["ctr_el0"] >> _DIC & 1)
    found["SPECTRE_V3A"] = core.name in _SPECTRE_V3A
    for capability in {row.capability for row in ERRATUM_CORES}:
        present = _erratum(capability, core)
        if present is not None:
            found[capability] = present
    return {spelt: has for name, has in found.items() for spelt in spellings(name)}


def _erratum(capability: str, core: Core) -> bool | None:
    """Tell whether a workaround is for this core; None where its revision decides and is not known."""
    rows = [r for r in ERRATUM_CORES if r.capability == capability and r.core == core.name]
    if not rows:
        return False
    said = [_within(row.revisions, core) for row in rows]
    if True in said:
        return True
    return None if None in said else False


def _within(revisions: str, core: Core) -> bool | None:
    if revisions == "all":
        return True
    bounds = [(int(m[1]), int(m[2])) for m in _revision_pattern().finditer(revisions)]
    if core.variant is None or core.revision is None or not bounds:
        return None
    own = (core.variant, core.revision)
    if revisions.startswith("from "):
        return own >= bounds[0]
    return bounds[0] <= own <= bounds[-1]


@cache
def _revision_pattern() -> re.Pattern[str]:
    return re.compile(r"r(\d{1,2})p(\d{1,2})(?!\w)", re.ASCII)
