"""Disassembly pasted into the text, by GNU or LLVM objdump, gdb or the kernel's decodecode.

The forms, as the tools print them (binutils `objdump.c`, LLVM `llvm-objdump.cpp`, gdb `disasm.c`,
Linux scripts/decodecode); mails and web pages lose the tabs and the indentation::

    0000000000000000 <function>:                 header of both objdumps
       4:   12000928    and w8, w9, #0x7         GNU, newer LLVM; decodecode marks `4:*`
       4: 28 09 00 12   and w8, w9, #0x7         older LLVM: bytes in memory order
       14: R_AARCH64_ABS64  symbol+0x10          relocation, with -r
    => 0xffff000008080004 <+4>:  12000928  and   gdb; without /r no encoding
"""

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from whypanic.model.code import Listing, ListingLine, ListingTool, Relocation
from whypanic.model.provenance import Damage, Origin, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from whypanic.crashlog.lines import Line

_LONGEST = 20_000
"""Instruction lines in one listing at most."""
_BETWEEN = 40
"""Lines of source, blank lines and notes between two instructions at most."""
_JUMP = 0x1000
"""Bytes lost between two instructions at most."""

# fmt: off
_HEADER = r"(?:[0-9a-f]{1,16} )?<(?P<function>[\w.$@~]{1,500})>:"
_SECTION = r"Disassembly of section (?P<section>[\w.$~-]{1,200}):"
_GDB_HEADER = r"Dump of assembler code for function (?P<function>[\w.$@~:]{1,500}):"
_INSTRUCTION = (
    r"(?P<arrow>=>\s*)?(?P<address>(?:0x)?[0-9a-f]{1,16})(?P<place>\s+<[^>\s]{1,500}>)?:(?P<star>\*)?(?P<blank>\s*)"
    r"(?:(?P<word>[0-9a-f]{8})(?=\s|$)|(?P<bytes>[0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2})(?=\s|$))?"
    r"\s*(?P<text>(?P<mnemonic>[a-z][a-z0-9]{0,11}(?:\.[a-z0-9]{1,4})?|\.(?:word|inst|long)|<unknown>)(?=\s|$)[^%]*)$"
)
_RELOCATION = (
    r"(?:(?P<address>[0-9a-f]{1,16}):\s*)?(?P<type>R_AARCH64_\w{1,60})\s+(?P<symbol>[^\s+]{1,500}?)"
    r"(?P<addend>[+-]0x[0-9a-f]{1,16})?"
)
# fmt: on


class _Read(NamedTuple):
    """One instruction line as it stands."""

    at: int
    """Index of its line."""
    address: int
    word: int | None
    text: str
    function: str | None
    tool: ListingTool


def read_listings(lines: "Sequence[Line]", input: int = 0) -> tuple[tuple[Listing, ...], set[int]]:
    """Return the listings in the lines and the indexes of the lines they are made of.

    A listing is at least two instructions in a row, or one behind a header. One that is quoted
    again is returned once; its lines count as used wherever they stand.
    """
    listings: dict[tuple[object, ...], Listing] = {}
    used: set[int] = set()
    for run in _runs(lines):
        used |= run.used
        words = tuple((line.address, line.word, line.text) for line in run.reads)
        key = (run.function, words)
        if key not in listings:
            listings[key] = _listing(run, lines, input)
    return tuple(listings.values()), used


def listing_gaps(listing: Listing) -> tuple[Damage, ...]:
    """Return a record for each place where instructions of a listing are missing."""
    damage: list[Damage] = []
    for line, behind in zip(listing.lines, listing.lines[1:], strict=False):
        missing = (behind.address - line.address) // 4 - 1
        if missing > 0:
            first, last = line.source.line or 1, behind.source.line or 1
            span = Span(input=line.source.input, first_line=first, last_line=max(first, last))
            damage.append(Damage(span=span, reason=f"{missing} words missing in a listing"))
    return tuple(damage)


class _Run:
    """Instruction lines that belong together, while they are collected."""

    def __init__(self, function: str | None, header: int | None) -> None:
        self.function = function
        self.header = header
        self.reads: list[_Read] = []
        self.relocations: dict[int, list[Relocation]] = {}
        self.used: set[int] = set() if header is None else {header}
        self.pending: list[int] = []
        """Lines since the last instruction: part of the listing only if it goes on."""
        self.tool = ListingTool.UNKNOWN
        self.section: str | None = None

    def takes(self, read: _Read) -> bool:
        """Return whether the instruction continues this run."""
        if not self.reads:
            return True
        step = read.address - self.reads[-1].address
        same = read.function is None or self.function in (None, read.function)
        return 0 < step <= _JUMP and same and (step == 4 or len(self.pending) <= 3)

    def add(self, read: _Read) -> None:
        self.reads.append(read)
        self.used.add(read.at)
        self.used.update(self.pending)
        self.pending.clear()
        self.function = self.function or read.function
        if self.tool is ListingTool.UNKNOWN or read.tool is ListingTool.GDB:
            self.tool = read.tool

    @property
    def whole(self) -> bool:
        return len(self.reads) >= 2 or (self.header is not None and bool(self.reads))


def _runs(lines: "Sequence[Line]") -> "Iterator[_Run]":
    run = _Run(None, None)
    section: str | None = None
    for index, line in enumerate(lines):
        text = line.text
        header = _header(text) if text.endswith(":") else None
        if header is not None:
            if run.whole:
                yield run
            run = _Run(header, index)
            run.section = section
            continue
        if text.startswith("Disassembly of section "):
            match = _compiled(_SECTION).fullmatch(text)
            section = match["section"] if match else None
        elif section is not None and " file format " in text:
            section = None
        if "R_AARCH64_" in text and run.reads and _add_relocation(run, index, text):
            continue
        read = _instruction(index, line)
        if read is None:
            run.pending.append(index)
            if len(run.pending) > _BETWEEN:
                if run.whole:
                    yield run
                run = _Run(None, None)
            continue
        if not run.takes(read) or len(run.reads) >= _LONGEST:
            if run.whole:
                yield run
            run = _Run(None, None)
        if not run.reads and run.header is None:
            run.pending.clear()
        run.add(read)
    if run.whole:
        yield run


def _header(text: str) -> str | None:
    for pattern in (_HEADER, _GDB_HEADER):
        match = _compiled(pattern).fullmatch(text)
        if match is not None:
            return match["function"]
    return None


def _instruction(index: int, line: "Line") -> _Read | None:
    text = line.text
    if line.prefixed or ":" not in text[:90] or len(text) > 600:
        return None
    if not (text[0].isalnum() or text[0] == "="):
        return None
    match = _compiled(_INSTRUCTION).match(text)
    if match is None:
        return None
    word, memory, place = match["word"], match["bytes"], match["place"]
    if word is None and memory is None and not (place and len(match["address"]) > 4):
        return None
    mnemonic = match["mnemonic"]
    if len(mnemonic) in (2, 8) and _compiled(r"[0-9a-f]+").fullmatch(mnemonic):
        return None
    function = None
    if place:
        name = place.strip()[1:-1].partition("+")[0]
        function = name or None
    value = int(word, 16) if word else None
    if memory:
        value = int.from_bytes(bytes.fromhex(memory), "little")
    return _Read(
        index,
        int(match["address"], 16),
        value,
        " ".join(match["text"].split()),
        function,
        _tool(match, text),
    )


def _tool(match: re.Match[str], text: str) -> ListingTool:
    """Return who printed the line, where its form tells."""
    if match["arrow"] or match["place"]:
        return ListingTool.GDB
    if match["bytes"]:
        return ListingTool.LLVM_OBJDUMP
    if match["blank"] == "\t" or _compiled(r"\s// #-?\d").search(text):
        return ListingTool.GNU_OBJDUMP
    if "\t" in text:
        return ListingTool.LLVM_OBJDUMP
    return ListingTool.UNKNOWN


def _add_relocation(run: _Run, index: int, text: str) -> bool:
    """Attach a relocation to the instruction at its address, else to the one before it."""
    match = _compiled(_RELOCATION).fullmatch(text)
    if match is None:
        return False
    address = int(match["address"], 16) if match["address"] else run.reads[-1].address
    addend = int(match["addend"], 16) if match["addend"] else 0
    relocation = Relocation(type=match["type"], symbol=match["symbol"], addend=addend)
    recent = next((read for read in run.reads[:-65:-1] if read.address == address), run.reads[-1])
    run.relocations.setdefault(recent.at, []).append(relocation)
    run.used.add(index)
    if match["address"] and len(match["address"]) == 16 and run.reads[-1].address < 1 << 32:
        run.tool = ListingTool.LLVM_OBJDUMP
    return True


def _listing(run: _Run, lines: "Sequence[Line]", input: int) -> Listing:
    rows: list[ListingLine] = []
    for read in run.reads:
        source = lines[read.at].source(input)
        rows.append(
            ListingLine(
                source=Source(
                    origin=Origin.LISTING,
                    input=input,
                    line=source.line,
                    last_line=source.last_line,
                    address=read.address,
                    text=source.text,
                ),
                address=read.address,
                word=read.word,
                text=read.text,
                function=read.function or run.function,
                relocations=tuple(run.relocations.get(read.at, ())),
            )
        )
    return Listing(
        source=Source(
            origin=Origin.LISTING,
            input=input,
            line=lines[min(run.used)].number,
            last_line=lines[max(run.used)].last_number,
            address=run.reads[0].address,
            text=f"listing of {run.function or 'code'}",
        ),
        function=run.function,
        lines=tuple(rows),
        tool=run.tool,
        section=run.section,
    )


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
