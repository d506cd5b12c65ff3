"""A store hit memory that is mapped read-only: rodata, text, or a page that was protected.

Stated by: the header `write to read-only memory`, on a permission fault; without an ESR, on a kernel address.
Supported by: a permission fault with WnR = 1 on a kernel address.
Refuted by: a read; a fault of another kind, whatever the header says: with PAN emulated by TTBR0 it says so for
unmapped user addresses too.
Sources: Linux arch/arm64/mm/fault.c (__do_kernel_fault).
From memory: Arm ARM DDI 0487 L, ESR_EL1.ISS.WnR.
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import FAULT_KINDS, fault_kind, is_permission_worded
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import is_upper, read_el2
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import data_pointer
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated, supports
from whypanic.model.fault import PageWalk
from whypanic.model.kinds import Kind

_KERNEL_RANGE = frozenset({Nature.LINEAR, Nature.IMAGE, Nature.MAPPING, Nature.ODD})
_READ_ONLY = 1 << 7
"""AP[2] of a stage 1 descriptor."""


@cause(
    id="write-to-read-only",
    title="a store hit read-only memory",
    kinds=FAULT_KINDS,
    specificity=6,
)
def write_to_read_only(case: CaseView) -> Statements:
    """Yield the kernel's words, the syndrome and the descriptor."""
    if case.kind is Kind.HYP_PANIC:
        yield from _at_el2(case)
        return
    headline = case.headline
    said = headline is not None and "write to read-only" in headline.message
    if said and not is_permission_worded(case):
        if case.syndrome is not None and fault_kind(case) is not None:
            yield refutes("no permission fault, whatever the header says", case.syndrome)
            return
        said = False
    if headline is not None and said:
        yield stated("the kernel says: write to read-only memory", headline)
    pointer = data_pointer(case)
    esr = case.esr
    if pointer is not None and esr is not None and case.syndrome is not None:
        if fault_kind(case) is FaultKind.PERMISSION and esr.wnr and pointer.nature in _KERNEL_RANGE:
            yield supports("WnR = 1 and a permission fault: the page is mapped", case.syndrome)
            yield consistent(pointer.claim, *pointer.facts)
            said = True
        elif fault_kind(case) is FaultKind.TRANSLATION and esr.wnr:
            if pointer.nature in (Nature.LINEAR, Nature.IMAGE):
                yield refutes(
                    "a translation fault: no valid entry is there to be read-only", case.syndrome
                )
        elif case.kind is Kind.PERMISSION_FAULT and esr.wnr is False:
            yield refutes("WnR = 0: the access was a read", case.syndrome)
    if said:
        for walk in case.all(PageWalk):
            if walk.entries and walk.entries[-1].value & (_READ_ONLY | 1) == _READ_ONLY | 1:
                yield consistent(
                    f"the {walk.entries[-1].name} entry has AP[2] set: read-only", walk
                )


def _at_el2(case: CaseView) -> Statements:
    """Yield what the panic lines say: a permission fault on a store, in the range that EL2 translates."""
    if case.hyp is None:
        return
    el2 = read_el2(case)
    far = el2.panic.far
    if not el2.read_write or el2.esr is None or far is None or not el2.esr.wnr:
        return
    if el2.nvhe and is_upper(far):
        return
    if el2.esr.fault_kind is not FaultKind.PERMISSION:
        return
    yield supports(
        f"ESR {el2.panic.esr or 0:#x}: a store, and a permission fault: {far:#x} is mapped at EL2, read-only",
        el2.panic,
    )
    yield NextStep(
        "name the object: FAR keeps its place in the image; EL2 maps rodata and its own text so"
    )
