"""An address of a vmalloc, ioremap, vmap or module mapping was accessed, and nothing is mapped there any more.

Supported by: a translation fault on a module address after a module was unloaded.
Consistent with: any translation fault in those areas; running past the end of a live mapping looks the same.
An address that counts as one of the image, by a guess at the image's size, is taken for such an area where its page is
not mapped: the image stays mapped but for its init sections, and vmalloc areas begin right above it.
Refuted by: a permission, alignment or external abort: the page is mapped.
Sources: Linux Documentation/arch/arm64/memory.rst, mm/vmalloc.c (guard page, lazy unmap).
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import FAULT_KINDS, fault_kind
from whypanic.causes.api import cause
from whypanic.causes.branches import unloaded
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import data_pointer
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.fault import PrintedField
from whypanic.model.kinds import Kind
from whypanic.model.regions import Region

_LAST_LEVEL = 3
_FSC_LAST_LEVEL = 0x07


@cause(
    id="freed-mapping",
    title="a mapping that no longer exists was accessed",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC, Kind.WARNING},
    specificity=5,
)
def freed_mapping(case: CaseView) -> Statements:
    """Yield what the area and the fault say."""
    pointer = data_pointer(case)
    if pointer is None:
        return
    fault = fault_kind(case)
    if pointer.nature is Nature.IMAGE and _last_entry_is_empty(case):
        yield consistent(
            f"{pointer.claim} or the areas right above it, but its page is unmapped: no part of a live image",
            *pointer.facts,
        )
    if pointer.nature is not Nature.MAPPING:
        return
    if fault not in (None, FaultKind.TRANSLATION):
        if case.syndrome is not None and fault is FaultKind.ALIGNMENT:
            yield refutes("an alignment fault: the page is mapped", case.syndrome)
        return
    modules = unloaded(case)
    if modules is not None and case.classify(pointer.value).region is Region.MODULE:
        yield supports(
            f"{pointer.claim}, and {modules.last_unloaded} was unloaded", *pointer.facts, modules
        )
    else:
        yield consistent(f"{pointer.claim}, where nothing is mapped now", *pointer.facts)
    yield NextStep(
        text="log vmap and ioremap of this range: a mapping that was there and is gone tells this from an overrun"
    )


def _last_entry_is_empty(case: CaseView) -> bool:
    """True for a translation fault at level 3: the tables are there, the page is not."""
    esr = case.esr
    if esr is None:
        return any(f.name == "FSC" and f.value == _FSC_LAST_LEVEL for f in case.all(PrintedField))
    return fault_kind(case) is FaultKind.TRANSLATION and esr.fault_level == _LAST_LEVEL
