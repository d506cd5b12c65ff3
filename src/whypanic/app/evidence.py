"""What was concluded from the text besides causes: the mode of EL2, the layout, values that mean nothing."""

from collections.abc import Iterator

from whypanic.app.fact_document import facts_of
from whypanic.arch.kvm_eras import parse_compiler
from whypanic.arch.values import strip_pac
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import at_is_meaningless
from whypanic.causes.progress import unstopped_cpus
from whypanic.code.hyp_idmap import IdmapDistance
from whypanic.code.hyp_mode import HypMode
from whypanic.code.isv import check_isv
from whypanic.code.kernel_layout import KernelLayout
from whypanic.code.page_walk import check_walk
from whypanic.code.switch_values import CoreChoice, SwitchFit, SwitchSolution, SwitchSurvey
from whypanic.model.code import SourceLocation
from whypanic.model.context import Compiler, KernelOffset, Taint, Task
from whypanic.model.fault import InternalError, PageTable, PageWalk, PanicMessage
from whypanic.model.hyp import HypOffset, HypPanic, HypPanicAt
from whypanic.model.kinds import Kind
from whypanic.model.lab_facts import BootedOn, CpuStuck, ExceptionSeen, SystemRegister
from whypanic.model.provenance import Fact
from whypanic.model.regions import Region
from whypanic.report.document import DocEvidence, hexadecimal


def evidence_of(case: CaseView) -> list[DocEvidence]:
    """Return conclusions with the facts they rest on."""
    return [
        DocEvidence(name=name, text=text, facts=facts_of(facts))
        for name, text, facts in (*_general(case), *_hyp(case), *_lab(case))
    ]


_DIED = "D"
_VA_BITS = 48
_SHOWN_REGISTERS: dict[int | None, tuple[str, ...]] = {
    1: ("ESR_EL1", "FAR_EL1", "ELR_EL1", "SPSR_EL1", "VBAR_EL1", "SCTLR_EL1"),
    2: ("ESR_EL2", "FAR_EL2", "ELR_EL2", "SPSR_EL2", "VBAR_EL2", "SCTLR_EL2", "HCR_EL2"),
}
"""What the last exception that a level took left there, by level."""
_Item = tuple[str, str, tuple[Fact, ...]]


def _general(case: CaseView) -> Iterator[_Item]:
    layout = case.get(KernelLayout)
    if layout is not None and layout.statement:
        yield "layout", layout.statement, layout.because
    reached = case.effective_address
    if reached is not None and case.faulting is not None:
        yield "address", f"{case.faulting.statement}: {reached.statement}", (reached, case.faulting)
    yield from _access(case)
    yield from _cascade(case)
    yield from _signed(case)
    mode = case.get(HypMode)
    if mode is not None:
        yield "kvm-mode", f"KVM mode {mode.mode}: {mode.statement}", mode.because
    offset = case.get(KernelOffset)
    if offset is not None:
        words = "KASLR is off: addresses are link addresses"
        if offset.enabled:
            words = f"KASLR is on: the kernel runs {offset.slide:#x} above its link address"
        yield "kaslr", words, (offset,)
    stopped = unstopped_cpus(case)
    if stopped is not None:
        yield "other-cpus", f"panic() {stopped.value}: another CPU was stuck too", (stopped,)
    named: dict[str, list[Fact]] = {}
    for compiler in case.all(Compiler):
        identity = parse_compiler(compiler.words)
        if identity is not None:
            named.setdefault(identity.text, []).append(compiler)
    for words, facts in named.items():
        yield "compiler", f"the text names a compiler: {words}", tuple(facts)
    for location in case.all(SourceLocation):
        if location.function and location.file:
            where = "" if location.address is None else f"{location.address:#x} is "
            yield (
                "source-line",
                f"{where}{location.function}, {location.file}:{location.line or '?'}",
                (location,),
            )


def _access(case: CaseView) -> Iterator[_Item]:
    """Yield what the page-table lines and the syndrome's own words say of the access."""
    esr, syndrome = case.esr, case.syndrome
    if esr is None or syndrome is None or case.at_el2:
        return
    walk = case.get(PageWalk)
    if walk is not None:
        check = check_walk(esr, case.far, case.get(PageTable), walk, va_bits=case.layout.va_bits)
        if check is not None:
            yield "page-walk", check.text, (walk, syndrome)
    faulting = case.faulting
    isv = check_isv(esr, faulting.insn if faulting is not None else None)
    if isv is not None:
        yield "isv", isv.text, (syndrome,) if faulting is None else (syndrome, faulting)


def _signed(case: CaseView) -> Iterator[_Item]:
    """Yield the link register without its pointer authentication code; dumps of 4.15..5.x print it as it is."""
    lr = case.registers.get("lr")
    if lr is None or lr.value is None or case.at_el2:
        return
    bare = strip_pac(lr.value, case.layout.va_bits or _VA_BITS)
    regions = (Region.IMAGE, Region.MODULE, Region.VMALLOC)
    if bare != lr.value and lr.value >> 55 & 1 and case.classify(bare).region in regions:
        words = f"lr carries a pointer authentication code: without it {bare:#x}"
        yield "pac", words, (lr,)


def _cascade(case: CaseView) -> Iterator[_Item]:
    """Yield what says that the kernel was already damaged when this report was printed."""
    error = next((e for e in case.all(InternalError) if (e.count or 0) > 1), None)
    if error is not None:
        yield "cascade", f"not the first oops since boot: [#{error.count}]", (error,)
    taint = next((t for t in case.all(Taint) if _DIED in t.letters), None)
    if taint is not None:
        words = "taint D: the kernel had oopsed before; the first report is the one to read"
        yield "cascade", words, (taint,)
    panic = next((p for p in case.all(PanicMessage) if "Attempted to kill" in p.message), None)
    if panic is not None and case.kind is Kind.PANIC:
        words = "a task that could not be missed died: an oops or a signal above this says why"
        yield "cascade", words, (panic,)


def _hyp(case: CaseView) -> Iterator[_Item]:
    panic = case.get(HypPanic)
    if not case.at_el2 or panic is None:
        return
    distance = case.get(IdmapDistance)
    if distance is not None:
        yield "idmap", distance.statement, distance.because
    for survey in case.all(SwitchSurvey):
        yield "switch", survey.statement, survey.because
    for derived in (*case.all(SwitchFit), *case.all(CoreChoice), *case.all(SwitchSolution)):
        yield "switch", derived.statement, derived.because
    if panic.vcpu is not None:
        yield "vcpu", _vcpu_words(case, panic), (panic,)
    at = case.get(HypPanicAt)
    if at is not None and at_is_meaningless(case):
        yield (
            "hyp-panic-at",
            "the bracketed address of the `nVHE hyp` line is PC + Hyp Offset; PC is a kernel address, not a hyp VA, "
            "so the sum and the symbol printed for it mean nothing",
            (at, panic),
        )
    offset = case.get(HypOffset)
    if offset is not None and panic.pc is not None and not at_is_meaningless(case):
        link = (panic.pc + offset.offset) & (1 << 64) - 1
        yield (
            "link-address",
            f"PC + Hyp Offset = {hexadecimal(link)}, its link address",
            (panic, offset),
        )


def _lab(case: CaseView) -> Iterator[_Item]:
    """Yield what the lab measured of a boot that went silent."""
    if case.kind is not Kind.BOOT_HANG:
        return
    for booted in case.all(BootedOn):
        yield "booted-on", booted.statement, (booted,)
    for cpu in case.all(CpuStuck):
        if cpu.pc:
            yield "cpu", cpu.statement, (cpu,)
    for seen in case.all(ExceptionSeen):
        yield "exception", seen.statement, (seen,)
    # The registers are those of the CPU that does something, where one does.
    cpus = case.all(CpuStuck)
    level = next((cpu for cpu in cpus if not cpu.halted), cpus[0] if cpus else None)
    shown = _SHOWN_REGISTERS.get(level.el if level is not None else None, ())
    registers = tuple(r for r in case.all(SystemRegister) if r.name in shown)
    if registers:
        yield "registers", ", ".join(r.statement for r in registers), registers


def _vcpu_words(case: CaseView, panic: HypPanic) -> str:
    if not panic.vcpu:
        return "VCPU is zero: no vCPU was loaded, the panic happened outside a guest run"
    task = case.get(Task)
    if task is not None and (task.pid in (0, 1) or (task.comm or "").startswith("swapper")):
        return (
            f"VCPU {panic.vcpu:#x} means nothing: {task.comm or 'the boot task'} ran, no guest has run yet, and the "
            "register is unknown at reset"
        )
    return f"VCPU {panic.vcpu:#x}: hashed by %p since 4.15, no address where it is short of a kernel address"
