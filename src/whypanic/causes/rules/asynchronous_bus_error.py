"""Some earlier access failed and was reported late, as SError: PC is where it was taken, not where it was made.

Supported by: an SError interrupt.
Refuted by: nothing in the text.
Sources: Linux arch/arm64/kernel/traps.c (do_serror).
From memory: Arm ARM DDI 0487 L, SError interrupt, ESR_EL1 ISS for SError.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.serror import SerrorSource, error_type, serror_source
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

_EL_BITS = 0xC
"""PSTATE.M[3:2]: the exception level."""
_ENTRY = ("el0_", "el1_", "el0t_", "el1h_", "ret_to_user", "local_daif", "vectors")


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
        yield from _syndrome(case)
        yield from _unmasked(case)
        yield NextStep(
            text="look at the device accesses before PC; writes to Device memory report late"
        )
    elif case.syndrome is not None and case.esr is not None and case.esr.is_abort:
        yield refutes("the abort is synchronous: PC is the access", case.syndrome)


def _syndrome(case: CaseView) -> Statements:
    """Yield what the syndrome says; a core without the RAS extension defines its own."""
    if case.syndrome is None:
        return
    source, kind = serror_source(case), error_type(case)
    if source is not None and source is not SerrorSource.ECC:
        yield consistent(
            f"as Cortex-A35, A53, A57 and A72 define the syndrome: {source}", case.syndrome
        )
    if kind is not None:
        yield consistent(f"the RAS extension calls the error {kind}", case.syndrome)


def _unmasked(case: CaseView) -> Statements:
    """Yield where PC is no witness at all: user mode, or the first code that lets SErrors in."""
    pc, pstate = case.registers.get("pc"), case.registers.get("pstate")
    if pstate is not None and pstate.value is not None and not pstate.value & _EL_BITS:
        yield consistent(
            "it was taken in user mode, by a process or after it made the access", pstate
        )
    elif pc is not None and pc.ref is not None and pc.ref.symbol.startswith(_ENTRY):
        yield consistent("it was taken where the kernel lets pending SErrors in", pc)
