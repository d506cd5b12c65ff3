"""What lockdep printed: who holds which lock, and which one was asked for."""

from enum import StrEnum

from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef


class LockStep(StrEnum):
    """What the line before a lock says of it."""

    TAKES = "takes"
    """The lock whose acquisition lockdep reports."""
    HOLDS = "holds"
    """Already held, and at odds with the one taken."""
    OTHER = "other"


class LockUse(Fact, frozen=True, kw_only=True):
    """`comm/12 is trying to acquire lock:`, `but task is already holding lock:`: says what the next line is."""

    step: LockStep
    comm: str | None = None
    pid: int | None = None


class LockHolder(Fact, frozen=True, kw_only=True):
    """`2 locks held by comm/12:`; the locks follow."""

    comm: str
    pid: int | None
    count: int


class HeldLock(Fact, frozen=True, kw_only=True):
    """`#0: ffff.. (name){+.+.}-{3:3}, at: function+0x..`."""

    name: str
    usage: str = ""
    """Of softirq and hardirq, as lockdep's letters."""
    ref: SymbolRef | None = None
    """Where it was taken."""
    index: int | None = None
    """Depth in the list of a task's locks; None for a lock that the report is about."""


class LockState(Fact, frozen=True, kw_only=True):
    """`inconsistent {SOFTIRQ-ON-W} -> {IN-SOFTIRQ-W} usage.`."""

    before: str
    now: str


class LockChain(Fact, frozen=True, kw_only=True):
    """`A --> B --> C` below `Chain exists of:`."""

    names: tuple[str, ...]
