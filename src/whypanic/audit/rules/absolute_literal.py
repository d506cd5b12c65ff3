"""Moved code loads an absolute address of the image from a literal.

Found is every LDR (literal) of eight bytes, and every ADRP with LDR from the literal pool of its own code, whose
literal holds an absolute address: `ldr x0, =symbol`, or what GCC makes of any address with -mcmodel=large.

Why it breaks: the literal is relocated for the kernel's own mapping, or is the link address. Where the code runs it is
another address: a branch or an access through it leaves what is mapped there.

Example:
    ldr x1, =kernel_function      // R_AARCH64_ABS64
    br  x1

False positives: literals that .hyp.reloc lists (`=kvm_host_psci_cpu_entry`); at EL2 a value that only goes to ELR_EL2
for an ERET to EL1 (`=panic`), or that a register is subtracted from or added to before it is used (kimage_voffset), and
the string that old hyp code hands to panic(); in the idmap what comes after the MMU was turned on with the kernel's
page tables (`=__secondary_switched`); in the trampoline what comes after TTBR1 was switched (`=vectors`). Constants
are no addresses of the image. A value that is only stored or passed on is a warning.

Sources: Linux 6.1 arch/arm64/kernel/head.S, sleep.S and entry.S; the patches that changed the literals of
arch/arm64/kvm/hyp/hyp-entry.S, switch.c and nvhe/host.S between 5.2 and 5.12, as mailed; Debian's 6.1 vmlinux: 2 listed
literals in the hyp idmap, 3 in the idmap, 35 loads in the trampoline.
"""

from collections.abc import Iterator

import numpy as np

from whypanic.audit.absolute_slots import Slots, slots_of
from whypanic.audit.api import rule
from whypanic.audit.faults import MOVED, access_fault, cause_of, fetch_fault, runs_where
from whypanic.audit.function_code import FunctionCode, codes_of, functions_at, span_of
from whypanic.audit.kernel_mapped import kernel_is_mapped
from whypanic.audit.literal_use import is_followed, is_meant_for_el1
from whypanic.audit.loaded_slots import accesses_of
from whypanic.audit.value_uses import Use, uses_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.code.masks import signed_field
from whypanic.formats.kernel_image import ImageKind
from whypanic.model.audit import Evidence, Finding, Level


@rule(
    number="R06",
    id="absolute-literal",
    title="moved code loads an absolute address from a literal",
    domains=MOVED,
)
def absolute_literal(view: AuditView) -> Iterator[Finding]:
    """Yield every literal load of an absolute address that is not meant for the kernel's own mapping."""
    index = slots_of(view)
    for domain in view.named(MOVED):
        slots = index.open_to(domain)
        seen: set[int] = set()
        for place, literal, patched in _literal_loads(view, domain, slots):
            span = None if index.in_got(literal) else span_of(view, domain, place)
            if span is None:
                continue
            code = codes_of(view, span)[-1 if patched else 0]
            number = (place - span.first) // 4
            register = f"x{code.flow.words[number] & 31}"
            seen.add(place)
            yield from _check(view, domain, code, number, register, literal)
        pools = _pools(view, slots)
        for span in functions_at(view, domain, pools):
            for code in codes_of(view, span):
                for access in accesses_of(view, code):
                    place = code.address(access.place)
                    own = span.holds(access.address) or not _is_others(view, access.address)
                    is_pool = pools.has(access.address) and not access.terms and own
                    if is_pool and place not in seen and domain.holds(place):
                        yield from _check(
                            view, domain, code, access.place, access.register, access.address
                        )


def _literal_loads(
    view: AuditView, domain: Domain, slots: Slots
) -> Iterator[tuple[int, int, bool]]:
    """Yield place, literal, and whether an alternative puts it there."""
    loads = view.instructions(domain).found("ldr x literal")
    literals = loads.places + (signed_field(loads.words, 5, 19) * 4).astype(np.uint64)
    hits = slots.has_each(literals)
    yield from zip(
        loads.places[hits].tolist(),
        literals[hits].tolist(),
        loads.from_alternative[hits].tolist(),
        strict=True,
    )


def _pools(view: AuditView, slots: Slots) -> Slots:
    """Return the slots between code: literal pools, the GOT left out."""
    parts = [slots.within(s.address, s.end) for s in view.image.sections if s.executable]
    if not parts:
        return slots.within(0, 0)
    found = Slots(
        np.concatenate([p.places for p in parts]), np.concatenate([p.targets for p in parts])
    )
    for first, end in slots_of(view).got:
        found = found.where(~((found.places >= first) & (found.places < end)))
    return found


def _is_others(view: AuditView, address: int) -> bool:
    """Tell whether a slot is in another function, or, where no symbol has a size, cannot be this function's."""
    if view.image.kind is ImageKind.RAW:
        return True
    symbol = view.image.symbol_at(address)
    return symbol is not None and symbol.address <= address < symbol.end


def _check(
    view: AuditView, domain: Domain, code: FunctionCode, place: int, register: str, literal: int
) -> Iterator[Finding]:
    index = slots_of(view)
    if kernel_is_mapped(view, domain, code, place):
        return
    uses = uses_of(code.flow, place, register)
    if is_meant_for_el1(domain, uses, index.names_of(literal)):
        return
    followed = [use for use in uses if is_followed(use, domain)]
    shown = followed or list(uses)
    branch = any(use.kind is Use.BRANCHED for use in followed)
    told = [
        Evidence(text=f"there it is {use.kind.value}", address=code.address(use.place))
        for use in shown[:2]
    ]
    yield Finding(
        rule="absolute-literal",
        level=Level.ERROR if followed else Level.WARNING,
        title=f"a literal holds an absolute address, which is {shown[0].kind.value}"
        if shown
        else "a literal holds an absolute address",
        domain=domain.name,
        place=code.address(place),
        slice=code.slice(frozenset({place}), *(use.place for use in shown[:2])),
        word=code.word_of(place),
        evidence=(
            Evidence(
                text=f"the literal at {literal:#x} holds {index.target_words(literal)}: {index.how(literal)}",
                address=literal,
            ),
            *told,
            runs_where(view, domain),
        ),
        fault=fetch_fault(domain) if branch else access_fault(domain),
        cause=cause_of(domain, branch=branch),
        remedy="form the address with adrp and add (adr_l), or convert it before it is used",
    )
