"""An exclusive, LSE or acquire/release access was not aligned to its size.

Supported by: an alignment fault (FSC 0x21) in such an instruction; in the linear map no other access can fault so.
Refuted by: a Device memory type; a plain load or store; an address aligned to 16 bytes, the widest such access.
Sources: Linux arch/arm64/include/asm/sysreg.h (INIT_SCTLR_EL1_MMU_ON and INIT_SCTLR_EL2_MMU_ON leave A clear, so
plain accesses to Normal memory never fault).
From memory: Arm ARM DDI 0487 L, alignment of exclusive, atomic and ordered accesses (FEAT_LSE2 relaxes it within 16
bytes).
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.alignment import WIDEST_ATOMIC, access_of_instruction, unaligned_access
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import IMAGE_SPAN, read_el2
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="unaligned-atomic",
    title="an atomic access was not aligned",
    kinds=FAULT_KINDS,
    specificity=6,
)
def unaligned_atomic(case: CaseView) -> Statements:
    """Yield what instruction and address say."""
    if case.kind is Kind.HYP_PANIC:
        yield from _at_el2(case)
        return
    access = unaligned_access(case)
    if access is None:
        return
    if access.explained is not None:
        yield refutes(access.explained.claim, *access.explained.facts)
        return
    if access.device is not None:
        text, fact = access.device
        yield refutes(text, fact)
        return
    if access.plain is not None:
        text, fact = access.plain
        yield refutes(f"{text}: it needs no alignment on Normal memory", fact)
        return
    if access.aligned:
        yield refutes(f"{access.claim}, which is aligned for any atomic access", *access.facts)
        return
    if access.needs_alignment is not None:
        text, fact = access.needs_alignment
        yield supports(f"{text}: it needs alignment on any memory", fact)
    elif access.linear or access.normal is not None:
        yield supports(
            "the memory is Normal: only an exclusive, atomic or ordered access faults there",
            *access.facts,
        )
    yield consistent(access.claim, *access.facts)
    yield Remedy(
        text="align the object: its type says natural alignment, its address does not keep it"
    )


def _at_el2(case: CaseView) -> Statements:
    """Yield what the panic lines say. EL2 runs with SCTLR_EL2.A clear, so a plain access to its data never faults."""
    if case.hyp is None:
        return
    el2 = read_el2(case)
    far = el2.panic.far
    if not el2.read_write or el2.esr is None or el2.esr.fault_kind is not FaultKind.ALIGNMENT:
        return
    if far is None:
        return
    if far % WIDEST_ATOMIC == 0:
        yield refutes(f"FAR {far:#x} is aligned for any atomic access", el2.panic)
        return
    needs, plain = access_of_instruction(case)
    if plain is not None:
        yield refutes(f"{plain[0]}: it needs no alignment on Normal memory", plain[1])
        return
    if needs is not None:
        yield supports(f"{needs[0]}: it needs alignment on any memory", needs[1])
    distance = abs(far - (el2.pc or 0))
    if needs is None and distance < IMAGE_SPAN:
        yield supports(
            f"FAR is {distance:#x} from PC, in the mapping of the image, which is Normal memory: only an exclusive, "
            "atomic or ordered access faults there",
            el2.panic,
        )
    yield consistent(f"an alignment fault at {far:#x} at EL2", el2.panic)
    yield NextStep("read the instruction at PC in the image")
