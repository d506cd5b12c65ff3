"""What the code and data of an image around PC say: words, tables, references, the access in terms of the source."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from whypanic.app.image_listing import domain_facts, table_contents
from whypanic.app.source_tree import SourceTree
from whypanic.arch.esr import decode_esr
from whypanic.arch.insn import decode
from whypanic.arch.insn.text import render
from whypanic.causes.case import CaseView
from whypanic.code.alternatives import AlternativeTable, read_alternatives
from whypanic.code.alternatives import render as render_alternatives
from whypanic.code.compared_words import compare_words
from whypanic.code.execution_domains import domain_at
from whypanic.code.formed_access import formed_access
from whypanic.code.image_capabilities import Features, capability_names, features_of_log
from whypanic.code.image_code import Span, function_span, listing_of
from whypanic.code.indirect_branch import find_indirect_branches
from whypanic.code.jump_tables import find_tables
from whypanic.code.patch_sites import PatchSites
from whypanic.code.references import branches_to, references_from, slots_holding
from whypanic.code.table_runs import find_table_flags
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.code import CodeLine, Listing
from whypanic.model.context import CpuFeatures, DetectedFeature, StartedAtEl, Task
from whypanic.model.hyp import HypPanic, KvmModeLine
from whypanic.model.image import (
    CallThrough,
    CodeComparison,
    CodeReference,
    ImageCode,
    ImageLine,
    JumpTable,
    Slide,
    TableEntryKind,
)
from whypanic.model.provenance import Fact, Origin, Source
from whypanic.symbolize.access_readings import read_access
from whypanic.symbolize.debug_info import DebugInfo
from whypanic.symbolize.named_values import name_address

_MASK = (1 << 64) - 1
_WORD_BYTES = 4
_WORDS_BEFORE, _WORDS_AFTER = 12, 6
_MAX_WORDS = 8192
"""Longer functions are read around PC only."""
_MAX_REFERENCES = 64
_UPPER_BIT = 55
_CONSTANT = (".rodata", ".hyp.rodata", ".data.rel.ro")
"""What the kernel maps read-only; linkers mark it writable because of the little in it that is written at boot."""
_FIRST_PROCESS = 1000
"""Kernel threads that start before all CPUs are up have far smaller numbers."""


def compare_code(
    image: KernelImage, link_pc: int | None, case: CaseView, slide: Slide | None
) -> CodeComparison | None:
    """Return the words of the `Code:` line held against the image; None where one of them is missing."""
    line = _code_line(case)
    if line is None or line.faulting is None or link_pc is None:
        return None
    table = read_alternatives(image)
    return compare_words(
        image,
        link_pc,
        line.words,
        line.faulting,
        _features(image, case, table),
        source=line.source,
        because=(line,),
        is_early=_is_early(case),
        slide=None if slide is None else slide.value,
        table=table,
    )


def _code_line(case: CaseView) -> CodeLine | None:
    lines = [c for c in case.all(CodeLine) if c.words and not c.bad_pc and c.faulting is not None]
    return next((c for c in lines if c.hyp), lines[0] if lines else None)


def _is_early(case: CaseView) -> bool | None:
    """Tell whether alternatives may not have been applied yet; None: the text does not show that they were.

    They are once all CPUs are up, before initcalls such as KVM's and before there are processes (Linux
    arch/arm64/kernel/smp.c, smp_cpus_done).
    """
    task = case.get(Task)
    signs = (KvmModeLine, StartedAtEl)
    is_up = case.at_el2 or any(case.all(sign) for sign in signs)
    is_process = task is not None and (task.pid or 0) >= _FIRST_PROCESS
    is_init = task is not None and task.pid == 1 and task.comm not in (None, "swapper/0")
    return False if is_up or is_process or is_init else None


def _features(image: KernelImage, case: CaseView, table: AlternativeTable) -> Features | None:
    release = case.kernel.release if case.kernel else None
    names = capability_names(image, release=release, count=table.n_capabilities)
    return features_of_log(
        case.get(CpuFeatures), names, detected=case.all(DetectedFeature), release=release
    )


class CodeAtPc:
    """The function of PC in an image."""

    def __init__(
        self,
        case: CaseView,
        image: KernelImage,
        pc: int,
        *,
        slide: Slide | None,
        debug: DebugInfo | None,
        tree: Path | None,
    ) -> None:
        """Keep what is known.

        :param pc: link VA.
        """
        self._case, self._image, self._pc = case, image, pc
        self._slide, self._debug = slide, debug
        self._tree = None if tree is None else SourceTree(tree)

    def facts(self) -> Iterator[Fact]:
        """Yield domain, code, tables, references and readings."""
        span = self._span
        if self._case.at_el2:
            yield from domain_facts(self._image, self._pc)
        if span is not None:
            if self._listing is not None:
                yield self._listing
            yield from self._tables
            if self._case.at_el2:
                yield from table_contents(self._image, self._tables)
                yield from self._flags()
                yield from self._references(span)
            yield from self._code(span)
        yield from self._access()

    @cached_property
    def _span(self) -> Span | None:
        return function_span(self._image, self._pc)

    @cached_property
    def _table(self) -> AlternativeTable:
        return read_alternatives(self._image)

    @cached_property
    def _features(self) -> Features | None:
        return _features(self._image, self._case, self._table)

    @cached_property
    def _patched(self) -> dict[int, int]:
        """Words that alternatives certainly changed, by link VA."""
        span, features = self._span, self._features
        if span is None or features is None:
            return {}
        names = features.names
        rendered = render_alternatives(
            self._image,
            self._table,
            span.first,
            span.end,
            features.has,
            names.name,
            names.number,
        )
        certain = ((address, change.certain) for address, change in rendered.changes.items())
        return {address: word for address, word in certain if word is not None}

    @cached_property
    def _listing(self) -> Listing | None:
        span = self._span
        if span is None or span.end - span.first > _MAX_WORDS * _WORD_BYTES:
            return None
        return listing_of(self._image, span.first, span.end, words=self._patched)

    @cached_property
    def _tables(self) -> tuple[JumpTable, ...]:
        span = self._span
        if span is None or span.end - span.first > _MAX_WORDS * _WORD_BYTES:
            return ()
        return find_tables(self._image, span.first, span.end)

    def _flags(self) -> Iterator[Fact]:
        """Yield the flags that each way through a table of addresses to PC leaves."""
        wanted = [
            t
            for t in self._tables
            if t.entry_kind is TableEntryKind.ABSOLUTE and self._pc in t.targets
        ]
        if not wanted or self._listing is None:
            return
        branches = {b.line.address: b for b in find_indirect_branches(self._listing)}
        landings = {target for table in self._tables for target in table.targets}
        for table in wanted:
            branch = branches.get(table.branch)
            if branch is None:
                continue
            found = find_table_flags(
                branch,
                self._pc,
                len(table.targets),
                self._memory,
                landings=landings,
                table=table.table,
            )
            if found is not None:
                yield found

    def _memory(self, address: int, n_bytes: int) -> int | None:
        """Return memory of the image that nothing changes."""
        section = self._image.section_at(address)
        if section is None or (section.writable and not section.name.startswith(_CONSTANT)):
            return None
        data = self._image.read(address, n_bytes)
        return None if data is None else int.from_bytes(data, "little")

    def _references(self, span: Span) -> Iterator[Fact]:
        panic = self._case.get(HypPanic)
        if panic is None or panic.esr is None:
            return
        esr = decode_esr(panic.esr, el=2)
        if esr.is_instruction_abort and panic.pc is not None:
            if panic.pc >> _UPPER_BIT & 1:
                yield from slots_holding(self._image, self._pc)[:_MAX_REFERENCES]
            else:
                yield from branches_to(self._image, self._pc)[:_MAX_REFERENCES]
        elif esr.is_data_abort and panic.far is not None:
            if panic.far >> _UPPER_BIT & 1:
                link = panic.far - (self._slide.value if self._slide else 0) & _MASK
                yield from slots_holding(self._image, link)[:_MAX_REFERENCES]
            else:
                yield from self._formed(span)
                found = references_from(self._image, span.first, span.end)
                yield from (r for r in found if r.kind == "address")

    def _formed(self, span: Span) -> Iterator[CodeReference]:
        """Yield what the instruction at PC accesses, where the function itself makes the address."""
        target = formed_access(self._image, span.first, span.end, self._pc)
        word = self._word
        if target is None or word is None:
            return
        section = self._image.section_at(self._pc)
        domain = domain_at(self._image, self._pc)
        ref = name_address(self._image, target)
        offset = f"+{ref.offset:#x}" if ref is not None and ref.offset else ""
        yield CodeReference(
            source=Source(origin=Origin.IMAGE, address=self._pc),
            kind="access",
            place=self._pc,
            function=span.name,
            section=section.name if section else None,
            target=target,
            target_symbol=None if ref is None else f"{ref.symbol}{offset}",
            domain=domain.name if domain else None,
            word=word,
            text=render(word, self._pc),
        )

    @cached_property
    def _word(self) -> int | None:
        """The word at PC, as patched."""
        words = self._image.words(self._pc, self._pc + _WORD_BYTES)
        if words is None or not len(words):
            return None
        return self._patched.get(self._pc, int(words[0]))

    # Code around PC ----------------------------------------------------------------------------

    def _code(self, span: Span) -> Iterator[Fact]:
        first = max(span.first, self._pc - _WORDS_BEFORE * _WORD_BYTES)
        end = min(span.end, self._pc + (_WORDS_AFTER + 1) * _WORD_BYTES)
        words = self._image.words(first, end)
        if words is None or not len(words):
            return
        addresses = [first + _WORD_BYTES * i for i in range(len(words))]
        chains = self._debug.locate(addresses) if self._debug is not None else [()] * len(addresses)
        notes = self._notes(first, end)
        symbols = self._image.symbols
        lines = []
        for address, word, chain in zip(addresses, words.tolist(), chains, strict=True):
            position = chain[0] if chain else None
            lines.append(
                ImageLine(
                    address=address,
                    word=self._patched.get(address, word),
                    is_data=bool(symbols.is_data(address)),
                    faulting=address == self._pc,
                    symbol=span.name,
                    offset=address - span.first,
                    note="; ".join(notes.get(address, ())),
                    position=position,
                    statement=self._tree.statement(position) if self._tree and position else "",
                )
            )
        moved = self._slide.value if self._slide is not None else 0
        panic = self._case.get(HypPanic)
        if panic is not None and panic.pc is not None:
            moved = panic.pc - self._pc
        source = Source(origin=Origin.IMAGE, address=first)
        yield ImageCode(source=source, lines=tuple(lines), slide=moved & _MASK)

    def _notes(self, first: int, end: int) -> dict[int, list[str]]:
        """Return what is known of words by link VA: what may change them, what they branch through."""
        notes: dict[int, list[str]] = {}
        has = self._features.has if self._features is not None else _unknown
        name = self._features.names.name if self._features is not None else None
        rendered = render_alternatives(self._image, self._table, first, end, has, name)
        for address, change in rendered.changes.items():
            notes.setdefault(address, []).append(change.why)
        for site in PatchSites(self._image).within(first, end):
            notes.setdefault(site.address, []).append(site.text)
        for table in self._tables:
            kind = "addresses" if table.entry_kind is TableEntryKind.ABSOLUTE else "offsets"
            notes.setdefault(table.branch, []).append(
                f"through {len(table.targets)} {kind} at {table.table:#x}"
            )
        return notes

    # The access --------------------------------------------------------------------------------

    def _access(self) -> Iterator[Fact]:
        case = self._case
        if case.at_el2:
            return
        faulting = case.faulting
        insn = None if faulting is None else faulting.insn
        if insn is None:
            if self._word is None or self._span is None or self._image.symbols.is_data(self._pc):
                return
            insn = decode(self._word)
        registers = {
            ("x30" if name == "lr" else name): value
            for name, value in case.values.items()
            if name[0] == "x" or name in ("sp", "lr")
        }
        tables: dict[int, set[int]] = {}
        for table in self._tables:
            tables.setdefault(table.branch, set()).update(table.targets)
        yield from read_access(
            insn,
            self._pc,
            registers,
            self._debug,
            source=Source(origin=Origin.IMAGE, address=self._pc),
            image=self._image,
            tables=tables,
            because=() if faulting is None else (faulting,),
        )


def call_through(case: CaseView, image: KernelImage, place: int) -> CallThrough | None:
    """Return the call through a register at a link VA, that before the address in lr; None for another instruction."""
    words = image.words(place, place + _WORD_BYTES)
    if words is None or not len(words):
        return None
    word = int(words[0])
    branch = decode(word).branch
    if branch is None or not branch.link or branch.register is None:
        return None
    span = function_span(image, place)
    return CallThrough(
        source=Source(origin=Origin.IMAGE, address=place),
        place=place,
        function=span.name if span else None,
        register=branch.register,
        value=case.value(branch.register),
        text=render(word, place),
        module=image.module,
    )


def _unknown(_number: int) -> bool | None:
    return None
