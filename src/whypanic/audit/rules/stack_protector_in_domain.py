"""Code reads a stack canary, or anything else of the current task, where there is no current task.

Two forms: a load through the value of SP_EL0, where the compiler keeps the address of the task whose canary it
compares (-mstack-protector-guard=sysreg), and a reference to `__stack_chk_guard`.

Why it breaks: SP_EL0 holds what the host or the guest last wrote there, an EL1 address: at EL2 it is not mapped, and
the load is a translation fault (EC 0x25, FAR 0xffff...). In code that runs before the first task is set up, or after
it is gone, SP_EL0 holds nothing. The global guard is mapped with the kernel's read-only data at most, and
`__stack_chk_fail`, which the check calls, is not.

Example:
    .section .hyp.text, "ax"
    handle_exit:
      mrs x1, sp_el0
      ldr x2, [x1, #1048]       // task->stack_canary
      str x2, [sp, #24]

False positives: Reading SP_EL0 to save it is legal: `__guest_enter` and the sysreg save code store the value and
never access through it. The value is followed through moves, additions and the function's stack to the first access
whose address is made from it; one that merely uses a register SP_EL0 was once in does not count. Code of the kernel
proper and entry code, which runs on a task, are not looked at.

Sources: Linux 6.1.192 arch/arm64/Makefile (stack_protector_prepare), arch/arm64/kvm/hyp/nvhe/Makefile and
arch/arm64/kernel/pi/Makefile (-fno-stack-protector), arch/arm64/kvm/hyp/entry.S.

From memory: ClangBuiltLinux issue 511, where `__efistub___stack_chk_guard` stayed undefined.
"""

from collections.abc import Iterator

import numpy as np

from whypanic.audit.api import rule
from whypanic.audit.faults import cause_of
from whypanic.audit.function_code import FunctionCode, codes_of, spans_of
from whypanic.audit.naming import NVHE_PREFIX
from whypanic.audit.value_uses import Use, uses_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.code.masks import MASKS
from whypanic.model.audit import Evidence, Finding, Level, PredictedFault
from whypanic.model.regions import Region

_ID = "stack-protector-in-domain"
_GUARD = "__stack_chk_guard"
_GUARDS = tuple(prefix + _GUARD for prefix in ("", NVHE_PREFIX, "__efistub_", "__pi_"))
_ACCESS = 0x25
_REMEDY = "build the file with -fno-stack-protector"


@rule(
    number="R12",
    id=_ID,
    title="code reads a stack canary where there is no task",
    domains=(
        *("hyp", "hyp-idmap", "hyp-stub", "idmap", "early", "efi-stub"),
        *("trampoline", "kexec", "hibernate", "vdso"),
    ),
)
def stack_protector_in_domain(view: AuditView) -> Iterator[Finding]:
    """Yield loads through SP_EL0 and references to the global canary."""
    for domain in view.named(stack_protector_in_domain.domains):
        reads = view.instructions(domain).found("mrs sp_el0").places
        for span in spans_of(view, domain, reads):
            for code in codes_of(view, span):
                yield from _task_loads(domain, code)
        yield from _guard_uses(view, domain)


def _task_loads(domain: Domain, code: FunctionCode) -> Iterator[Finding]:
    flow = code.flow
    words = np.array(flow.words, np.uint32)
    for source in np.flatnonzero(MASKS["mrs sp_el0"].hits(words)).tolist():
        if not flow.is_code(source):
            continue
        uses = uses_of(flow, source, flow.insn(source).writes[0])
        load = next((use.place for use in uses if use.kind is Use.DEREFERENCED), None)
        if load is not None:
            yield _task_finding(domain, code, load, frozenset((source,)))


def _task_finding(
    domain: Domain, code: FunctionCode, place: int, places: frozenset[int]
) -> Finding:
    address = code.address(place)
    access = code.flow.insn(place).memory
    is_store = access is not None and access.store and not access.load
    what = "store" if is_store else "load"
    text = f"the address of the {what} at {address:#x} is made from SP_EL0: a field of a task, the canary perhaps"
    return Finding(
        rule=_ID,
        level=Level.ERROR,
        title=f"a {what} through SP_EL0 in the {domain.title}",
        domain=domain.name,
        place=address,
        slice=code.slice(places, place),
        word=code.word_of(place),
        evidence=(Evidence(text=text, address=address),),
        fault=_fault(domain),
        cause="wild-pointer"
        if domain.name in ("hyp", "hyp-idmap")
        else cause_of(domain, branch=False),
        remedy=_REMEDY,
    )


def _fault(domain: Domain) -> PredictedFault:
    if domain.name == "vdso":
        return PredictedFault(ec=0x18, fsc=None, far_region=None)
    return PredictedFault(ec=_ACCESS, fsc=None, far_region=Region.UNKNOWN)


def _guard_uses(view: AuditView, domain: Domain) -> Iterator[Finding]:
    """Yield references to the global guard: by relocation in an object, by address in a linked image."""
    image = view.image
    if view.is_object:
        seen: set[int] = set()
        for first, end in domain.code:
            for entry in image.relocations_within(first, end):
                function = image.symbol_at(entry.place)
                key = function.address if function is not None else entry.place
                if entry.symbol in _GUARDS and key not in seen:
                    seen.add(key)
                    yield _guard_finding(view, domain, entry.place & ~3, (entry.place & ~3,))
        return
    guards = {s.address for found in image.symbols.find_each(_GUARDS).values() for s in found}
    if not guards:
        return
    for reference in view.references(domain):
        if reference.target in guards:
            yield _guard_finding(view, domain, reference.place, (reference.place,))


def _guard_finding(view: AuditView, domain: Domain, place: int, places: tuple[int, ...]) -> Finding:
    return Finding(
        rule=_ID,
        level=Level.ERROR,
        title=f"a reference to {_GUARD} in the {domain.title}",
        domain=domain.name,
        place=place,
        slice=places,
        evidence=(
            Evidence(
                text=f"{_GUARD} is the kernel's; the check that follows calls __stack_chk_fail, "
                "which is kernel text",
                address=view.image.value_of(_GUARD),
            ),
        ),
        fault=_fault(domain),
        cause="data-left-hyp-mappings"
        if domain.name in ("hyp", "hyp-idmap")
        else cause_of(domain, branch=False),
        remedy=_REMEDY,
    )
