"""The use case `disasm`: one function of an image as the CPU ran it."""

from collections.abc import Callable, Iterator
from functools import cached_property

from whypanic.app.explain_document import tool
from whypanic.app.image_document import table_of
from whypanic.app.images import Images
from whypanic.app.inputs import describe_file
from whypanic.app.source_tree import SourceTree
from whypanic.arch.insn.text import render
from whypanic.code.alternatives import RenderedCode, read_alternatives
from whypanic.code.alternatives import render as render_alternatives
from whypanic.code.execution_domains import domain_at
from whypanic.code.image_capabilities import (
    CapabilityNames,
    Features,
    capability_names,
    features_from,
)
from whypanic.code.image_code import Span, data_words, function_span
from whypanic.code.jump_tables import find_tables
from whypanic.code.patch_sites import PatchSite, PatchSites
from whypanic.code.references import references_from
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.errors import InputError
from whypanic.model.image import CodeReference, JumpTable, TableEntryKind
from whypanic.report.disasm_document import (
    DISASM_SCHEMA,
    DisasmDocument,
    DocContents,
    DocFeatures,
    DocFunction,
    DocLine,
    DocReference,
)
from whypanic.report.document import hexadecimal
from whypanic.symbolize.debug_info import Chain

_WORD_BYTES = 4
_MASK = (1 << 64) - 1
_MAX_BYTES = 1 << 18
_MAX_SHOWN = 5
_MAX_DIGITS = 16
_ABSOLUTE_KINDS = ("literal", "got", "slot")


def disassemble(
    file: str,
    place: str,
    *,
    features: str | None,
    source: str | None,
    say: Callable[[str], None],
) -> DisasmDocument:
    """Return the document of one function.

    :param place: a symbol, `symbol+0x10`, or a link address.
    :raises InputError: if the image cannot be read, has no such symbol or no code there; for features it does not know.
    """
    images = Images((file,), source=source, say=say)
    if not images.kernels:
        raise images.errors[0]
    image = images.kernels[0]
    span = _find(image, place, say)
    if image.words(span.first, span.first + _WORD_BYTES) is None:
        message = f"the bytes of `{span.name}` are not in the file"
        raise InputError(message, path=image.name, hints=image.missing[:1])
    work = _Disassembly(images, image, span, features)
    return work.document(file)


def _find(image: KernelImage, place: str, say: Callable[[str], None]) -> Span:
    name, _, offset = place.partition("+")
    number = _number(offset) if offset else 0
    if number is None:
        message = f"`{place}` is neither a symbol, symbol+0xOFFSET nor an address"
        raise InputError(message, path=image.name)
    symbols = image.symbols.find(name)
    if symbols:
        addresses = [s.address + number & _MASK for s in symbols]
    elif (address := _number(name)) is not None and not offset:
        addresses = [address]
    else:
        message = f"no symbol `{name}`"
        raise InputError(message, path=image.name, hints=_similar(image, name))
    spans = {span.first: span for a in addresses if (span := function_span(image, a)) is not None}
    if not spans:
        where = f"`{place}`" if symbols else f"{addresses[0]:#x}"
        message = f"no code at {where}"
        if not image.contains(addresses[0]):
            message += f": the image lies at {image.base:#x}..{image.end:#x}"
        raise InputError(message, path=image.name)
    if len(spans) > 1:
        others = ", ".join(f"{first:#x}" for first in list(spans)[1 : 1 + _MAX_SHOWN])
        say(
            f"note: {len(spans)} functions are called {name}; this is the first, others at {others}"
        )
    return next(iter(spans.values()))


def _number(text: str) -> int | None:
    digits = text.lower().removeprefix("0x")
    if not 0 < len(digits) <= _MAX_DIGITS or set(digits) - set("0123456789abcdef"):
        return None
    return int(digits, 16)


def _similar(image: KernelImage, name: str) -> tuple[str, ...]:
    """Return a hint that names symbols which contain the word."""
    bare = name.lower()
    if len(bare) < 3:
        return ()
    found = [s for s in image.symbols.names_containing(bare, _MAX_SHOWN) if s != name]
    return (f"there is {', '.join(found)}",) if found else ()


class _Disassembly:
    """One function, with everything the image knows of it."""

    def __init__(
        self, images: Images, image: KernelImage, span: Span, features: str | None
    ) -> None:
        self._images, self._image = images, image
        self._cut = span.end - span.first > _MAX_BYTES
        self._span = span._replace(end=min(span.end, span.first + _MAX_BYTES))
        self._given = features
        self._alternatives = read_alternatives(image)
        self._features = None if features is None else features_from(features, self._names)

    @cached_property
    def _names(self) -> CapabilityNames:
        return capability_names(self._image, count=self._alternatives.n_capabilities)

    @cached_property
    def _code(self) -> RenderedCode:
        features: Features | None = self._features
        has = _unknown if features is None else features.has
        number = self._names.number
        return render_alternatives(
            self._image,
            self._alternatives,
            self._span.first,
            self._span.end,
            has,
            self._names.name,
            number,
        )

    @cached_property
    def _tables(self) -> tuple[JumpTable, ...]:
        return find_tables(self._image, self._span.first, self._span.end)

    def document(self, path: str) -> DisasmDocument:
        """Return the document."""
        image, span = self._image, self._span
        section, domain = image.section_at(span.first), domain_at(image, span.first)
        return DisasmDocument(
            schema=DISASM_SCHEMA,
            tool=tool(),
            inputs=[describe_file(path)],
            kind=image.kind.value,
            build_id=image.build_id,
            version=image.banner,
            function=DocFunction(
                name=span.name,
                address=hexadecimal(span.first),
                size=span.end - span.first,
                section=section.name if section else None,
                domain=domain.name if domain else None,
                aliases=list(span.aliases),
            ),
            features=self._doc_features(),
            lines=list(self._lines()),
            tables=[table_of(t) for t in self._tables],
            contents=list(self._contents()),
            notes=[*self._notes(), *image.missing],
        )

    def _notes(self) -> Iterator[str]:
        if self._cut:
            yield f"the function is longer than {_MAX_BYTES} bytes: only the first are shown"
        if self._features is not None:
            yield from self._features.notes
        yield from self._code.notes

    def _doc_features(self) -> DocFeatures | None:
        features = self._features
        if features is None or self._given is None:
            return None
        asked = dict.fromkeys(c.row.capability for c in self._code.changes.values())
        names = {number: self._names.name(number) or f"capability {number}" for number in asked}
        return DocFeatures(
            given=self._given,
            present=[name for number, name in names.items() if features.has(number)],
            unknown=[name for number, name in names.items() if features.has(number) is None],
            names_from=self._names.title or self._names.origin,
        )

    def _lines(self) -> Iterator[DocLine]:
        image, span, code = self._image, self._span, self._code
        data = data_words(image, span.first, span.end)
        words = code.words.tolist()
        built = code.built.tolist()
        addresses = [span.first + _WORD_BYTES * i for i in range(len(words))]
        references: dict[int, list[CodeReference]] = {}
        for reference in references_from(image, span.first, span.end):
            references.setdefault(reference.place, []).append(reference)
        sites: dict[int, list[PatchSite]] = {}
        for site in PatchSites(image).within(span.first, span.end):
            sites.setdefault(site.address, []).append(site)
        debug = self._images.debug_info(image)
        chains: list[Chain] = [()] * len(addresses)
        if debug is not None:
            chains = debug.locate(addresses)
        tree = None if self._images.source is None else SourceTree(self._images.source)
        branches = {table.branch: table for table in self._tables}
        for i, address in enumerate(addresses):
            position = chains[i][0] if chains[i] else None
            change = code.changes.get(address)
            notes = [site.text for site in sites.get(address, ())]
            if change is not None:
                notes.insert(0, change.why)
            if address in branches:
                notes.append(_branch_note(branches[address]))
            word, is_data = words[i], bool(data[i])
            yield DocLine(
                address=hexadecimal(address),
                offset=address - span.first,
                word=f"0x{word:08x}",
                built=f"0x{built[i]:08x}",
                data=is_data,
                text=f".word {word:#010x}" if is_data else render(word, address),
                references=[self._reference(r) for r in references.get(address, ())],
                notes=notes,
                possible=[]
                if change is None or change.certain is not None
                else [f"0x{w:08x}" for w in change.words],
                function=position.function if position else None,
                file=position.file if position else None,
                line=position.line if position else None,
                statement=(tree.statement(position) or None) if tree and position else None,
            )

    def _reference(self, reference: CodeReference) -> DocReference:
        return DocReference(
            kind=reference.kind,
            target=hexadecimal(reference.target),
            symbol=reference.target_symbol,
            absolute=reference.kind in _ABSOLUTE_KINDS,
            covered=reference.covered if reference.kind in _ABSOLUTE_KINDS else None,
        )

    def _contents(self) -> Iterator[DocContents]:
        """Yield the bytes of the tables, and of tables that overlap each once."""
        done: set[int] = set()
        for table in self._tables:
            size = table.entry_bytes * len(table.targets)
            data = self._image.read(table.table, size)
            if table.section is None or data is None or table.table in done:
                continue
            done.add(table.table)
            yield DocContents(
                section=table.section, address=hexadecimal(table.table), bytes=data.hex()
            )


def _branch_note(table: JumpTable) -> str:
    kind = "ABSOLUTE addresses" if table.entry_kind is TableEntryKind.ABSOLUTE else "offsets"
    covered = f", {table.fixed_up} of them in .hyp.reloc" if table.fixed_up else ""
    return f"through {len(table.targets)} {kind} at {table.table:#x}{covered}"


def _unknown(_number: int) -> bool | None:
    return None
