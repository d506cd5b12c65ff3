"""The document as text for a terminal: the finding first, then what it rests on, then the values."""

# Long because it is one page, part by part in the order of reading.

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from whypanic.report.document import (
    DocCause,
    DocClaim,
    DocCode,
    DocFact,
    DocFrame,
    DocReport,
    ExplainDocument,
)
from whypanic.report.escape import printable
from whypanic.report.image_words import image_rows
from whypanic.report.value_words import lock_words, pstate_words, stall_words, syndrome_words

_BOLD, _RED, _GREEN, _YELLOW, _DIM = "1", "31", "32", "33", "2"
_VERDICT_STYLE = {"proven": _GREEN, "supported": _GREEN, "possible": _YELLOW, "refuted": _DIM}
_HELD = ("proven", "supported", "possible")
_MAX_RIVALS = 8
_MAX_FRAMES = 12
_MAX_FACT_LINES = 6
_MAX_LOCKS = 8
_MAX_PLACES = 4
_MAX_STACKS = 4
_MAX_STACK_FRAMES = 6
_CODE_BEFORE, _CODE_AFTER = 6, 2
_AS_IT_SHOULD_BE = (None, "built", "patched")
_TOLD_BY_CLAIMS = ("switch", "idmap", "compiler", "source-line")
"""Evidence that the claims of a cause repeat where it matters; `--all` shows it too."""


class Style(NamedTuple):
    """How to show a document."""

    width: int = 100
    colour: bool = False
    everything: bool = False
    """Every cause, frame and register, not the first few."""
    commands: bool = False
    coverage: bool = False

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def render(document: ExplainDocument, style: Style) -> str:
    """Return the text of a document, with a final newline; empty when it has no report.

    Of several inputs one report of each signature is shown, with the number of the others.
    """
    hidden: set[int] = set()
    if len(document.inputs) > 1 and not style.everything:
        hidden.update(order for group in document.groups for order in group.orders[1:])
    blocks = [
        "\n".join(line.rstrip() for line in _report(report, document, style))
        for report in document.reports
        if report.order not in hidden
    ]
    rule = "\n" + style.paint("-" * min(style.width, 100), _DIM) + "\n"
    return rule.join(blocks) + ("\n" if blocks else "")


def _report(report: DocReport, document: ExplainDocument, style: Style) -> Iterator[str]:
    yield from _headline(report, document, style)
    best = [c for c in report.causes if c.verdict in _HELD]
    rest = [c for c in report.causes if c.verdict not in _HELD]
    if best:
        yield ""
        yield from _cause(best[0], style)
    if len(best) > 1:
        yield ""
        for cause in best[1 : None if style.everything else _MAX_RIVALS]:
            yield from _rival(cause, "or", style)
    if rest:
        yield ""
        shown = rest if style.everything else rest[:_MAX_RIVALS]
        for cause in shown:
            yield from _rival(cause, "not", style)
        if len(rest) > len(shown):
            yield f"  ... {len(rest) - len(shown)} more with --all"
    yield from _next(best, style)
    yield from _values(report, style)
    yield from _registers(report, style)
    yield from _frames(report, style)
    yield from _stacks(report, style)
    yield from _code(report, style)
    yield from _endings(report, style)


# The finding -----------------------------------------------------------------------------------


def _headline(report: DocReport, document: ExplainDocument, style: Style) -> Iterator[str]:
    yield style.paint(printable(report.title), _BOLD)
    where = [report.kind]
    if report.el is not None:
        where.append(f"EL{report.el}")
    if report.kvm_mode and report.kind == "hyp-panic":
        where.append(f"KVM {report.kvm_mode}{' (hVHE)' if report.hvhe else ''}")
    if report.cpu is not None:
        where.append(f"CPU {report.cpu}")
    if report.comm:
        where.append(f"{report.comm} [{'?' if report.pid is None else report.pid}]")
    yield "  " + printable(", ".join(where))
    core = None
    if report.core is not None:
        name = report.core.name or f"{report.core.implementer} core, MIDR {report.core.midr}"
        core = f"boot CPU {name} {report.core.revision}"
    versions = report.kernel
    machine = [x for x in (versions.version, report.machine, core, versions.compiler) if x]
    if machine:
        yield from _wrapped("; ".join(machine), "  ", style)
    span = report.span
    name = document.inputs[span.input].name if span.input < len(document.inputs) else "?"
    follows = "" if report.follows is None else f"; a consequence of report {report.follows}"
    yield style.paint(
        printable(f"  {name}, lines {span.first_line}-{span.last_line}{follows}"), _DIM
    )
    yield from _others(report, document, style)


def _others(report: DocReport, document: ExplainDocument, style: Style) -> Iterator[str]:
    """Yield where the reports stand that are left out because this one is shown for them."""
    group = next((g for g in document.groups if g.orders[0] == report.order), None)
    if group is None or group.count == 1 or len(document.inputs) < 2 or style.everything:
        return
    places = [
        f"{document.inputs[other.span.input].name}:{other.span.first_line}"
        for other in document.reports
        if other.order in group.orders[1 : 1 + _MAX_PLACES]
    ]
    more = group.count - 1 - len(places)
    rest = f" and {more} more with --all" if more > 0 else ""
    words = f"{group.count} reports have this signature; also {', '.join(places)}{rest}"
    yield from _wrapped(words, "  ", style, hanging="  ")


def _cause(cause: DocCause, style: Style) -> Iterator[str]:
    verdict = style.paint(cause.verdict.upper(), _VERDICT_STYLE.get(cause.verdict, _BOLD))
    yield f"cause: {style.paint(cause.id, _BOLD)}  {verdict}"
    yield from _wrapped(cause.title, "  ", style)
    for claim in cause.claims:
        yield from _claim(claim, style)


def _claim(claim: DocClaim, style: Style) -> Iterator[str]:
    sign = "+" if claim.sense == "supports" else "-"
    yield from _wrapped(f"{claim.text}{_places(claim.facts)}", f"  {sign} ", style, hanging="    ")
    shown = claim.facts if style.everything else claim.facts[:_MAX_FACT_LINES]
    if not style.everything:
        return
    for fact in shown:
        place = f"line {fact.line}" if fact.line else (fact.address or fact.source)
        yield from _wrapped(f"{place}: {fact.text}", "        ", style, hanging="          ")


def _places(facts: Iterable[DocFact]) -> str:
    known = list(facts)
    lines = sorted({f.line for f in known if f.line is not None})
    if not lines:
        return _image_places(known)
    if len(lines) > _MAX_FACT_LINES:
        return f"  [lines {lines[0]}..{lines[-1]}]"
    return f"  [line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}]"


def _image_places(facts: Sequence[DocFact]) -> str:
    """Return where in the image the facts lie, of a claim that rests on no line of the log."""
    found = [f for f in facts if f.source == "image"]
    places = sorted({int(f.address, 16) for f in found if f.address is not None})
    if not places:
        return "  [image]" if found else ""
    first, last = f"{places[0]:#x}", f"{places[-1]:#x}"
    return f"  [image {first}]" if len(places) == 1 else f"  [image {first}..{last}]"


def _rival(cause: DocCause, word: str, style: Style) -> Iterator[str]:
    reasons = [c for c in cause.claims if c.sense == "refutes"] or cause.claims
    if cause.missing:
        text = f"not evaluated: the text has no {', '.join(cause.missing)}"
    else:
        text = f"{reasons[0].text}{_places(reasons[0].facts)}" if reasons else cause.title
    verdict = style.paint(cause.verdict, _VERDICT_STYLE.get(cause.verdict, _BOLD))
    yield f"  {word} {cause.id} ({verdict})"
    if style.everything:
        for claim in cause.claims:
            yield from _claim(claim, style)
    else:
        yield from _wrapped(text, "      ", style)


def _next(best: Sequence[DocCause], style: Style) -> Iterator[str]:
    if not best:
        return
    if best[0].remedies or best[0].next:
        yield ""
    for remedy in best[0].remedies:
        yield from _wrapped(remedy.text, "  remedy: ", style, hanging="          ")
        if remedy.patch:
            yield "          " + style.paint(printable(remedy.patch), _BOLD)
    for step in best[0].next:
        yield from _wrapped(step.text, "  next:   ", style, hanging="          ")
        if step.command:
            yield "          $ " + printable(step.command)


# The values ------------------------------------------------------------------------------------


def _values(report: DocReport, style: Style) -> Iterator[str]:
    rows: list[tuple[str, str, str]] = []
    if report.syndrome:
        rows.append(("ESR", report.syndrome.esr, syndrome_words(report)))
    if report.pstate:
        rows.append(("PSTATE", report.pstate.raw, pstate_words(report)))
    if report.far:
        valid = {True: "valid", False: "NOT valid", None: "validity unknown"}[report.far.valid]
        rows.append(("FAR", report.far.value, f"{report.far.region}, {valid}: {report.far.note}"))
    if report.hpfar:
        holds = {True: f"IPA {report.hpfar.ipa}", False: "means nothing", None: "unknown"}
        rows.append(
            ("HPFAR", report.hpfar.value, f"{holds[report.hpfar.valid]}: {report.hpfar.note}")
        )
    if report.par:
        rows.append(("PAR", report.par.value, report.par.note))
    if report.page_table and (report.page_table.entries or report.page_table.note):
        table = report.page_table
        rows.extend((e.name, e.value, f"{e.kind}: {e.meaning}") for e in table.entries)
        if table.note:
            rows.append(("walk", table.address or "", table.note))
    if report.stall:
        rows.append(("stall", "", stall_words(report.stall)))
    shown = report.locks if style.everything else report.locks[:_MAX_LOCKS]
    rows.extend(("lock", "", lock_words(lock)) for lock in shown)
    if report.features:
        table_name = report.features.table or "none"
        names = ", ".join(report.features.names) or "none"
        note = "" if report.features.exact else f" ({report.features.note})"
        rows.append(("features", report.features.raw, f"{names}; table of {table_name}{note}"))
    rows.extend(image_rows(report, everything=style.everything))
    rows.extend(
        (e.name, "", e.text)
        for e in report.evidence
        if style.everything or e.name not in _TOLD_BY_CLAIMS
    )
    if rows:
        yield ""
        yield style.paint("decoded", _BOLD)
    for name, value, words in rows:
        head = f"  {name:<12} {value + '  ' if value else ''}"
        yield from _wrapped(words, head, style, hanging=" " * 15)


def _registers(report: DocReport, style: Style) -> Iterator[str]:
    known = [(n, v) for n, v in report.registers.items() if v is not None]
    general = [(n, v) for n, v in known if n.startswith("x")]
    if not general:
        return
    yield ""
    yield style.paint("registers", _BOLD)
    cells = [f"{n:>4} {int(v, 16):016x}" for n, v in known]
    for start in range(0, len(cells), 4):
        yield "  " + "  ".join(cells[start : start + 4])


def _frames(report: DocReport, style: Style) -> Iterator[str]:
    if not report.frames:
        return
    yield ""
    yield style.paint("frames", _BOLD)
    if not style.everything and all(f.role == "reporting" for f in report.frames):
        yield f"  {len(report.frames)} frames of the panic's own reporting, none of the code that faulted"
        return
    shown = report.frames if style.everything else report.frames[:_MAX_FRAMES]
    for frame in shown:
        yield from _lines_of(frame)
    if len(report.frames) > len(shown):
        yield f"  ... {len(report.frames) - len(shown)} more with --all"
    for note in dict.fromkeys(f.note for f in shown if f.note and f.lookup == "call-site"):
        yield from _wrapped(note, "  ! ", style)


def _stacks(report: DocReport, style: Style) -> Iterator[str]:
    """Yield the other stacks; without `--all` a few, and of each the first functions that are no reporting."""
    stacks = report.stacks if style.everything else report.stacks[:_MAX_STACKS]
    for stack in stacks:
        yield ""
        yield style.paint(printable(stack.label), _BOLD)
        told = [f for f in stack.frames if style.everything or f.role != "reporting"]
        shown = told if style.everything else told[:_MAX_STACK_FRAMES]
        for frame in shown:
            yield from _lines_of(frame)
        if len(shown) < len(stack.frames):
            yield f"  ... {len(stack.frames) - len(shown)} more with --all"
    if len(stacks) < len(report.stacks):
        yield f"  ... {len(report.stacks) - len(stacks)} more stacks with --all"


def _lines_of(frame: DocFrame) -> Iterator[str]:
    """Yield a frame; what was inlined there stands above it, innermost first."""
    for inlined in frame.inlined:
        place = _source(inlined.file, inlined.line)
        yield "  " + printable(f"    {inlined.function}{place}  (inlined)")
    yield "  " + printable(_frame(frame))


def _source(file: str | None, line: int | None) -> str:
    """Return file and line; the file alone for code that the compiler gives no line."""
    return "" if not file else f"  {file}:{line}" if line else f"  {file}"


def _frame(frame: DocFrame) -> str:
    name = frame.address or "?"
    if frame.symbol is not None:
        offset = "" if frame.offset is None else f"+{frame.offset:#x}"
        size = "" if frame.size is None else f"/{frame.size:#x}"
        name = f"{frame.symbol}{offset}{size}"
    module = f" [{frame.module}]" if frame.module else ""
    place = _source(frame.file, frame.line)
    role = "" if frame.role == "call" else f"  ({frame.role})"
    note = " !" if frame.note and frame.lookup == "call-site" else ""
    return f"{name}{module}{place}{role}{note}"


def _code(report: DocReport, style: Style) -> Iterator[str]:
    lines = _code_lines(report, style)
    if not lines:
        return
    yield ""
    yield style.paint("code", _BOLD)
    where: str | None = None
    for line in lines:
        if line.file and line.line and where != f"{line.file}:{line.line}":
            where = f"{line.file}:{line.line}"
            yield style.paint(printable(f"  {where}  {line.statement or ''}".rstrip()), _DIM)
        mark = "->" if line.faulting else "  "
        note = "" if not line.note else f"  ; {line.note}"
        if line.state not in _AS_IT_SHOULD_BE:
            note = f"  ; {line.state}{': ' if line.note else ''}{line.note or ''}"
        text = f"  {mark} {line.address or '':<18}  {(line.word or '')[2:]:8}  {line.text}{note}"
        text = printable(text)
        yield style.paint(text, _RED) if line.faulting else text


def _code_lines(report: DocReport, style: Style) -> list[DocCode]:
    """Return the words to show: without `--all` those around PC, of the image where the log's are the same."""
    if style.everything:
        return report.code
    image = [line for line in report.code if line.source == "image"]
    other = [line for line in report.code if line.source != "image"]
    if image and all(line.state in _AS_IT_SHOULD_BE for line in other):
        other = []
    return [*_around(other), *_around(image)]


def _around(lines: list[DocCode]) -> list[DocCode]:
    marked = next((i for i, line in enumerate(lines) if line.faulting), len(lines) - 1)
    return lines[max(0, marked - _CODE_BEFORE) : marked + _CODE_AFTER + 1]


def _endings(report: DocReport, style: Style) -> Iterator[str]:
    if report.damage:
        yield ""
        yield style.paint("damage", _BOLD)
        for damage in report.damage if style.everything else report.damage[:4]:
            span = damage.span
            lines = f"{span.first_line}"
            if span.last_line != span.first_line:
                lines += f"-{span.last_line}"
            yield from _wrapped(f"line {lines}: {damage.reason}", "  ", style)
        if not style.everything and len(report.damage) > 4:
            yield f"  ... {len(report.damage) - 4} more with --all"
    if style.commands and report.commands:
        yield ""
        yield style.paint("to see the same", _BOLD)
        for command in report.commands:
            yield from _wrapped(command.shows, "  # ", style)
            yield "  $ " + printable(command.command)
    if style.coverage:
        yield ""
        yield style.paint("coverage", _BOLD)
        covered = report.coverage
        share = covered.understood / covered.lines if covered.lines else 1.0
        yield f"  {covered.understood} of {covered.lines} lines of the report understood ({share:.0%})"
        for span in report.unparsed:
            yield f"  not understood: lines {span.first_line}-{span.last_line}"


def _wrapped(text: str, first: str, style: Style, *, hanging: str | None = None) -> Iterator[str]:
    rest = " " * len(first) if hanging is None else hanging
    lines = wrap(
        printable(text),
        width=max(style.width, 40),
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )
    yield from lines or [first]
