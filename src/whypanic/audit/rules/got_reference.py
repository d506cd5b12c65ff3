"""Moved code takes an address from the global offset table.

Found is every load of moved code from a slot of the GOT (.got, .got.plt, or where they were linked into .text) that
holds an absolute address; in an object every relocation that asks for such a slot.

Why it breaks: the slot is filled with the address that the kernel at EL1 uses, and only once the kernel has relocated
itself. Where the code runs it is another address, and before relocation the slot is empty. At EL2 the GOT is not even
mapped.

Example:
    adrp x0, :got:kernel_symbol
    ldr  x0, [x0, :got_lo12:kernel_symbol]

False positives: slots of weak symbols that nothing defines are zero and stay so. Linkers turn a GOT reference to a
symbol of the image into adrp and add where they can; such code holds no load any more. Code of the idmap behind the
switch to the kernel's page tables is passed over.

Sources: ELF for the Arm 64-bit Architecture (aaelf64.rst), GOT-relative relocations; assembler output with -fpie in
tests/data/tables.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from whypanic.audit.absolute_slots import Slots, slots_of
from whypanic.audit.api import rule
from whypanic.audit.faults import MOVED, access_fault, cause_of, fetch_fault, runs_where
from whypanic.audit.function_code import FunctionCode, codes_of, functions_at, span_of
from whypanic.audit.kernel_mapped import kernel_is_mapped
from whypanic.audit.loaded_slots import accesses_of
from whypanic.audit.value_uses import Use, uses_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.code.masks import signed_field
from whypanic.formats.kernel_image import ImageKind, ObjectRelocation
from whypanic.model.audit import Evidence, Finding, Level

_PAGE, _PAGE_LOAD = 311, 312
_NAMES = {
    **{300 + n: f"MOVW_GOTOFF_G{n // 2}{'_NC' if n % 2 else ''}" for n in range(7)},
    309: "GOT_LD_PREL19",
    310: "LD64_GOTOFF_LO15",
    311: "ADR_GOT_PAGE",
    312: "LD64_GOT_LO12_NC",
    313: "LD64_GOTPAGE_LO15",
}
_MAX_BETWEEN = 256
"""Bytes between ADRP and the load that belongs to it."""
_REMEDY = "declare the symbol hidden (#include <linux/hidden.h> or -fvisibility=hidden), or form its address with adr_l"


@rule(
    number="R08",
    id="got-reference",
    title="moved code takes an address from the global offset table",
    domains=MOVED,
)
def got_reference(view: AuditView) -> Iterator[Finding]:
    """Yield every reference of moved code to the global offset table."""
    for domain in view.named(MOVED):
        if view.is_object:
            yield from _of_object(view, domain)
            continue
        slots = _got_slots(view, domain)
        seen: set[int] = set()
        for place, slot in _direct(view, domain, slots):
            span = span_of(view, domain, place)
            if span is not None and not span.holds(slot):
                code = codes_of(view, span)[0]
                number = (place - span.first) // 4
                register = f"x{code.flow.words[number] & 31}"
                seen.add(place)
                yield from _check(view, domain, code, number, register, slot, frozenset())
        for span in functions_at(view, domain, slots):
            for code in codes_of(view, span):
                for access in accesses_of(view, code):
                    place = code.address(access.place)
                    if not slots.has(access.address) or access.terms or place in seen:
                        continue
                    if domain.holds(place) and not span.holds(access.address):
                        seen.add(place)
                        yield from _check(
                            view,
                            domain,
                            code,
                            access.place,
                            access.register,
                            access.address,
                            access.places,
                        )


def _got_slots(view: AuditView, domain: Domain) -> Slots:
    """Return the absolute slots of the GOT; where nothing names it, those between functions."""
    index = slots_of(view)
    slots = index.open_to(domain)
    if index.got:
        parts = [slots.within(*r) for r in sorted(index.got)]
        found = Slots(
            np.concatenate([p.places for p in parts]), np.concatenate([p.targets for p in parts])
        )
        places, first = np.unique(found.places, return_index=True)
        return Slots(places, found.targets[first])
    # A raw Image does not name it: it lies between functions.
    if view.image.kind is not ImageKind.RAW:
        return slots.within(0, 0)
    return _between_code(view, slots)


def _between_code(view: AuditView, slots: Slots) -> Slots:
    parts = [slots.within(s.address, s.end) for s in view.image.sections if s.executable]
    if not parts:
        return slots.within(0, 0)
    return Slots(
        np.concatenate([p.places for p in parts]), np.concatenate([p.targets for p in parts])
    )


def _direct(view: AuditView, domain: Domain, slots: Slots) -> Iterator[tuple[int, int]]:
    """Yield LDR (literal) from the GOT: -mcmodel=tiny."""
    loads = view.instructions(domain).found("ldr x literal")
    literals = loads.places + (signed_field(loads.words, 5, 19) * 4).astype(np.uint64)
    hits = slots.has_each(literals) & ~loads.from_alternative
    yield from zip(loads.places[hits].tolist(), literals[hits].tolist(), strict=True)


def _check(
    view: AuditView,
    domain: Domain,
    code: FunctionCode,
    place: int,
    register: str,
    slot: int,
    places: frozenset[int],
) -> Iterator[Finding]:
    if kernel_is_mapped(view, domain, code, place):
        return
    index = slots_of(view)
    uses = uses_of(code.flow, place, register)
    branch = any(use.kind is Use.BRANCHED for use in uses)
    yield Finding(
        rule="got-reference",
        level=Level.ERROR,
        title="an address is loaded from the global offset table",
        domain=domain.name,
        place=code.address(place),
        slice=code.slice(places, place, *(use.place for use in uses[:2])),
        word=code.word_of(place),
        evidence=(
            Evidence(
                text=f"the GOT slot at {slot:#x} holds {index.target_words(slot)}: {index.how(slot)}",
                address=slot,
            ),
            runs_where(view, domain),
        ),
        fault=fetch_fault(domain) if branch else access_fault(domain),
        cause=cause_of(domain, branch=branch),
        remedy=_REMEDY,
    )


def _of_object(view: AuditView, domain: Domain) -> Iterator[Finding]:
    entries = [
        entry
        for first, end in view.own_code(domain)
        for entry in view.image.relocations_within(first, end)
        if entry.type in _NAMES
    ]
    for entry in entries:
        if entry.type == _PAGE and _is_completed(entry, entries):
            continue
        name = f"R_AARCH64_{_NAMES[entry.type]}"
        pages = [e.place for e in entries if e.type == _PAGE and _belongs(e, entry)]
        yield Finding(
            rule="got-reference",
            level=Level.ERROR,
            title="an address is loaded from the global offset table",
            domain=domain.name,
            place=entry.place,
            slice=tuple(sorted({*pages[-1:], entry.place})),
            evidence=(
                Evidence(text=f"{name} against {entry.symbol}", address=entry.place),
                runs_where(view, domain),
            ),
            fault=access_fault(domain),
            cause=cause_of(domain, branch=False),
            remedy=_REMEDY,
        )


def _is_completed(page: ObjectRelocation, entries: Sequence[ObjectRelocation]) -> bool:
    return any(entry.type == _PAGE_LOAD and _belongs(page, entry) for entry in entries)


def _belongs(page: ObjectRelocation, entry: ObjectRelocation) -> bool:
    return page.symbol == entry.symbol and 0 < entry.place - page.place <= _MAX_BETWEEN
