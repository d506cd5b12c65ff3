"""Which report is a consequence of which, where the lines between them do not tell.

The kernel counts its oopses (`[#2]`) and taints itself with D at the first, so what it prints afterwards says of
itself that it is no first cause. A headline inside another report is either a fault while the first was being
reported, or another CPU's: the second shows its own code, the first shows code that reports.

Sources: Linux arch/arm64/kernel/traps.c (die, die_counter; add_taint(TAINT_DIE) at its end), kernel/exit.c
(`Attempted to kill init!`), from memory.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from whypanic.crashlog.panic_messages import is_dependent
from whypanic.crashlog.titles import is_reporting
from whypanic.model.context import KernelVersion, Taint, Task
from whypanic.model.fault import InternalError, PanicMessage
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register
from whypanic.model.report import LogReport
from whypanic.model.trace import Frame, TraceRole

MAX_DEATHS = 64
"""Earlier oopses that a report may follow."""
_DIED = "D"
_HANDLERS = frozenset(
    {
        "do_undefinstr",
        "do_el1_undef",
        "bug_handler",
        "brk_handler",
        "show_pte",
        "mem_abort_decode",
        "data_abort_decode",
        "print_modules",
        "__show_regs",
        "show_regs",
        "dump_instr",
        "dump_kernel_instr",
        "dump_backtrace",
    }
)
"""What runs while a fault is reported. The first four call BUG() for what trapped: PC there tells nothing of it."""


class Place(NamedTuple):
    """Where a report stands."""

    number: int
    """Index in the reports of its input."""
    boot: int
    usec: int | None
    """Its first timestamp."""


class _Death(NamedTuple):
    place: Place
    release: str | None
    nth: int | None
    pid: int | None


class Cascade:
    """Remembers the oopses of one input."""

    def __init__(self) -> None:
        self._deaths: deque[_Death] = deque(maxlen=MAX_DEATHS)

    def cause_of(self, report: LogReport, boot: int, usec: int | None) -> int | None:
        """Return the index of the oops that a report says has been; None where it does not, or it is not there."""
        count = _count(report)
        panic = next((f for f in report.facts if isinstance(f, PanicMessage)), None)
        ends = count is None and panic is not None and is_dependent(panic.message)
        tainted = any(_DIED in f.letters for f in report.facts if isinstance(f, Taint))
        if not (tainted or ends or (count or 0) > 1):
            return None
        release, pid = _release(report), _pid(report)
        known = [
            death
            for death in self._deaths
            if death.place.boot == boot
            and (release is None or death.release in (None, release))
            and (usec is None or death.place.usec is None or death.place.usec <= usec)
            and (count is None or death.nth is None or death.nth < count)
        ]
        if ends and not tainted:
            known = [death for death in known if pid is None or death.pid in (None, pid)]
        return known[-1].place.number if known else None

    def add(self, report: LogReport, place: Place) -> None:
        """Remember a report if it is an oops."""
        if any(isinstance(fact, InternalError) for fact in report.facts):
            self._deaths.append(_Death(place, _release(report), _count(report), _pid(report)))


def ran_beside(first: LogReport, second: LogReport) -> bool:
    """Return whether two reports that were printed at once are those of two CPUs.

    False where it is not known: the second may be a fault while the first was being reported.
    """
    cpus = [
        {f.cpu for f in r.facts if isinstance(f, Task) and f.cpu is not None}
        for r in (first, second)
    ]
    if all(cpus):
        return not cpus[0] & cpus[1]
    names = list(_functions_of(second.facts))
    return bool(names) and not any(is_reporting(name) or name in _HANDLERS for name in names)


def _functions_of(facts: Iterable[Fact]) -> Iterable[str]:
    for fact in facts:
        if isinstance(fact, Frame) and fact.role is not TraceRole.FAULT:
            continue
        if isinstance(fact, Frame | Register) and fact.ref is not None:
            yield fact.ref.symbol


def _count(report: LogReport) -> int | None:
    return next((f.count for f in report.facts if isinstance(f, InternalError) and f.count), None)


def _release(report: LogReport) -> str | None:
    return next((f.release for f in report.facts if isinstance(f, KernelVersion)), None)


def _pid(report: LogReport) -> int | None:
    return next((f.pid for f in report.facts if isinstance(f, Task) and f.pid is not None), None)
