"""A condition that the code states was violated: BUG(), BUG_ON(), WARN() and their kin.

Stated by: `kernel BUG at file:line!`, `WARNING: ... at file:line symbol`.
Refuted by: an ESR that is no BRK: some vendor kernels call every oops a BUG.
Sources: Linux lib/bug.c, arch/arm64/kernel/traps.c (bug_brk_handler; bug_handler in older kernels),
arch/arm64/include/asm/brk-imm.h (BUG_BRK_IMM = 0x800).
"""

from whypanic.arch.esr import EsrView
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import Statements, consistent, refutes, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

_BUG_BRK = 0x800
_EC_BRK = 0x3C

_LOOK_AT_CODE = frozenset({"ftrace_bug"})
"""Checks of the kernel's own text: that they fired says little of what overwrote it."""


@cause(
    id="assertion-failed",
    title="a condition that the code checks was violated",
    kinds=frozenset({Kind.KERNEL_BUG, Kind.WARNING}),
    needs=(Headline,),
    specificity=5,
)
def assertion_failed(case: CaseView) -> Statements:
    """Yield the kernel's words."""
    headline = case.one(Headline)
    esr = case.esr
    if case.kind is Kind.KERNEL_BUG and esr is not None and case.syndrome is not None:
        if _is_other_exception(esr):
            yield refutes("the syndrome is that of an abort, not of BRK", case.syndrome)
            return
        if esr.brk_immediate == _BUG_BRK:
            yield consistent("the syndrome is BRK 0x800: BUG()", case.syndrome)
    place = headline.ref or case.pc_ref
    if place is not None and place.symbol in _LOOK_AT_CODE:
        yield supports(
            "the check found other code than it expected: its own lines tell more", headline
        )
    elif "spurious kernel translation fault" in headline.message:
        yield consistent("the check is the fault handler's own; the address tells more", headline)
    elif "panic_on_warn set" in headline.message:
        yield supports("a warning ended in panic; which check it was is not in the text", headline)
    elif headline.inferred:
        yield consistent("the trace is that of a check, whose own words are cut off", headline)
    elif headline.file is not None or headline.ref is not None or headline.message:
        at = f" at {headline.file}:{headline.line}" if headline.file else ""
        yield stated(f"the kernel says: {headline.message or case.kind}{at}", headline)


def _is_other_exception(esr: EsrView) -> bool:
    return esr.is_abort and esr.ec != _EC_BRK
