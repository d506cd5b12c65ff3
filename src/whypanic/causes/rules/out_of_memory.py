"""The OOM killer found nothing left, or was told to panic.

Stated by: `Out of memory ...`, `System is deadlocked on memory` of panic().
Refuted by: a panic of another kind after the OOM killer did its work.
Sources: Linux 6.12.117 mm/oom_kill.c (check_panic_on_oom(), out_of_memory()).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.endings import Ending, ending_of, panic_words
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated
from whypanic.model.kinds import Kind
from whypanic.model.progress import OomKill, OomVictim


@cause(
    id="out-of-memory",
    title="memory ran out",
    kinds=frozenset({Kind.PANIC}),
    specificity=6,
)
def out_of_memory(case: CaseView) -> Statements:
    """Yield the words of the OOM killer."""
    said = panic_words(case)
    if said is None:
        return
    message, fact = said
    kills, victims = case.all(OomKill), case.all(OomVictim)
    if ending_of(message) is not Ending.NO_MEMORY:
        if victims:
            yield refutes(
                "the OOM killer found what to kill, and panic() speaks of something else",
                fact,
                victims[-1],
            )
        return
    yield stated(f"the kernel says so: {message}", fact)
    if kills:
        last = kills[-1]
        row = (last.order or 0) > 0
        what = f"2^{last.order} pages in a row" if row else "a page"
        yield consistent(f"{last.comm} asked for {what}", last)
    if victims:
        yield consistent(
            f"processes killed before: {len(victims)}, the last {victims[-1].comm}",
            victims[-1],
        )
    yield NextStep(
        text="compare anonymous, slab and reserved memory in Mem-Info: which of them holds it"
    )
