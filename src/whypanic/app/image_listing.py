"""A function of an image as facts: its listing and the tables it branches through, for those who run it."""

from collections.abc import Iterator

from whypanic.code.alternatives import read_alternatives, render
from whypanic.code.execution_domains import domain_at, domains_of
from whypanic.code.image_capabilities import capability_names, features_from
from whypanic.code.image_code import Span, function_span, listing_of
from whypanic.code.jump_tables import find_tables
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.errors import InputError
from whypanic.model.image import ExecutionDomain, JumpTable
from whypanic.model.provenance import Fact, Origin, Source
from whypanic.model.sections import SectionBytes


def function_facts(image: KernelImage, name: str, features: str | None) -> Iterator[Fact]:
    """Yield the listing of a function, where its code runs, and the bytes of its tables.

    :param features: as for `disasm --features`; None: as built.
    :raises InputError: if the image has no such function, or not its bytes.
    """
    spans = [function_span(image, s.address) for s in image.symbols.find(name)]
    span = next((s for s in spans if s is not None), None)
    if span is None:
        message = f"no function `{name}`"
        raise InputError(message, path=image.name)
    words = patched_words(image, span, features)
    listing = listing_of(image, span.first, span.end, words=words)
    if listing is None:
        message = f"the bytes of `{name}` are not in the file"
        raise InputError(message, path=image.name)
    yield listing
    yield from domain_facts(image, span.first)
    yield from table_contents(image, find_tables(image, span.first, span.end))


def domain_facts(image: KernelImage, address: int) -> Iterator[ExecutionDomain]:
    """Yield the domain of code at a link VA, where the image tells hyp code from other code by its boundary symbols."""
    domain = domain_at(image, address)
    if domain is not None and any(d.name == "hyp" for d in domains_of(image)):
        first, end = next(r for r in domain.code if r[0] <= address < r[1])
        source = Source(origin=Origin.IMAGE, address=first)
        yield ExecutionDomain(source=source, name=domain.name, first=first, end=end)


def patched_words(image: KernelImage, span: Span, features: str | None) -> dict[int, int]:
    """Return the words that alternatives certainly change for some features, by link VA."""
    if features is None:
        return {}
    table = read_alternatives(image)
    names = capability_names(image, count=table.n_capabilities)
    known = features_from(features, names)
    code = render(image, table, span.first, span.end, known.has, names.name, names.number)
    certain = ((address, change.certain) for address, change in code.changes.items())
    return {address: word for address, word in certain if word is not None}


def table_contents(image: KernelImage, tables: tuple[JumpTable, ...]) -> Iterator[SectionBytes]:
    """Yield the bytes of tables, with relocations applied."""
    for table in tables:
        data = image.read(table.table, table.entry_bytes * len(table.targets))
        if data is not None:
            yield SectionBytes(
                source=Source(origin=Origin.IMAGE, address=table.table),
                section=table.section or "",
                address=table.table,
                data=data,
            )
