"""A branch goes through a veneer that loads an absolute address, or through any veneer outside the branch's own pages.

Looked at are the targets of all direct branches of every domain but the kernel proper, in linked images and in
objects that were linked with -r.

Why it breaks: A linker inserts a veneer where a branch cannot reach. LLD's long one is `ldr x16, [pc, #8]; br x16`
and eight bytes that hold the link VA: right at EL1 once the kernel is relocated (and without KASLR), but at EL2, on
the identity map, before relocation and in code that was copied the address is not mapped: a translation fault with PC
and FAR the link VA, or no word at all where there are no vectors yet. A veneer with a PC-relative address, or one
that works around Cortex-A53 erratum 843419 or 835769, is put behind some other section: the branch leaves what is
mapped.

Example:
    primary_entry_far:                      // in .head.text, MMU off
      b __AArch64AbsLongThunk_primary_entry
    __AArch64AbsLongThunk_primary_entry:
      ldr x16, .+8
      br x16
      .quad primary_entry

False positives: Only the exact shape counts: LDR X16 or X17 from eight bytes further on, then BR of that register,
with a BTI before it or not, or the name that LLD gives. Hand-written code that loads a literal and branches through
another register (`ldr x8, =__primary_switched; br x8`, after the MMU is on) is no veneer. A slot that .hyp.reloc
lists is right for hyp code. PC-relative and erratum veneers inside the domain's own code are legal.

Sources: the code of both linkers' veneers as they were made to emit it (clang and LLD 14 and 19, GNU ld 2.40),
recorded in this project's facts on audits; Linux 6.1.192 arch/arm64/Makefile (--pic-veneer).

From memory: LLVM lld/ELF/Thunks.cpp (AArch64ABSLongThunk, AArch64ADRPThunk); the names of erratum veneers, of
binutils bfd/elfnn-aarch64.c; Linux commit 9abe390e689f, which adds --pic-veneer.
"""

from collections.abc import Iterator

from whypanic.audit.api import rule
from whypanic.audit.direct_branches import LONG_THUNK, Veneer, branches_of, veneers_at
from whypanic.audit.faults import cause_of, fetch_fault
from whypanic.audit.naming import branch_word, place_name
from whypanic.audit.rules.call_leaves_hyp_text import legal_targets
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.model.audit import Evidence, Finding, Level

_ID = "absolute-veneer"
_HYP = ("hyp", "hyp-idmap")
_CLOSED = ("hyp", "hyp-idmap", "trampoline", "kexec", "hibernate", "vdso")
"""Domains outside of whose code nothing is mapped: a veneer must lie inside."""


@rule(
    number="R09",
    id=_ID,
    title="a branch goes through a veneer that is wrong where it runs",
    domains=("*", "own"),
)
def absolute_veneer(view: AuditView) -> Iterator[Finding]:
    """Yield every branch whose target is a veneer that is wrong where the branch runs."""
    for domain in view.named(absolute_veneer.domains):
        branches = branches_of(view, domain)
        if not len(branches.places):
            continue
        veneers = veneers_at(view.image, branches.targets)
        if not veneers:
            continue
        legal = legal_targets(view, domain)
        for place, target, word, patched in branches.rows():
            veneer = veneers.get(target)
            if veneer is None:
                continue
            inside = any(first <= target < end for first, end in legal)
            if _is_wrong(view, domain, veneer, inside=inside):
                yield _finding(view, domain, place, word if patched else None, veneer)


def _is_wrong(view: AuditView, domain: Domain, veneer: Veneer, *, inside: bool) -> bool:
    if not _is_absolute(veneer):
        return not inside and domain.name in _CLOSED
    listed = view.hyp_relocations
    covered = listed is not None and veneer.slot is not None and listed.covers(veneer.slot)
    return not (inside and covered and domain.name in _HYP)


def _is_absolute(veneer: Veneer) -> bool:
    by_name = veneer.name is not None and veneer.name.startswith(LONG_THUNK)
    return veneer.register is not None or by_name


def _finding(
    view: AuditView, domain: Domain, place: int, word: int | None, veneer: Veneer
) -> Finding:
    image = view.image
    data = image.read(place, 4)
    what = branch_word(int.from_bytes(data or b"", "little") if word is None else word)
    at = place_name(image, veneer.address)
    slice_: tuple[int, ...] = (place, veneer.address)
    if _is_absolute(veneer):
        slice_ = (*slice_, veneer.address + 4)
        title = f"a {what} goes through the absolute veneer {at}"
        evidence = [Evidence(text=f"the veneer is {at}", address=veneer.address)]
        if veneer.slot is not None:
            held = "an address that is not in this file"
            if veneer.value is not None:
                held = f"{veneer.value:#x}, {place_name(image, veneer.value)}"
            text = f"it loads x{veneer.register} from {veneer.slot:#x}, which holds {held}"
            evidence.append(Evidence(text=text, address=veneer.slot))
        cause = cause_of(domain, branch=True)
    else:
        title = f"a {what} goes through the veneer {at}, outside the {domain.title}"
        text = f"the veneer is {at}; the page that it is in is not mapped with the {domain.title}"
        evidence = [Evidence(text=text, address=veneer.address)]
        cause = "call-left-hyp-text" if domain.name in _HYP else cause_of(domain, branch=True)
    return Finding(
        rule=_ID,
        level=Level.ERROR,
        title=title,
        domain=domain.name,
        place=place,
        slice=slice_,
        word=word,
        evidence=tuple(evidence),
        fault=fetch_fault(domain),
        cause=cause,
        remedy="link with --pic-veneer (LLD 14 and later), or place the target within reach of the branch: 128 MB",
    )
