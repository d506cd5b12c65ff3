"""Something was freed that no allocation gave out: no object begins at the address.

Stated by: KASAN's `invalid-free`, KFENCE's `invalid free`, SLUB's `Attempt to free object`.
Supported by: `double-free or invalid-free` of an address inside an object.
Refuted by: words that say double-free; `double-free or invalid-free` of the first byte of an object freed before.
Sources: Linux mm/kasan/common.c (check_slab_allocation, check_page_allocation), mm/kfence/core.c (kfence_guarded_free),
mm/slub.c (free_consistency_checks).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import (
    INVALID_FREE,
    MEMORY_KINDS,
    doubt,
    has_stack,
    stack_claims,
    verdict_claim,
    wording_of,
)
from whypanic.causes.shadow import near_object
from whypanic.model.claims import Sense, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="invalid-free",
    title="what was freed is no allocation",
    kinds=MEMORY_KINDS,
    specificity=6,
)
def invalid_free(case: CaseView) -> Statements:
    """Yield the checker's words and what lies at the address."""
    said, verdict = wording_of(case), verdict_claim(case, INVALID_FREE)
    if said is None or verdict is None:
        return
    if verdict.sense is Sense.REFUTES:
        yield verdict
        return
    near, before = near_object(case), has_stack(case, "freed")
    inside = near is not None and near.side == "inside"
    if not said[0].certain and near is not None and inside and near.distance == 0 and before:
        yield refutes("an object begins at the address, and it was freed before", before)
        return
    yield verdict
    if near is not None:
        offset = inside and bool(near.distance)
        say = supports if offset and not said[0].certain else consistent
        yield say(f"the address freed is {near.words}", *near.facts)
    if case.kind is Kind.KFENCE and before is not None:
        yield doubt("KFENCE calls a second free so too, and the object was free already", before)
    yield from stack_claims(case, "allocated")
