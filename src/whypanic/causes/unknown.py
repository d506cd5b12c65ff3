"""What to ask for when nothing in the text decides the cause: the one fact that would settle it."""

from collections.abc import Iterator

from whypanic.causes.aborts import fault_kind, is_data_access
from whypanic.causes.case import CaseView
from whypanic.model.claims import NextStep
from whypanic.model.code import CodeLine
from whypanic.model.fault import PageWalk
from whypanic.model.kinds import Kind
from whypanic.model.trace import Frame

_MEMORY_KINDS = frozenset(
    {
        Kind.NULL_DEREFERENCE,
        Kind.PAGING_REQUEST,
        Kind.PERMISSION_FAULT,
        Kind.USER_ACCESS,
        Kind.ALIGNMENT_FAULT,
        Kind.EXTERNAL_ABORT,
    }
)


def next_steps(case: CaseView) -> Iterator[NextStep]:
    """Yield what is missing, the most telling first."""
    if case.kind in _MEMORY_KINDS or is_data_access(case):
        yield from _for_memory_faults(case)
    if case.kind is Kind.SERROR:
        yield NextStep(
            text="an SError says only that an earlier access failed: log the last device accesses before PC"
        )
    if case.kind is Kind.BOOT_HANG:
        yield from _for_silent_boots()
        return
    if not case.all(Frame):
        yield NextStep(text="the call trace is not in the text: capture the whole report")
    yield NextStep(
        text="give the image of the crashed kernel: it names lines, members and the code around PC",
        command="whypanic explain LOG --vmlinux vmlinux",
    )


def _for_silent_boots() -> Iterator[NextStep]:
    yield NextStep(
        text="boot a kernel that does get on in the same way, and see where the two consoles part",
        command="whypanic lab diff GOOD BAD",
    )
    yield NextStep(
        text="boot it with `initcall_debug ignore_loglevel` to see what it did last",
        command="whypanic lab boot IMAGE --append 'initcall_debug ignore_loglevel'",
    )


def _for_memory_faults(case: CaseView) -> Iterator[NextStep]:
    code = case.get(CodeLine)
    registers = any(name.startswith("x") for name in case.values)
    if not registers:
        yield NextStep(
            text="the registers x0 to x30 are not in the text: they hold the pointer that was followed"
        )
    if code is None or (code.faulting is None and not code.bad_pc):
        yield NextStep(
            text="the `Code:` line is not in the text: the word in parentheses names the base register"
        )
    if case.syndrome is None:
        yield NextStep(
            text="the ESR is not in the text: it tells read from write, and which fault it was"
        )
    if fault_kind(case) is not None and not case.all(PageWalk):
        yield NextStep(
            text="the page-table line (`[address] pgd=...`) is not in the text: it tells unmapped from read-only"
        )
