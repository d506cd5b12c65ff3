"""Some earlier access failed and was reported late, as SError: PC is where it was taken, not where it was made.

Supported by: an SError interrupt.
Refuted by: nothing in the text.
Sources: Arm ARM DDI 0487 L, SError interrupt, ESR_EL1 ISS for SError; Linux arch/arm64/kernel/traps.c (do_serror).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import NextStep, Statements, refutes, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind


@cause(
    id="asynchronous-bus-error",
    title="an earlier access failed on the bus",
    kinds=frozenset({Kind.SERROR, Kind.EXTERNAL_ABORT, Kind.HYP_PANIC}),
    needs=(Headline,),
    specificity=5,
)
def asynchronous_bus_error(case: CaseView) -> Statements:
    """Yield the kind of report."""
    if case.kind is Kind.HYP_PANIC:
        if case.esr is not None and case.syndrome is not None and case.esr.is_serror:
            yield supports(
                "EC 0x2f at EL2, an SError: the access that failed came earlier", case.syndrome
            )
        return
    if case.kind is Kind.SERROR:
        yield supports("an SError: the access that failed came earlier", case.one(Headline))
        yield NextStep(
            text="look at the device accesses before PC; writes to Device memory report late"
        )
    elif case.syndrome is not None and case.esr is not None and case.esr.is_abort:
        yield refutes("the abort is synchronous: PC is the access", case.syndrome)
