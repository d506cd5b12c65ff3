"""The kind of one report: the most specific that its lines carry.

Sources: arch/arm64/kernel/traps.c and mm/fault.c for the names die() gets (from memory, after the catalogue of
formats); Arm ARM DDI 0487 L, ESR_EL1, for exception classes and fault status codes.
"""

# ruff: noqa: E501 -- rows of tables, one a line

from collections.abc import Sequence
from typing import TypeVar

from whypanic.arch.brk import brk_meaning
from whypanic.arch.esr.fault_status import FaultKind, fault_status
from whypanic.crashlog.headlines import kind_of_fault
from whypanic.crashlog.panic_messages import kind_of_panic
from whypanic.crashlog.sections.endings import END_PANIC
from whypanic.model.context import KernelVersion
from whypanic.model.fault import (
    Detail,
    ErrorInterrupt,
    FaultAddress,
    Headline,
    InternalError,
    PanicMessage,
    Syndrome,
)
from whypanic.model.hyp import HypPanic, HypPanicAt
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register
from whypanic.model.trace import Frame

FIRST_PAGE_BYTES = 4096
KERNEL_BIT = 1 << 55
EC_IABT = (0x20, 0x21)
EC_DABT = (0x24, 0x25)
EC_BRK = 0x3C

# fmt: off
KINDS_OF_CLASS: dict[int, Kind] = {
    0x00: Kind.UNDEFINED_INSTRUCTION,
    0x0D: Kind.BTI,
    0x1C: Kind.FPAC,
    0x22: Kind.SP_PC_ALIGNMENT,
    0x26: Kind.SP_PC_ALIGNMENT,
    0x27: Kind.MOPS,
    0x2D: Kind.GCS,
    0x2F: Kind.SERROR,
}
KINDS_OF_STATUS: dict[FaultKind, Kind] = {
    FaultKind.ALIGNMENT:              Kind.ALIGNMENT_FAULT,
    FaultKind.EXTERNAL_ABORT:         Kind.EXTERNAL_ABORT,
    FaultKind.EXTERNAL_ABORT_ON_WALK: Kind.EXTERNAL_ABORT,
    FaultKind.ECC:                    Kind.EXTERNAL_ABORT,
    FaultKind.TLB_CONFLICT:           Kind.TLB_CONFLICT,
    FaultKind.TAG_CHECK:              Kind.MTE,
}
KINDS_OF_BRK: dict[str, Kind] = {
    "bug": Kind.KERNEL_BUG, "kasan": Kind.KASAN, "ubsan": Kind.UBSAN, "cfi": Kind.CFI_FAILURE,
}
KINDS_OF_ERROR: tuple[tuple[str, Kind], ...] = (
    ("ser space memory",      Kind.USER_ACCESS),
    ("userspace memory",      Kind.USER_ACCESS),
    ("fs=KERNEL_DS",          Kind.USER_ACCESS),
    ("ndefined instruction",  Kind.UNDEFINED_INSTRUCTION),
    ("BTI",                   Kind.BTI),
    ("FPAC",                  Kind.FPAC),
    ("ptrauth",               Kind.FPAC),
    ("GCS",                   Kind.GCS),
    ("MOPS",                  Kind.MOPS),
    ("CFI",                   Kind.CFI_FAILURE),
    ("KASAN",                 Kind.KASAN),
    ("UBSAN",                 Kind.UBSAN),
    ("bad mode",              Kind.BAD_MODE),
)
"""Parts of the name in `Internal error:`; names of fault_info[] are looked up after these."""
KINDS_OF_FILE: tuple[tuple[str, Kind], ...] = (
    ("mm/usercopy.c",         Kind.USERCOPY),
    ("lib/list_debug.c",      Kind.LIST_CORRUPTION),
    ("lib/refcount.c",        Kind.REFCOUNT),
    ("include/linux/refcount.h", Kind.REFCOUNT),
    ("lib/string_helpers.c",  Kind.FORTIFY),
    ("lib/string.c",          Kind.FORTIFY),
    ("kernel/cfi.c",          Kind.CFI_FAILURE),
    ("locking/lockdep.c",     Kind.LOCKDEP),
)
"""Files whose BUG and WARN are reports of a check."""
KINDS_OF_FRAME: tuple[tuple[tuple[str, ...], Kind], ...] = (
    (("arm64_serror_panic", "do_serror"),                        Kind.SERROR),
    (("do_sea",),                                                Kind.EXTERNAL_ABORT),
    (("panic_bad_stack", "handle_bad_stack"),                    Kind.STACK_OVERFLOW),
    (("__stack_chk_fail",),                                      Kind.STACK_PROTECTOR),
    (("nvhe_hyp_panic_handler", "__hyp_call_panic"),             Kind.HYP_PANIC),
    (("kasan_report", "__kasan_report"),                         Kind.KASAN),
    (("die_kernel_fault", "__do_kernel_fault", "do_page_fault", "do_translation_fault", "do_mem_abort"), Kind.PAGING_REQUEST),
    (("___might_sleep", "__might_sleep", "__might_resched", "__schedule_bug"), Kind.SLEEP_IN_ATOMIC),
    (("watchdog_timer_fn",),                                     Kind.SOFT_LOCKUP),
    (("rcu_check_callbacks", "rcu_sched_clock_irq"),             Kind.RCU_STALL),
    (("__warn", "warn_slowpath_fmt", "warn_slowpath_null"),      Kind.WARNING),
    (("panic", "vpanic", "nmi_panic", "die"),                    Kind.PANIC),
    (("dump_stack", "dump_stack_lvl"),                           Kind.WARNING),
)
"""Who reported, where the trace is all there is."""
_UNDEF_HANDLERS = ("do_undefinstr", "do_el1_undef", "call_undef_hook")
_PTRAUTH_HANDLERS = ("do_ptrauth_fault", "do_el1_fpac")
_BTI_HANDLERS = ("do_bti", "do_el1_bti")
# fmt: on
_GENERIC = {Kind.PANIC: 0, Kind.WARNING: 1, Kind.KERNEL_BUG: 2, Kind.BRK: 3}
_SPECIFIC = 9
_UNDEF_AS_BUG = ((4, 19), (6, 0))
"""Kernels whose do_undefinstr() ended in BUG_ON(!user_mode(regs))."""


F = TypeVar("F", bound=Fact)


def _first(facts: Sequence[Fact], cls: type[F]) -> F | None:
    return next((fact for fact in facts if isinstance(fact, cls)), None)


def best_syndrome(facts: Sequence[Fact]) -> int | None:
    """Return the ESR of the report: a complete one before a reconstructed one."""
    found = [fact for fact in facts if isinstance(fact, Syndrome)]
    best = next((s for s in found if s.complete), found[0] if found else None)
    return best.esr if best else None


def kind_of_esr(esr: int, far: int | None) -> Kind | None:
    """Return the kind that an ESR at EL1 tells; None where it names no kind.

    :param far: the fault address, where one was printed.
    """
    ec = esr >> 26 & 0x3F
    if ec == EC_BRK:
        return KINDS_OF_BRK.get(brk_meaning(esr & 0xFFFF).kind, Kind.BRK)
    if ec not in EC_IABT + EC_DABT:
        return KINDS_OF_CLASS.get(ec)
    status = fault_status(esr & 0x3F).kind
    special = KINDS_OF_STATUS.get(status)
    if special is not None:
        return special
    is_user = far is not None and not far & KERNEL_BIT
    if status is FaultKind.PERMISSION:
        return Kind.USER_ACCESS if is_user else Kind.PERMISSION_FAULT
    if far is not None and far < FIRST_PAGE_BYTES:
        return Kind.NULL_DEREFERENCE
    return Kind.PAGING_REQUEST


def kind_of(facts: Sequence[Fact]) -> Kind:
    """Return the kind of a report from its facts; `Kind.PANIC` where nothing says more."""
    if _first(facts, HypPanic) or _first(facts, HypPanicAt):
        return Kind.HYP_PANIC
    headlines = [fact for fact in facts if isinstance(fact, Headline)]
    if not headlines:
        return _kind_of_fragment(facts)
    head = max(headlines, key=lambda h: _GENERIC.get(h.kind, _SPECIFIC))
    return _refined(head, facts)


def _refined(head: Headline, facts: Sequence[Fact]) -> Kind:
    kind, esr = head.kind, best_syndrome(facts)
    if kind in (Kind.NULL_DEREFERENCE, Kind.PAGING_REQUEST) and esr is not None:
        if esr >> 26 & 0x3F in EC_IABT + EC_DABT:
            return KINDS_OF_STATUS.get(fault_status(esr & 0x3F).kind, kind)
        return kind
    if kind is Kind.BAD_MODE and esr is not None and not _is_interrupt(facts):
        return KINDS_OF_CLASS.get(esr >> 26 & 0x3F, kind)
    if kind in (Kind.KERNEL_BUG, Kind.WARNING) and head.file:
        name = head.file
        if kind is Kind.KERNEL_BUG and name.endswith("arch/arm64/kernel/traps.c"):
            return _kind_of_traps_bug(facts)
        return next((k for file, k in KINDS_OF_FILE if name.endswith(file)), kind)
    if kind is Kind.BRK and esr is not None:
        return kind_of_esr(esr, None) or kind
    return kind


def _is_interrupt(facts: Sequence[Fact]) -> bool:
    """An IRQ or FIQ came through a vector that expects none: ESR is that of some exception before."""
    found = _first(facts, ErrorInterrupt)
    return found is not None and bool({"irq", "fiq"} & set(found.vector.lower().split()))


def _symbols(facts: Sequence[Fact]) -> list[str]:
    refs = [f.ref for f in facts if isinstance(f, Register | Frame) and f.ref is not None]
    return [ref.symbol for ref in refs]


def _kind_of_traps_bug(facts: Sequence[Fact]) -> Kind:
    """Return what a BUG in traps.c stands for: its BUG_ON()s are exceptions taken from EL1."""
    for symbol in (name.partition(".")[0] for name in _symbols(facts)[:6]):
        if symbol in _PTRAUTH_HANDLERS:
            return Kind.FPAC
        if symbol in _BTI_HANDLERS:
            return Kind.BTI
        if symbol in _UNDEF_HANDLERS:
            return Kind.UNDEFINED_INSTRUCTION
    version = _first(facts, KernelVersion)
    release = version.number if version else None
    if release is None or _UNDEF_AS_BUG[0] <= release <= _UNDEF_AS_BUG[1]:
        return Kind.UNDEFINED_INSTRUCTION
    return Kind.KERNEL_BUG


def _far(facts: Sequence[Fact]) -> int | None:
    far = _first(facts, FaultAddress)
    return far.va if far else None


def kind_of_error(error: InternalError, esr: int | None, far: int | None) -> Kind | None:
    """Return the kind that an `Internal error:` line tells, with the ESR of the report."""
    name = error.name
    named = next((kind for words, kind in KINDS_OF_ERROR if words in name), None)
    if named is Kind.BAD_MODE and esr is not None:
        return KINDS_OF_CLASS.get(esr >> 26 & 0x3F, named)
    if named is None:
        named = kind_of_fault(name)
    told = kind_of_esr(esr, far) if esr is not None else None
    if named is Kind.BRK:
        return told or named
    if named is not None:
        return named
    if told is not None:
        return told
    return Kind.KERNEL_BUG if "BUG" in name else None


def last_words(facts: Sequence[Fact]) -> str | None:
    """Return what panic() said, from its own line or, where that is cut off, from its end marker."""
    panic = _first(facts, PanicMessage)
    if panic is not None:
        return panic.message
    details = (fact for fact in facts if isinstance(fact, Detail))
    return next((d.value for d in details if d.name == END_PANIC and d.value), None)


def _kind_of_fragment(facts: Sequence[Fact]) -> Kind:
    """Return the kind of a report whose headline is cut off."""
    error, panic = _first(facts, InternalError), last_words(facts)
    esr, far = best_syndrome(facts), _far(facts)
    kind = None
    if error is not None:
        kind = kind_of_error(error, esr, far)
    elif esr is not None:
        kind = kind_of_esr(esr, far)
    if kind is None and panic is not None:
        kind = kind_of_panic(panic)
        if kind is not Kind.PANIC or "Attempted to kill" in panic:
            return kind
        if "Fatal exception" not in panic:
            return kind
    if kind is not None and kind is not Kind.PANIC:
        return kind
    if error is not None:
        return Kind.PAGING_REQUEST if error.name == "Oops" else Kind.PANIC
    symbols = frozenset(_symbols(facts))
    return next((k for names, k in KINDS_OF_FRAME if not symbols.isdisjoint(names)), Kind.PANIC)
