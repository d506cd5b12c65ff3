"""The kernel stopped before it printed anything: in its head, on its way to the first line of the console.

Supported by: not one byte on a console that is watched from the first instruction; a CPU that stands in the code that
runs before the kernel's own page tables are in use.
Refuted by: anything on the console.
Sources: Linux 6.1 arch/arm64/kernel/head.S (primary_entry, __no_granule_support); Linux 6.1 arch/arm64/kernel/setup.c
(setup_arch(), whose parse_early_param() starts `earlycon`).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.hangs import RUNS, STANDS, measured
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind
from whypanic.model.lab_facts import BootWatched, CpuStuck

_NO_GRANULE = "__no_granule_support"


@cause(
    id="early-hang",
    title="the kernel stopped before its console",
    kinds=frozenset({Kind.BOOT_HANG}),
    needs=(BootWatched,),
    specificity=7,
)
def early_hang(case: CaseView) -> Statements:
    """Yield that nothing was printed, and where the CPU is."""
    watched = case.one(BootWatched)
    if watched.n_console_bytes:
        yield refutes(f"the console has {watched.n_console_bytes} bytes", watched)
        return
    yield supports(
        "nothing was printed, and the console is there from the first instruction", watched
    )
    cpu = _first_stopped(case)
    if cpu is not None:
        words = f"CPU {cpu.cpu} {cpu.motion} {cpu.place}"
        if cpu.mmu_off:
            words += "; PC is its own physical address: the MMU is off, or maps this code to itself"
        if (cpu.symbol or "").startswith(_NO_GRANULE):
            words += "; there head.S ends when the CPU lacks the kernel's page size"
            yield measured(case, words, cpu)
            yield Remedy("boot it on a CPU that has this page size, or build it with another")
        elif cpu.motion == STANDS:
            yield measured(case, words, cpu)
        else:
            yield consistent(words, cpu)
    yield NextStep("look at the code in front of PC: what it waits for, and what it checked last")


def _first_stopped(case: CaseView) -> CpuStuck | None:
    """Return the first CPU that was started and gets nowhere."""
    found = (c for c in case.all(CpuStuck) if c.pc and c.motion and c.motion != RUNS)
    return next(found, None)
