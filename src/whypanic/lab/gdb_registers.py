"""Registers of every CPU of a machine that stands still, by the names of the architecture, through QEMU's gdb stub."""

from collections.abc import Mapping
from typing import NamedTuple

from whypanic.lab.gdb_stub import GdbStub

GENERAL = (*(f"x{i}" for i in range(31)), "sp", "pc", "cpsr")
"""As QEMU's aarch64-core.xml names them; cpsr is PSTATE in the form of SPSR_ELx."""
SYSTEM = (
    *("ESR_EL1", "FAR_EL1", "ELR_EL1", "SPSR_EL1", "VBAR_EL1", "SCTLR_EL1", "PAR_EL1"),
    *("TTBR0_EL1", "TTBR1_EL1", "TCR_EL1", "MAIR_EL1", "CONTEXTIDR_EL1", "TPIDR_EL1"),
    *("ESR_EL2", "FAR_EL2", "ELR_EL2", "SPSR_EL2", "VBAR_EL2", "SCTLR_EL2", "HCR_EL2"),
    *("TTBR0_EL2", "TTBR1_EL2", "TCR_EL2", "MAIR_EL2", "CPTR_EL2", "MDCR_EL2", "TPIDR_EL2"),
    *("HPFAR_EL2", "VTTBR_EL2", "VTCR_EL2", "SP_EL0", "SP_EL1", "SP_EL2"),
)
# Registers that AArch32 has too bear its names in QEMU 7.2 (target/arm/helper.c, ARMCPRegInfo tables).
_ALSO = {
    "VBAR_EL1": ("VBAR",),
    "SCTLR_EL1": ("SCTLR",),
    "CPACR_EL1": ("CPACR",),
}


class CpuRegisters(NamedTuple):
    """One CPU."""

    cpu: int
    general: dict[str, int]
    """x0 to x30, sp, pc, cpsr."""
    system: dict[str, int]
    """Those of `SYSTEM` that QEMU names for this CPU model."""

    @property
    def el(self) -> int | None:
        """Its exception level."""
        cpsr = self.general.get("cpsr")
        # Arm ARM DDI 0487 L, SPSR_EL1: M[3:2] is the exception level, M[4] is set in AArch32.
        return None if cpsr is None or cpsr & 0x10 else cpsr >> 2 & 3


def read_cpus(stub: GdbStub) -> tuple[CpuRegisters, ...]:
    """Return the registers of all CPUs, the first is CPU 0.

    :raises HostError: if the stub does not answer in time.
    """
    numbers = stub.register_numbers()
    system = _named(numbers)
    general = {name: numbers[name] for name in GENERAL if name in numbers}
    cpus = []
    for cpu, thread in enumerate(stub.threads()):
        stub.select(thread)
        cpus.append(CpuRegisters(cpu, _read(stub, general), _read(stub, system)))
    return tuple(cpus)


def _named(numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the number of each wanted system register that is there, under whichever name."""
    found = {}
    for name in SYSTEM:
        number = next((numbers[n] for n in (name, *_ALSO.get(name, ())) if n in numbers), None)
        if number is not None:
            found[name] = number
    return found


def _read(stub: GdbStub, numbers: Mapping[str, int]) -> dict[str, int]:
    values = ((name, stub.register(number)) for name, number in numbers.items())
    return {name: value for name, value in values if value is not None}
