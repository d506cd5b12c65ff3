"""A page, a page-table entry or a counter of pages came to memory management in a state it must not have.

Stated by: `BUG: Bad page state`, `Bad page map`, `Bad rss-counter state`, `Bad page cache`.
Refuted by: SLUB's report of an object, which has the same kind.
Sources: Linux mm/page_alloc.c (bad_page, page_bad_reason).
From memory: Linux mm/memory.c (print_bad_pte), kernel/fork.c (check_mm).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import checker_line
from whypanic.model.claims import Statements, consistent, refutes, stated
from whypanic.model.fault import Detail
from whypanic.model.kinds import Kind

# fmt: off
_REASONS: tuple[tuple[str, str], ...] = (
    ("AT_FREE",              "it was freed with a flag that says it is still in use"),
    ("AT_PREP",              "it was damaged while free, or freed while in use: a flag is set that no free page has"),
    ("nonzero mapcount",     "it was freed while it is still mapped"),
    ("non-NULL mapping",     "it was freed while it still belongs to a file or to anonymous memory"),
    ("refcount",             "it was freed, or handed out, while it has references"),
    ("charged to cgroup",    "it was freed while it is still charged to a memory cgroup"),
    ("page_pool leak",       "it was freed while it belongs to a page_pool"),
)
# fmt: on


@cause(
    id="bad-page-state",
    title="a page is in a state it must not have",
    kinds=frozenset({Kind.BAD_PAGE}),
    specificity=6,
)
def bad_page_state(case: CaseView) -> Statements:
    """Yield the kernel's words and the state that it objects to."""
    line = checker_line(case)
    if line is None:
        return
    if not line.message.startswith("Bad "):
        yield refutes("the words are of a slab object, not of a page", line)
        return
    yield stated(f"the kernel says: {line.message}", line)
    for reason in case.all(Detail):
        if reason.name != "page-reason":
            continue
        story = next((story for words, story in _REASONS if words in reason.value), None)
        yield consistent(f"{reason.value}{f': {story}' if story else ''}", reason)
    for flags in case.all(Detail):
        if flags.name == "page" and flags.value.startswith("flags: ") and "reserved" in flags.value:
            yield consistent("the page is reserved: its owner never gave it away", flags)
            break
