"""A linear-map address was accessed whose page is not mapped.

Supported by: FAR in the linear map with a translation fault below the top level; an entry in the walk with bit 0 clear.
Refuted by: a permission or alignment fault, which needs a valid entry.
Sources: Linux Documentation/arch/arm64/memory.rst, arch/arm64/mm/pageattr.c
(set_memory_valid, set_direct_map_invalid_noflush), include/linux/memblock.h (MEMBLOCK_NOMAP).
From memory: Arm ARM DDI 0487 L, VMSAv8-64 descriptors (bit 0: valid).
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import FAULT_KINDS, fault_kind
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import data_pointer
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.fault import PageWalk
from whypanic.model.kinds import Kind


@cause(
    id="unmapped-linear-address",
    title="a linear-map address without a page behind it was accessed",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC, Kind.WARNING},
    specificity=5,
)
def unmapped_linear_address(case: CaseView) -> Statements:
    """Yield where the address lies and what the walk found."""
    pointer = data_pointer(case)
    if pointer is None or pointer.nature is not Nature.LINEAR:
        return
    if fault_kind(case) not in (None, FaultKind.TRANSLATION):
        if case.syndrome is not None:
            yield refutes(f"a {fault_kind(case)} fault: the page is mapped", case.syndrome)
        return
    level = case.esr.fault_level if case.esr is not None else None
    certain = case.classify(pointer.value).certain
    say = supports if level != 0 and certain else consistent
    yield say(pointer.claim, *pointer.facts)
    for walk in case.all(PageWalk):
        if walk.entries and not walk.entries[-1].value & 1:
            last = walk.entries[-1]
            what = "is empty" if last.value == 0 else "keeps its contents but is marked invalid"
            yield consistent(f"the walk ends at a {last.name} entry that {what}", walk)
