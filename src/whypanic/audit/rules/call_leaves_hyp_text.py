"""A direct branch or call leads out of the code that is mapped, or was copied, with it.

Looked at are B, BL, B.cond, CBZ, CBNZ, TBZ and TBNZ of hyp code and of the other pieces that run without the rest of
the kernel's text beside them, as built and as alternatives leave them; in objects also what a relocation names that
the file does not define.

Why it breaks: At EL2 without VHE only the hyp text is mapped. A PC-relative call to a function of the kernel proper
reaches the right distance from here, but nothing is mapped there: an instruction abort (EC 0x21, a translation fault)
whose FAR is a hyp VA, and on older kernels a panic without a usable trace. Compilers make such calls where a `static
inline` is not `__always_inline`, and where they are told to instrument: `system_supports_address_auth()`,
`__kern_hyp_va()`, `gic_write_pmr()`, `__sanitizer_cov_trace_pc`. Code that is copied (kexec, hibernation) or mapped
alone (HYP init, the KPTI trampoline, the vDSO) branches into whatever lies behind its page.

Example:
    .section .hyp.text, "ax"
    __guest_run:
      bl system_supports_address_auth     // in .text
      ret

False positives: Branches between pieces that are mapped alike are passed over: hyp code and the EL2 stub beside it in
the same text; the stub and the identity-mapped code, both at physical addresses with the MMU off (`__finalise_el2`
goes on in `.idmap.text`). Code of the identity map itself is not looked at: it calls the kernel once the MMU is on.
From the stub any other target is a warning: with the MMU off it is reached, but is not made to run there. Until 5.8
the same hyp code serves VHE, where all of the kernel is mapped: a branch in or to a function named `..._vhe`, and one
to `panic`, which `__hyp_call_panic_vhe` calls, is a note. What an alternative copies is looked at where it runs. In
an object, `__kvm_nvhe_` names that it does not define are aliases that the kernel's linker script allows; other
undefined functions may be hyp code of another object: in a `*.nvhe.o` they are passed over, since the kernel's own
link fails where they are not; elsewhere they are notes, one each, unless they are a compiler's instrumentation. A
branch through a veneer is `absolute-veneer`'s.

Sources: Linux 6.1.192 arch/arm64/kernel/vmlinux.lds.S, arch/arm64/kvm/arm.c (what is mapped), arch/arm64/kernel/
hyp-stub.S; mainline arch/arm64/kernel/image-vars.h (aliases).

From memory: 4.14 arch/arm64/kvm/hyp/switch.c for `__hyp_call_panic_vhe`; ClangBuiltLinux issue 1096.
"""

from collections.abc import Iterator

from whypanic.audit.api import rule
from whypanic.audit.direct_branches import Veneer, branches_of, undefined_branches, veneers_at
from whypanic.audit.faults import cause_of, serves_vhe
from whypanic.audit.naming import NVHE_OBJECTS, NVHE_PREFIX, branch_word, function_name, place_name
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain, Range
from whypanic.formats.kernel_image import ObjectRelocation
from whypanic.model.audit import Evidence, Finding, Level, PredictedFault
from whypanic.model.regions import Region

_ID = "call-leaves-hyp-text"
_TOGETHER = {"hyp": ("hyp-stub",), "hyp-stub": ("hyp-idmap", "idmap", "early")}
"""Domains whose code is mapped with that of another, or runs in the same state."""
_INSTRUMENTATION = (
    *("__sanitizer_", "__asan_", "__hwasan_", "__tsan_", "__kcsan_", "__msan_", "__ubsan_handle_"),
    *("__gcov_", "__llvm_profile_", "__llvm_gcov_", "__cyg_profile_", "__stack_chk_fail"),
    *("_mcount", "__fentry__", "mcount"),
)
_HYP = ("hyp", "hyp-idmap")
_FETCH, _FETCH_EL0 = 0x21, 0x20
_REGIONS = {"hyp": Region.HYP, "hyp-idmap": Region.IDMAP, "trampoline": Region.FIXMAP}


@rule(
    number="R04",
    id=_ID,
    title="a direct branch leads out of the mapped code",
    domains=("hyp", "hyp-idmap", "hyp-stub", "trampoline", "kexec", "hibernate", "vdso", "own"),
)
def call_leaves_hyp_text(view: AuditView) -> Iterator[Finding]:
    """Yield every direct branch out of what is mapped, and of objects every undefined one."""
    for domain in view.named(call_leaves_hyp_text.domains):
        yield from _leaving(view, domain)
        if view.is_object:
            yield from _undefined(view, domain)


def legal_targets(view: AuditView, domain: Domain) -> tuple[Range, ...]:
    """Return where code of a domain may branch to."""
    others = (r for d in view.named(_TOGETHER.get(domain.name, ())) for r in d.code)
    return (*domain.code, *others)


def _leaving(view: AuditView, domain: Domain) -> Iterator[Finding]:
    found = branches_of(view, domain).outside(legal_targets(view, domain))
    veneers = veneers_at(view.image, found.targets) if len(found.places) else {}
    for place, target, word, patched in found.rows():
        if not _is_veneer(veneers.get(target)):
            yield _finding(view, domain, place, target, word, patched=patched)


def _is_veneer(veneer: Veneer | None) -> bool:
    return veneer is not None


def _finding(
    view: AuditView, domain: Domain, place: int, target: int, word: int, *, patched: bool
) -> Finding:
    what, name = branch_word(word), place_name(view.image, target)
    evidence = [Evidence(text=f"the target is {target:#x}, {name}", address=target)]
    if patched:
        evidence.append(Evidence(text="an alternative puts this branch here", address=place))
    only_vhe = serves_vhe(view, domain) and _is_for_vhe(view, place, target)
    if only_vhe:
        evidence.append(
            Evidence(
                text="hyp code of this kernel serves both modes; by the names only VHE comes here"
            )
        )
    level = Level.NOTE if only_vhe else Level.ERROR
    if domain.name == "hyp-stub":
        level = Level.WARNING
        evidence.append(
            Evidence(text="the target is reached with the MMU off, at its physical address")
        )
    return Finding(
        rule=_ID,
        level=level,
        title=f"a {what} to {name} leaves the {domain.title}",
        domain=domain.name,
        place=place,
        slice=(place,),
        word=word if patched else None,
        evidence=tuple(evidence),
        fault=_fault(domain),
        cause=_cause(domain),
        remedy=_remedy(domain),
    )


def _is_for_vhe(view: AuditView, place: int, target: int) -> bool:
    caller, called = function_name(view.image, place), function_name(view.image, target)
    return caller.endswith("_vhe") or called.endswith("_vhe") or called == "panic"


def _undefined(view: AuditView, domain: Domain) -> Iterator[Finding]:
    prefixed = bool(view.image.symbols.find_starting((NVHE_PREFIX,)))
    noted: set[str] = set()
    for entry in undefined_branches(view, domain):
        symbol = entry.symbol
        if symbol.startswith(NVHE_PREFIX) and not symbol.startswith(
            tuple(NVHE_PREFIX + name for name in _INSTRUMENTATION)
        ):
            continue
        instrumented = symbol.removeprefix(NVHE_PREFIX).startswith(_INSTRUMENTATION)
        certain = instrumented or prefixed or domain.name not in _HYP
        if not certain and domain.era.startswith(NVHE_OBJECTS):
            continue  # the link with the prefix fails where it is not hyp code
        if certain or symbol not in noted:
            yield _undefined_finding(domain, entry, certain=certain, instrumented=instrumented)
        noted.add(symbol)


def _undefined_finding(
    domain: Domain, entry: ObjectRelocation, *, certain: bool, instrumented: bool
) -> Finding:
    if instrumented:
        text = f"{entry.symbol} is called by code that the compiler adds; it is never hyp code"
    elif certain:
        text = f"{entry.symbol} is not defined in this file, which is linked already"
    else:
        text = f"{entry.symbol} is not defined in this file: it must be hyp code of another object"
    title = f"a branch to {entry.symbol} leaves the {domain.title}"
    if not certain:
        title = f"a branch to {entry.symbol}, which this file does not define"
    return Finding(
        rule=_ID,
        level=Level.ERROR if certain else Level.NOTE,
        title=title,
        domain=domain.name,
        place=entry.place & ~3,
        slice=(entry.place & ~3,),
        evidence=(Evidence(text=text, address=entry.place),),
        fault=_fault(domain),
        cause=_cause(domain),
        remedy=_remedy(domain),
    )


def _fault(domain: Domain) -> PredictedFault | None:
    if domain.name == "hyp-stub":
        return None
    ec = _FETCH_EL0 if domain.name == "vdso" else _FETCH
    region = Region.USER if domain.name == "vdso" else _REGIONS.get(domain.name, Region.UNKNOWN)
    return PredictedFault(ec=ec, fsc=None, far_region=region)


def _cause(domain: Domain) -> str:
    return "call-left-hyp-text" if domain.name in _HYP else cause_of(domain, branch=True)


def _remedy(domain: Domain) -> str:
    if domain.name in _HYP:
        return "make the function __always_inline, or build it into the hyp code; keep instrumentation out of it"
    return f"keep all that this code calls in the same section: the {domain.title} is closed"
