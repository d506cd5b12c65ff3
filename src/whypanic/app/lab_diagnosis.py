"""The diagnosis of one boot: the report of its console behind the verdict, or what was measured of a silent one."""

from collections.abc import Sequence
from typing import NamedTuple

from whypanic.app.analysis import Explained, explain_report, explain_text, with_facts
from whypanic.app.explain_document import report_of
from whypanic.app.lab_evidence import (
    first_of_el2,
    hang_facts,
    hyp_offset,
    image_facts,
    place_of,
)
from whypanic.app.lab_kernel import BootedKernel
from whypanic.app.surroundings import Surroundings
from whypanic.lab.last_words import with_last_words
from whypanic.lab.verdicts import verdict_of_report
from whypanic.model.kinds import Kind
from whypanic.model.lab import BootResult, LabVerdict
from whypanic.model.provenance import Fact, Span
from whypanic.model.report import LogReport
from whypanic.report.document import DocReport

UNDIAGNOSED = (LabVerdict.OK, LabVerdict.NOT_APPLICABLE)
_SILENT = (
    LabVerdict.SILENT_HANG,
    LabVerdict.EXCEPTION_STORM,
    LabVerdict.NO_EARLY_OUTPUT,
    LabVerdict.RESET_LOOP,
)
"""Verdicts on boots of which the console does not say why."""
_EL2 = 2


class Found(NamedTuple):
    """A report of a boot, explained."""

    explained: Explained
    order: int
    """1-based, among the reports of the console."""


def diagnose(result: BootResult, console: bytes, kernel: BootedKernel | None) -> DocReport | None:
    """Return the report that explains a boot that failed; None where neither text nor measurement does.

    :param console: what the serial line printed.
    :param kernel: of the boot; its image refines the report.
    """
    found = explain_boot(result, console, kernel)
    return None if found is None else report_of(found.explained, order=found.order, first=0)


def explain_boot(
    result: BootResult, console: bytes, kernel: BootedKernel | None = None
) -> Found | None:
    """Return the report of a boot that failed with all that is known beside it; None where there is none."""
    found = None if result.verdict in UNDIAGNOSED else find_report(result, console)
    if found is None:
        return None
    explained = found.explained
    facts = tuple(image_facts(result, None if kernel is None else kernel.build_id))
    if kernel is not None and explained.report.kind is Kind.BOOT_HANG:
        facts = (*facts, *_slide(result, kernel))
    explained = with_facts(explained, facts)
    if kernel is not None:
        explained = kernel.images.refine(explained)
    return found._replace(explained=explained)


def find_report(result: BootResult, console: bytes) -> Found | None:
    """Return the report of the console that the verdict rests on, else one made of what was measured."""
    text, explained = explain_text(with_last_words(console, result.last_words))
    index = deciding_report(result.verdict, [item.report for item in explained])
    if index is not None:
        return Found(explained[index], index + 1)
    if result.verdict not in _SILENT:
        return None
    report = hang_report(result, console)
    return Found(explain_report(report, Surroundings(text)), len(explained) + 1)


def deciding_report(verdict: LabVerdict, reports: Sequence[LogReport]) -> int | None:
    """Return the number of the report that a verdict rests on: its root, where it is the consequence of another."""
    judged = [(n, verdict_of_report(report)) for n, report in enumerate(reports)]
    found = next((n for n, its in judged if its is verdict), None)
    if found is None:
        if verdict in _SILENT:
            return None
        found = next((n for n, its in judged if its is not None), None)
    if found is None:
        return None
    # A report follows one that stands before it, so this comes to an end.
    while (before := reports[found].follows) is not None and 0 <= before < found:
        found = before
    return found


def hang_report(result: BootResult, console: bytes) -> LogReport:
    """Return a report of kind `boot-hang`, at the last line of the console."""
    words = console.decode(errors="backslashreplace").replace("\r\n", "\n")
    n_lines = max(1, len(words.rstrip("\n").split("\n")))
    facts = tuple(hang_facts(result, words, len(console)))
    return LogReport(
        kind=Kind.BOOT_HANG,
        title=title_of_hang(result),
        span=Span(first_line=n_lines, last_line=n_lines),
        facts=facts,
        n_lines=1,
        n_understood=1,
    )


def title_of_hang(result: BootResult) -> str:
    """Return one line without values that vary."""
    what = result.verdict.value.replace("-", " ")
    place = place_of(result)
    own = first_of_el2(result)
    level = _EL2 if own is not None else next((s.el for s in result.samples if not s.halted), None)
    words = what if level is None else f"{what} at EL{level}"
    name = None if place is None or not place.symbol else place.symbol.partition("+")[0]
    return words if name is None else f"{words}, in {name}"


def _slide(result: BootResult, kernel: BootedKernel) -> tuple[Fact, ...]:
    places = [sample.pa for sample in result.samples if sample.pa is not None]
    links = {pa: link for pa in places if (link := kernel.link_address(pa)) is not None}
    offset = hyp_offset(result, links)
    return () if offset is None else (offset,)
