"""The embedded engine: Unicorn computes one instruction at a time, everything around it is modelled here.

Unicorn is a flat executor at its EL1, with the MMU off. What EL2 is (which addresses are mapped, what system registers
answer, which exception a fault becomes) comes from `el2_run` and what that uses; no access reaches Unicorn that was
not held against the pages of the job first.
"""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from whypanic.arch.identification import replay_cores
from whypanic.arch.insn.record import V, X
from whypanic.model.errors import HostError
from whypanic.replay.address_space import AddressSpace, UnfitJobError
from whypanic.replay.architecture import UnansweredError
from whypanic.replay.el2_registers import El2Registers
from whypanic.replay.el2_run import El2Run
from whypanic.replay.protocol import PAGE_BYTES, Job, Observation, Outcome, Permission

# The Cortex-A35 has the instructions of the Cortex-A53. Every other core runs on the largest model, and
# `instruction_set` says which instructions it lacks.
_MODELS = {
    "Cortex-A35": "UC_CPU_ARM64_A53",
    "Cortex-A53": "UC_CPU_ARM64_A53",
    "Cortex-A57": "UC_CPU_ARM64_A57",
    "Cortex-A72": "UC_CPU_ARM64_A72",
}
_LARGEST = "UC_CPU_ARM64_MAX"
_FP_ACCESS = 0b11 << 20
"""CPACR_EL1.FPEN."""


class UnicornEngine:
    """Runs jobs inside this process."""

    name = "unicorn"
    modelled = True

    def supports(self, cpu: str) -> bool:
        """Return whether the core is one of the replay table."""
        return cpu in replay_cores()

    def run(self, jobs: Sequence[Job]) -> tuple[Observation, ...]:
        """Return one observation a job, in order; no job sees another's state.

        :raises HostError: if Unicorn cannot be loaded.
        """
        try:
            api = importlib.import_module("unicorn")
            constants = importlib.import_module("unicorn.arm64_const")
        except (ImportError, OSError) as error:
            message = f"the emulator Unicorn cannot be loaded: {error}"
            raise HostError(message, hints=("install it with `pip install unicorn`",)) from error
        return tuple(self._run(job, api, constants) for job in jobs)

    def _run(self, job: Job, api: ModuleType, constants: ModuleType) -> Observation:
        if not self.supports(job.cpu):
            reason = f"the core `{job.cpu}` is not in the table of cores"
            return Observation(job.id, self.name, True, Outcome.UNKNOWN, reason)
        try:
            system = El2Registers(job.cpu, job.system)
            space = AddressSpace(job.regions, job.stubs, system.va_bits())
            cpu = UnicornExecutor(api, constants, job.cpu, space)
            return El2Run(job, space, system, cpu).finish()
        except UnfitJobError as error:
            return Observation(job.id, self.name, True, Outcome.UNKNOWN, str(error))


class UnicornExecutor:
    """A Unicorn instance that holds the registers and pages of one job."""

    def __init__(
        self, api: ModuleType, constants: ModuleType, core: str, space: AddressSpace
    ) -> None:
        self._api, self._constants = api, constants
        self._uc = self._new(getattr(constants, _MODELS.get(core, _LARGEST)))
        # In that module x0..x28 and v0..v31 have consecutive numbers.
        self._ids: dict[str, int] = {
            **{name: constants.UC_ARM64_REG_X0 + n for n, name in enumerate(X[:29])},
            **{name: constants.UC_ARM64_REG_V0 + n for n, name in enumerate(V)},
            "x29": constants.UC_ARM64_REG_X29,
            "x30": constants.UC_ARM64_REG_X30,
            "sp": constants.UC_ARM64_REG_SP,
            "nzcv": constants.UC_ARM64_REG_NZCV,
        }
        protections = {
            Permission.READ: api.UC_PROT_READ,
            Permission.READ_WRITE: api.UC_PROT_READ | api.UC_PROT_WRITE,
            Permission.EXECUTE: api.UC_PROT_READ | api.UC_PROT_EXEC,
        }
        for va, permission, contents in space.runs():
            self._uc.mem_map(va, len(contents), protections[permission])
            self._uc.mem_write(va, contents)

    def _new(self, model: int) -> Any:
        uc = self._api.Uc(self._api.UC_ARCH_ARM64, self._api.UC_MODE_ARM)
        uc.ctl_set_cpu_model(model)
        uc.reg_write(self._constants.UC_ARM64_REG_CPACR_EL1, _FP_ACCESS)
        return uc

    def read(self, name: str) -> int:
        """Return x0..x30, sp, v0..v31, or the flags as bits 3..0."""
        value: int = self._uc.reg_read(self._ids[name])
        return value >> 28 & 15 if name == "nzcv" else value

    def write(self, name: str, value: int) -> None:
        """Set such a register."""
        self._uc.reg_write(self._ids[name], value << 28 if name == "nzcv" else value)

    def read_memory(self, va: int, n_bytes: int) -> int:
        """Return mapped bytes as a little-endian number."""
        return int.from_bytes(self._uc.mem_read(va, n_bytes), "little")

    def write_memory(self, va: int, n_bytes: int, value: int) -> None:
        """Set mapped bytes to a little-endian number."""
        self._uc.mem_write(va, value.to_bytes(n_bytes, "little"))

    def step(self, pc: int) -> None:
        """Run the instruction at `pc`, which does not branch.

        :raises UnansweredError: if Unicorn does not know it.
        """
        try:
            self._uc.emu_start(pc, pc + 4, count=1)
        except self._api.UcError as error:
            message = f"Unicorn does not run the instruction at {pc:#x}: {error}"
            raise UnansweredError(message) from error

    def is_allocated(self, word: int) -> bool:
        """Return whether every core has an FP or SIMD word: a model of Armv8.0 runs it, apart from the job."""
        uc = self._new(self._constants.UC_CPU_ARM64_A72)
        uc.mem_map(0, PAGE_BYTES)
        uc.mem_write(0, word.to_bytes(4, "little"))
        try:
            uc.emu_start(0, 4, count=1)
        except self._api.UcError as error:
            return bool(error.errno != self._api.UC_ERR_EXCEPTION)
        return True
