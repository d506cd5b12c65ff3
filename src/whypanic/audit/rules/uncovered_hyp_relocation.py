"""An absolute address in the hyp sections is not listed in .hyp.reloc, or .hyp.reloc lists what is none.

Found is every slot inside the nVHE code's sections that the kernel relocates for EL1 and that .hyp.reloc does not name;
every entry of .hyp.reloc that names no such slot, or one that is named before; and every listed slot whose target EL2
does not map.

Why it breaks: KVM turns the listed slots into hyp VAs before it starts EL2. A slot that is not listed keeps its EL1
address, which EL2 without VHE does not map. An entry for something else changes eight bytes that hold no address, and
a second one makes a hyp VA of a hyp VA. Until 5.11 there is no list at all, and an absolute address in the nVHE code's
data is wrong from the start.

Example:
    .section .hyp.rodata, "a"
    handlers: .quad handle_hvc     // R_AARCH64_ABS64
    .section .hyp.reloc, "a"       // lacks: .long handlers - .

False positives: place-relative data (PREL32, PREL64) is not relocated. Targets in the kernel's .rodata and .bss are
mapped at EL2 up to 6.1; later they are until protected KVM is finalised, hence a warning. An object of the hyp build
without .hyp.reloc yet (gen-hyprel makes it from every R_AARCH64_ABS64) is passed over. A list found by its shape in an
image without sections holds only what fits and cannot show entries too many; its hyp data is what lies between listed
slots.

Sources: Linux 6.1 arch/arm64/kvm/hyp/nvhe/gen-hyprel.c, arch/arm64/include/asm/hyp_image.h and
arch/arm64/kvm/va_layout.c (kvm_apply_hyp_relocations); Debian's 6.1 vmlinux and builds of it by clang 19 and GCC 12,
where 151 of 151 slots are listed.

From memory: the mappings of EL2 from 6.2 on.
"""

import re
from collections.abc import Iterator

import numpy as np

from whypanic.audit.absolute_slots import slots_of
from whypanic.audit.api import rule
from whypanic.audit.faults import access_fault, cause_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain, Range
from whypanic.formats.kernel_image import ImageKind
from whypanic.model.audit import Evidence, Finding, Level

_HYP = ("hyp", "hyp-idmap")
_MAPPED = (".rodata", ".bss")
_GAP = 0x4000
_LAST = (1 << 64) - 1
_BSS_LEFT_OUT = (6, 2)
_REMEDY = "build the slot into a .hyp section of an nVHE object, so that gen-hyprel lists it, or make it PC-relative"


@rule(
    number="R03",
    id="uncovered-hyp-relocation",
    title="an absolute address in the hyp sections is not fixed up for EL2",
    domains=_HYP,
)
def uncovered_hyp_relocation(view: AuditView) -> Iterator[Finding]:
    """Yield slots that .hyp.reloc leaves out, entries that are no slots, and targets that EL2 does not map."""
    domains = view.named(_HYP)
    count = _count(view, domains)
    yield from _left_out(view, domains, count)
    if domains and view.hyp_relocations is not None:
        yield from _listed(view, domains, count)


def _ranges(view: AuditView, domains: tuple[Domain, ...]) -> tuple[Range, ...]:
    """Return what is the hyp's own; an object's sections by name, as some have no part in a domain."""
    found = {r for domain in domains for r in (*domain.code, *domain.data)}
    if view.image.kind is ImageKind.RAW and not _knows_data(domains):
        found |= set(_clusters(view, found))
    if view.is_object:
        found |= {(s.address, s.end) for s in view.image.sections if _is_hyp(s.name)}
    return tuple(sorted(found))


def _knows_data(domains: tuple[Domain, ...]) -> bool:
    return any(domain.data for domain in domains)


def _clusters(view: AuditView, code: set[Range]) -> Iterator[Range]:
    """Yield what lies between listed slots near each other: of an image without names of data, the hyp's own data."""
    listed = view.hyp_relocations
    if listed is None:
        return
    slots = listed.slots
    for first, end in code:
        slots = slots[(slots < np.uint64(first)) | (slots >= np.uint64(min(end, _LAST)))]
    if not len(slots):
        return
    breaks = np.flatnonzero(np.diff(slots) > np.uint64(_GAP)) + 1
    for part in np.split(slots, breaks):
        yield int(part[0]), int(part[-1]) + 8


def _is_hyp(name: str) -> bool:
    return name.startswith(".hyp") and name != ".hyp.reloc"


def _left_out(view: AuditView, domains: tuple[Domain, ...], count: str) -> Iterator[Finding]:
    index = slots_of(view)
    seen: set[int] = set()
    for domain in domains:
        slots = index.open_to(domain)
        # Without a list a literal is judged by what is done with it, by another rule.
        ranges = domain.data if view.hyp_relocations is None else _ranges(view, (domain,))
        for first, end in ranges:
            within = slots.within(first, end)
            for place in within.places.tolist():
                if place in seen:
                    continue
                seen.add(place)
                yield _finding(
                    domain,
                    place,
                    Level.ERROR,
                    "an absolute address in a hyp section is not listed in .hyp.reloc"
                    if view.hyp_relocations is not None
                    else "an absolute address in hyp data of a kernel without .hyp.reloc",
                    f"the slot holds {index.target_words(place)}: {index.how(place)}",
                    count,
                )


def _count(view: AuditView, domains: tuple[Domain, ...]) -> str:
    index = slots_of(view)
    n_slots = sum(len(index.all.within(*r).places) for r in _ranges(view, domains))
    listed = view.hyp_relocations
    n_listed = 0 if listed is None else len(listed.slots)
    return f"hyp sections hold {n_slots} absolute slots, .hyp.reloc lists {n_listed}"


def _listed(view: AuditView, domains: tuple[Domain, ...], count: str) -> Iterator[Finding]:
    listed = view.hyp_relocations
    assert listed is not None
    index = slots_of(view)
    domain = domains[-1]
    own = _ranges(view, domains)
    places = index.all.places
    is_slot = index.all.has_each(listed.slots)
    for place in np.unique(listed.slots[~is_slot]).tolist():
        yield _finding(
            domain,
            place,
            Level.ERROR,
            ".hyp.reloc lists eight bytes that hold no address",
            "no relocation and no address of the image is at this place",
            count,
        )
    known, times = np.unique(listed.slots[is_slot], return_counts=True)
    for place in known[times > 1].tolist():
        yield _finding(
            domain,
            place,
            Level.ERROR,
            ".hyp.reloc lists a slot more than once",
            f"the slot holds {index.target_words(place)}, and is converted each time",
            count,
        )
    inside = np.zeros(len(known), np.bool_)
    at = np.searchsorted(places, known)
    targets = index.all.targets[at] if len(known) else known
    target_inside = targets == 0
    for first, end in own:
        inside |= (known >= np.uint64(first)) & (known < np.uint64(min(end, _LAST)))
        # The end of a range is an address of it, unless a function begins there.
        last = end if _begins_function(view, end) else min(end + 1, _LAST)
        target_inside |= (targets >= np.uint64(first)) & (targets < np.uint64(last))
    for place in known[~inside].tolist():
        yield _finding(
            domain,
            place,
            Level.ERROR,
            ".hyp.reloc lists a slot outside the hyp sections",
            f"the slot holds {index.target_words(place)}, and the kernel reads it at EL1",
            count,
        )
    if view.image.kind is ImageKind.RAW and not _knows_data(domains):
        return  # where the hyp's data ends is not known
    outside = known[inside & ~target_inside].tolist()
    for place, target in zip(outside, targets[inside & ~target_inside].tolist(), strict=True):
        level = _level_of_target(view, target)
        if level is not None:
            yield _finding(
                domain,
                place,
                level,
                "a listed slot of the hyp points to what EL2 does not map",
                f"the slot holds {index.target_words(place)}",
                count,
            )


def _begins_function(view: AuditView, address: int) -> bool:
    return any(s.kind == "function" and s.size for s in view.image.symbols.all_at(address))


def _level_of_target(view: AuditView, target: int) -> Level | None:
    section = view.image.section_at(target)
    if section is None:
        return None
    if section.name.startswith(_MAPPED):
        release = re.search(r"Linux version (\d+)\.(\d+)", view.image.banner or "")
        if release is None or (int(release[1]), int(release[2])) < _BSS_LEFT_OUT:
            return None
        return Level.WARNING
    return Level.ERROR


def _finding(domain: Domain, place: int, level: Level, title: str, *evidence: str) -> Finding:
    return Finding(
        rule="uncovered-hyp-relocation",
        level=level,
        title=title,
        domain=domain.name,
        place=place,
        evidence=tuple(
            Evidence(text=text, address=None if i else place) for i, text in enumerate(evidence)
        ),
        fault=access_fault(domain),
        cause=cause_of(domain, branch=False),
        remedy=_REMEDY,
    )
