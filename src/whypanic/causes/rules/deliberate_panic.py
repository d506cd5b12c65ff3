"""Somebody called panic() on purpose: sysrq, a driver, a self-check.

Stated by: a panic message that ends no other report; `SysRq : Trigger a crash` before the fault.
Supported by: a fault in sysrq_handle_crash(), which wrote to NULL before 5.1.
Refuted by: words that end another report, or boot.
Sources: Linux 6.12.117 kernel/panic.c, kernel/exit.c, drivers/tty/sysrq.c (sysrq_handle_crash()).
From memory: Linux before 5.1 drivers/tty/sysrq.c, the write to NULL.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.endings import Ending, ending_of, panic_words
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated, supports
from whypanic.model.context import Task
from whypanic.model.fault import Detail
from whypanic.model.kinds import Kind
from whypanic.model.trace import Frame, TraceRole
from whypanic.symbolize.blame import blame, strip_suffixes

_SYSRQ = "sysrq_handle_crash"


@cause(
    id="deliberate-panic",
    title="somebody called panic() on purpose",
    kinds=frozenset({Kind.PANIC, Kind.NULL_DEREFERENCE, Kind.PAGING_REQUEST}),
    specificity=8,
)
def deliberate_panic(case: CaseView) -> Statements:
    """Yield the words, and who called."""
    pc = case.registers.get("pc")
    if case.kind is not Kind.PANIC:
        if pc is not None and pc.ref is not None and strip_suffixes(pc.ref.symbol) == _SYSRQ:
            yield supports(f"the write to NULL is that of {_SYSRQ}: a crash on request", pc)
            asked = next((d for d in case.all(Detail) if d.name == "sysrq"), None)
            if asked is not None:
                yield stated("the kernel says so: Trigger a crash", asked)
        return
    said = panic_words(case)
    if said is None:
        return
    message, fact = said
    if ending_of(message) is not Ending.OWN:
        yield refutes("the words are those of another ending", fact)
        return
    yield stated(f"panic() was called with words of its own: {message}", fact)
    frames = [f for f in case.all(Frame) if f.role is TraceRole.PANIC]
    caller = blame(frames, None, case.kind, None)
    frame = next(
        (f for f in frames if f.ref is not None and strip_suffixes(f.ref.symbol) == caller), None
    )
    if frame is not None:
        yield consistent(f"the caller is {caller}", frame)
    task = case.get(Task)
    if "sysrq" in message and task is not None and task.comm:
        yield consistent(f"{task.comm} [{task.pid}] asked for it", task)
    elif "sysrq" not in message:
        yield NextStep(
            text="read the condition before that panic() in the source: it names what is missing"
        )
