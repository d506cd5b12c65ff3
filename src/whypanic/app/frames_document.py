"""Frames of call traces, for the document: what each one is to the fault."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import structs

from whypanic.causes.case import CaseView
from whypanic.causes.el2 import function_of_pc
from whypanic.crashlog.titles import REPORTING, plain_symbol
from whypanic.model.image import FrameLocation
from whypanic.model.kinds import Kind
from whypanic.model.trace import Frame, TraceRole
from whypanic.report.document import DocFrame, DocInlined, hexadecimal
from whypanic.symbolize.blame import strip_suffixes
from whypanic.symbolize.lookups import Lookup, lookups

_NO_FAULT_IN_TRACE = frozenset(
    {
        Kind.SERROR,
        Kind.SOFT_LOCKUP,
        Kind.HARD_LOCKUP,
        Kind.RCU_STALL,
        Kind.HUNG_TASK,
        Kind.WORKQUEUE_LOCKUP,
        Kind.LOCKDEP,
        Kind.SLEEP_IN_ATOMIC,
        Kind.PANIC,
        Kind.KCSAN,
        Kind.BAD_PAGE,
        Kind.HARDWARE_ERROR,
        Kind.FIRMWARE_CRASH,
    }
)
"""Reports about something else than the instruction at PC: the trace says where the CPU was, not what faulted."""
_ENTRY = ("el0_", "el0t_", "el1_", "el1h_", "el1t_", "__el1_", "__bad_stack", "vectors")
"""Exception vectors and their first C code, of every kernel since 3.7."""
_REPORTING_PREFIXES = (
    "kasan_",
    "__kasan_",
    "____kasan_",
    "stack_trace_save",
    "stack_depot_save",
    "set_track",
    "__asan_",
    "__hwasan_",
    "ubsan_",
    "__ubsan_",
    "print_",
    "__show_regs",
    "hyp_panic",
    "__hyp_panic",
    "__guest_exit_panic",
)


def frames_of(case: CaseView) -> list[DocFrame]:
    """Return the frames of the traces that belong to the fault, innermost first, each with its role.

    `fault` is the frame at PC, or where the text has no PC the first that neither reports nor delivers; at most one.
    """
    frames = [f for f in case.all(Frame) if f.role is not TraceRole.OTHER]
    fault = _fault(case, frames)
    ways = lookups(
        frames,
        release=case.kernel.release if case.kernel else None,
        hyp_panic=case.at_el2,
    )
    places = locations_of(case)
    return [
        frame_of(f, role, way, places.get(id(f)))
        for f, role, way in zip(frames, _roles(frames, fault), ways, strict=True)
    ]


def locations_of(case: CaseView) -> dict[int, FrameLocation]:
    """Return what an image says of frames, by their identity."""
    return {id(found.frame): found for found in case.all(FrameLocation)}


def frame_of(frame: Frame, role: str, way: Lookup, place: FrameLocation | None = None) -> DocFrame:
    """Return one frame in the form of the document."""
    found = _printed(frame, role, way)
    if place is None:
        return found
    at = place.located
    found = structs.replace(found, note=place.note or found.note)
    if not at.chain:
        return structs.replace(found, function=strip_suffixes(at.symbol)) if at.symbol else found
    own = at.chain[-1]
    name = own.function or (strip_suffixes(at.symbol) if at.symbol else found.function)
    return structs.replace(
        found,
        function=name,
        file=own.file,
        line=own.line,
        column=own.column,
        inlined=[
            DocInlined(function=p.function or "?", file=p.file, line=p.line, column=p.column)
            for p in at.chain[:-1]
        ],
    )


def _printed(frame: Frame, role: str, way: Lookup) -> DocFrame:
    ref = frame.ref
    return DocFrame(
        address=None if frame.address is None else hexadecimal(frame.address),
        symbol=ref.symbol if ref else None,
        offset=ref.offset if ref else None,
        size=ref.size if ref else None,
        module=ref.module if ref else None,
        role=role,
        function=strip_suffixes(ref.symbol) if ref else None,
        file=frame.file,
        line=frame.line,
        column=None,
        inlined=[],
        lookup=way.how,
        note=way.note,
    )


def is_reporting(frame: Frame) -> bool:
    """Tell whether the function of a frame prints or panics."""
    if frame.ref is None:
        return False
    name = plain_symbol(frame.ref.symbol)
    return not name.startswith(_ENTRY) and (
        name in REPORTING or name.startswith(_REPORTING_PREFIXES)
    )


def is_entry(frame: Frame) -> bool:
    """Tell whether a frame is the way in of an exception."""
    return frame.ref is not None and plain_symbol(frame.ref.symbol).startswith(_ENTRY)


def _fault(case: CaseView, frames: Sequence[Frame]) -> int | None:
    """Return the index of the frame that faulted; None where the traces do not show it."""
    if case.kind in _NO_FAULT_IN_TRACE:
        return None
    if case.at_el2:
        # The hyp unwinder starts in hyp_panic() and may miss the function that faulted: only its name tells.
        wanted = function_of_pc(case)
        return next(
            (
                i
                for i, f in enumerate(frames)
                if wanted is not None
                and f.role is TraceRole.HYP
                and f.ref is not None
                and plain_symbol(f.ref.symbol) == plain_symbol(wanted)
            ),
            None,
        )
    ref, pc = case.pc_ref, case.value("pc")
    if ref is not None or pc is not None:
        for i, frame in enumerate(frames):
            if ref is not None and frame.ref is not None:
                if (frame.ref.symbol, frame.ref.offset) == (ref.symbol, ref.offset):
                    return i
            elif pc is not None and frame.address == pc:
                return i
        # An edited log, or a trap whose frame is past the instruction: the first frame is in the same function.
        start = next((i for i, f in enumerate(frames) if is_caller(f)), None)
        found = None if start is None else frames[start].ref
        return start if ref is not None and found and found.symbol == ref.symbol else None
    first = [i for i, f in enumerate(frames) if f.trace == frames[0].trace]
    marked = next((i for i in first if "P" in frames[i].suffix), None)
    if marked is not None:
        return marked
    return next((i for i in first if is_caller(frames[i])), None)


def is_caller(frame: Frame) -> bool:
    """Tell whether a frame is ordinary code that the kernel is sure of."""
    return not (is_reporting(frame) or is_entry(frame) or _is_unreliable(frame))


def _is_unreliable(frame: Frame) -> bool:
    return frame.unreliable or "U" in frame.suffix


def _roles(frames: Sequence[Frame], fault: int | None) -> Iterator[str]:
    """Yield the role of each frame. Functions report only at the top of a trace; below they were called."""
    for _, trace in groupby(enumerate(frames), key=lambda item: item[1].trace):
        at_top = True
        for i, frame in trace:
            at_top = at_top and i != fault and not is_caller(frame)
            if i == fault:
                yield "fault"
            elif _is_unreliable(frame):
                yield "unreliable"
            elif "P" in frame.suffix or is_entry(frame):
                yield "exception"
            else:
                yield "reporting" if at_top and is_reporting(frame) else "call"
