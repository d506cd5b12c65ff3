"""One CPU did not schedule: a loop without end, a lock that nobody releases, interrupts off.

Stated by: the soft and the hard lockup detector, which name the CPU.
Supported by: an RCU stall or a workqueue lockup that waits for a CPU which stays in the kernel; in the lab, a silent
machine whose CPU was found in one place of the kernel, again and again.
Refuted by: a task that sleeps; a CPU that RCU sees idle.
Sources: Linux 6.12.117 kernel/watchdog.c (watchdog_timer_fn(), watchdog_hardlockup_check()), kernel/rcu/tree_stall.h
(print_cpu_stall_info()), kernel/workqueue.c (wq_watchdog_timer_fn()), arch/arm64/kernel/smp.c (smp_send_stop()).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.hangs import (
    EL2,
    STANDS,
    WAITS,
    busy_cpus,
    kernel_at_el2,
    measured,
    watched_storm,
)
from whypanic.causes.progress import is_spinning, nesting_of, unstopped_cpus
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.lab_facts import CpuStuck
from whypanic.model.locks import LockHolder
from whypanic.model.progress import StalledCpu
from whypanic.model.registers import Register, SymbolRef

_LOCKUPS = frozenset({Kind.SOFT_LOCKUP, Kind.HARD_LOCKUP})
_MASKED = 0x80
"""PSTATE.I."""


@cause(
    id="cpu-stuck",
    title="a CPU did not schedule",
    kinds=_LOCKUPS | {Kind.RCU_STALL, Kind.WORKQUEUE_LOCKUP, Kind.HUNG_TASK, Kind.BOOT_HANG},
    needs=(Headline,),
    specificity=6,
)
def cpu_stuck(case: CaseView) -> Statements:
    """Yield the detector's words, and where the CPU is."""
    words = case.one(Headline)
    if case.kind in _LOCKUPS:
        yield stated(_said(words), words)
    elif case.kind is Kind.BOOT_HANG:
        yield from _found(case)
        return
    elif case.kind is Kind.HUNG_TASK:
        yield refutes("the task sleeps: it uses no CPU", words)
        return
    elif case.kind is Kind.RCU_STALL:
        stalled = [cpu for cpu in case.all(StalledCpu) if _is_busy(cpu)]
        if not stalled:
            idle = case.get(StalledCpu)
            if idle is not None:
                yield refutes("RCU sees the CPU idle, offline or in user space", idle)
            return
        yield supports(f"RCU waits for {_named(stalled)}, which stays in the kernel", *stalled)
        for cpu in stalled:
            if cpu.ticks == 0:
                yield consistent(
                    f"CPU {cpu.cpu} took no timer tick: its interrupts are off, or it hangs", cpu
                )
    else:
        yield from _pool(words)
    yield from _where(case)


def _found(case: CaseView) -> Statements:
    """Yield what the lab found of a silent machine."""
    own = [c for c in busy_cpus(case) if c.el != EL2 or kernel_at_el2(case) is not None]
    if not own or watched_storm(case) is not None:
        idle = [cpu for cpu in case.all(CpuStuck) if cpu.halted or cpu.motion == WAITS]
        if idle and len(idle) == len(case.all(CpuStuck)):
            yield refutes("every CPU waits for an interrupt: none of them is busy", *idle)
        return
    for cpu in own:
        words = f"CPU {cpu.cpu} {cpu.motion} in the kernel, {cpu.place}"
        yield measured(case, words, cpu) if cpu.motion == STANDS else supports(words, cpu)
    spot = own[0]
    if spot.symbol and is_spinning(SymbolRef(symbol=spot.symbol.partition("+")[0])):
        yield consistent("it spins on a lock: who holds it is the question", spot)
    yield NextStep(
        text="look for the loop in the function at PC and its callers, and for what it waits for"
    )


def _said(words: Headline) -> str:
    cpu = "a CPU" if words.cpu is None else f"CPU {words.cpu}"
    if words.kind is Kind.HARD_LOCKUP:
        return f"the kernel says that {cpu} took no interrupt at all"
    time = "" if words.seconds is None else f" for {words.seconds} s"
    task = "" if words.comm is None else f"; it runs {words.comm} [{words.pid}]"
    return f"the kernel says that {cpu} did not schedule{time}{task}"


def _is_busy(cpu: StalledCpu) -> bool:
    return "O" not in cpu.flags and nesting_of(cpu) != 0


def _named(cpus: list[StalledCpu]) -> str:
    numbers = ", ".join(str(cpu.cpu) for cpu in cpus)
    return f"CPU{'s' if len(cpus) > 1 else ''} {numbers}"


def _pool(words: Headline) -> Statements:
    target = words.target or ""
    time = "" if words.seconds is None else f" for {words.seconds} s"
    if "flags=0x4" in target:
        yield consistent(f"an unbound pool of workers started no work{time}", words)
    else:
        yield supports(
            f"the pool of one CPU started no work{time}: a work item that blocked would have made room for the next",
            words,
        )


def _where(case: CaseView) -> Statements:
    pc, pstate = case.registers.get("pc"), case.registers.get("pstate")
    at = next((f for f in case.frames if f.ref is not None), None)
    spot = pc if pc is not None and pc.ref is not None else at
    if spot is not None and is_spinning(spot.ref):
        yield consistent("it spins on a lock: who holds it is the question", spot)
        holder = next((h for h in case.all(LockHolder) if h.count), None)
        if holder is None:
            yield NextStep(
                text="take the traces of all CPUs (sysrq l, or kernel.softlockup_all_cpu_backtrace=1): "
                "one holds the lock"
            )
    if case.kind is Kind.HARD_LOCKUP and _is_masked(pstate):
        yield consistent("interrupts are masked there (PSTATE.I)", *(r for r in (pstate,) if r))
    stopped = unstopped_cpus(case)
    if stopped is not None:
        yield consistent(f"panic() {stopped.value}: these CPUs do not answer either", stopped)
    yield NextStep(
        text="look for the loop in the function at PC and its callers, and for what it waits for"
    )


def _is_masked(pstate: Register | None) -> bool:
    return pstate is not None and pstate.value is not None and bool(pstate.value & _MASKED)
