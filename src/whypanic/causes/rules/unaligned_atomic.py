"""An exclusive, LSE or acquire/release access was not aligned to its size.

Supported by: an alignment fault (FSC 0x21) in such an instruction; in the linear map no other access can fault so.
Refuted by: a Device memory type; a plain load or store; an address aligned to 16 bytes, the widest such access.
Sources: Arm ARM DDI 0487 L, alignment of exclusive, atomic and ordered accesses (FEAT_LSE2 relaxes it within 16 bytes);
Linux leaves SCTLR_EL1.A clear, so plain accesses to Normal memory never fault.
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.alignment import unaligned_access
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import Remedy, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="unaligned-atomic",
    title="an atomic access was not aligned",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=6,
)
def unaligned_atomic(case: CaseView) -> Statements:
    """Yield what instruction and address say."""
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
