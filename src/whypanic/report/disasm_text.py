"""The disassembly as text: the form of objdump, so that what reads objdump reads it.

Notes stand behind `//`, as in GNU's; lines of their own begin with `;`, as source does in LLVM's: with `//` they
would be taken for the end of a wrapped instruction.
"""

from collections.abc import Iterator

from whypanic.report.disasm_document import DisasmDocument, DocContents, DocLine
from whypanic.report.document import DocTable
from whypanic.report.escape import printable

_ROW_BYTES = 16
_TEXT_WIDTH = 40
_MAX_TARGETS = 64
_MAX_NAME = 400
_MAX_LINE = 560
"""What reads listings takes no longer names and lines, and no per cent signs behind an instruction."""


def render_disasm(document: DisasmDocument) -> str:
    """Return the text, with a final newline."""
    return "".join(f"{_safe(line)}\n" for line in _lines(document))


def _safe(line: str) -> str:
    """Return a line in which only the tabs between columns are left of what a terminal obeys."""
    return "\t".join(printable(column) for column in line.split("\t"))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _lines(document: DisasmDocument) -> Iterator[str]:
    function = document.function
    yield f"; {document.inputs[0].name}: {document.version or document.kind}"
    if document.features is not None:
        present = ", ".join(document.features.present) or "none"
        yield f"; features: {present} (names from {document.features.names_from})"
        if document.features.unknown:
            yield f"; not decided: {', '.join(document.features.unknown)}"
    where = f"{function.domain} code" if function.domain else "code"
    name = _cut(function.name, _MAX_NAME)
    aliases = f", also {', '.join(function.aliases)}" if function.aliases else ""
    yield _cut(f"; {name}: {function.size} bytes, {where}{aliases}", _MAX_LINE)
    for note in document.notes:
        yield f"; {note}"
    yield ""
    if function.section:
        yield f"Disassembly of section {function.section}:"
        yield ""
    yield f"{int(function.address, 16):016x} <{name}>:"
    place: tuple[str | None, int | None, str | None] = (None, None, None)
    for line in document.lines:
        here = (line.file, line.line, line.function)
        if line.file is not None and line.line is not None and here != place:
            yield _cut(f"; {line.file}:{line.line} {line.function or ''}".rstrip(), _MAX_LINE)
            if line.statement:
                yield f";     {line.statement}"
        place = here if line.file is not None else place
        yield from _line(line)
    for table in document.tables:
        yield ""
        yield from _table(table)
    for contents in document.contents:
        yield ""
        yield from _contents(contents)


def _line(line: DocLine) -> Iterator[str]:
    text = f"{int(line.address, 16):16x}:\t{line.word[2:]} \t{_tabbed(line.text)}"
    notes = [*_references(line), *line.notes]
    if line.built != line.word:
        notes.append(f"built as {line.built[2:]}")
    others = [word[2:] for word in line.possible if word not in (line.word, line.built)]
    if others:
        notes.append(f"or {', '.join(others)}")
    words = _cut("; ".join(notes), _MAX_LINE)
    whole = f"{text:<{_TEXT_WIDTH}}\t// {words}" if notes else text
    if len(whole) <= _MAX_LINE and "%" not in words:
        yield whole
    else:
        yield f"; {words}"
        yield text


def _tabbed(text: str) -> str:
    mnemonic, _, operands = text.partition(" ")
    return f"{mnemonic}\t{operands}" if operands else mnemonic


def _references(line: DocLine) -> Iterator[str]:
    for reference in line.references:
        words = reference.symbol or reference.target
        if reference.absolute:
            words = f"ABSOLUTE {words}"
            if reference.covered is not None:
                words += ", converted by .hyp.reloc" if reference.covered else ", not in .hyp.reloc"
        yield words


def _table(table: DocTable) -> Iterator[str]:
    kind = "addresses (absolute)" if table.entry_kind == "absolute" else "offsets"
    where = f" in {table.section}" if table.section else ""
    yield (
        f"; table at {table.table}{where}: {len(table.targets)} {kind} of {table.entry_bytes} bytes, "
        f"branch at {table.branch}; {table.idiom}; end known by {table.bound}"
    )
    for index, target in enumerate(table.targets[:_MAX_TARGETS]):
        yield f";   [{index}] {target}"
    if len(table.targets) > _MAX_TARGETS:
        yield f";   ... {len(table.targets) - _MAX_TARGETS} more"


def _contents(contents: DocContents) -> Iterator[str]:
    """Yield a dump in the form of `objdump -s`."""
    yield f"Contents of section {contents.section}:"
    data, first = bytes.fromhex(contents.bytes), int(contents.address, 16)
    for start in range(0, len(data), _ROW_BYTES):
        row = data[start : start + _ROW_BYTES]
        groups = " ".join(row[i : i + 4].hex() for i in range(0, len(row), 4))
        characters = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield f" {first + start:x} {groups:<35}  {characters}"
