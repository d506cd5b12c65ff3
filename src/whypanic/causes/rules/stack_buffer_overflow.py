"""The canary behind a function's local variables was overwritten.

Stated by: `stack-protector: Kernel stack is corrupted in: ...`.
Refuted by: a trace in which another function than __stack_chk_fail() called panic().
Sources: Linux kernel/panic.c (__stack_chk_fail).
From memory: Linux arch/arm64/include/asm/stackprotector.h: one canary a task, read through sp_el0 since 5.0.
"""

from itertools import pairwise

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import checker_line, doubt
from whypanic.model.claims import Statements, refutes, stated
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.trace import Frame, TraceRole
from whypanic.symbolize.blame import strip_suffixes

_PANIC = ("panic", "vpanic", "__panic")
_CHECK = "__stack_chk_fail"
_CANARY_CHANGES = frozenset(
    {"start_kernel", "secondary_start_kernel", "cpu_startup_entry", "boot_init_stack_canary"}
)


@cause(
    id="stack-buffer-overflow",
    title="the stack canary of a function was overwritten",
    kinds=frozenset({Kind.STACK_PROTECTOR}),
    specificity=6,
)
def stack_buffer_overflow(case: CaseView) -> Statements:
    """Yield the kernel's words and whose canary it was."""
    line = checker_line(case)
    if line is None:
        return
    other = _other_caller(case, line)
    if other is not None and other.ref is not None:
        yield refutes(f"panic() was called by {other.ref.symbol}(), not by the canary check", other)
        return
    where = f" in {line.ref.symbol}" if line.ref else ""
    yield stated(f"the kernel says: stack is corrupted{where}", line)
    if line.ref is not None and strip_suffixes(line.ref.symbol) in _CANARY_CHANGES:
        yield doubt(
            "the canary is set while this function runs: it may have changed under it", line
        )


def _other_caller(case: CaseView, line: Headline) -> Frame | None:
    """Return the caller of panic() where the trace shows another than the check.

    `symbol+0x0` there is the function behind the caller in memory: panic() does not return to it.
    """
    frames = [f for f in case.all(Frame) if f.role is not TraceRole.OTHER and f.ref is not None]
    for frame, caller in pairwise(frames):
        if frame.ref is None or caller.ref is None or frame.trace != caller.trace:
            continue
        if frame.ref.symbol not in _PANIC or caller.ref.symbol in _PANIC:
            continue
        named = line.ref.symbol if line.ref else ""
        if caller.ref.symbol in (_CHECK, named) or not caller.ref.offset or caller.unreliable:
            return None
        return caller
    return None
