"""The bus refused an access: a register that is unclocked, unpowered, absent or firewalled.

Supported by: a synchronous external abort.
Refuted by: ECC or parity in the fault status: that is the memory itself.
Sources: Linux arch/arm64/mm/fault.c (do_sea).
From memory: Arm ARM DDI 0487 L, ESR_EL1 ISS (DFSC 0b010000, EA).
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import fault_kind
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind


@cause(
    id="bus-error",
    title="the bus refused an access",
    kinds=frozenset({Kind.EXTERNAL_ABORT, Kind.SERROR, Kind.HYP_PANIC}),
    needs=(Headline,),
    specificity=5,
)
def bus_error(case: CaseView) -> Statements:
    """Yield the syndrome and the instruction."""
    bus = (FaultKind.EXTERNAL_ABORT, FaultKind.EXTERNAL_ABORT_ON_WALK, FaultKind.ECC)
    if case.kind is Kind.HYP_PANIC and fault_kind(case) not in bus:
        return
    if case.kind is Kind.SERROR:
        yield refutes("the abort is asynchronous: PC is not the access", case.one(Headline))
        return
    if fault_kind(case) is FaultKind.ECC and case.syndrome is not None:
        yield refutes("the status is a parity or ECC error", case.syndrome)
        return
    yield supports("a synchronous external abort", case.syndrome or case.one(Headline))
    access = case.effective_address
    if access is not None:
        yield consistent(f"the instruction accessed {access.value:#x}", access)
    yield NextStep(
        text="check clock, power domain and reset of the device whose register was accessed"
    )
