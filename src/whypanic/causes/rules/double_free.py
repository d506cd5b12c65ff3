"""Memory was freed twice.

Stated by: KASAN's `double-free`, SLUB's `Object already free`.
Supported by: an invalid free of an object's first byte where the report shows who freed it before.
Refuted by: words that say invalid-free; an address inside the object.
Sources: Linux mm/kasan/common.c (check_slab_allocation), mm/kfence/core.c (kfence_guarded_free), mm/kfence/report.c
(kfence_print_object), mm/slub.c (free_consistency_checks).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import (
    DOUBLE_FREE,
    MEMORY_KINDS,
    has_stack,
    stack_claims,
    verdict_claim,
    wording_of,
)
from whypanic.causes.shadow import near_object
from whypanic.model.claims import Sense, Statements, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="double-free",
    title="memory was freed twice",
    kinds=MEMORY_KINDS,
    specificity=7,
)
def double_free(case: CaseView) -> Statements:
    """Yield the checker's words and who freed the object before."""
    said = wording_of(case)
    if said is None:
        return
    before = has_stack(case, "freed")
    if case.kind is Kind.KFENCE:
        if "invalid free" in said[0].words and before is not None:
            yield supports("the object was free already when it was freed", said[1], before)
            yield from stack_claims(case, "freed", "allocated")
        return
    verdict = verdict_claim(case, DOUBLE_FREE)
    if verdict is None:
        return
    near = near_object(case)
    if verdict.sense is Sense.REFUTES:
        yield verdict
        return
    inside = near is not None and near.side == "inside" and bool(near.distance)
    if near is not None and inside and not said[0].certain:
        yield refutes(f"the address freed is {near.words}: no object begins there", *near.facts)
        return
    yield verdict
    if not said[0].certain and before is not None:
        yield supports("the object was freed before", before)
    yield from stack_claims(case, "freed", "allocated")
