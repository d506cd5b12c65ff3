"""From explained reports to the public document."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import structs

from whypanic import __version__
from whypanic.app.analysis import Explained
from whypanic.app.code_document import code_of
from whypanic.app.core_document import core_of
from whypanic.app.decoded_values import (
    exception_level_of,
    far_of,
    features_of,
    hpfar_of,
    page_table_of,
    par_of,
    pstate_of,
    registers_of,
    syndrome_of,
)
from whypanic.app.evidence import evidence_of
from whypanic.app.fact_document import facts_of
from whypanic.app.frames_document import frames_of, is_caller
from whypanic.app.image_document import access_of, image_of, named_of, tables_of
from whypanic.app.physical_lines import relocated
from whypanic.app.progress_document import locks_of, stall_of
from whypanic.app.reproduce import commands_of, settled_by_image
from whypanic.app.stacks_document import stacks_of
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import function_of_pc, location_of_pc, solution_of
from whypanic.causes.engine import Assessment
from whypanic.causes.progress import named_function
from whypanic.code.hyp_mode import HypMode
from whypanic.crashlog.titles import STALLS, WORDS
from whypanic.model.claims import Claim
from whypanic.model.context import BuildId, Hardware, KernelVersion, Taint, Task
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Span
from whypanic.model.report import LogText
from whypanic.model.trace import Frame
from whypanic.report.document import (
    EXPLAIN_SCHEMA,
    DocBlame,
    DocCause,
    DocClaim,
    DocCoverage,
    DocDamage,
    DocGroup,
    DocKernel,
    DocNext,
    DocRemedy,
    DocReport,
    DocSpan,
    ExplainDocument,
    Input,
    Tool,
    Unreadable,
)
from whypanic.symbolize.blame import blame, strip_suffixes

_HYP_PANIC = "HYP panic at EL2 in "
_STALLS = tuple(WORDS[kind] for kind in STALLS)


class ReadInput(NamedTuple):
    """One input that could be read, with what was made of it."""

    input: Input
    text: LogText
    explained: tuple[Explained, ...]


def tool() -> Tool:
    """Return what the document says of this program."""
    return Tool(name="whypanic", version=__version__)


def build_document(
    read: Sequence[ReadInput], unreadable: Sequence[Unreadable] = ()
) -> ExplainDocument:
    """Return the document of one run over several inputs."""
    reports: list[DocReport] = []
    for item in read:
        first = len(reports)
        reports.extend(
            report_of(explained, order=first + n + 1, first=first)
            for n, explained in enumerate(item.explained)
        )
    return ExplainDocument(
        schema=EXPLAIN_SCHEMA,
        tool=tool(),
        inputs=[item.input for item in read],
        unreadable=list(unreadable),
        reports=reports,
        groups=groups_of(reports),
    )


def groups_of(reports: Sequence[DocReport]) -> list[DocGroup]:
    """Return the signatures in order of appearance, with the reports that have them."""
    orders: dict[str, list[int]] = {}
    for report in reports:
        orders.setdefault(report.signature, []).append(report.order)
    return [
        DocGroup(signature=signature, count=len(found), orders=found)
        for signature, found in orders.items()
    ]


def report_of(explained: Explained, *, order: int, first: int) -> DocReport:
    """Return one report of the document.

    :param order: 1-based place among all reports of the run.
    :param first: number of reports before this input's first.
    """
    report, case = explained.report, explained.case
    task, mode = case.get(Task), case.get(HypMode)
    frames = frames_of(case)
    culprit = blame_of(case)
    follows = None if report.follows is None else first + report.follows + 1
    found = DocReport(
        kind=report.kind.value,
        title=title_of(report.title, culprit),
        signature=signature_of(case, culprit),
        span=span_of(report.span),
        order=order,
        follows=follows,
        kernel=kernel_of(case),
        machine=machine_of(case),
        core=core_of(case),
        cpu=cpu_of(case),
        pid=task.pid if task else None,
        comm=task.comm if task else None,
        taint=list(taint.letters) if (taint := case.get(Taint)) else [],
        el=exception_level_of(case),
        kvm_mode=mode.mode if mode else None,
        hvhe=mode.hvhe if mode else None,
        registers=registers_of(case),
        pstate=pstate_of(case),
        syndrome=syndrome_of(case),
        far=far_of(case),
        hpfar=hpfar_of(case),
        par=par_of(case),
        page_table=page_table_of(case),
        features=features_of(case),
        image=image_of(case),
        named=named_of(case),
        access=access_of(case),
        tables=tables_of(case),
        code=code_of(case),
        frames=frames,
        stacks=stacks_of(case),
        blame=culprit,
        locks=locks_of(case),
        stall=stall_of(case),
        causes=causes_of(case, explained.assessments),
        evidence=evidence_of(case),
        commands=commands_of(case),
        coverage=DocCoverage(lines=report.n_lines, understood=report.n_understood),
        damage=[DocDamage(span=span_of(d.span), reason=d.reason) for d in explained.damage],
        unparsed=[span_of(span) for span in report.unparsed],
    )
    return relocated(found, explained.places)


def title_of(title: str, culprit: DocBlame | None) -> str:
    """Return the report's title; with the blamed function where the log's own lines did not name one."""
    if culprit is not None and title.startswith(_STALLS):
        return f"{title} in {culprit.function}"
    if culprit is not None and title.startswith(_HYP_PANIC):
        # The frames of the trace are those of its callers.
        return f"{title.partition(' in ')[0].rstrip(',')}, in {culprit.function}"
    if culprit is None or " in " in title or " at " not in title:
        return title
    return f"{title}, in {culprit.function}"


# Parts ---------------------------------------------------------------------------------------


def cpu_of(case: CaseView) -> int | None:
    """Return the CPU that reported: of the first line that names the task, or of a later one on the same task.

    Of a boot that went silent the one that the lab found.
    """
    tasks = case.all(Task)
    if case.kind is Kind.BOOT_HANG:
        return case.headline.cpu if case.headline is not None else None
    return next((t.cpu for t in tasks if t.cpu is not None and t.pid == tasks[0].pid), None)


def span_of(span: Span) -> DocSpan:
    """Return a span in the form of the document."""
    return DocSpan(input=span.input, first_line=span.first_line, last_line=span.last_line)


def claim_of(claim: Claim) -> DocClaim:
    """Return a claim with its facts."""
    return DocClaim(sense=claim.sense.value, text=claim.text, facts=facts_of(claim.facts))


def cause_of(assessment: Assessment) -> DocCause:
    """Return one assessed cause."""
    return DocCause(
        id=assessment.id,
        title=assessment.title,
        verdict=assessment.verdict.value,
        claims=[claim_of(c) for c in assessment.claims],
        missing=list(assessment.missing),
        remedies=[DocRemedy(text=r.text, patch=r.patch) for r in assessment.remedies],
        next=[DocNext(text=n.text, command=n.command) for n in assessment.next],
    )


def causes_of(case: CaseView, assessments: Sequence[Assessment]) -> list[DocCause]:
    """Return the causes in their order; the first always says what to do next."""
    causes = [cause_of(a) for a in assessments]
    causes = [structs.replace(c, next=_open_steps(case, c.next)) for c in causes]
    commands = commands_of(case)
    if causes and not causes[0].next and commands:
        step = DocNext(text=f"see {commands[0].shows}", command=commands[0].command)
        causes[0] = structs.replace(causes[0], next=[step])
    return causes


def _open_steps(case: CaseView, steps: Sequence[DocNext]) -> list[DocNext]:
    """Return the steps that a given image has not settled."""
    found = []
    for step in steps:
        command = settled_by_image(case, step.command)
        if command is not None or step.command is None:
            found.append(structs.replace(step, command=command))
    return found


def kernel_of(case: CaseView) -> DocKernel:
    """Return release, compiler and build id as far as the text has them."""
    versions = case.all(KernelVersion)
    build = case.get(BuildId)
    return DocKernel(
        version=case.kernel.release if case.kernel else None,
        compiler=next((v.compiler for v in versions if v.compiler), None),
        build_id=build.hex if build else None,
    )


def machine_of(case: CaseView) -> str | None:
    """Return the name of the machine."""
    names = case.all(Hardware)
    return names[0].name if names else None


def blame_of(case: CaseView) -> DocBlame | None:
    """Return the function a maintainer would look at first."""
    if case.at_el2:
        function = function_of_pc(case) or _solved_function(case)
        if function is not None:
            location = location_of_pc(case)
            return DocBlame(
                function=strip_suffixes(function),
                file=location.file if location else None,
                line=location.line if location else None,
            )
    lr = case.registers.get("lr")
    found = blame(
        case.frames,
        case.pc_ref,
        case.kind,
        case.headline,
        lr_ref=lr.ref if lr else None,
        others=case.all(Frame),
        named=named_function(case),
    )
    return None if found is None else DocBlame(function=found, file=None, line=None)


def _solved_function(case: CaseView) -> str | None:
    """Return the listed function whose switch explains PC."""
    solution = solution_of(case)
    return None if solution is None else solution.survey.branch.function


def signature_of(case: CaseView, culprit: DocBlame | None) -> str:
    """Return a key that is the same for two occurrences of one crash.

    Made of kind, exception class and fault status, the blamed function and the two callers above it; without
    addresses, offsets, pids, times and compilers' suffixes. Frames that report, that an exception left or that
    the kernel itself doubts are no callers: they differ between two dumps of one crash.
    """
    parts = [case.kind.value]
    view = case.esr
    if view is not None:
        parts.append(
            f"ec{view.ec:02x}" + ("" if view.fsc is None else f"-fsc{view.fsc & 0x3C:02x}")
        )
    trace = [strip_suffixes(f.ref.symbol) for f in case.frames if f.ref and is_caller(f)]
    names = [culprit.function] if culprit else []
    start = trace.index(names[0]) if names and names[0] in trace else 0
    names.extend(name for name in dict.fromkeys(trace[start:]) if name not in names)
    return ":".join([*parts, *names[:3]])
