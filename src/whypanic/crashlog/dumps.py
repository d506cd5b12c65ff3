"""Section contents pasted beside a listing: hex dumps and tables of relocations.

The forms, as binutils 2.40 and LLVM 19 print them; mails lose the indentation::

    Contents of section .rodata:                             objdump -s
     0000 27252321 1f1d1b19 17151311 0f0d0b09  '%#!............
    Hex dump of section '.rodata':                           readelf -x
      0x00000000 27252321 1f1d1b19 17151311 0f0d0b09 '%#!............
    RELOCATION RECORDS FOR [.rodata]:                        objdump -r
    0000000000000008 R_AARCH64_ABS64   .text+0x000000000000009c
    Relocation section '.rela.rodata' at offset 0x268 contains 8 entries:    readelf -r
    000000000008  000200000101 R_AARCH64_ABS64   0000000000000000 .text + 9c

The bytes stand in the order of memory. readelf cuts long names of types; the number in `Info` tells them apart.
"""

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from whypanic.arch.relocations import BY_NUMBER
from whypanic.model.provenance import Fact, Origin, Source
from whypanic.model.sections import SectionBytes, SectionRelocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from whypanic.crashlog.lines import Line

_MAX_ROWS = 20_000
"""Rows of one dump or table at most."""
_STRANGE = 3
"""Lines between two rows that are neither rows nor blank: notes and words of the mail's author."""

_SECTION = r"(?P<section>[\w.$~-]{1,200})"
_HEADERS = (
    ("Contents of section ", rf"Contents of section {_SECTION}:", True),
    ("Hex dump of section ", rf"Hex dump of section '{_SECTION}':", True),
    ("RELOCATION RECORDS ", rf"RELOCATION RECORDS FOR \[{_SECTION}\]:", False),
    ("DYNAMIC RELOCATION ", r"DYNAMIC RELOCATION RECORDS", False),
    ("Relocation section ", rf"Relocation section '{_SECTION}' at offset 0x[0-9a-f]+ .*", False),
)
_FIRST = frozenset(start[0] for start, _, _ in _HEADERS)
_ROW = r"(?:0x)?(?P<address>[0-9a-f]{4,16})\s+(?P<rest>(?:[0-9a-f]{2}){1,4}(?:\s.*)?)"
_GROUP = r"(?:[0-9a-f]{2}){1,4}(?=\s|$)"
_OBJDUMP = (
    r"(?P<offset>[0-9a-f]{8,16})\s+(?P<type>R_AARCH64_\w{1,60})\s+(?P<symbol>\S{1,500}?)"
    r"(?P<addend>[+-]0x[0-9a-f]{1,16})?"
)
_READELF = (
    r"(?P<offset>[0-9a-f]{8,16})\s+(?P<info>[0-9a-f]{8,16})\s+(?P<type>R_AARCH64_\w{1,60})(?:\s+"
    r"(?:[0-9a-f]{16}\s+(?P<symbol>[^\s+-]\S{0,499})\s+(?P<sign>[+-])\s+(?P<addend>[0-9a-f]{1,16})"
    r"|(?P<only>[0-9a-f]{1,16})))?"
)
_READELF_BEGUN = r"[0-9a-f]{8,16}\s+[0-9a-f]{8,16}\s+R_AARCH64_\w{1,60}(?:\s.*)?"


def read_dumps(
    lines: "Sequence[Line]", taken: set[int], input: int = 0
) -> tuple[tuple[Fact, ...], set[int]]:
    """Return the dumps and relocations in the lines, and the indexes of the lines they are made of.

    What is quoted again is returned once; its lines count as used wherever they stand.

    :param taken: indexes of lines that belong to listings.
    """
    found: dict[object, Fact] = {}
    used: set[int] = set()
    for index, line in enumerate(lines):
        if line.text[:1] not in _FIRST or line.prefixed or index in taken or index in used:
            continue
        header = _header(line.text)
        if header is None:
            continue
        used.add(index)
        section, is_dump = header
        rows = _Rows(lines, index, taken)
        facts = _dump(rows, section, input) if is_dump else _relocations(rows, section, input)
        for fact in facts:
            if isinstance(fact, SectionBytes):
                found.setdefault((section, fact.address, fact.data), fact)
            elif isinstance(fact, SectionRelocation):
                key = (section, fact.offset, fact.type, fact.symbol, fact.addend)
                found.setdefault(key, fact)
        used |= rows.used
    return tuple(found.values()), used


def _header(text: str) -> tuple[str, bool] | None:
    """Return the section a dump or table is of, and whether it is a dump of bytes."""
    for start, pattern, is_dump in _HEADERS:
        if text.startswith(start):
            match = _compiled(pattern).fullmatch(text)
            if match is not None:
                name = match.groupdict().get("section") or ".rela.dyn"
                return _relocated(name), is_dump
    return None


def _relocated(name: str) -> str:
    """Return the section that a table of readelf is for: `.rela.rodata` is for `.rodata`."""
    is_static = name.startswith(".rela.") and name not in (".rela.dyn", ".rela.plt")
    return name[len(".rela") :] if is_static else name


class _Rows:
    """The lines behind a header, until something else begins."""

    def __init__(self, lines: "Sequence[Line]", header: int, taken: set[int]) -> None:
        self.lines = lines
        self.header = header
        self.taken = taken
        self.used: set[int] = set()

    def matching(self, *patterns: str) -> "Iterator[tuple[Line, re.Match[str]]]":
        """Yield the lines that are rows of one of these forms."""
        strange, quote = 0, self.lines[self.header].quote
        index = self.header
        while len(self.used) < _MAX_ROWS and index + 1 < len(self.lines):
            index += 1
            line = self.lines[index]
            if index in self.taken or line.prefixed or line.quote != quote or strange > _STRANGE:
                return
            if not line.text:
                continue
            if _header(line.text) is not None:
                return
            match = self._row(index, patterns)
            if match is None:
                strange += 1
                continue
            strange = 0
            self.used.add(index)
            if match.string != line.text:
                index += 1
                self.used.add(index)
            yield line, match

    def _row(self, index: int, patterns: tuple[str, ...]) -> re.Match[str] | None:
        """Match a line, and where a mailer cut it the line with the next one."""
        text = self.lines[index].text
        if len(text) > 1200:
            return None
        begun = _READELF in patterns and _whole(_READELF_BEGUN, text)
        if begun and index + 1 < len(self.lines) and " + " not in text:
            rest = self.lines[index + 1].text
            whole = _whole(_READELF, f"{text} {rest}") if len(rest) < 600 else None
            if whole is not None and whole["symbol"] and not _whole(_READELF_BEGUN, rest):
                return whole
        return next((match for p in patterns if (match := _whole(p, text))), None)


class _Run(NamedTuple):
    """Rows without a gap."""

    first: "Line"
    address: int
    data: bytearray


def _dump(rows: _Rows, section: str, input: int) -> "Iterator[SectionBytes]":
    run: _Run | None = None
    for line, match in rows.matching(_ROW):
        address, data = int(match["address"], 16), _row_bytes(match["rest"])
        if run is not None and address == run.address + len(run.data):
            run.data.extend(data)
            continue
        if run is not None:
            yield _bytes_of(run, section, input)
        run = _Run(line, address, bytearray(data))
    if run is not None:
        yield _bytes_of(run, section, input)


def _bytes_of(run: _Run, section: str, input: int) -> SectionBytes:
    return SectionBytes(
        source=_source(run.first, run.address, input),
        section=section,
        address=run.address,
        data=bytes(run.data),
    )


def _row_bytes(rest: str) -> bytes:
    """Return the bytes of a row: up to four groups, one blank between two.

    The characters behind them may look like a group; where blanks were lost the groups are those whose characters are
    the ones printed behind them.
    """
    ends: list[int] = []
    position = 0
    while len(ends) < 4:
        match = _compiled(_GROUP).match(rest, position)
        if match is None:
            break
        ends.append(match.end())
        position = match.end() + 1
        if match.end() - match.start() < 8:
            break
    for end in reversed(ends):
        data = bytes.fromhex(rest[:end])
        if _shown(data) == rest[end:].strip():
            return data
    return bytes.fromhex(rest[: ends[-1]]) if ends else b""


def _shown(data: bytes) -> str:
    """Return the characters that stand behind a row."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data).strip()


def _relocations(rows: _Rows, section: str, input: int) -> "Iterator[SectionRelocation]":
    for line, match in rows.matching(_OBJDUMP, _READELF):
        values = match.groupdict()
        symbol, addend, kind = values["symbol"] or "", values["addend"], match["type"]
        value = int(addend, 16) if addend else 0
        if "info" in values:
            number = int(match["info"], 16) & 0xFFFFFFFF
            known = BY_NUMBER.get(number)
            kind = known.name if known is not None else f"R_AARCH64_#{number}"
            value = -value if values["sign"] == "-" else value
            value = int(values["only"], 16) if values["only"] else value
        offset = int(match["offset"], 16)
        yield SectionRelocation(
            source=_source(line, offset, input),
            section=section,
            offset=offset,
            type=kind,
            symbol="" if symbol == "*ABS*" else symbol,
            addend=value,
        )


def _source(line: "Line", address: int, input: int) -> Source:
    place = line.source(input)
    return Source(
        origin=Origin.LISTING,
        input=input,
        line=place.line,
        last_line=place.last_line,
        address=address,
        text=place.text,
    )


def _whole(pattern: str, text: str) -> re.Match[str] | None:
    return _compiled(pattern).fullmatch(text)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
