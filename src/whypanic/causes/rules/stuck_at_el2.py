"""A CPU stays in hypervisor code at EL2, and the host kernel never runs again.

The host below is stopped in its call to the hypervisor, so nothing is printed: no panic, no stall, no oops.

Supported by: a CPU that was found standing still, or in a small loop, at EL2 on a machine whose EL2 has only the
hypervisor; an exception that EL2 took from itself before.
Refuted by: a kernel that runs at EL2 as a whole (VHE), or has not left it yet; every CPU found at EL1.
Sources: Linux 6.1 arch/arm64/kvm/hyp/nvhe/hyp-init.S (__kvm_hyp_init and its vectors, most of which spin).
From memory: Arm ARM DDI 0487 L, HCR_EL2.E2H.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.hangs import EL2, LOOPS, STANDS, busy_cpus, kernel_at_el2, measured
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind
from whypanic.model.lab_facts import BootWatched, CpuStuck, ExceptionSeen, SystemRegister

_HYP = ("__kvm_nvhe_", "__kvm_hyp", "__hyp_stub")
"""Symbols of the hypervisor, and of the vectors that wait for it."""


@cause(
    id="stuck-at-el2",
    title="a CPU stays in hypervisor code at EL2",
    kinds=frozenset({Kind.BOOT_HANG}),
    needs=(CpuStuck,),
    specificity=4,
)
def stuck_at_el2(case: CaseView) -> Statements:
    """Yield where the CPUs were found."""
    at_el2 = [cpu for cpu in busy_cpus(case) if cpu.el == EL2]
    if not at_el2:
        found = [c for c in case.all(CpuStuck) if c.el is not None and c.el < EL2]
        if found and len(found) == len(case.all(CpuStuck)):
            yield refutes(f"{_names(found)} found at EL{found[0].el}", *found)
        return
    whole = kernel_at_el2(case)
    if whole is not None:
        yield refutes("the kernel itself runs at EL2: a CPU there is not in a hypervisor", whole)
        return
    watched = case.get(BootWatched)
    if watched is not None and not watched.n_console_bytes:
        yield refutes("nothing was printed: the kernel itself may not have left EL2 yet", watched)
        return
    first = at_el2[0]
    words = f"CPU {first.cpu} {first.motion} {first.place}: only the hypervisor runs at EL2 there"
    if first.mmu_off and not (first.symbol or "").startswith(_HYP):
        # A CPU that is switched on later begins at EL2, too.
        yield consistent(f"CPU {first.cpu} {first.motion} {first.place}", first)
    elif first.motion == STANDS:
        yield measured(case, words, first)
    else:
        yield supports(words, first)
    for cpu in at_el2[1:]:
        yield consistent(f"CPU {cpu.cpu} {cpu.motion} {cpu.place}", cpu)
    yield from _before(case)
    if first.motion == LOOPS:
        yield NextStep("see whether the loop ends: look at its code, and at what it waits for")
    place = (first.symbol or "").partition("+")[0] or hex(first.pc)
    yield NextStep(
        text="see the code that it stands in", command=f"whypanic disasm vmlinux {place}"
    )


def _names(cpus: list[CpuStuck]) -> str:
    numbers = ", ".join(str(cpu.cpu) for cpu in cpus)
    return f"CPUs {numbers} were" if len(cpus) > 1 else f"CPU {numbers} was"


def _before(case: CaseView) -> Statements:
    seen = next((e for e in case.all(ExceptionSeen) if e.from_el == e.to_el == EL2), None)
    if seen is not None:
        yield consistent(f"before that EL2 took an exception from itself: {seen.statement}", seen)
    values = [r for r in case.all(SystemRegister) if r.name in ("ESR_EL2", "ELR_EL2", "FAR_EL2")]
    if values:
        text = ", ".join(register.statement for register in values)
        yield consistent(f"EL2 holds of its last exception: {text}", *values)
