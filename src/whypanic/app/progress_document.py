"""Locks and stall statistics of a report, for the document."""

from whypanic.causes.case import CaseView
from whypanic.causes.progress import holdings, interrupt_load, unstopped_cpus
from whypanic.model.kinds import Kind
from whypanic.model.locks import LockStep
from whypanic.model.progress import CpuLoad, StalledCpu, StallLength, StarvedKthread
from whypanic.report.document import DocInterruptLoad, DocLock, DocStall
from whypanic.symbolize.blame import strip_suffixes

MAX_LOCKS = 256
_STALLS = frozenset(
    {
        Kind.SOFT_LOCKUP,
        Kind.HARD_LOCKUP,
        Kind.RCU_STALL,
        Kind.HUNG_TASK,
        Kind.WORKQUEUE_LOCKUP,
    }
)
_STATES = {LockStep.TAKES: "taken", LockStep.HOLDS: "held", LockStep.OTHER: "listed"}


def locks_of(case: CaseView) -> list[DocLock]:
    """Return the locks that the report names, each with its holder and where it was taken, in order."""
    return [
        DocLock(
            holder=found.comm,
            pid=found.pid,
            lock=found.lock.name,
            place=strip_suffixes(found.lock.ref.symbol) if found.lock.ref else None,
            state=_STATES[found.step],
        )
        for found, _ in zip(holdings(case), range(MAX_LOCKS), strict=False)
    ]


def stall_of(case: CaseView) -> DocStall | None:
    """Return the statistics of a stall, lockup or blocked task; None for other reports."""
    if case.kind not in _STALLS:
        return None
    head = case.headline
    stalled, length, starved = (
        case.all(StalledCpu),
        case.get(StallLength),
        case.get(StarvedKthread),
    )
    first = stalled[0] if stalled else None
    cpus = [cpu.cpu for cpu in stalled]
    if not cpus and head is not None and head.cpu is not None:
        cpus = [head.cpu]
    stopped = unstopped_cpus(case)
    return DocStall(
        cpus=list(dict.fromkeys(cpus)),
        task=head.comm if head else None,
        pid=head.pid if head else None,
        seconds=head.seconds if head else None,
        jiffies=length.jiffies if length else None,
        ticks=first.ticks if first else None,
        idle=first.idle if first else None,
        softirq=list(first.softirq) if first and first.softirq else [],
        fqs=first.fqs if first else None,
        kthread_starved=starved.jiffies if starved else None,
        load=_load(case),
        not_stopped=stopped.value if stopped else None,
    )


def _load(case: CaseView) -> DocInterruptLoad | None:
    rows = case.all(CpuLoad)
    if not rows:
        return None
    last, share = rows[-1], interrupt_load(case)
    return DocInterruptLoad(
        unit=last.unit,
        hardirq=last.hardirq,
        softirq=last.softirq,
        system=last.system,
        idle=last.idle,
        percent=share.percent if share else None,
    )
