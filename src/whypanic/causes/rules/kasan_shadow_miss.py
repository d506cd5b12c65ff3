"""The fault is on the KASAN shadow of a bad address: the check before the access failed to read its shadow byte.

Supported by: FAR in the shadow, or the access `[address >> 3, shadow offset]`.
Refuted by: a fault address outside the shadow, where KASAN's line suggests one all the same.
Sources: Linux Documentation/dev-tools/kasan.rst (shadow = (address >> 3) + offset), mm/kasan/report.c
(kasan_non_canonical_hook).
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import data_pointer
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.fault import KasanHint
from whypanic.model.kinds import Kind


@cause(
    id="kasan-shadow-miss",
    title="the shadow of a bad address was read",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=6,
)
def kasan_shadow_miss(case: CaseView) -> Statements:
    """Yield the shadow lookup and the address behind it."""
    pointer = data_pointer(case)
    if pointer is None:
        return
    if pointer.nature is not Nature.SHADOW:
        hint = case.get(KasanHint)
        if hint is not None and case.far is not None:
            yield refutes("KASAN's line is a guess: the fault address is no shadow", case.far, hint)
        return
    yield supports(pointer.claim, *pointer.facts)
    if pointer.inner is not None:
        yield consistent(f"the bad address: {pointer.inner.claim}", *pointer.inner.facts)
    for hint in case.all(KasanHint):
        yield consistent(f"KASAN's own line: {hint.what}", hint)
