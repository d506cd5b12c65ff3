"""The documents of the lab as text: small tables first, then what failed."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from whypanic.report.document import (
    EXPLAIN_SCHEMA,
    DocGroup,
    DocReport,
    ExplainDocument,
    Input,
    Tool,
)
from whypanic.report.escape import printable
from whypanic.report.lab_document import (
    BootDocument,
    BuildDocument,
    DiffDocument,
    DocCell,
    DocComparison,
    DocToolchain,
    ToolchainsDocument,
)
from whypanic.report.text import Style, render

_BOLD, _RED, _GREEN, _YELLOW, _DIM = "1", "31", "32", "33", "2"
_PAINT = {"ok": _GREEN, "not-applicable": _DIM, "warning": _YELLOW, "slow": _YELLOW}
_FINE = ("ok", "not-applicable")
_MAX_FAILURES = 6
_MAX_OPTIONS = 8
_MAX_WARNINGS = 5


def render_toolchains(document: ToolchainsDocument, style: Style) -> str:
    """Return a table of the toolchains, those that build first."""
    return _text(_toolchains(document, style))


def render_build(document: BuildDocument, failure: Sequence[str], style: Style) -> str:
    """Return a build on one screen.

    :param failure: the lines that say why it failed; empty where it did not.
    """
    return _text(_build(document, failure, style))


def render_boot(document: BootDocument, style: Style) -> str:
    """Return the table of boots and the diagnosis of each failure, equal ones once."""
    table = _text(_boot(document, style))
    return "\n".join([table, *_diagnoses(document, style)])


def render_diff(document: DiffDocument, style: Style) -> str:
    """Return where the logs part."""
    return _text(_diff(document, style))


def _text(lines: Iterator[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)


# Toolchains ------------------------------------------------------------------------------------


def _toolchains(document: ToolchainsDocument, style: Style) -> Iterator[str]:
    usable = [t for t in document.toolchains if not t.missing]
    if not document.toolchains:
        yield "no compiler for arm64 kernels on this machine"
        yield "  Debian has them in gcc-12-aarch64-linux-gnu, and in clang-19 with lld-19 and llvm-19"
        return
    rows: list[tuple[str, ...]] = [("toolchain", "version", "linker", "LTO", "make variables")]
    rows += [_toolchain(t) for t in usable]
    yield from _table(rows, style)
    for toolchain in usable:
        for note in toolchain.notes:
            yield from _wrapped(f"{toolchain.id}: {note}", "  ", style)
    for toolchain in document.toolchains:
        if toolchain.missing:
            yield ""
            missing = ", ".join(f"`{name}`" for name in toolchain.missing)
            yield from _wrapped(f"{toolchain.id} {toolchain.version}: lacks {missing}", "", style)
            for note in toolchain.notes:
                yield from _wrapped(note, "  ", style)


def _toolchain(toolchain: DocToolchain) -> tuple[str, ...]:
    variables = " ".join("=".join(pair) for pair in toolchain.make_variables)
    lto = ", ".join(kind for kind in toolchain.lto if kind != "none") or "-"
    return (toolchain.id, toolchain.version, toolchain.linker, lto, variables)


# A build ---------------------------------------------------------------------------------------


def _build(document: BuildDocument, failure: Sequence[str], style: Style) -> Iterator[str]:
    what = f"{document.tree} with {document.toolchain}, LTO {document.lto}, {document.config}"
    if failure:
        yield style.paint("build failed", _RED) + printable(f": {what}, {document.seconds:.0f} s")
        for line in failure:
            indent = " " * (len(line) - len(line.lstrip()) + 2)
            yield from _wrapped(line.strip(), indent, style)
        return
    how = "found, built before" if document.cached else f"built in {document.seconds:.0f} s"
    yield style.paint("ok", _GREEN) + printable(f": {what}, {how}")
    for name, value in (
        ("compiler", document.compiler),
        ("linker", document.linker),
        ("Image", document.image),
        ("SHA-256", document.image_hash),
        ("vmlinux", document.vmlinux),
    ):
        if value is not None:
            yield printable(f"  {name:<9} {value}")
    refused = [option for option in document.options if not option.kept]
    for option in refused[:_MAX_OPTIONS]:
        because = f": {option.because}" if option.because else ""
        words = f"{option.name}={option.wanted} became {option.got}{because}"
        yield from _wrapped(words, "  refused   ", style, hanging=" " * 12)
    if len(refused) > _MAX_OPTIONS:
        yield f"  and {len(refused) - _MAX_OPTIONS} more options that were refused"
    warnings = [d for d in document.diagnostics if d.level == "warning"]
    for warning in warnings[:_MAX_WARNINGS]:
        place = f"{warning.file}:{warning.line}: " if warning.file else ""
        yield from _wrapped(f"{place}{warning.text}", "  warning   ", style, hanging=" " * 12)
    if len(warnings) > _MAX_WARNINGS:
        yield f"  and {len(warnings) - _MAX_WARNINGS} more warnings"


# Boots -----------------------------------------------------------------------------------------


def _boot(document: BootDocument, style: Style) -> Iterator[str]:
    image = document.inputs[0].name if document.inputs else "?"
    first = document.cells[0] if document.cells else None
    tools = ", ".join(t for t in (first.compiler, first.linker) if t) if first else ""
    yield from _wrapped(f"{image}{f': {tools}' if tools else ''}", "", style)
    rows: list[tuple[str, ...]] = [("mode", "verdict", "guest", "seconds", "proof, or reason")]
    rows += [_cell(cell) for cell in document.cells]
    yield from _table(rows, style, paint=1)
    for cell in document.cells:
        failures = [] if cell.guest is None else cell.guest.failures
        for failure in failures[:_MAX_FAILURES]:
            yield from _wrapped(f"{cell.cell.mode}: guest test {failure}", "  ", style)
        if len(failures) > _MAX_FAILURES:
            yield f"  {cell.cell.mode}: {len(failures) - _MAX_FAILURES} more guest tests failed"
    yield style.paint(printable(f"consoles and events: {document.run}"), _DIM)


def _cell(cell: DocCell) -> tuple[str, ...]:
    guest = cell.guest
    counts = "" if guest is None else f"{guest.passed}/{guest.failed}/{guest.skipped}"
    words = cell.proof if cell.verdict == "ok" and cell.proof else cell.reason
    seconds = f"{cell.seconds:.1f}" if cell.verdict != "not-applicable" else ""
    return (cell.cell.mode, cell.verdict, counts, seconds, _plain(words))


def _plain(line: str) -> str:
    """Return a console's line without printk's stamp."""
    if line.startswith("["):
        _, bracket, rest = line.partition("] ")
        return rest if bracket else line
    return line


def _diagnoses(document: BootDocument, style: Style) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[DocCell]] = {}
    for cell in document.cells:
        if cell.diagnosis is not None:
            groups.setdefault(_sameness(cell.diagnosis, cell, style), []).append(cell)
    for cells in groups.values():
        report = cells[0].diagnosis
        modes = ", ".join(cell.cell.mode for cell in cells)
        rule = "-" * max(4, min(style.width, 100) - len(modes) - 4)
        yield style.paint(f"-- {printable(modes)} {rule}", _DIM)
        if report is not None:
            yield render(_explained(report, cells[0], document.tool), style)
    for cell in document.cells:
        if cell.verdict not in _FINE and cell.diagnosis is None:
            yield _text(_wrapped(f"{cell.cell.mode}: {cell.verdict}: {cell.reason}", "", style))


def _sameness(found: DocReport, cell: DocCell, style: Style) -> tuple[str, ...]:
    """Return what two diagnoses share that are shown once; the signature of a silent boot says little."""
    own = (cell.cell.mode,) if style.everything else ()
    first = (found.causes[0].id, found.causes[0].verdict) if found.causes else ()
    return (found.signature, found.title, *first, *own)


def _explained(report: DocReport, cell: DocCell, tool: Tool) -> ExplainDocument:
    """Return the document that `explain` would make of the report alone."""
    console = cell.artifacts.get("console", "console")
    return ExplainDocument(
        schema=EXPLAIN_SCHEMA,
        tool=tool,
        inputs=[Input(name=console, bytes=0, sha256="")],
        unreadable=[],
        reports=[report],
        groups=[DocGroup(signature=report.signature, count=1, orders=[report.order])],
    )


# A comparison ----------------------------------------------------------------------------------


def _diff(document: DiffDocument, style: Style) -> Iterator[str]:
    if document.ignored:
        yield f"not compared: {', '.join(document.ignored)}"
    for each in document.comparisons:
        yield from _comparison(each, style)


def _comparison(each: DocComparison, style: Style) -> Iterator[str]:
    name = style.paint(printable(each.name), _BOLD)
    if each.a is None or each.b is None:
        yield f"{name}: only {printable(each.a or each.b or '?')} is there"
        return
    if each.parting is None:
        yield f"{name}: equal"
        return
    yield f"{name}: equal up to line {each.parting.line - 1}"
    for line in each.parting.before:
        yield f"    {printable(line)}"
    for sign, text, colour in (("a", each.parting.a, _RED), ("b", each.parting.b, _GREEN)):
        shown = "(ends here)" if text is None else printable(text.rstrip("\r"))
        yield style.paint(f"  {sign} {shown}", colour)


# Words -----------------------------------------------------------------------------------------


def _table(
    rows: Sequence[tuple[str, ...]], style: Style, paint: int | None = None
) -> Iterator[str]:
    """Yield rows in columns, the first as a heading; the last column takes what is left of the width.

    :param paint: number of a column that is coloured by its word.
    """
    widths = [max(len(printable(row[n])) for row in rows) for n in range(len(rows[0]) - 1)]
    left = sum(widths) + 2 * len(widths)
    for number, row in enumerate(rows):
        cells = [f"{printable(cell):<{width}}" for cell, width in zip(row, widths, strict=False)]
        if number and paint is not None:
            cells[paint] = style.paint(cells[paint], _PAINT.get(row[paint], _RED))
        rest = wrap(printable(row[-1]), max(style.width - left, 30)) or [""]
        line = "  ".join([*cells, rest[0]])
        yield line if number else style.paint(line, _BOLD)
        yield from (" " * left + more for more in rest[1:])


def _wrapped(text: str, first: str, style: Style, hanging: str | None = None) -> Iterator[str]:
    rest = f"{first}  " if hanging is None else hanging
    lines = wrap(
        printable(text),
        max(style.width, 40),
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
    yield from lines or [first]
