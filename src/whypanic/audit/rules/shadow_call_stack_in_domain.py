"""Code pushes to or pops from the shadow call stack, or is listed to be patched so, where there is none.

Two forms: the two instructions that the compiler emits with -fsanitize=shadow-call-stack, and, in kernels that patch
pointer authentication into shadow call stack pushes when they boot (CONFIG_UNWIND_PATCH_PAC_INTO_SCS, 6.2 and later),
a frame description in .eh_frame that covers a function of the domain which signs its return address.

Why it breaks: x18 belongs to the host: at EL2 it holds an EL1 address, or whatever a guest left there, and the push
is a translation fault or a silent overwrite. On the identity map, before the first task and after the last, no shadow
stack exists. The patching code walks .eh_frame only: it turns PACIASP into `str x30, [x18], #8` wherever a frame
description says so, on every CPU without pointer authentication.

Example:
    .section .hyp.text, "ax"
    handle_trap:
      str x30, [x18], #8
      stp x29, x30, [sp, #-16]!
      ldp x29, x30, [sp], #16
      ldr x30, [x18, #-8]!
      ret

False positives: Only these two exact instructions count. x18 as a scratch register is legal in the kexec code and in
every build without -ffixed-x18 (no shadow call stack), where compilers use it as any other; saving and restoring x18
in `__guest_enter` uses other addressing. A frame description of a function without PACIASP or AUTIASP is passed over,
since there is nothing to patch; in an object it is a warning, since whether the kernel keeps .eh_frame is not in the
object.

Sources: mainline arch/arm64/kernel/pi/patch-scs.c; Linux 6.1.192 arch/arm64/kvm/hyp/nvhe/Makefile and
arch/arm64/kernel/pi/Makefile (CC_FLAGS_SCS left out), arch/arm64/kvm/hyp/entry.S.

From memory: Linux Standard Base, Exception Frames; the incident "arm64: mm: avoid x18 in
idmap_kpti_install_ng_mappings" (2019).
"""

from collections.abc import Iterator

from whypanic.audit.api import rule
from whypanic.audit.faults import cause_of
from whypanic.audit.frame_descriptions import FrameDescription, frames_over
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.code.masks import MASKS
from whypanic.model.audit import Evidence, Finding, Level, PredictedFault
from whypanic.model.regions import Region

_ID = "shadow-call-stack-in-domain"
_ACCESS = 0x25
_HYP = ("hyp", "hyp-idmap")
_REMEDY = "build the file without -fsanitize=shadow-call-stack (filter CC_FLAGS_SCS out)"
_REMEDY_FRAMES = (
    "build the file with -fno-asynchronous-unwind-tables, or without pointer authentication"
)


@rule(
    number="R11",
    id=_ID,
    title="code uses the shadow call stack where there is none",
    domains=("*",),
)
def shadow_call_stack_in_domain(view: AuditView) -> Iterator[Finding]:
    """Yield pushes, pops, and functions that are listed to get them."""
    domains = view.named(shadow_call_stack_in_domain.domains)
    for domain in domains:
        code = view.instructions(domain)
        for name, what in (("scs push", "push to"), ("scs pop", "pop from")):
            for place, word, patched in code.found(name):
                yield _instruction(domain, place, word if patched else None, what)
    for domain in domains:
        for frame in frames_over(view.image, domain.code):
            yield from _patched(view, domain, frame)


def _instruction(domain: Domain, place: int, word: int | None, what: str) -> Finding:
    text = "x18 is not the pointer of a shadow call stack here"
    if domain.name in _HYP:
        text = "x18 is the host's at EL2: an EL1 address, or what the guest left in it"
    return Finding(
        rule=_ID,
        level=Level.ERROR,
        title=f"a {what} the shadow call stack in the {domain.title}",
        domain=domain.name,
        place=place,
        slice=(place,),
        word=word,
        evidence=(Evidence(text=text, address=place),),
        fault=_fault(domain),
        cause=_cause(domain),
        remedy=_REMEDY,
    )


def _patched(view: AuditView, domain: Domain, frame: FrameDescription) -> Iterator[Finding]:
    code = view.instructions(domain)
    inside = (code.places >= frame.first) & (code.places < frame.end)
    signs = MASKS["paciasp"].hits(code.words) | MASKS["autiasp"].hits(code.words)
    places = code.places[inside & signs].tolist()
    if not places:
        return
    text = f"the frame description at {frame.place:#x} covers {frame.first:#x} to {frame.end:#x}"
    yield Finding(
        rule=_ID,
        level=Level.WARNING if view.is_object else Level.ERROR,
        title=f"PACIASP in the {domain.title} is patched to a push to the shadow call stack",
        domain=domain.name,
        place=places[0],
        slice=tuple(places[:2]),
        evidence=(
            Evidence(text=text, address=frame.place),
            Evidence(
                text="on a CPU without pointer authentication the kernel patches what .eh_frame lists"
            ),
        ),
        fault=_fault(domain),
        cause=_cause(domain),
        remedy=_REMEDY_FRAMES,
    )


def _fault(domain: Domain) -> PredictedFault:
    ec = 0x24 if domain.name == "vdso" else _ACCESS
    return PredictedFault(ec=ec, fsc=None, far_region=Region.UNKNOWN)


def _cause(domain: Domain) -> str:
    return "wild-pointer" if domain.name in _HYP else cause_of(domain, branch=False)
