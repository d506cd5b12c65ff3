"""Whether the address of a frame is the instruction itself or what follows a call.

A call trace prints return addresses. Where the call was the last instruction of its function, as calls that do not
return are, the return address is the first byte of the next function, and `%pS` names that one. The address to look
up is then one instruction back, by address and never by the printed symbol.

Sources: Linux arch/arm64/kernel/stacktrace.c (dump_backtrace_entry prints `%pSb`; the letters P, C and T since 6.13),
arch/arm64/kvm/stacktrace.c (`%pB`), from memory; `arch.kvm_eras` for the link register that hyp code sets by hand.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from whypanic.arch.kvm_eras import panic_path
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import Frame, TraceRole

EXACT = "exact"
CALL_SITE = "call-site"

_VECTORS = frozenset(
    [
        "el1_sync",
        "el1_irq",
        "el1_fiq",
        "el1_error",
        "el1_undef",
        "el1_da",
        "el1_ia",
        "el1_dbg",
        "el1_inv",
        "el1_sp_pc",
    ]
)
_UNWINDERS = frozenset(
    ["dump_backtrace", "show_stack", "dump_stack", "dump_stack_lvl", "__dump_stack"]
)
"""Where a trace that dump_stack() prints begins: up to 5.x with the address of dump_backtrace itself."""
_HAND_SET = "panic"

NEXT_FUNCTION = (
    "the return address is the first byte of this function: the caller is the function before it, which ends in a call "
    "that does not return"
)
PAST_THE_END = (
    "the return address is behind the function's last byte: it ends in a call that does not return"
)
SET_BY_HAND = (
    "the panic path of hyp code puts this address into the link register: no call was made here"
)
INTERRUPTED = "PC where the exception was taken"


class Lookup(NamedTuple):
    """What to look up for a frame."""

    how: str
    """exact: the address itself; call-site: the instruction before it."""
    note: str | None = None


def lookups(frames: Sequence[Frame], *, release: str | None, hyp_panic: bool) -> list[Lookup]:
    """Return how to look up each frame.

    :param frames: traces of one report, each innermost first.
    :param hyp_panic: the report is a panic at EL2, whose host trace may begin at a link register set by hand.
    """
    found: list[Lookup] = []
    for _, trace in groupby(frames, key=lambda frame: frame.trace):
        found.extend(_of_trace(list(trace), release, hyp_panic))
    return found


def is_vector(symbol: str) -> bool:
    """Tell whether a symbol is an exception vector's own code: the frame below it is what was interrupted."""
    return symbol in _VECTORS or (
        symbol.startswith(("el1h_64_", "el1t_64_")) and not symbol.endswith("_handler")
    )


def _of_trace(trace: Sequence[Frame], release: str | None, hyp_panic: bool) -> Iterator[Lookup]:
    before: Frame | None = None
    for frame in trace:
        yield _top(frame) if before is None else _below(frame, before, release, hyp_panic)
        before = frame


def _top(frame: Frame) -> Lookup:
    ref = frame.ref
    if frame.suffix and "P" not in frame.suffix:
        return Lookup(CALL_SITE)
    if frame.role is TraceRole.HYP or ref is None or ref.symbol not in _UNWINDERS:
        exact = frame.role is not TraceRole.OTHER or "P" in frame.suffix
        return Lookup(EXACT if exact else CALL_SITE)
    return Lookup(CALL_SITE if ref.offset else EXACT)


def _below(frame: Frame, before: Frame, release: str | None, hyp_panic: bool) -> Lookup:
    ref = frame.ref
    if "P" in frame.suffix:
        return Lookup(EXACT, INTERRUPTED)
    if before.ref is not None and is_vector(before.ref.symbol):
        return Lookup(EXACT, INTERRUPTED)
    if ref is None or ref.offset is None:
        return Lookup(CALL_SITE)
    if ref.offset == 0:
        if hyp_panic and _is_set_by_hand(ref, release):
            return Lookup(EXACT, SET_BY_HAND)
        return Lookup(CALL_SITE, NEXT_FUNCTION)
    if ref.size is not None and ref.offset == ref.size:
        return Lookup(CALL_SITE, PAST_THE_END)
    return Lookup(CALL_SITE)


def _is_set_by_hand(ref: SymbolRef, release: str | None) -> bool:
    if ref.symbol != _HAND_SET:
        return False
    path = panic_path(release)
    return release is None or (path is not None and path.genuine_top_frame is not None)
