"""EL2 ran off its stack.

Supported by: the hyp call trace going through `hyp_panic_bad_stack`, which only the overflow check calls.
Consistent with: the same where a fetch failed: the check takes SP at the very top of an empty stack for an overflow,
too, as PAGE_SHIFT's bit of it is clear; a trace of bare addresses, as 5.18's first patches printed it, with the same
one again and again.
Refuted by: a hyp call trace of a data abort that does not.
Sources: Linux arch/arm64/kvm/hyp/nvhe/host.S (invalid_host_el2_vect), arch/arm64/kvm/hyp/nvhe/switch.c
(hyp_panic_bad_stack).
From memory: the check came with "KVM: arm64: Detect and handle hypervisor stack overflows", in v5.18.
"""

from collections import Counter

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import read_el2
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind
from whypanic.model.trace import Frame, TraceRole

_OVERFLOW_HANDLER = "hyp_panic_bad_stack"
_REPEATS = 3
_BARE_REPEATS = 4


@cause(
    id="hyp-stack-overflow",
    title="EL2 ran off its stack",
    kinds=frozenset({Kind.HYP_PANIC}),
    specificity=8,
)
def hyp_stack_overflow(case: CaseView) -> Statements:
    """Yield what the hyp call trace says."""
    trace = [f for f in case.all(Frame) if f.role is TraceRole.HYP]
    frames = [f for f in trace if f.ref is not None]
    if not frames:
        yield from _bare_recursion(trace)
        return
    handler = next((f for f in frames if _name(f).startswith(_OVERFLOW_HANDLER)), None)
    if handler is None:
        if case.hyp is not None and read_el2(case).read_write:
            yield refutes(
                f"the hyp call trace does not pass {_OVERFLOW_HANDLER}, which every overflow does",
                frames[0],
            )
        return
    words = f"the hyp call trace passes {_OVERFLOW_HANDLER}"
    if case.hyp is not None and read_el2(case).fetch:
        words += "; but the fetch at PC failed, no access to the stack: SP at its very top has the same effect"
        yield consistent(words, handler, case.hyp)
        return
    yield supports(words, handler)
    name, count = Counter(_name(f) for f in frames).most_common(1)[0]
    if count >= _REPEATS:
        repeated = next(f for f in frames if _name(f) == name)
        yield consistent(f"{name} stands {count} times in the trace: recursion", repeated)
    yield Remedy(
        "end the recursion, or take the large local variables off the EL2 stack (one page)"
    )
    yield NextStep(
        "look at the frames below the first repeated one: who calls, and with how large a frame"
    )


def _bare_recursion(trace: list[Frame]) -> Statements:
    """Yield what a trace without symbols says: one return address over and over is recursion."""
    address, count = next(
        iter(Counter(f.address for f in trace if f.address).most_common(1)), (0, 0)
    )
    if count >= _BARE_REPEATS and address is not None:
        repeated = next(f for f in trace if f.address == address)
        yield consistent(f"{address:#x} stands {count} times in the trace: recursion", repeated)


def _name(frame: Frame) -> str:
    return frame.ref.symbol.removeprefix("__kvm_nvhe_") if frame.ref else ""
