"""A switch, a computed goto or an array of functions of moved code branches through absolute addresses.

Found is every BR or BLR whose target is loaded unchanged from a table of eight-byte entries, where entries are
absolute: relocated for the kernel's own mapping, or link addresses as they stand.

Why it breaks: the code runs at another address than it was linked to, and the table's address, made PC-relative, is
right there. Its contents are not: they are where the kernel at EL1 has the code. At EL2 without VHE that is above the
address range of TTBR0_EL2, and the fetch takes an instruction abort with PC equal to FAR.

Example:
    adrp x10, table
    add  x10, x10, :lo12:table
    ldr  x11, [x10, x9, lsl #3]   // .quad case0, case1, ...
    br   x11

False positives: tables of distances (LLVM 8 and later, GCC) hold nothing absolute and are passed over. So are entries
that .hyp.reloc lists, for hyp code, and in an object of the hyp build those that gen-hyprel will list. Code of the
idmap that has turned the MMU on may follow such a table.

Sources: Linux 6.1 arch/arm64/kvm/hyp/nvhe/gen-hyprel.c and arch/arm64/kvm/va_layout.c (kvm_apply_hyp_relocations);
assembler output of clang 14 and 19 and GCC 11 and 12 in tests/data/tables.

From memory: LLVM up to 7 emitted absolute tables for switches unless the code was position independent.
"""

from collections.abc import Iterator

from whypanic.audit.absolute_slots import SlotIndex, slots_of
from whypanic.audit.api import rule
from whypanic.audit.faults import MOVED, cause_of, fetch_fault, runs_where
from whypanic.audit.function_code import FunctionCode, codes_of, functions_at, span_of
from whypanic.audit.kernel_mapped import kernel_is_mapped
from whypanic.audit.loaded_slots import Access, accesses_of, pointers_at
from whypanic.audit.value_uses import Use, uses_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.model.audit import Evidence, Finding, Level
from whypanic.model.image import JumpTable, TableEntryKind

_SHOWN = 4
_EL2 = ("hyp", "hyp-idmap")


@rule(
    number="R01",
    id="absolute-jump-table",
    title="moved code branches through a table of absolute addresses",
    domains=MOVED,
)
def absolute_jump_table(view: AuditView) -> Iterator[Finding]:
    """Yield every branch of moved code whose table holds absolute addresses that nothing fixes up."""
    for domain in view.named(MOVED):
        seen: set[int] = set()
        for table in view.tables(domain):
            if table.entry_kind is not TableEntryKind.ABSOLUTE or table.branch in seen:
                continue
            finding = _of_table(view, domain, table)
            if finding is not None:
                seen.add(table.branch)
                yield finding
        slots = slots_of(view).open_to(domain)
        for span in functions_at(view, domain, slots):
            for code in codes_of(view, span):
                for access in accesses_of(view, code):
                    if access.is_table and domain.holds(code.address(access.place)):
                        yield from _of_access(view, domain, code, access, seen)


def _of_table(view: AuditView, domain: Domain, table: JumpTable) -> Finding | None:
    index = slots_of(view)
    slots = index.open_to(domain)
    entries = [table.table + 8 * n for n in range(len(table.targets))]
    absolute = [place for place in entries if slots.has(place)]
    if not absolute:
        return None
    span = span_of(view, domain, table.branch)
    if span is not None:
        code = codes_of(view, span)[0]
        if kernel_is_mapped(view, domain, code, (table.branch - span.first) // 4):
            return None
    jump = "switch" if table.bound.startswith("cmp ") else "computed goto"
    what = jump if table.in_function else "array"
    return _finding(
        view, domain, what, table.branch, table.slice, table.table, absolute, len(entries)
    )


def _of_access(
    view: AuditView, domain: Domain, code: FunctionCode, access: Access, seen: set[int]
) -> Iterator[Finding]:
    """Yield branches through tables that `tables` does not read: entries not in this file, several tables, odd ends."""
    found = pointers_at(view, access, slots_of(view).open_to(domain))
    if found is None:
        return
    for use in uses_of(code.flow, access.place, access.register):
        branch = code.address(use.place)
        if use.kind is not Use.BRANCHED or branch in seen:
            continue
        if kernel_is_mapped(view, domain, code, use.place):
            continue
        seen.add(branch)
        index = slots_of(view)
        i = [int(t) for t in index.all.within(found.first, found.places[-1] + 8).targets.tolist()]
        inside = all(code.span.holds(target) for target in i)
        yield _finding(
            view,
            domain,
            "switch" if inside else "array",
            branch,
            code.slice(access.places, use.place),
            found.first,
            list(found.places),
            None,
            code.word_of(use.place),
        )


def _finding(
    view: AuditView,
    domain: Domain,
    what: str,
    branch: int,
    slice_: tuple[int, ...],
    table: int,
    absolute: list[int],
    n_entries: int | None,
    word: int | None = None,
) -> Finding:
    index = slots_of(view)
    n = len(absolute)
    of = f" of {n_entries}" if n_entries is not None and n_entries != n else ""
    titles = {
        "switch": f"a switch branches through {n}{of} absolute addresses",
        "computed goto": f"a computed goto branches through {n}{of} absolute addresses",
        "array": f"a call goes through an array with {n}{of} absolute addresses of functions",
    }
    is_jump = what != "array"
    cause = "absolute-jump-table-at-el2"
    if domain.name not in _EL2 or not is_jump:
        cause = cause_of(domain, branch=True)
    return Finding(
        rule="absolute-jump-table",
        level=Level.ERROR,
        title=titles[what],
        domain=domain.name,
        place=branch,
        slice=slice_,
        word=word,
        evidence=(*_evidence(view, index, table, absolute), runs_where(view, domain)),
        fault=fetch_fault(domain),
        cause=cause,
        remedy=_remedy(domain, what),
    )


def _evidence(
    view: AuditView, index: SlotIndex, table: int, absolute: list[int]
) -> Iterator[Evidence]:
    section = view.image.section_at(table)
    where = f" in {section.name}" if section is not None else ""
    yield Evidence(
        text=f"the table at {table:#x}{where} has absolute entries: {index.how(absolute[0])}",
        address=table,
    )
    for place in absolute[:_SHOWN]:
        yield Evidence(
            text=f"entry {(place - table) // 8}: {index.target_words(place)}", address=place
        )
    if len(absolute) > _SHOWN:
        yield Evidence(text=f"{len(absolute) - _SHOWN} more absolute entries")


def _remedy(domain: Domain, what: str) -> str:
    if what == "switch":
        return (
            "build this code with -fno-jump-tables, or with a compiler whose switch tables hold distances; if "
            "the source has a computed goto behind the compare, keep distances from a label in its table"
        )
    if what == "computed goto":
        return "make it a switch, or keep distances from a label in the table instead of labels"
    if domain.name in _EL2:
        return "place the array where .hyp.reloc covers it (.hyp.rodata, 5.12 and later), or call through a switch"
    return "call through a switch, or keep distances from a PC-relative base in the array"
