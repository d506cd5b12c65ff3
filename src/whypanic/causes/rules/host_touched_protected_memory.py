"""The host accessed memory that the protected hypervisor owns.

Supported by: the assertion of the host's stage-2 abort handler at EL2, with the host's address in FAR and HPFAR.
Refuted by: KVM not protected; the hypervisor's initialisation failed, so ownership was never set up.
Sources: Linux arch/arm64/kvm/hyp/nvhe/mem_protect.c, handle_host_mem_abort.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import at_is_meaningless, is_upper, read_el2
from whypanic.code.hyp_mode import HypMode
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.fault import Detail
from whypanic.model.hyp import HypPanic, HypPanicAt, KvmModeLine
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.trace import Frame, TraceRole

_HANDLER = "handle_host_mem_abort"
_FAILED = ("failed to init hyp", "error initializing hyp", "failed to finalize hyp")


@cause(
    id="host-touched-protected-memory",
    title="the host accessed memory that the protected hypervisor owns",
    kinds=frozenset({Kind.HYP_PANIC}),
    needs=(HypPanic,),
    specificity=8,
)
def host_touched_protected_memory(case: CaseView) -> Statements:
    """Yield what the host's abort handler at EL2 and the mode of KVM say."""
    named = _handler(case)
    if named is None:
        return
    el2 = read_el2(case)
    failed = _init_failed(case)
    if failed is not None:
        yield refutes(
            "the hypervisor's own initialisation had failed: no memory had an owner yet", failed
        )
        return
    mode = case.get(HypMode)
    if mode is not None and any(line.mode in ("nvhe", "vhe") for line in case.all(KvmModeLine)):
        yield refutes(f"KVM runs without protection: {mode.statement}", mode)
        return
    far = el2.panic.far
    if far is not None and is_upper(far):
        yield supports(
            f"the host's abort handler at EL2 gave up on {far:#018x}, an address of the host's kernel "
            f"(HPFAR {el2.panic.hpfar or 0:#x})",
            named,
            el2.panic,
        )
    else:
        yield consistent("the host's abort handler at EL2 gave up", named)
    yield Remedy(
        "keep the host's scanners (kmemleak, hibernation, kdump, /dev/mem) off memory given to EL2"
    )
    yield NextStep(
        "the host's call trace below `Call trace:` shows which host code made the access"
    )


def _handler(case: CaseView) -> Fact | None:
    at = case.get(HypPanicAt)
    if (
        at is not None
        and at.ref is not None
        and _HANDLER in at.ref.symbol
        and not at_is_meaningless(case)
    ):
        return at
    for frame in case.all(Frame):
        if frame.role is TraceRole.HYP and frame.ref is not None and _HANDLER in frame.ref.symbol:
            return frame
    return None


def _init_failed(case: CaseView) -> Fact | None:
    for fact in (*case.all(Detail), *case.all(KvmModeLine)):
        words = fact.source.text.lower()
        if any(failed in words for failed in _FAILED):
            return fact
    return None
