"""The audit as text: findings by function, one screen each, then the counts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from whypanic.arch.esr.exception_class import exception_class
from whypanic.arch.esr.fault_status import fault_status
from whypanic.report.audit_document import (
    AuditDocument,
    DocAuditImage,
    DocDomain,
    DocDomainRow,
    DocFinding,
    DocPredictedFault,
    DocRule,
    DocSliceLine,
    DomainsDocument,
    RulesDocument,
)
from whypanic.report.escape import printable
from whypanic.report.text import Style

_BOLD, _RED, _YELLOW, _DIM = "1", "31", "33", "2"
_PAINT = {"error": _RED, "warning": _YELLOW, "note": _DIM}
_LEVELS = ("error", "warning", "note")
_PLAIN = ("kernel", "noinstr", "alternatives")
_MAX_RANGES = 8
_MAX_ALIKE = 3
"""Findings of one rule and title in one function that are shown whole."""


def render_audit(document: AuditDocument, rules: Sequence[DocRule], style: Style) -> str:
    """Return the text of an audit, with a final newline.

    :param rules: those that ran; they say why a finding breaks.
    """
    return _text(_lines(document, {rule.id: rule for rule in rules}, style))


def render_rules(document: RulesDocument, style: Style) -> str:
    """Return the list of rules with what they find and why it breaks."""
    return _text(_rule_lines(document, style))


def render_domains(document: DomainsDocument, style: Style) -> str:
    """Return the domains of the images; without an image the table of domains by era."""
    return _text(_domain_lines(document, style))


def _text(lines: Iterator[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _lines(document: AuditDocument, rules: dict[str, DocRule], style: Style) -> Iterator[str]:
    several = len(document.images) > 1
    for image in document.images:
        name = document.inputs[image.input].name
        found = [f for f in document.findings if f.input == image.input]
        open_ones = [f for f in found if f.suppressed is None]
        if several and not found:
            continue
        yield from _image_lines(image, name, style)
        runs_at = {domain.id: domain.runs_at for domain in image.domains}
        for _, group in groupby(_by_function(open_ones), key=_function_key):
            yield ""
            yield from _function_lines(list(group), rules, runs_at, style)
        yield from _suppressed_lines(found, style)
        yield ""
    yield _summary(document)


def _by_function(findings: Sequence[DocFinding]) -> list[DocFinding]:
    """Return findings function by function, in the order in which the functions appear."""
    order: dict[tuple[str, ...], int] = {}
    for finding in findings:
        order.setdefault(_function_key(finding), len(order))
    return sorted(findings, key=lambda f: order[_function_key(f)])


def _function_key(finding: DocFinding) -> tuple[str, ...]:
    if finding.function is None:
        return finding.domain, "", finding.section or ""
    # Static functions of one name are told apart by where they begin.
    start = int(finding.place, 16) - (finding.offset or 0)
    return finding.domain, finding.function, f"{start:#x}"


def _image_lines(image: DocAuditImage, name: str, style: Style) -> Iterator[str]:
    facts = [image.compiler, image.linker]
    if image.build_id:
        facts.append(f"build id {image.build_id}")
    yield printable(style.paint(name, "") + f": {', '.join([image.kind, *filter(None, facts)])}")
    special = [domain.id for domain in image.domains if domain.id not in _PLAIN]
    yield f"  domains: {', '.join(special) or 'none but the kernel itself'}"


def _function_lines(
    findings: list[DocFinding], rules: dict[str, DocRule], runs_at: dict[str, str], style: Style
) -> Iterator[str]:
    first = findings[0]
    name = first.function or first.section or first.place
    yield style.paint(printable(name), _BOLD) + printable(f"  ({first.domain})")
    place = runs_at.get(first.domain)
    if place:
        yield from _wrapped("runs at ", place, style)
    told: set[str] = set()
    shown: Counter[tuple[str, str]] = Counter()
    others: dict[tuple[str, str], list[DocFinding]] = {}
    for n, finding in enumerate(findings):
        kind = (finding.rule, finding.title)
        shown[kind] += 1
        if shown[kind] > _MAX_ALIKE:
            others.setdefault(kind, []).append(finding)
            continue
        if n:
            yield ""
        yield from _finding_lines(finding, rules.get(finding.rule), told, style)
    for (rule, title), more in others.items():
        yield ""
        yield f"  {_count(len(more), 'other')} alike: {printable(title)}  [{rule}]"
        yield from _wrapped("at      ", ", ".join(_short(finding) for finding in more), style)


def _short(finding: DocFinding) -> str:
    if finding.function is not None and finding.offset is not None:
        return f"+{finding.offset:#x}"
    return finding.link_address or f"+{finding.section_offset or 0:#x}"


def _finding_lines(
    finding: DocFinding, rule: DocRule | None, told: set[str], style: Style
) -> Iterator[str]:
    number = f"{rule.number} " if rule else ""
    head = style.paint(finding.level, _PAINT.get(finding.level, ""))
    yield f"  {head}: {printable(finding.title)}  [{number}{finding.rule}]"
    yield f"    at {printable(_where(finding))}"
    if rule is not None and rule.why and rule.id not in told:
        told.add(rule.id)
        yield from _wrapped("why     ", rule.why.partition("\n\n")[0], style)
    width = max((len(line.text) for line in finding.slice), default=0)
    for line in finding.slice:
        yield _slice_line(line, finding, min(width, 48), style)
    for each in finding.evidence:
        at = f"  [{each.address}]" if each.address else ""
        yield from _wrapped("+       ", f"{each.text}{at}", style)
    if finding.fault is not None:
        yield from _wrapped("fault   ", _fault_words(finding.fault), style)
    yield from _wrapped("remedy  ", finding.remedy, style)
    yield from _wrapped("crash   ", f"`whypanic explain` calls it {finding.cause}", style)


def _where(finding: DocFinding) -> str:
    words = finding.function or finding.section or ""
    if finding.function is not None and finding.offset is not None:
        words += f"+{finding.offset:#x}"
    if finding.link_address is not None:
        words += f", linked at {finding.link_address}"
    if finding.section is not None:
        inside = f"+{finding.section_offset:#x}" if finding.section_offset is not None else ""
        words += f", {finding.section}{inside}"
    if finding.run_address is not None:
        words += f", runs at {finding.run_address}"
    if finding.file is not None:
        words += f", {finding.file}" + (f":{finding.line}" if finding.line else "")
    return words


def _slice_line(line: DocSliceLine, finding: DocFinding, width: int, style: Style) -> str:
    is_place = line.address == finding.place
    address = int(line.address, 16)
    text = f"{'>' if is_place else ' '} {address:x}: {line.word[2:]}  {line.text:<{width}}"
    text = f"    {text}  {line.source or ''}".rstrip()
    return style.paint(printable(text), _BOLD if is_place else "")


def _fault_words(fault: DocPredictedFault) -> str:
    """Return the exception by the manual's names."""
    ec = int(fault.ec, 16)
    words = f"EC {fault.ec}, {exception_class(ec).name}"
    if fault.fsc is not None:
        words += f"; FSC {fault.fsc}, {fault_status(int(fault.fsc, 16)).name}"
    if fault.far_region is not None:
        words += f"; FAR in {fault.far_region}"
    return words


def _suppressed_lines(findings: Sequence[DocFinding], style: Style) -> Iterator[str]:
    found = [f for f in findings if f.suppressed is not None]
    if found:
        yield ""
        yield style.paint("suppressed", _BOLD)
    for finding in found:
        reason = finding.suppressed.reason if finding.suppressed else ""
        yield printable(f"  {finding.level}: {finding.rule} at {_where(finding)}: {reason}")


def _summary(document: AuditDocument) -> str:
    counted = [f for f in document.findings if f.suppressed is None]
    numbers = [_count(sum(f.level == level for f in counted), level) for level in _LEVELS]
    words = f"{', '.join(numbers)} in {_count(len(document.images), 'image')}"
    n_suppressed = len(document.findings) - len(counted)
    return words + (f"; {n_suppressed} suppressed" if n_suppressed else "")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _wrapped(label: str, text: str, style: Style) -> Iterator[str]:
    indent = 4
    rest = " " * (indent + len(label))
    width = max(style.width, 40)
    for n, line in enumerate(wrap(printable(text), width - len(rest)) or [""]):
        yield f"{' ' * indent}{label}{line}" if n == 0 else f"{rest}{line}"


def _rule_lines(document: RulesDocument, style: Style) -> Iterator[str]:
    for n, rule in enumerate(document.rules):
        if n:
            yield ""
        yield f"{style.paint(f'{rule.number} {rule.id}', _BOLD)}  ({', '.join(rule.domains)})"
        yield from _wrapped("finds   ", rule.finds.partition("\n\n")[0] or rule.title, style)
        if rule.why:
            yield from _wrapped("breaks  ", rule.why.partition("\n\n")[0], style)


def _domain_lines(document: DomainsDocument, style: Style) -> Iterator[str]:
    if not document.images:
        for n, row in enumerate(document.table):
            if n:
                yield ""
            yield from _row_lines(row, style)
        return
    for n, image in enumerate(document.images):
        if n:
            yield ""
        yield printable(f"{document.inputs[image.input].name}: {image.kind}")
        for domain in image.domains:
            yield from _image_domain_lines(domain, style)


def _row_lines(row: DocDomainRow, style: Style) -> Iterator[str]:
    yield f"{style.paint(printable(row.id), _BOLD)}  {printable(row.title)}"
    for layout in row.layouts:
        yield f"  {printable(layout.era)}"
        known = [*layout.needs, *(f"section {name}" for name in layout.sections)]
        yield from _wrapped("known by ", ", ".join(known) or "any image", style)
        yield from _wrapped("runs at  ", layout.runs_at, style)
        if layout.mapped_with:
            yield from _wrapped("reaches  ", "; ".join(layout.mapped_with), style)


def _image_domain_lines(domain: DocDomain, style: Style) -> Iterator[str]:
    yield f"  {style.paint(printable(domain.id), _BOLD)}  {printable(domain.title)} ({printable(domain.era)})"
    for label, ranges, n_ranges in (
        ("code     ", domain.ranges, domain.n_ranges),
        ("data     ", domain.data, len(domain.data)),
    ):
        if ranges:
            words = ", ".join("..".join(each) for each in ranges[:_MAX_RANGES])
            more = f" and {n_ranges - _MAX_RANGES} more" if n_ranges > _MAX_RANGES else ""
            yield from _wrapped(label, words + more, style)
    if domain.sections:
        yield from _wrapped("sections ", ", ".join(domain.sections), style)
    yield from _wrapped("runs at  ", domain.runs_at, style)
    if domain.mapped_with:
        yield from _wrapped("reaches  ", "; ".join(domain.mapped_with), style)
