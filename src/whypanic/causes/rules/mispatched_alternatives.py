"""The code that ran at EL2 is not what the alternatives framework should have left for this CPU.

Supported by: VIRT_HOST_EXTN among the CPU's capabilities (the kernel then runs at EL2 and never forms hyp VAs) while
PC is a hyp VA.
Refuted by: without that capability the unpatched (nVHE) path is the right one, and PC is not where a wrong patch of
the hyp call would lead.
Sources: Linux arch/arm64/include/asm/kvm_mmu.h (kern_hyp_va), arch/arm64/kvm/hyp/hyp-entry.S.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import (
    El2,
    flags_against_entry,
    line_against_opening,
    read_el2,
    solution_of,
)
from whypanic.causes.image_code import wrongly_patched
from whypanic.code.hyp_mode import has_virt_host_extension
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.context import CpuFeatures
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind


@cause(
    id="mispatched-alternatives",
    title="the code that ran is not what the alternatives framework should have left for this CPU",
    kinds=frozenset({Kind.HYP_PANIC}),
    needs=(HypPanic,),
    specificity=6,
)
def mispatched_alternatives(case: CaseView) -> Statements:
    """Yield what the capabilities of the CPU say of the path that ran."""
    yield from wrongly_patched(case)
    el2 = read_el2(case)
    features = case.get(CpuFeatures)
    if not el2.fetch or features is None:
        return
    kernel = case.kernel
    vhe = has_virt_host_extension(features, kernel.release if kernel else None)
    if vhe is None:
        return
    if vhe:
        yield from _vhe(case, el2, features)
        return
    if el2.pc_is_upper and el2.nvhe:
        yield from _nvhe(case, features)


def _vhe(case: CaseView, el2: El2, features: CpuFeatures) -> Statements:
    if el2.pc_is_upper:
        yield from _vhe_upper(case, el2, features)
        return
    yield supports(
        f"the CPU has VIRT_HOST_EXTN (CPU features {features.raw}), so the kernel runs at EL2 and forms no hyp VAs; "
        f"yet PC is {el2.panic.pc:#018x}, a hyp VA: code of the nVHE path ran",
        features,
        el2.panic,
    )
    yield NextStep(
        "compare the words at the hyp call with the alternatives of the image",
        "whypanic disasm vmlinux __kvm_call_hyp",
    )


def _vhe_upper(case: CaseView, el2: El2, features: CpuFeatures) -> Statements:
    """With the capability kern_hyp_va is patched away; without VHE at EL2 that enters functions at EL1 addresses."""
    if el2.mode is None or not el2.nvhe:
        return
    entries = [e for e in (line_against_opening(case), flags_against_entry(case)) if e is not None]
    for entry in entries:
        if entry.at_start is False:
            yield refutes(
                f"{entry.text}: not the entry that a wrongly patched hyp call makes", *entry.because
            )
    say = supports if any(e.at_start is True for e in entries) else consistent
    yield say(
        f"CPU features {features.raw} hold VIRT_HOST_EXTN, which patches kern_hyp_va away, yet EL2 runs without VHE: "
        "the hyp call then enters functions at their EL1 addresses",
        features,
        el2.mode,
        *(fact for e in entries if e.at_start is True for fact in e.because),
    )


def _nvhe(case: CaseView, features: CpuFeatures) -> Statements:
    entries = [e for e in (line_against_opening(case), flags_against_entry(case)) if e is not None]
    at_entry = any(e.at_start is True for e in entries)
    solution = solution_of(case)
    left_open = bool(entries) and not any(e.at_start is False for e in entries)
    if left_open and (at_entry or solution is None):
        yield consistent(
            "if the function was entered at its EL1 address, kern_hyp_va did nothing on this CPU, though CPU features "
            f"{features.raw} hold no VIRT_HOST_EXTN",
            features,
            *(fact for e in entries for fact in e.because),
        )
        return
    yield refutes(
        f"CPU features {features.raw} hold no VIRT_HOST_EXTN: the unpatched nVHE path was the right one for this CPU",
        features,
    )
    for entry in entries:
        if entry.at_start is False:
            yield refutes(
                f"{entry.text}: not the entry that a wrongly patched hyp call makes", *entry.because
            )
    if solution is not None and not entries:
        yield refutes(solution.statement, solution)
