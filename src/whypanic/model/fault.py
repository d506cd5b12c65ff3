"""What the kernel said of a fault at EL1: headers, abort information, page tables."""

from enum import StrEnum

from msgspec import Struct

from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef


class Headline(Fact, frozen=True, kw_only=True):
    """The line that makes a report a report; every report has at least one."""

    kind: Kind
    message: str
    """The kernel's words without addresses, e.g. `NULL pointer dereference`."""
    address: int | None = None
    """`at virtual address`, where the line has it."""
    ref: SymbolRef | None = None
    """A function that the line itself names (KASAN: in, WARNING: at, CFI failure at)."""
    file: str | None = None
    line: int | None = None
    cpu: int | None = None
    pid: int | None = None
    comm: str | None = None
    target: str | None = None
    """Second party: CFI target, the task a stall names, the lock."""
    inferred: bool = False
    """The report's first line is cut off: kind and message are what the rest suggests, no words of the kernel."""
    seconds: int | None = None
    """How long a watchdog says that something was stuck."""


class SyndromePlace(StrEnum):
    """Which line printed an ESR."""

    MEM_ABORT = "mem-abort"
    INTERNAL_ERROR = "internal-error"
    HYP_PANIC = "hyp-panic"
    SERROR = "serror"
    BAD_MODE = "bad-mode"
    STACK_OVERFLOW = "stack-overflow"
    UNHANDLED_FAULT = "unhandled-fault"
    RECONSTRUCTED = "reconstructed"
    """Put together from the decoded lines of `Mem abort info:` (4.14 printed no ESR there)."""


class Syndrome(Fact, frozen=True, kw_only=True):
    """One ESR value."""

    esr: int
    place: SyndromePlace
    n_digits: int = 16
    complete: bool = True
    """False when reconstructed from some fields only."""


class PrintedField(Fact, frozen=True, kw_only=True):
    """One decoded `NAME = value` of the Mem abort or Data abort block."""

    name: str
    """EC, IL, SET, FnV, EA, S1PTW, FSC, ISV, ISS, ISS2, CM, WnR, TnD, TagAccess, GCS, Overlay, DirtyBit,
    Xs, SAS (access size in bytes), SSE, SRT, SF, AR."""
    value: int
    meaning: str = ""


class FaultAddress(Fact, frozen=True, kw_only=True):
    """FAR as printed: by the header, a `FAR:` line, or the bracket of the page-table line."""

    va: int
    place: str
    """header | far | page-walk | unhandled-fault"""
    n_digits: int = 16


class PageTable(Fact, frozen=True, kw_only=True):
    """`user|swapper pgtable: 4k pages, 48-bit VAs, pgdp=...`"""

    owner: str
    """user | swapper | other word printed"""
    page_kib: int | None
    va_bits: int | None
    pgd: int | None
    """As printed: virtual, hashed or physical by era; None when masked."""


class WalkEntry(Struct, frozen=True, kw_only=True):
    name: str
    """pgd, p4d, pud, pmd, pte"""
    value: int


class PageWalk(Fact, frozen=True, kw_only=True):
    """`[va] pgd=..., pud=...`, or the words that replaced it."""

    va: int | None
    entries: tuple[WalkEntry, ...]
    note: str = ""
    """`address between user and kernel address ranges`, `user address but active_mm is swapper`, ..."""


class InternalError(Fact, frozen=True, kw_only=True):
    """`Internal error: NAME: ERR [#N] SMP`."""

    name: str
    """May be empty (4.11..4.16 external aborts)."""
    err: int | None
    n_digits: int
    count: int | None
    """N of [#N]: 1 is the first oops since boot."""
    suffix: str = ""


class KasanHint(Fact, frozen=True, kw_only=True):
    """`KASAN: null-ptr-deref in range [a-b]` behind the header of an ordinary fault."""

    what: str
    first: int
    last: int


class ErrorInterrupt(Fact, frozen=True, kw_only=True):
    """`SError Interrupt on CPU..`, `Bad mode in ... handler`, `Unhandled ... exception on CPU..`."""

    vector: str
    """The vector or handler named: `SError`, `Synchronous Abort`, `64-bit el1h sync`, ..."""
    cpu: int | None
    esr: int | None
    words: str
    """What stands behind ` -- `."""


class StackRange(Fact, frozen=True, kw_only=True):
    """`Task stack: [a..b]`, `IRQ stack:`, `Overflow stack:`."""

    name: str
    first: int
    last: int


class PanicMessage(Fact, frozen=True, kw_only=True):
    """`Kernel panic - not syncing: ...`."""

    message: str


class Detail(Fact, frozen=True, kw_only=True):
    """Any other understood line of a report that no narrower type fits: `name` says which, `value` its words."""

    name: str
    value: str
    number: int | None = None
