"""The function a maintainer would look at first: not the helper that tripped, nor the code that reports.

The rule is that of the contract: the function of the faulting instruction, or its first caller that is no generic
helper and does not report. `generic_functions` lists both.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import Frame
from whypanic.symbolize.generic_functions import CARRIERS, GENERIC, REPORTING
from whypanic.symbolize.lookups import is_vector

_SUFFIXES = r"\.(?:isra|constprop|part|llvm|cold|cfi_jt|cfi|lto_priv|kcfi|__uniq)(?:\.\d+)*(?=\.|$)"

_TRACE_KINDS = frozenset(
    {
        Kind.SOFT_LOCKUP,
        Kind.HARD_LOCKUP,
        Kind.RCU_STALL,
        Kind.HUNG_TASK,
        Kind.WORKQUEUE_LOCKUP,
        Kind.SLEEP_IN_ATOMIC,
        Kind.LOCKDEP,
    }
)
"""Reports about something else than the instruction at PC: what carries the trace is skipped too."""


_RECURSION = 3
_RUST_PANIC = "4core9panicking"
"""Of every mangled name of `core::panicking`, old or new; what stands around it varies with the compiler."""


def blame(
    frames: Sequence[Frame],
    pc_ref: SymbolRef | None,
    kind: Kind,
    headline: Headline | None,
    *,
    lr_ref: SymbolRef | None = None,
    others: Iterable[Frame] = (),
    named: str | None = None,
) -> str | None:
    """Return the function to look at first, without compilers' suffixes; None where the text names none.

    :param frames: the trace of the faulting code, innermost first.
    :param pc_ref: symbol of PC; None at a bad PC, where lr and the callers count.
    :param lr_ref: symbol of lr: who branched to a bad PC, and the caller of a leaf that has no frame.
    :param named: a function that the words of the report name: lockdep's, that of a work item.
    :param others: every frame of the report, for reports that only panic() or another trace describes.
    """
    everything = list(others) or list(frames)
    if kind is Kind.STACK_OVERFLOW:
        repeated = _repeated(_names(everything), kind)
        if repeated is not None:
            return strip_suffixes(repeated)
    candidates = [
        *_innermost(kind, headline, pc_ref, lr_ref),
        *_names(_from_exception(frames)),
    ]
    if named is not None and kind is Kind.LOCKDEP and not _is_lock(named):
        return strip_suffixes(named)
    found = _first(candidates, kind)
    if found is None:
        found = _first(_names(_from_exception(everything)), kind)
    found = found or named
    if found is None:
        found = next((n for n in candidates if not _matches(n, _names_of("reporting"))), None)
    return None if found is None else strip_suffixes(found)


def _innermost(
    kind: Kind,
    headline: Headline | None,
    pc_ref: SymbolRef | None,
    lr_ref: SymbolRef | None,
) -> list[str]:
    names = []
    if kind is Kind.HUNG_TASK:
        return []
    if headline is not None and headline.ref is not None:
        names.append(headline.ref.symbol)
    if pc_ref is not None:
        names.append(pc_ref.symbol)
    if lr_ref is not None and (pc_ref is None or is_helper(pc_ref.symbol)):
        names.append(lr_ref.symbol)
    return names


def _repeated(names: Sequence[str], kind: Kind) -> str | None:
    """Return the function that recursion repeats most often, three times at least."""
    counts = Counter(name for name in names if _first([name], kind) is not None)
    name, count = next(iter(counts.most_common(1)), ("", 0))
    return name if count >= _RECURSION else None


def _names(frames: Sequence[Frame]) -> list[str]:
    """Return symbols of frames that count.

    `symbol+0x0` below the first frame is the function after the caller: its last instruction was a call that does not
    return.
    """
    return [
        f.ref.symbol
        for i, f in enumerate(frames)
        if f.ref is not None and not f.unreliable and (i == 0 or f.ref.offset != 0)
    ]


def _from_exception(frames: Sequence[Frame]) -> Sequence[Frame]:
    """Cut what lies above the last exception entry of the first trace: it reports, and did not fault."""
    if not frames:
        return frames
    trace = [f for f in frames if f.trace == frames[0].trace]
    marked = next((i for i, f in enumerate(trace) if "P" in f.suffix), None)
    if marked is not None:
        return trace[marked:]
    for i, frame in enumerate(trace):
        if frame.ref is not None and is_vector(frame.ref.symbol) and i and _reports(trace[:i]):
            return trace[i + 1 :]
    return trace


_DYING = frozenset({"die", "die_kernel_fault", "__do_kernel_fault", "arm64_notify_die"})
"""A trace that a notifier of die() printed: whatever stands above the entry is part of dying."""


def _reports(frames: Sequence[Frame]) -> bool:
    """True where everything above an entry is reporting or interrupt code: the handler printed the trace itself."""
    names = _names(frames)
    if names and _matches(names[0], _names_of("reporting")) and not _DYING.isdisjoint(names):
        return True
    return any(_matches(n, _names_of("reporting")) for n in names) and all(
        is_helper(n) or _matches(n, _names_of("carriers")) for n in names
    )


def _first(names: Iterable[str], kind: Kind) -> str | None:
    tables = ["generic", "reporting"]
    if kind in _TRACE_KINDS:
        tables.append("carriers")
    for name in names:
        if _RUST_PANIC in name:
            continue
        if not any(_matches(name, _names_of(table)) for table in tables):
            return name
    return None


def _is_lock(symbol: str) -> bool:
    words = GENERIC["lock"].split()
    exact = frozenset(word for word in words if not word.endswith("*"))
    return _matches(symbol, (exact, tuple(word[:-1] for word in words if word.endswith("*"))))


def is_helper(symbol: str) -> bool:
    """True for functions that only did what their caller asked, or that report."""
    return _matches(symbol, _names_of("generic")) or _matches(symbol, _names_of("reporting"))


@cache
def _names_of(table: str) -> tuple[frozenset[str], tuple[str, ...]]:
    rows = {"generic": GENERIC, "reporting": REPORTING, "carriers": CARRIERS}[table]
    words = [word for names in rows.values() for word in names.split()]
    exact = frozenset(word for word in words if not word.endswith("*"))
    return exact, tuple(word[:-1] for word in words if word.endswith("*"))


def _matches(symbol: str, names: tuple[frozenset[str], tuple[str, ...]]) -> bool:
    exact, prefixes = names
    plain = strip_suffixes(symbol)
    return plain in exact or plain.startswith(prefixes)


@cache
def _suffix_pattern() -> re.Pattern[str]:
    return re.compile(_SUFFIXES)


def strip_suffixes(symbol: str) -> str:
    """Return the name as the source has it: without `.isra.0`, `.constprop.1`, `.part.2`, `.llvm.123` and the like."""
    if "." not in symbol:
        return symbol
    return _suffix_pattern().sub("", symbol) or symbol
