"""Where a finding is: function, section, addresses, source line, and the instructions that lead to it."""

from collections.abc import Sequence
from typing import NamedTuple

from whypanic.arch.insn.text import render
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import PLAIN_DOMAINS
from whypanic.code.image_code import data_words, function_span, linked_words
from whypanic.formats.kernel_image import ImageKind
from whypanic.model.audit import Finding
from whypanic.report.audit_document import DocSliceLine
from whypanic.report.document import hexadecimal
from whypanic.symbolize.debug_info import Chain, DebugInfo

MAX_SLICE = 64
"""Instructions shown of one finding."""
MAX_LOOKED_UP = 20_000
"""Addresses whose source line is looked up, of one image."""
_WORD_BYTES = 4
_LONG = 1 << 16
"""Bytes that an object without a size may have."""
_TOP = 1 << 64


class Place(NamedTuple):
    """Where a finding is, as far as the image tells."""

    function: str | None
    """The symbol there: a function, or in data the object."""
    offset: int | None
    names: tuple[str, ...]
    """What a suppression may call it: symbol, aliases, section."""
    section: str | None
    section_offset: int | None
    link_address: str | None
    run_address: str | None
    file: str | None
    line: int | None
    slice: tuple[DocSliceLine, ...]


class Places:
    """The findings of one image, placed; the lines of all are looked up at once."""

    def __init__(
        self, view: AuditView, findings: Sequence[Finding], debug: DebugInfo | None
    ) -> None:
        self._view, self._image = view, view.image
        self._is_code: dict[int, bool] = {}
        wanted: dict[int, None] = {}
        for finding in findings:
            wanted.update(dict.fromkeys((finding.place, *self._slice(finding))))
        asked = [address for address in wanted if self._is_instruction(address)]
        self.n_left_out = max(len(asked) - MAX_LOOKED_UP, 0) if debug is not None else 0
        """Addresses whose line was not looked up: there were too many."""
        asked = asked[:MAX_LOOKED_UP]
        self._chains: dict[int, Chain] = {}
        if debug is not None and asked:
            self._chains = dict(zip(asked, debug.locate(asked), strict=True))

    def of(self, finding: Finding) -> Place:
        """Return where a finding is."""
        place, image = finding.place, self._image
        section = image.section_at(place)
        name, offset, aliases = self._symbol(place)
        file, line = self._position(place)
        names = (name, *aliases, section.name if section else None)
        return Place(
            function=name,
            offset=offset,
            names=tuple(n for n in names if n),
            section=section.name if section else None,
            section_offset=place - section.address if section else None,
            link_address=None if self._view.is_object else hexadecimal(place),
            run_address=self._run_address(finding),
            file=file,
            line=line,
            slice=tuple(
                shown
                for address in self._slice(finding)
                if (shown := self._line(finding, address)) is not None
            ),
        )

    def _symbol(self, place: int) -> tuple[str | None, int | None, tuple[str, ...]]:
        if not 0 <= place < _TOP:
            return None, None, ()
        span = function_span(self._image, place)
        if span is not None:
            return span.name, place - span.first, span.aliases
        symbol, section = self._image.symbol_at(place), self._image.section_at(place)
        if symbol is None or (section is not None and symbol.address < section.address):
            return None, None, ()
        if place >= (symbol.end if symbol.size else self._next(symbol.address)):
            return None, None, ()
        if symbol.size > _LONG and self._image.kind is ImageKind.RAW:
            return None, None, ()  # it only reaches to the next name that the image has
        others = self._image.symbols.all_at(symbol.address)
        aliases = tuple(dict.fromkeys(s.name for s in others if s.name != symbol.name))
        return symbol.name, place - symbol.address, aliases

    def _next(self, address: int) -> int:
        """Return where an object without a size ends: at the next symbol; a distant one says that names are missing."""
        end = next(
            (s.address for s in self._image.symbols.between(address + 1, address + _LONG)), 0
        )
        return end or address + 1

    def _run_address(self, finding: Finding) -> str | None:
        """Return the link address of code that runs there: in a kernel that is never moved."""
        image = self._image
        is_fixed = image.kind is ImageKind.VMLINUX and not len(image.relative.slots)
        if finding.domain in PLAIN_DOMAINS and is_fixed:
            return hexadecimal(finding.place)
        return None

    def _slice(self, finding: Finding) -> tuple[int, ...]:
        """Return the instructions that lead to a finding, the place among them where it is one."""
        found = tuple(dict.fromkeys(finding.slice))
        if finding.place not in found and self._is_instruction(finding.place):
            found = (*found, finding.place)
        if len(found) <= MAX_SLICE:
            return found
        kept = found[-MAX_SLICE:]
        return kept if finding.place in kept else (finding.place, *kept[1:])

    def _is_instruction(self, address: int) -> bool:
        if address not in self._is_code:
            self._is_code[address] = self._looks_like_code(address)
        return self._is_code[address]

    def _looks_like_code(self, address: int) -> bool:
        if not 0 <= address < _TOP - _WORD_BYTES or address % _WORD_BYTES:
            return False
        section = self._image.section_at(address)
        if section is not None and not section.executable:
            return False
        if section is None and self._view.owner(address) is None:
            return False
        is_data = data_words(self._image, address, address + _WORD_BYTES)
        return len(is_data) == 1 and not is_data[0]

    def _line(self, finding: Finding, address: int) -> DocSliceLine | None:
        if not 0 <= address < _TOP - _WORD_BYTES or address % _WORD_BYTES:
            return None
        word = finding.word if address == finding.place else None
        if word is None:
            words = linked_words(self._image, address, address + _WORD_BYTES)
            if words is None or not len(words):
                return None
            word = int(words[0])
        file, line = self._position(address)
        return DocSliceLine(
            address=hexadecimal(address),
            word=f"0x{word:08x}",
            text=render(word, address),
            source=f"{file}:{line}" if line else file,
        )

    def _position(self, address: int) -> tuple[str | None, int | None]:
        chain = self._chains.get(address)
        if not chain or chain[0].file is None:
            return None, None
        return chain[0].file, chain[0].line
