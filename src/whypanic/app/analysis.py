"""From the facts of one log to cases with ranked causes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from whypanic.app.surroundings import Surroundings
from whypanic.arch.esr import decode_esr
from whypanic.causes.case import CaseView
from whypanic.causes.engine import Assessment, assess
from whypanic.causes.replayed import add_replays
from whypanic.code.faulting import find_effective_address, find_faulting
from whypanic.code.hyp_idmap import find_idmap_distance
from whypanic.code.hyp_mode import HypMode, infer_hyp_mode
from whypanic.code.indirect_branch import IndirectBranch, find_indirect_branches
from whypanic.code.kernel_layout import infer_layout
from whypanic.code.switch_values import solve, survey_switch
from whypanic.crashlog.places import Places
from whypanic.crashlog.read import read_log
from whypanic.crashlog.texts import open_texts
from whypanic.model.code import CodeLine, Listing
from whypanic.model.experiments import ReplayResult
from whypanic.model.fault import FaultAddress
from whypanic.model.hyp import HypPanic, IdmapPage
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Damage, Fact
from whypanic.model.registers import Register
from whypanic.model.report import LogReport, LogText


class Explained(NamedTuple):
    """One report with what was made of it."""

    report: LogReport
    case: CaseView
    assessments: tuple[Assessment, ...]
    damage: tuple[Damage, ...]
    """Of the report and of the lines it spans."""
    places: Places | None = None
    """Where the lines of a decoded text stand in the file; None: they are those of the file."""
    given: tuple[Fact, ...] = ()
    """The facts that everything else was derived from."""


def explain_text(data: bytes, index: int = 0) -> tuple[LogText, tuple[Explained, ...]]:
    """Return the reading of one input and every report in it, explained, in order of appearance.

    A mail is decoded first; an mbox is read thread by thread, none of which knows of another.
    """
    texts: list[LogText] = []
    found: list[Explained] = []
    for part in open_texts(data):
        text = read_log(part.data, index)
        texts.append(text)
        around = Surroundings(text)
        base = len(found)
        for report in text.reports:
            explained = explain_report(report, around)
            if base and report.follows is not None:
                explained = explained._replace(
                    report=replace(report, follows=base + report.follows)
                )
            found.append(explained._replace(places=part.places))
    if len(texts) == 1:
        return texts[0], tuple(found)
    found = _in_order(found)
    whole = LogText(
        reports=tuple(item.report for item in found),
        context=tuple(fact for text in texts for fact in text.context),
        n_lines=sum(text.n_lines for text in texts),
        n_understood=sum(text.n_understood for text in texts),
        damage=tuple(item for text in texts for item in text.damage),
    )
    return whole, tuple(found)


def _in_order(found: Sequence[Explained]) -> list[Explained]:
    """Return reports of several texts by their place in the file."""

    def place(number: int) -> int:
        item = found[number]
        span = item.report.span
        return span.first_line if item.places is None else item.places.span(span).first_line

    order = sorted(range(len(found)), key=place)
    moved = {old: new for new, old in enumerate(order)}
    return [
        item
        if item.report.follows is None
        else item._replace(report=replace(item.report, follows=moved[item.report.follows]))
        for item in (found[number] for number in order)
    ]


def explain_report(report: LogReport, around: Surroundings) -> Explained:
    """Return one report of a log with its causes, best first."""
    facts = (*report.facts, *around.context_of(report))
    derived = derive(report.kind, facts, branches_of=around.branches_of)
    case = CaseView(report.kind, (*facts, *derived))
    damage = (*report.damage, *around.damage_within(report.span))
    return Explained(report, case, assess(case), damage, given=facts)


def with_facts(explained: Explained, facts: Iterable[Fact]) -> Explained:
    """Return a report explained anew with facts that do not stand in its text."""
    report = explained.report
    given = (*explained.given, *facts)
    case = CaseView(report.kind, (*given, *derive(report.kind, given)))
    return explained._replace(case=case, assessments=assess(case), given=given)


def with_replays(explained: Explained, results: Sequence[ReplayResult]) -> Explained:
    """Return an explained report with what its replays add."""
    case = CaseView(explained.case.kind, (*explained.case.facts, *results))
    return explained._replace(case=case, assessments=add_replays(explained.assessments, case))


_FIRST_PAGE = 0x1000


def _el1_view(panic: HypPanic | None, mode: HypMode | None) -> Iterator[Fact]:
    """Yield the fault address where the causes of EL1 read it as at EL1: near NULL, and with VHE any address.

    Elsewhere a low address at EL2 is a hyp VA and no user address.
    """
    if panic is None or panic.far is None or panic.esr is None:
        return
    if decode_esr(panic.esr, el=2).far_valid is False:
        return
    if panic.far < _FIRST_PAGE or (mode is not None and mode.mode == "vhe"):
        yield FaultAddress(source=panic.source, va=panic.far, place="far")


def derive(
    kind: Kind,
    facts: Iterable[Fact],
    *,
    branches_of: Callable[[Listing], tuple[IndirectBranch, ...]] = find_indirect_branches,
) -> tuple[Fact, ...]:
    """Return what the machine code and the layout make of the facts."""
    known = tuple(facts)
    derived: list[Fact] = [infer_layout(known)]
    registers: dict[str, Register] = {}
    for fact in known:
        if isinstance(fact, Register):
            registers.setdefault(fact.name, fact)
    listings = [f for f in known if isinstance(f, Listing)]
    pc = registers.get("pc")
    faulting = find_faulting(
        [f for f in known if isinstance(f, CodeLine)], registers, listings, pc.ref if pc else None
    )
    if faulting is not None:
        derived.append(faulting)
        far = next((f for f in known if isinstance(f, FaultAddress)), None)
        address = find_effective_address(faulting, registers, far)
        if address is not None:
            derived.append(address)
    mode = infer_hyp_mode(known)
    if mode is not None:
        derived.append(mode)
    branches = [b for listing in listings for b in branches_of(listing)]
    derived.extend(branches)
    panic = next((f for f in known if isinstance(f, HypPanic)), None)
    if kind is Kind.HYP_PANIC or (kind is Kind.BOOT_HANG and panic is not None):
        derived.extend(_el1_view(panic, mode))
        page = next((f for f in known if isinstance(f, IdmapPage)), None)
        distance = find_idmap_distance(panic, page)
        if distance is not None:
            derived.append(distance)
        for branch in branches:
            survey = survey_switch(branch)
            if survey is not None:
                derived.append(survey)
                derived.extend(solve(survey, panic, known))
    return tuple(derived)
