"""Machine code of the text, for the document: `Code:` lines and listings."""

from collections.abc import Iterator

from whypanic.arch.insn.text import render
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import listing_of_pc, solution_of
from whypanic.model.code import CodeLine, Listing
from whypanic.model.image import CodeComparison, ImageCode
from whypanic.model.provenance import Origin
from whypanic.report.document import DocCode, hexadecimal

_WORD_BYTES = 4
_MAX_LINES = 400
_MASK = (1 << 64) - 1


def code_of(case: CaseView) -> list[DocCode]:
    """Return the words around PC: the report's `Code:` line, then the listing of the function of PC."""
    found: list[DocCode] = []
    for line in case.all(CodeLine)[:1]:
        found.extend(_code_line(case, line)[:_MAX_LINES])
    listing = listing_of_pc(case) if case.all(Listing) else None
    if listing is not None and listing.source.origin is not Origin.IMAGE:
        found.extend(_listing(case, listing))
    code = case.get(ImageCode)
    if code is not None:
        found.extend(_image(code))
    return found


def _code_line(case: CaseView, line: CodeLine) -> list[DocCode]:
    pc = case.value("pc") if case.hyp is None else case.hyp.pc
    ref = case.pc_ref
    entries = []
    compared = case.get(CodeComparison)
    states = compared.words if compared is not None and compared.because[:1] == (line,) else ()
    for position, word in enumerate(line.words):
        state = states[position] if position < len(states) else None
        address = None
        if pc is not None and line.faulting is not None:
            address = pc + (position - line.faulting) * _WORD_BYTES & _MASK
        faulting = position == line.faulting
        entries.append(
            DocCode(
                address=None if address is None else hexadecimal(address),
                word=_word(word),
                text=render(word, address),
                faulting=faulting,
                symbol=_at(ref.symbol, ref.offset) if ref and faulting else None,
                source="log",
                file=None,
                line=None,
                statement=None,
                state=state.state.value if state else None,
                note=(state.why or None) if state else None,
            )
        )
    return entries


def _listing(case: CaseView, listing: Listing) -> list[DocCode]:
    solution = solution_of(case)
    pc = case.value("pc") if case.hyp is None else case.hyp.pc
    base = listing.lines[0].address if listing.lines else 0
    slide = 0 if solution is None else solution.load_address - solution.survey.base
    marked = (i for i, line in enumerate(listing.lines) if line.address + slide & _MASK == pc)
    start = max(0, next(marked, 0) - _MAX_LINES // 2)
    found = []
    for line in listing.lines[start : start + _MAX_LINES]:
        address = line.address + slide & _MASK
        found.append(
            DocCode(
                address=hexadecimal(address),
                word=None if line.word is None else _word(line.word),
                text=line.text if line.word is None else render(line.word, address),
                faulting=address == pc,
                symbol=_at(listing.function, line.address - base),
                source="listing",
                file=None,
                line=None,
                statement=None,
                state=None,
                note=None,
            )
        )
    return found


def _image(code: ImageCode) -> Iterator[DocCode]:
    for line in code.lines:
        address = line.address + code.slide & _MASK
        at = line.position
        yield DocCode(
            address=hexadecimal(address),
            word=_word(line.word),
            text=f".word {line.word:#010x}" if line.is_data else render(line.word, address),
            faulting=line.faulting,
            symbol=_at(line.symbol, line.offset),
            source="image",
            file=at.file if at else None,
            line=at.line if at else None,
            statement=line.statement or None,
            state=None,
            note=line.note or None,
        )


def _word(word: int) -> str:
    return f"0x{word:08x}"


def _at(symbol: str | None, offset: int | None) -> str | None:
    return None if symbol is None else f"{symbol}+{offset or 0:#x}"
