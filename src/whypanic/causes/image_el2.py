"""What an image says of a panic at EL2: the table, call or reference that led there."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whypanic.arch.esr import FaultKind
from whypanic.arch.insn import decode
from whypanic.arch.pstate import decode_pstate
from whypanic.arch.values import MASK64
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import EL2, El2, link_address
from whypanic.causes.image import against_by_image, from_image, pc_domain, pc_location
from whypanic.code.indirect_branch import IndirectBranch
from whypanic.code.table_runs import TableFlags
from whypanic.model.claims import Claim, Statements, consistent
from whypanic.model.image import (
    CodeReference,
    HypSlide,
    JumpTable,
    PcLocation,
    Slide,
    TableEntryKind,
)
from whypanic.model.provenance import Fact, Origin

HYP = ("hyp", "hyp-stub", "hyp-idmap")
_PAGE = 0x1000


def table_in_image(case: CaseView, el2: El2) -> Statements:
    """Yield what the tables of the function of PC say: one whose entry is PC, or none."""
    at, domain = pc_location(case), pc_domain(case)
    if at is None or not el2.pc_is_upper:
        return
    pc = at.located.address
    if domain is not None and domain.name not in HYP:
        yield from _refuted(
            case,
            f"PC is {_name(at)}, {domain.name} code of the image: a switch of hyp code has its labels in hyp code",
            at,
            domain,
        )
        return
    own = [t for t in case.all(JumpTable) if not t.call]
    absolute = [t for t in own if t.entry_kind is TableEntryKind.ABSOLUTE]
    ways = [_judge(case, el2, table, pc) for table in absolute if pc in table.targets]
    if ways:
        best = min(ways, key=lambda way: _ORDER.index(way.agrees))
        if best.agrees is False:
            for way in ways:
                yield from _refuted(case, way.reason, way.table, *way.flags)
        else:
            yield from _table(case, el2, best, at)
    elif absolute and _all_seen(case, own):
        table = absolute[0]
        more = f", nor of {len(absolute) - 1} more" if len(absolute) > 1 else ""
        yield from _refuted(
            case,
            f"the table at {table.table:#x} holds {len(table.targets)} addresses, and PC {pc:#x} is none of them{more}",
            table,
            at,
        )


class _Way(NamedTuple):
    """A table of addresses, one of them PC."""

    table: JumpTable
    flags: tuple[TableFlags, ...]
    agrees: bool | None
    """PC and the flags of the panic are what it leaves; None: the flags are not known."""
    reason: str = ""
    """Why not."""


_ORDER = (True, None, False)


def _judge(case: CaseView, el2: El2, table: JumpTable, pc: int) -> _Way:
    if table.fixed_up >= len(table.targets):
        where = f"{table.section} at {table.table:#x}" if table.section else f"{table.table:#x}"
        reason = f"the table in {where} is listed in .hyp.reloc: at EL2 its entries are hyp VAs, and PC is none"
        return _Way(table, (), False, reason)
    found = tuple(
        f for f in case.all(TableFlags) if f.target == pc and f.branch.line.address == table.branch
    )
    if not found or not found[0].nzcv or el2.nzcv is None:
        return _Way(table, found, None)
    if el2.nzcv in found[0].nzcv:
        return _Way(table, found, True)
    reason = f"no index that leads to PC leaves NZCV {el2.nzcv:04b} at the branch"
    return _Way(table, found, False if found[0].alone else None, reason)


def _all_seen(case: CaseView, tables: Sequence[JumpTable]) -> bool:
    """Tell whether the image shows where every branch through a register in the function of PC goes."""
    read = {table.branch for table in tables}
    found = [b for b in case.all(IndirectBranch) if b.line.source.origin is Origin.IMAGE]
    return bool(found) and all(b.call or b.line.address in read for b in found)


def _table(case: CaseView, el2: El2, way: _Way, at: PcLocation) -> Statements:
    table, pc = way.table, at.located.address
    indexes = [i for i, target in enumerate(table.targets) if target == pc]
    which = ", ".join(f"[{i}]" for i in indexes[:4])
    where = f"{table.section} at {table.table:#x}" if table.section else f"{table.table:#x}"
    listed = ", ".join(f"[{i}] {t:#x}" for i, t in enumerate(table.targets[:8]))
    more = f" and {len(table.targets) - 8} more" if len(table.targets) > 8 else ""
    domain = pc_domain(case)
    facts: list[Fact] = [table, el2.panic, *way.flags, *((domain,) if domain else ())]
    text = (
        f"the table that {table.function} branches through at {table.branch:#x} lies in {where} and holds EL1 "
        f"addresses ({listed}{more}); entry {which} is PC"
    )
    if not at.located.offset or not table.in_function:
        # A pointer to the function leads to its start as well, and an array of functions is no switch.
        yield consistent(text, *facts, *_slides(case))
        return
    # Entry and PC are compared where they were linked, and the KASLR offset may be solved instead of printed: a wrong
    # one would have to put PC onto an entry of this very table, with the flags of an index that leads there.
    yield from_image(
        case,
        text,
        *facts,
        *_slides(case),
        proves=domain is not None
        and way.agrees is True
        and not table.fixed_up
        and _explained(el2, FaultKind.TRANSLATION),
    )


def _refuted(case: CaseView, text: str, *facts: Fact) -> Iterator[Claim]:
    claim = against_by_image(case, text, *facts)
    if claim is not None:
        yield claim


def _name(at: PcLocation) -> str:
    return at.located.symbol or hex(at.located.address)


def _explained(el2: El2, kind: FaultKind) -> bool:
    """Tell whether every value of the panic that means something is what such a fetch leaves."""
    panic = el2.panic
    if panic.ps is None or el2.esr is None or panic.far is None or el2.mode is None:
        return False
    is_said = el2.esr.fault_kind is kind
    return is_said and el2.nvhe and el2.fetch and decode_pstate(panic.ps).el == EL2


def _slides(case: CaseView) -> Iterator[Fact]:
    yield from (s for s in case.all(Slide) if s.module is None)
    yield from case.all(HypSlide)


def call_in_image(case: CaseView, el2: El2) -> Statements:
    """Yield the calls of hyp code that lead to PC, or that PC is hyp code after all."""
    at, domain = pc_location(case), pc_domain(case)
    if at is None or domain is None or not el2.pc_is_lower:
        return
    name = _name(at)
    if domain.name in HYP:
        yield from _refuted(
            case, f"PC is {name}, inside the {domain.name} code of the image", at, domain
        )
        return
    calls = [
        r
        for r in case.all(CodeReference)
        if r.kind in ("call", "branch") and r.target == at.located.address and r.domain in HYP
    ]
    section = f" in {at.located.section}" if at.located.section else ""
    if not calls:
        yield from_image(
            case, f"PC is {name}{section}, outside the hyp code of the image", at, domain
        )
        return
    first = calls[0]
    others = f" and {len(calls) - 1} more" if len(calls) > 1 else ""
    slide = case.get(HypSlide)
    yield from_image(
        case,
        f"`{first.text or first.kind}` at {first.place:#x} in {first.function or 'hyp code'}{others} leads to {name}"
        f"{section}, which is outside the hyp code: PC is its target",
        first,
        at,
        domain,
        *_slides(case),
        proves=_explained(el2, FaultKind.TRANSLATION) and slide is not None and slide.printed,
    )


def data_in_image(case: CaseView, el2: El2) -> Statements:
    """Yield what the access at PC, or else a reference of its function, makes of FAR."""
    slide, at = case.get(HypSlide), pc_location(case)
    if slide is None or el2.panic.far is None or at is None:
        return
    far = (el2.panic.far + slide.value) & MASK64
    found = [r for r in case.all(CodeReference) if r.kind in ("address", "access")]
    reached = next((r for r in found if r.kind == "access" and r.target == far), None)
    if reached is not None and reached.place == at.located.address:
        yield from_image(
            case,
            f"`{reached.text}` at {reached.place:#x} accesses {reached.target_symbol or hex(far)}, whose address "
            f"{reached.function or 'the function'} forms from PC: FAR is that address, in a page that EL2 does not map",
            reached,
            at,
            slide,
            proves=slide.printed and _data_explained(el2, reached),
        )
        return
    near = [r for r in found if r.target <= far < r.target + _PAGE]
    if near:
        best = max(near, key=lambda r: r.target)
        yield from_image(
            case,
            f"{best.function or 'the function of PC'} forms the address of "
            f"{best.target_symbol or hex(best.target)} at {best.place:#x}: FAR is {far - best.target:#x} behind it, in "
            "a page that EL2 does not map",
            best,
            at,
            slide,
        )


def _data_explained(el2: El2, reference: CodeReference) -> bool:
    panic, esr = el2.panic, el2.esr
    if panic.ps is None or esr is None or el2.mode is None or reference.word is None:
        return False
    memory = decode(reference.word).memory
    if memory is None or (esr.wnr is not None and esr.wnr != (memory.store or memory.atomic)):
        return False
    is_said = esr.fault_kind is FaultKind.TRANSLATION
    return is_said and el2.nvhe and el2.read_write and decode_pstate(panic.ps).el == EL2


def slots_in_image(case: CaseView, address: int | None) -> Iterator[Claim]:
    """Yield slots and literals of hyp data and code that hold an EL1 address and that nothing converts."""
    if address is None:
        return
    link = link_address(case, address)
    for found in case.all(CodeReference):
        if found.kind not in ("slot", "literal") or found.target != link or found.domain not in HYP:
            continue
        if found.covered:
            continue  # EL2 reads a hyp VA there; what else holds the address is not known
        yield from_image(
            case,
            f"{found.function or found.section or 'hyp data'} at {found.place:#x} holds the EL1 address of "
            f"{found.target_symbol or hex(found.target)}, and no .hyp.reloc entry converts it",
            found,
        )
