"""Two unsynchronised accesses met, one of them a write.

Stated by: `BUG: KCSAN: data-race`, `BUG: KCSAN: assert: race`.
Refuted by: two accesses that touch different bytes, or that only read: lines of two reports.
Sources: Linux kernel/kcsan/report.c.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import checker_line, doubt
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated
from whypanic.model.fault import Detail
from whypanic.model.kinds import Kind
from whypanic.model.sanitizer import Access


@cause(
    id="data-race",
    title="memory was accessed from two sides without synchronisation",
    kinds=frozenset({Kind.KCSAN}),
    specificity=6,
)
def data_race(case: CaseView) -> Statements:
    """Yield KCSAN's words and both accesses."""
    line, accesses = checker_line(case), case.all(Access)
    if line is None:
        return
    if len(accesses) == 2 and not _overlap(*accesses):
        yield refutes("the two accesses touch different bytes: lines of two reports", *accesses)
        return
    if len(accesses) == 2 and all(
        a.what.startswith("read") and "-" not in a.what for a in accesses
    ):
        yield refutes("both accesses only read: lines of two reports", *accesses)
        return
    where = f" in {line.ref.symbol}" if line.ref else ""
    other = f" and {line.target}" if line.target else ""
    yield stated(f"KCSAN says: {line.message}{where}{other}", line)
    for access in accesses:
        who = f"task {access.pid}" if access.pid is not None else "an interrupt"
        yield consistent(f"{access.what} of {access.size} bytes by {who}, CPU {access.cpu}", access)
    for changed in case.all(Detail):
        if changed.name == "race-values":
            yield consistent(changed.value, changed)
    unknown = next((a for a in accesses if "unknown origin" in a.source.text), None)
    if unknown is not None:
        yield doubt(
            "the other side was not seen: uninstrumented code, or a device that writes there",
            unknown,
        )
    yield NextStep("lock both sides, or mark them READ_ONCE/WRITE_ONCE/data_race() if it is meant")


def _overlap(first: Access, second: Access) -> bool:
    if None in (first.address, second.address):
        return True
    start, other = first.address or 0, second.address or 0
    return start < other + (second.size or 1) and other < start + (first.size or 1)
