"""What an audit found, as its documents have it."""

from collections.abc import Iterable, Sequence

from whypanic import __version__
from whypanic.app.audit_places import Place
from whypanic.audit.api import Rule
from whypanic.audit.rule_text import rule_text
from whypanic.audit.suppressions import Suppression
from whypanic.code.execution_domains import Domain, DomainRow
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.audit import Finding
from whypanic.report.audit_document import (
    DocAuditEvidence,
    DocAuditImage,
    DocDomain,
    DocDomainRow,
    DocFinding,
    DocLayout,
    DocPredictedFault,
    DocRule,
    DocSuppressed,
)
from whypanic.report.document import Tool, hexadecimal
from whypanic.symbolize.identity import tools_of

MAX_RANGES = 64
"""Of one domain; the replacement code of alternatives has hundreds."""


def tool() -> Tool:
    """Return what the documents say of this program."""
    return Tool(name="whypanic", version=__version__)


def image_of(image: KernelImage, domains: Sequence[Domain], number: int) -> DocAuditImage:
    """Return one image.

    :param number: of its input, from 0.
    """
    compiler, linker = tools_of(image.banner)
    return DocAuditImage(
        input=number,
        kind=image.kind.value,
        version=image.banner,
        compiler=compiler,
        linker=linker,
        build_id=image.build_id,
        domains=[_domain(image, domain) for domain in domains],
    )


def _domain(image: KernelImage, domain: Domain) -> DocDomain:
    ranges = domain.code
    return DocDomain(
        id=domain.name,
        title=domain.title,
        era=domain.era,
        sections=_sections(image, ranges),
        link=[hexadecimal(ranges[0][0]), hexadecimal(max(end for _, end in ranges))],
        ranges=_ranges(ranges),
        n_ranges=len(ranges),
        data=_ranges(domain.data),
        runs_at=domain.runs_at,
        mapped_with=list(domain.mapped),
    )


def _ranges(ranges: Sequence[tuple[int, int]]) -> list[list[str]]:
    return [[hexadecimal(first), hexadecimal(end)] for first, end in ranges[:MAX_RANGES]]


def _sections(image: KernelImage, ranges: Sequence[tuple[int, int]]) -> list[str]:
    named = (
        section.name
        for section in image.sections
        if any(first < section.end and section.address < end for first, end in ranges[:MAX_RANGES])
    )
    return list(dict.fromkeys(named))[:MAX_RANGES]


def finding_of(
    finding: Finding, place: Place, number: int, accepted: Suppression | None
) -> DocFinding:
    """Return one finding.

    :param number: of its input, from 0.
    """
    fault = finding.fault
    return DocFinding(
        rule=finding.rule,
        level=finding.level.value,
        title=finding.title,
        domain=finding.domain,
        input=number,
        function=place.function,
        offset=place.offset,
        link_address=place.link_address,
        run_address=place.run_address,
        section=place.section,
        section_offset=place.section_offset,
        file=place.file,
        line=place.line,
        slice=list(place.slice),
        place=hexadecimal(finding.place),
        evidence=[
            DocAuditEvidence(
                text=each.text,
                address=None if each.address is None else hexadecimal(each.address),
            )
            for each in finding.evidence
        ],
        fault=None
        if fault is None
        else DocPredictedFault(
            ec=hexadecimal(fault.ec),
            fsc=None if fault.fsc is None else hexadecimal(fault.fsc),
            far_region=fault.far_region,
        ),
        cause=finding.cause,
        remedy=finding.remedy,
        suppressed=None if accepted is None else DocSuppressed(reason=accepted.reason),
    )


def rule_of(rule: Rule) -> DocRule:
    """Return a rule and its documentation."""
    text = rule_text(rule)
    return DocRule(
        id=rule.id,
        number=rule.number,
        title=rule.title,
        domains=list(rule.domains),
        finds=text.finds,
        why=text.why,
        example=text.example,
        false_positives=text.false_positives,
        sources=list(text.sources),
        from_memory=list(text.from_memory),
    )


def table_of(rows: Iterable[DomainRow]) -> list[DocDomainRow]:
    """Return the table of domains."""
    return [
        DocDomainRow(
            id=row.name,
            title=row.title,
            layouts=[
                DocLayout(
                    era=layout.era,
                    needs=list(layout.needs),
                    sections=list(layout.sections),
                    runs_at=layout.runs_at,
                    mapped_with=list(layout.mapped),
                )
                for layout in row.layout
            ],
        )
        for row in rows
    ]
