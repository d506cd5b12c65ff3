"""Moved code loads an absolute pointer from a table of pointers, or from one, and follows it.

Found is every load of eight bytes from a slot, or from a table of slots picked by an index, that holds an absolute
address of the image, where the code uses what it loaded as an address. A switch that only picks a string or a constant
structure becomes such a table even where jump tables are off.

Why it breaks: the slot holds the address that the kernel at EL1 has the object at. Where the code runs, that address is
not mapped: at EL2 without VHE it is above the range of TTBR0_EL2 and the access takes a data abort.

Example:
    adrp x1, names
    add  x1, x1, :lo12:names
    ldr  x0, [x1, w0, uxtw #3]    // .quad .Lstring0, .Lstring1, ...
    ldrb w0, [x0]

False positives: slots that .hyp.reloc lists, for hyp code. A pointer that is only compared, that is made into another
address with a register (as the offset of the image is subtracted), or that goes to ELR_EL2 for an ERET to EL1 is
passed over. One that is returned, stored or handed to another function is a warning: it may be for EL1. Literals and
the GOT have rules of their own.

Sources: assembler output of clang 14 and 19 and GCC 11 and 12 in tests/data/tables (`names`).

From memory: Arm ARM DDI 0487 on addresses above TCR_EL2.T0SZ.
"""

from collections.abc import Iterator

from whypanic.audit.absolute_slots import Slots, slots_of
from whypanic.audit.api import rule
from whypanic.audit.faults import MOVED, access_fault, cause_of, fetch_fault, runs_where
from whypanic.audit.function_code import FunctionCode, codes_of, functions_at
from whypanic.audit.kernel_mapped import kernel_is_mapped
from whypanic.audit.literal_use import is_followed
from whypanic.audit.loaded_slots import Access, accesses_of, pointers_at
from whypanic.audit.value_uses import Use, Used, uses_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.model.audit import Evidence, Finding, Level

_HANDED_ON = (Use.PASSED, Use.RETURNED, Use.STORED)
_SHOWN = 4


@rule(
    number="R02",
    id="absolute-pointer-table",
    title="moved code follows an absolute pointer of a table",
    domains=MOVED,
)
def absolute_pointer_table(view: AuditView) -> Iterator[Finding]:
    """Yield every load of an absolute pointer that moved code follows or hands on."""
    for domain in view.named(MOVED):
        slots = _of_data(view, slots_of(view).open_to(domain))
        for span in functions_at(view, domain, slots):
            for code in codes_of(view, span):
                for access in accesses_of(view, code):
                    if domain.holds(code.address(access.place)):
                        yield from _check(view, domain, code, access, slots)


def _of_data(view: AuditView, slots: Slots) -> Slots:
    """Return the slots that are no literals of code and not in the GOT."""
    kept = slots
    index = slots_of(view)
    ranges = [(s.address, s.end) for s in view.image.sections if s.executable] + list(index.got)
    for first, end in ranges:
        outside = ~((kept.places >= first) & (kept.places < end))
        kept = kept.where(outside)
    return kept


def _check(
    view: AuditView, domain: Domain, code: FunctionCode, access: Access, slots: Slots
) -> Iterator[Finding]:
    found = pointers_at(view, access, slots)
    if found is None or kernel_is_mapped(view, domain, code, access.place):
        return
    uses = uses_of(code.flow, access.place, access.register)
    followed = [use for use in uses if is_followed(use, domain)]
    if access.is_table and any(use.kind is Use.BRANCHED for use in followed):
        return  # a table that is branched through: another rule's
    handed_on = [use for use in uses if use.kind in _HANDED_ON]
    if not followed and not handed_on:
        return
    use = (followed or handed_on)[0]
    index = slots_of(view)
    n = len(found.places)
    what = f"a table of {n} absolute pointers" if access.is_table else "an absolute pointer"
    branch = use.kind is Use.BRANCHED
    yield Finding(
        rule="absolute-pointer-table",
        level=Level.ERROR if followed else Level.WARNING,
        title=f"the address loaded from {what} is {use.kind.value}",
        domain=domain.name,
        place=code.address(access.place),
        slice=code.slice(access.places, use.place),
        word=code.word_of(access.place),
        evidence=(
            *(
                Evidence(
                    text=f"slot {place:#x} holds {index.target_words(place)}: {index.how(place)}",
                    address=place,
                )
                for place in found.places[:_SHOWN]
            ),
            _used(code, use),
            runs_where(view, domain),
        ),
        fault=fetch_fault(domain) if branch else access_fault(domain),
        cause=cause_of(domain, branch=branch),
        remedy="keep distances from a PC-relative base in the table, or place it where .hyp.reloc covers it"
        if domain.name in ("hyp", "hyp-idmap")
        else "make the address PC-relative: adrp and add, or distances in the table",
    )


def _used(code: FunctionCode, use: Used) -> Evidence:
    return Evidence(text=f"there it is {use.kind.value}", address=code.address(use.place))
