"""Code at EL2 loads from, stores to or branches to a place of the image that is not mapped there.

The address is formed PC-relatively, by ADR or ADRP with what completes it; it is followed through the function's
blocks, as built and as alternatives leave it, to the accesses and branches that use it. Literal loads count too.

Why it breaks: PC-relative addresses stay right at EL2, since all of the image keeps its distances there, but only a
few ranges are mapped: the hyp text and the hyp sections; until 6.1 also the kernel's .rodata and .bss, read-only.
Kernel .text, .data, .init, the GOT and modules never are: a translation fault with a low hyp VA in FAR (EC 0x25, or
0x21 where it is branched to). A store to .rodata or .bss of the kernel is a permission fault. From 6.2 on protected
KVM unmaps the kernel's .rodata and .bss when it is finalised: such a load is a warning.

Example:
    .section .hyp.text, "ax"
    __kvm_timer_init:
      adrp x0, arch_timer_rate            // in .data
      ldr w0, [x0, :lo12:arch_timer_rate]
      ret

False positives: An address that is only handed on is legal where it is code (the host's panic handler for ERET, the
stub vectors for VBAR_EL2) or the end or beginning of a section (`__hyp_bss_end` is the address of the next object,
`__bss_stop` lies in no section); handing on the address of an object that is not mapped is a warning. The per-cpu
template is reached through TPIDR_EL2: an address with a system register added is passed over. Prefetches do not
fault. The HYP init code may look at all of memory until it turns the MMU on: there what leaves its page is a warning.
What a relocation of an object leaves undefined is not judged: `__kvm_nvhe_` names are aliases that the kernel's
linker script allows. In an object, .rodata and .bss are taken to be mapped, since it does not tell its kernel; in an
image without symbols for data only what is surely not mapped counts.

Sources: Linux 6.1.192 arch/arm64/kvm/arm.c (init_hyp_mode) and arch/arm64/kvm/hyp/nvhe/setup.c, mainline setup.c
(recreate_hyp_mappings) and arch/arm64/kernel/image-vars.h; the list of commits of the series that 169cd0f8238f "KVM:
arm64: Don't unnecessarily map host kernel sections at EL2" belongs to. The ranges are data of
code/domains/arm64.toml.

From memory: that `__pkvm_init_vm`, by which 6.2 and later are told apart, came with that series; what 4.9 to 5.11
map.
"""

from collections.abc import Iterator

import numpy as np

from whypanic.arch.relocations import BY_NUMBER
from whypanic.audit.address_uses import MAX_WORDS, AddressUse, Does, uses_outside
from whypanic.audit.api import rule
from whypanic.audit.faults import serves_vhe
from whypanic.audit.mapped_ranges import Mapped, MappedRanges, mapped_ranges
from whypanic.audit.naming import function_name, place_name
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.code.masks import MASKS, signed_field
from whypanic.model.audit import Evidence, Finding, Level, PredictedFault
from whypanic.model.regions import Region

_ID = "reference-leaves-hyp-mapping"
_FETCH, _ACCESS = 0x21, 0x25
_PERMISSION_3 = 0x0F
_NEAR = 1 << 32
_REMEDY = "give the hyp code its own copy, in a section that hyp.lds gathers, or pass the value in as an argument"


@rule(
    number="R05",
    id=_ID,
    title="code refers to a place that is not mapped where it runs",
    domains=("hyp", "hyp-idmap", "own"),
)
def reference_leaves_hyp_mapping(view: AuditView) -> Iterator[Finding]:
    """Yield every access, branch or address handed on that leaves what is mapped."""
    open_places = _open_places(view)
    for domain in view.named(reference_leaves_hyp_mapping.domains):
        if domain.name not in ("hyp", "hyp-idmap") and not (domain.data or domain.reaches):
            continue  # a user's own, which does not say what it reaches
        ranges = mapped_ranges(view, domain)
        if sum(end - first for first, end in domain.code) > 4 * MAX_WORDS:
            yield _too_large(domain)
        for use in uses_outside(view, domain, ranges.readable):
            made = {use.code.address(p) for p in use.places if p >= 0}
            if _is_address(view, use) and not made & open_places:
                yield from _judged(view, domain, ranges, use)
        yield from _literals(view, domain, ranges)


def _too_large(domain: Domain) -> Finding:
    place = domain.code[0][0]
    text = (
        f"addresses are followed in the first {4 * MAX_WORDS:#x} bytes of functions that form any"
    )
    return Finding(
        rule=_ID,
        level=Level.NOTE,
        title=f"the {domain.title} is too large to follow every address in it",
        domain=domain.name,
        place=place,
        evidence=(Evidence(text=text, address=place),),
        fault=None,
        cause=_cause(is_branch=False),
        remedy="narrow the domain down",
    )


def _is_address(view: AuditView, use: AddressUse) -> bool:
    """Tell whether the constant part of an address is one; of a sum that is not known it may be an offset.

    Modules lie within 4 GiB of the image, where ADRP reaches; an object is laid out from a low address.
    """
    if view.is_object:
        return view.image.contains(use.target)
    if not use.indexed:
        return True
    return view.image.base - _NEAR <= use.target < view.image.end + _NEAR


def _open_places(view: AuditView) -> frozenset[int]:
    """Return the instructions of an object whose relocation is undefined, or names a slot of the GOT."""
    if not view.is_object:
        return frozenset()
    found: set[int] = set()
    for domain in view.named(("hyp", "hyp-idmap", "own")):
        for first, end in domain.code:
            for entry in view.image.relocations_within(first, end):
                kind = BY_NUMBER.get(entry.type)
                if entry.target is None or kind is None or kind.is_got:
                    found.add(entry.place & ~3)
    return frozenset(found)


def _judged(
    view: AuditView, domain: Domain, ranges: MappedRanges, use: AddressUse
) -> Iterator[Finding]:
    mapped = ranges.of(use.target)
    if use.does is Does.BRANCHES:
        if not ranges.executes(use.target):
            yield _finding(view, domain, use, mapped, Level.ERROR)
    elif use.does is Does.HANDS_ON:
        if mapped is Mapped.NOT and not _is_legal_address(view, ranges, use.target):
            yield _finding(view, domain, use, mapped, Level.WARNING)
    elif mapped is Mapped.NOT:
        # Something may be subtracted from the end of what is its own, where no object begins.
        objects = [s for s in view.image.symbols.all_at(use.target) if s.size or s.kind == "object"]
        if objects or not (use.indexed and use.target in ranges.ends()):
            yield _finding(view, domain, use, mapped, Level.ERROR)
    elif use.does is Does.STORES and mapped in (Mapped.READ_ONLY, Mapped.SOMETIMES):
        yield _finding(view, domain, use, mapped, Level.ERROR)
    elif mapped is Mapped.SOMETIMES:
        yield _finding(view, domain, use, mapped, Level.WARNING)


def _is_legal_address(view: AuditView, ranges: MappedRanges, address: int) -> bool:
    """Tell whether an address may be formed though nothing is mapped there: code, a boundary, or no object at all."""
    section = view.image.section_at(address)
    if section is None or section.executable or address == section.address:
        return True
    symbols = view.image.symbols.all_at(address)
    return address in ranges.ends() or any(not s.size and s.kind == "other" for s in symbols)


def _finding(
    view: AuditView, domain: Domain, use: AddressUse, mapped: Mapped, level: Level
) -> Finding:
    name = place_name(view.image, use.target)
    where = f"{use.target:#x}, {name}"
    what = f"the address is {where}" + (", and something added to it" if use.indexed else "")
    evidence = [Evidence(text=what, address=use.target), *_why(domain, mapped)]
    if domain.name == "hyp-idmap":
        level = Level.WARNING
    if serves_vhe(view, domain) and function_name(view.image, use.address).endswith("_vhe"):
        level = Level.NOTE
        evidence.append(
            Evidence(text="by its name only VHE runs this, where all of the kernel is mapped")
        )
    is_branch = use.does is Does.BRANCHES
    fsc = _PERMISSION_3 if use.does is Does.STORES and mapped is Mapped.READ_ONLY else None
    return Finding(
        rule=_ID,
        level=level,
        title=f"{domain.title} {use.does.value} {name}, which is {_mapped_words(mapped)} there",
        domain=domain.name,
        place=use.address,
        slice=use.code.slice(use.places, use.place),
        word=use.code.word_of(use.place),
        evidence=tuple(evidence),
        fault=PredictedFault(
            ec=_FETCH if is_branch else _ACCESS, fsc=fsc, far_region=_region(domain)
        ),
        cause=_cause(is_branch=is_branch),
        remedy=_REMEDY,
    )


def _mapped_words(mapped: Mapped) -> str:
    if mapped in (Mapped.OWN, Mapped.UNKNOWN):
        return "not executable"
    return (
        "mapped read-only"
        if mapped is Mapped.READ_ONLY
        else ("not always mapped" if mapped is Mapped.SOMETIMES else "not mapped")
    )


def _why(domain: Domain, mapped: Mapped) -> Iterator[Evidence]:
    if domain.name == "hyp-idmap":
        yield Evidence(
            text="it is reached only as long as the MMU is off: then nothing but its own page is mapped"
        )
    elif mapped is Mapped.SOMETIMES:
        yield Evidence(
            text="mapped until protected KVM is finalised; this kernel has __pkvm_init_vm (6.2 and later)"
        )
    elif domain.mapped:
        yield Evidence(text=f"mapped with it: {'; '.join(domain.mapped)}")


def _region(domain: Domain) -> Region:
    return {"hyp": Region.HYP, "hyp-idmap": Region.IDMAP}.get(domain.name, Region.UNKNOWN)


def _cause(*, is_branch: bool) -> str:
    return "call-left-hyp-text" if is_branch else "data-left-hyp-mappings"


def _literals(view: AuditView, domain: Domain, ranges: MappedRanges) -> Iterator[Finding]:
    """Yield literal loads from outside of all that is mapped; PRFM (literal) does not fault."""
    code = view.instructions(domain).found("ldr literal")
    code = code.where(~MASKS["prfm literal"].hits(code.words))
    targets = code.places + (signed_field(code.words, 5, 19) * 4).astype(np.uint64)
    out = np.ones(len(targets), np.bool_)
    for first, end in (*ranges.readable, *ranges.sometimes):
        out &= targets - np.uint64(first) >= np.uint64(max(end - first, 0))
    code = code.where(out)
    rows = zip(
        code.places.tolist(),
        code.words.tolist(),
        code.from_alternative.tolist(),
        targets[out].tolist(),
        strict=True,
    )
    for place, word, patched, target in rows:
        name = place_name(view.image, target)
        yield Finding(
            rule=_ID,
            level=Level.WARNING if domain.name == "hyp-idmap" else Level.ERROR,
            title=f"{domain.title} loads a literal from {name}, which is not mapped there",
            domain=domain.name,
            place=place,
            slice=(place,),
            word=word if patched else None,
            evidence=(
                Evidence(text=f"the literal is at {target:#x}, {name}", address=target),
                *_why(domain, Mapped.NOT),
            ),
            fault=PredictedFault(ec=_ACCESS, fsc=None, far_region=_region(domain)),
            cause=_cause(is_branch=False),
            remedy=_REMEDY,
        )
