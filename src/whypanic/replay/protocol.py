"""What an engine is asked to run, and what it answers. Data only; both engines speak it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

PAGE_BYTES = 4096
MAX_STEPS = 100_000
MAX_MEMORY_BYTES = 16 << 20


class Permission(StrEnum):
    """What a stage 1 mapping of EL2 allows."""

    READ = "r"
    READ_WRITE = "rw"
    EXECUTE = "rx"


class Region(NamedTuple):
    """Memory mapped at a virtual address; what is not in a region faults as the architecture says."""

    va: int
    """Any address; pages around it are mapped whole."""
    data: bytes
    permission: Permission
    name: str
    """The domain or object, for the trace: `hyp text`, `kernel rodata`, `stack`, ..."""
    known: tuple[tuple[int, int], ...] | None = None
    """Byte ranges [first, last) of `data` that are known; None: all. A load from elsewhere gives an unknown value."""


class Stub(NamedTuple):
    """An address that returns at once: what a call in the listing leads to when its callee is not shown.

    x0 is `returns` afterwards (None: unknown), the other caller-saved registers unknown.
    """

    va: int
    name: str
    returns: int | None = 0


class Job(NamedTuple):
    """One run of code at EL2."""

    id: str
    cpu: str
    """A core of arch/cores.py, e.g. `Cortex-A53`."""
    entry: int
    """VA of the first instruction."""
    regions: tuple[Region, ...]
    stubs: tuple[Stub, ...] = ()
    registers: Mapping[str, int | None] = {}
    """x0..x30, sp before the first instruction; absent or None: unknown (an engine picks values and says so)."""
    nzcv: int | None = None
    daif: int = 0b1111
    system: Mapping[str, int] = {}
    """System registers whose value the caller overrides (`--id-reg`), lower-case names."""
    return_va: int = 0
    """Put into x30; reaching it is `returned`. Must lie in no region."""
    max_steps: int = 20_000


class Outcome(StrEnum):
    FAULT = "fault"
    RETURNED = "returned"
    LIMIT = "limit"
    UNKNOWN = "unknown"


class MemoryAccess(NamedTuple):
    va: int
    n_bytes: int
    write: bool
    value: int | None
    region: str | None
    """Name of the region that allowed it; None: nothing was mapped there."""


class TraceLine(NamedTuple):
    """One executed instruction."""

    address: int
    word: int
    reads: tuple[tuple[str, int | None], ...]
    writes: tuple[tuple[str, int | None], ...]
    """None: the value is unknown."""
    memory: tuple[MemoryAccess, ...]
    region: str | None
    """Region the instruction was fetched from."""


class Observation(NamedTuple):
    """What came out of one run."""

    job: str
    engine: str
    modelled: bool
    """ESR, FAR and SPSR are ours (True) or the CPU model's (False)."""
    outcome: Outcome
    reason: str
    """One sentence: why it ended, why it is unknown."""
    pc: int | None = None
    """ELR_EL2 of the fault; the address reached for `returned`; the last address for `limit`."""
    esr: int | None = None
    far: int | None = None
    hpfar: int | None = None
    pstate: int | None = None
    """SPSR_EL2 of the fault."""
    pstate_known: int = 0xFFFFFFFF
    """Mask of the bits of `pstate` that the run determined (flags set from unknown values are not)."""
    registers: Mapping[str, int | None] = {}
    """At the end; None: unknown."""
    system: Mapping[str, int | None] = {}
    """System registers that the code wrote, lower-case names."""
    trace: tuple[TraceLine, ...] = ()
    """Empty where the engine does not trace."""
    n_trace_skipped: int = 0
    """Lines left out of a long trace, between its first half and its second."""


class Engine(Protocol):
    """Runs jobs."""

    name: str
    modelled: bool

    def supports(self, cpu: str) -> bool:
        """Return whether this engine has the core (QEMU 7.2: no A55, V1, N2)."""

    def run(self, jobs: Sequence[Job]) -> tuple[Observation, ...]:
        """Return one observation a job, in order.

        :raises HostError: if the engine itself is missing or died.
        """
