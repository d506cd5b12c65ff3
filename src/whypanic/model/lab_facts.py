"""What the lab measured of a boot: facts beside those of the console, for boots that went silent above all.

`statement` is a sentence about the measurement: nothing of it was printed by the kernel.
"""

from whypanic.model.provenance import Fact


class BootedOn(Fact, frozen=True, kw_only=True):
    """The machine of the boot."""

    cpu: str
    """Model, as QEMU calls it: cortex-a57."""
    vhe: bool | None
    """Whether that model has VHE; None: not known."""
    mode: str
    """The lab's mode: el1, nvhe, vhe, ..."""

    @property
    def statement(self) -> str:
        has = {True: ", which has VHE", False: ", which has no VHE", None: ""}[self.vhe]
        return f"it was booted in mode {self.mode} on {self.cpu}{has}"


class BootWatched(Fact, frozen=True, kw_only=True):
    """How the watch over a boot ended."""

    verdict: str
    """Of the lab: silent-hang, exception-storm, ..."""
    reason: str
    n_console_bytes: int
    n_exceptions: int
    running: str | None = None
    """The test of the lab's init that had begun and not ended."""

    @property
    def statement(self) -> str:
        return f"{self.verdict}: {self.reason}"


class CpuStuck(Fact, frozen=True, kw_only=True):
    """One CPU of a machine that had gone silent, as it was found."""

    cpu: int
    pc: int
    el: int | None
    motion: str
    """stands still, goes round in a small loop, waits for an interrupt, runs; empty: looked at once only."""
    symbol: str | None = None
    """`symbol+0x4`, by the physical address of PC."""
    mmu_off: bool = False
    """PC is its own physical address: the MMU is off, or identity mapped."""
    halted: bool = False
    """It waits for an interrupt, or was never switched on."""

    @property
    def place(self) -> str:
        """Level, PC and symbol in one clause."""
        level = "" if self.el is None else f"at EL{self.el}, "
        return f"{level}PC {self.pc:#x}{f' ({self.symbol})' if self.symbol else ''}"

    @property
    def statement(self) -> str:
        return f"CPU {self.cpu} {self.motion or 'was found'} {self.place}"


class ExceptionSeen(Fact, frozen=True, kw_only=True):
    """An exception that a kernel in order takes seldom or never, from QEMU's log; equal ones in a row are one."""

    kind: str
    """`Data Abort`, `Undefined Instruction`, ... as QEMU calls it."""
    from_el: int
    to_el: int
    cpu: int
    esr: int | None = None
    far: int | None = None
    elr: int | None = None
    symbol: str | None = None
    """Where ELR points."""
    n_times: int = 1
    """In a row, among those that were kept."""

    @property
    def statement(self) -> str:
        values = [
            f"{name} {value:#x}"
            for name, value in (("ESR", self.esr), ("ELR", self.elr), ("FAR", self.far))
            if value is not None
        ]
        place = f" in {self.symbol}" if self.symbol else ""
        kept = f", {self.n_times} times in a row among those kept"
        times = kept if self.n_times > 1 else ""
        return (
            ", ".join((f"{self.kind} from EL{self.from_el} to EL{self.to_el}{place}", *values))
            + times
        )


class SystemRegister(Fact, frozen=True, kw_only=True):
    """A system register of a machine that stood still."""

    name: str
    """Upper case: ESR_EL2."""
    value: int

    @property
    def statement(self) -> str:
        return f"{self.name} = {self.value:#x}"
