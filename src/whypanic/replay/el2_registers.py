"""System registers as code at EL2 finds them: the core's, the job's, and what the code itself wrote.

Source: Arm ARM DDI 0487 L, the register named and its accessibility at EL2.
"""

from collections.abc import Mapping

from whypanic.arch.fields import bits
from whypanic.arch.identification import identification
from whypanic.replay.address_space import UnfitJobError

_READ_ONLY = (
    *("id_", "midr_", "mpidr_", "revidr_", "aidr_", "ctr_", "dczid_", "clidr_", "ccsidr", "gmid_"),
    *("currentel", "isr_el1", "rvbar_", "cntpct", "cntvct", "rndr"),
)
"""MSR to one of these is UNDEFINED."""
_READ_BACK = frozenset(
    {
        *("tpidr_el0", "tpidrro_el0", "tpidr_el1", "tpidr_el2", "contextidr_el1"),
        *("sp_el0", "sp_el1", "elr_el1", "elr_el2", "far_el1", "far_el2", "cptr_el2"),
    }
)
"""Registers that read as they were written; another may have bits that ignore a write."""
_REGIME = ("sctlr_el2", "tcr_el2", "ttbr0_el2", "ttbr1_el2", "mair_el2")
_FP_REGISTERS = ("fpcr", "fpsr")
_CURRENT_EL2 = 2 << 2
_E2H = 34
_SCTLR_A, _SCTLR_SA = 1, 3


class El2Registers:
    """What MRS answers and MSR leaves.

    :param core: of the tables in `arch/`.
    :param overrides: lower-case name to value, in place of the core's.
    """

    def __init__(self, core: str, overrides: Mapping[str, int]) -> None:
        mask = (1 << 64) - 1
        self.identification = dict(identification(core))
        self._values: dict[str, int | None] = {"currentel": _CURRENT_EL2, "spsel": 1}
        self._values |= self.identification
        self._values |= {name.lower(): value & mask for name, value in overrides.items()}
        self.identification |= {
            name: value
            for name, value in self._values.items()
            if name.startswith("id_") and value is not None
        }
        self.written: dict[str, int | None] = {}
        """By MSR, in order of the first write, with the value last written."""

    def read(self, name: str) -> int | None:
        """Return what MRS gives; None: unknown."""
        return self._values.get(name)

    def write(self, name: str, value: int | None) -> None:
        """Note an MSR; afterwards the register reads as written only where no bit of it can ignore a write."""
        self.written[name] = value
        self._values[name] = value if name in _READ_BACK else None

    def forget(self, name: str) -> None:
        """Make a register unknown that an instruction changed as a side effect."""
        self._values[name] = None

    def is_undefined(self, name: str, *, write: bool) -> bool:
        """Return whether the access is UNDEFINED at EL2 whatever the core."""
        if name.endswith("_el3") or (write and name.startswith(_READ_ONLY)):
            return True
        return name.endswith(("_el12", "_el02")) and not self.has_e2h

    def changes_regime(self, name: str) -> bool:
        """Return whether a write to the register changes how EL2 translates what follows."""
        return name in _REGIME

    def is_fp(self, name: str) -> bool:
        """Return whether the register is trapped as FP instructions are."""
        return name in _FP_REGISTERS

    @property
    def has_e2h(self) -> bool:
        """HCR_EL2.E2H; 0 where nothing says otherwise, as in the regime that a replay models."""
        return bool(bits(self._values.get("hcr_el2") or 0, _E2H))

    def traps_fp(self) -> bool | None:
        """Return whether CPTR_EL2 traps FP and SIMD at EL2; None: it was written with an unknown value.

        Trapped where the job does not give CPTR_EL2. With E2H the register has FPEN [21:20], else TFP [10].
        """
        if "cptr_el2" not in self._values:
            return True
        cptr = self._values["cptr_el2"]
        if cptr is None:
            return None
        return not bits(cptr, 20) if self.has_e2h else bool(bits(cptr, 10))

    @property
    def checks_alignment(self) -> bool:
        """SCTLR_EL2.A; KVM leaves it 0 (arch/arm64/kvm/hyp/nvhe/hyp-init.S)."""
        return bool(bits(self._values.get("sctlr_el2") or 0, _SCTLR_A))

    @property
    def checks_sp(self) -> bool:
        """SCTLR_EL2.SA; KVM sets it (the same file)."""
        sctlr = self._values.get("sctlr_el2")
        return True if sctlr is None else bool(bits(sctlr, _SCTLR_SA))

    @property
    def unaligned_within(self) -> int:
        """Bytes within which an atomic or ordered access may be unaligned: 16 with FEAT_LSE2, else 0."""
        return 16 if bits(self.identification.get("id_aa64mmfr2_el1", 0), 32, 4) else 0

    def va_bits(self) -> int:
        """Return the input address size of TTBR0_EL2 by TCR_EL2.T0SZ, 48 where the job does not give it.

        :raises UnfitJobError: if TCR_EL2 asks for another granule than 4 KB, or for a size beyond 25..48 bits.
        """
        tcr = self._values.get("tcr_el2")
        if tcr is None:
            return 48
        size = 64 - bits(tcr, 0, 6)
        if bits(tcr, 14, 2) or not 25 <= size <= 48:
            message = f"tcr_el2 {tcr:#x} asks for a translation that is not modelled"
            raise UnfitJobError(message)
        return size
