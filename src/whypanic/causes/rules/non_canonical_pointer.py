"""A value between the user and the kernel range was used as a pointer.

Supported by: bits 55 and below that fit neither range, in the base register or FAR.
Refuted by: a value that poison or text explains.
From memory: Arm ARM DDI 0487 L, VMSAv8-64 address ranges: TBI lets only the top byte be anything, PAC only its own
field.
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import data_pointer
from whypanic.model.claims import Statements, consistent, refutes, supports


@cause(
    id="non-canonical-pointer",
    title="a value between the address ranges was used as a pointer",
    kinds=FAULT_KINDS,
    specificity=4,
)
def non_canonical_pointer(case: CaseView) -> Statements:
    """Yield where the value lies."""
    pointer = data_pointer(case)
    if pointer is None:
        return
    if pointer.nature is Nature.NON_CANONICAL:
        yield supports(pointer.claim, *pointer.facts)
    elif pointer.story.nature is Nature.NON_CANONICAL:
        yield consistent(pointer.story.claim, *pointer.story.facts)
    elif pointer.nature in (Nature.POISON, Nature.TEXT):
        yield refutes(f"the value is explained: {pointer.claim}", *pointer.facts)
