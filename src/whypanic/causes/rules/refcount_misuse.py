"""A reference count was taken from zero, dropped below it, or ran over.

Stated by: `refcount_t: ...` (WARN_ONCE of lib/refcount.c).
Refuted by: an ESR of an abort: the report is of a fault.
Sources: Linux lib/refcount.c (refcount_warn_saturate).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import check_did_not_fire, checker_line
from whypanic.model.claims import NextStep, Statements, consistent, stated
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

# fmt: off
_STORIES: tuple[tuple[str, str], ...] = (
    ("addition on 0",   "a reference was taken after the last one was dropped: the object may be freed already"),
    ("increment on 0",  "a reference was taken after the last one was dropped: the object may be freed already"),
    ("underflow",       "one reference more was dropped than was taken"),
    ("decrement hit 0", "the last reference was dropped where it must not be the last: the object leaks"),
    ("saturated",       "the count ran over or was set so by an earlier misuse; from then on the object leaks"),
)
# fmt: on


@cause(
    id="refcount-misuse",
    title="a reference count was taken from zero, dropped below it, or ran over",
    kinds=frozenset({Kind.REFCOUNT}),
    specificity=6,
)
def refcount_misuse(case: CaseView) -> Statements:
    """Yield the check's words and what they mean."""
    line, refutation = checker_line(case), check_did_not_fire(case)
    if line is None:
        return
    if refutation is not None:
        yield refutation
        return
    told = next((h for h in case.all(Headline) if "refcount_t:" in h.message), line)
    place = f" at {told.file}:{told.line}" if told.file else ""
    yield stated(f"the kernel says: {told.message}{place}", told)
    for words, story in _STORIES:
        if words in told.message:
            yield consistent(story, told)
    yield NextStep(
        "only the first such warning since boot is printed: compare the gets and puts of this object"
    )
