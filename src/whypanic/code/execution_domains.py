"""Which code of an image runs elsewhere than at its link address, told from sections and boundary symbols.

The table is `domains/arm64.toml`; a user's own file has the same form.
"""

import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
from msgspec import Struct

from whypanic.code.alternatives import read_alternatives
from whypanic.code.embedded_elf import embedded_code
from whypanic.formats.kernel_image import KernelImage
from whypanic.formats.symbol_table import Symbol
from whypanic.model.errors import InputError

_TABLE = Path(__file__).parent / "domains" / "arm64.toml"
_PREFIXES = ("__kvm_nvhe_", "__efistub_", "__pi_")
_MAX_RUN = 64

Range = tuple[int, int]

ALTERNATIVES = "alternatives"
PLAIN_DOMAINS = ("noinstr", "kernel")
"""Code that runs at its link address plus the KASLR offset; that of every other domain runs elsewhere."""


class RangeRow(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """One way to name addresses; exactly one of its forms is set."""

    start: str | None = None
    end: str | None = None
    section: str | None = None
    """A name, or with * at its end the beginning of names."""
    functions: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()
    prefix: str | None = None
    inside: tuple[str, ...] = ()
    """A section; behind it two boundary symbols for images without sections."""
    run: str | None = None
    members: tuple[str, ...] = ()
    replacements: bool = False
    executable: bool = False


class LayoutRow(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one era of kernels lays a domain out."""

    era: str
    runs_at: str
    needs: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    files: str | None = None
    """How the name of the file ends."""
    code: tuple[RangeRow, ...]
    data: tuple[RangeRow, ...] = ()
    tables: tuple[RangeRow, ...] = ()
    reaches: tuple[RangeRow, ...] = ()
    reaches_warn: tuple[RangeRow, ...] = ()
    mapped: tuple[str, ...] = ()

    def ranges(self) -> tuple[RangeRow, ...]:
        """Return every range that is named, of code and data."""
        mapped = (*self.reaches, *self.reaches_warn)
        return (*self.code, *self.data, *self.tables, *mapped)


class DomainRow(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    title: str
    layout: tuple[LayoutRow, ...]


class DomainFile(Struct, frozen=True, forbid_unknown_fields=True):
    domain: tuple[DomainRow, ...]


class Domain(NamedTuple):
    """One domain of an image."""

    name: str
    title: str
    era: str
    """What the layout that fits says of itself."""
    code: tuple[Range, ...]
    """Link VAs, sorted; may overlap domains that come after it."""
    data: tuple[Range, ...]
    """What belongs to it and is mapped with it."""
    mapped: tuple[str, ...]
    """What else of the kernel it can reach, in words."""
    runs_at: str
    tables: tuple[Range, ...] = ()
    """Data that linkers put between the code."""
    reaches: tuple[Range, ...] = ()
    """What else of the image is mapped with it, read-only, as far as boundary symbols tell."""
    reaches_warn: tuple[Range, ...] = ()
    """The same, but not in every configuration."""

    def holds(self, address: int) -> bool:
        """Tell whether code at a link VA belongs here."""
        return _holds(self.code, address)

    def holds_data(self, address: int) -> bool:
        """Tell whether data at a link VA belongs here."""
        return _holds(self.data, address)


def _holds(ranges: Sequence[Range], address: int) -> bool:
    i = bisect_right(ranges, address, key=lambda r: r[0]) - 1
    return i >= 0 and address < ranges[i][1]


def read_domain_table(text: str, name: str) -> tuple[DomainRow, ...]:
    """Return the rows of a table of domains.

    :raises InputError: if it is no TOML, or has a key that is not known.
    """
    try:
        rows = msgspec.convert(tomllib.loads(text), DomainFile).domain
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        message = f"{error}; docs/domains.md describes the table of domains"
        raise InputError(message, path=name) from error
    for row in rows:
        for layout in row.layout:
            if not all(_is_one_form(each) for each in layout.ranges()):
                message = (
                    f"a range of domain `{row.name}` must have one form: {', '.join(_FORMS)}; "
                    "docs/domains.md describes the table of domains"
                )
                raise InputError(message, path=name)
    return rows


_FORMS = (
    *("from and to", "section", "functions", "objects", "prefix", "run", "replacements"),
    *("executable", "embedded"),
)


def _is_one_form(row: RangeRow) -> bool:
    both = row.start is not None and row.end is not None
    neither = row.start is None and row.end is None
    given = (
        *(both, row.section is not None, bool(row.functions), row.prefix is not None),
        *(row.run is not None, row.replacements, row.executable),
        *(bool(row.objects), len(row.embedded) == 2),
    )
    return (both or neither) and sum(given) == 1


@cache
def known_domains() -> tuple[DomainRow, ...]:
    """Return the rows of our own table, in order of precedence."""
    return read_domain_table(_TABLE.read_text(encoding="utf-8"), _TABLE.name)


_KEPT: WeakKeyDictionary[KernelImage, tuple[Domain, ...]] = WeakKeyDictionary()


def domains_of(image: KernelImage, more: Sequence[DomainRow] = ()) -> tuple[Domain, ...]:
    """Return the domains whose code is in an image, in order of precedence; `kernel` is the last.

    :param more: a user's own, which go first.
    """
    if more:
        return (*_probe(image, more), *domains_of(image))
    kept = _KEPT.get(image)
    if kept is None:
        kept = _KEPT[image] = tuple(_probe(image, known_domains()))
    return kept


def domain_at(image: KernelImage, address: int) -> Domain | None:
    """Return the domain of code at a link VA; None where no code is."""
    return next((domain for domain in domains_of(image) if domain.holds(address)), None)


def _probe(image: KernelImage, rows: Sequence[DomainRow]) -> Iterator[Domain]:
    names: set[str] = set()
    for row in rows:
        for layout in row.layout:
            names.update(layout.needs)
            for each in layout.ranges():
                named = (each.start, each.end, each.run, *each.functions, *each.objects)
                names.update(n for n in (*named, *each.embedded) if n)
                names.update(each.inside)
    known = image.symbols.find_each(sorted(names))
    sections = {section.name for section in image.sections}
    for row in rows:
        for layout in row.layout:
            if not all(need in known for need in layout.needs) or not sections.issuperset(
                layout.sections
            ):
                continue
            if layout.files is not None and not image.name.endswith(layout.files):
                continue
            code, data, tables, reaches, warn = (
                _merged(r for each in ranges for r in _ranges(image, each, known))
                for ranges in (
                    *(layout.code, layout.data, layout.tables),
                    *(layout.reaches, layout.reaches_warn),
                )
            )
            if not code:
                continue
            code = _with_bytes(image, code)
            about = (layout.mapped, layout.runs_at, tables, reaches, warn)
            yield Domain(row.name, row.title, layout.era, code, data, *about)
            break


def _with_bytes(image: KernelImage, ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """Return the parts of ranges that the file has bytes of, one for each of its extents; all where it has none."""
    starts = [extent.address for extent in image.extents]
    found: list[Range] = []
    for first, end in ranges:
        for i in range(max(bisect_right(starts, first) - 1, 0), bisect_left(starts, end)):
            extent = image.extents[i]
            piece = max(first, extent.address), min(end, extent.end)
            if piece[0] < piece[1]:
                found.append(piece)
    return tuple(found) or ranges


def _merged(ranges: Iterator[Range]) -> tuple[Range, ...]:
    found: list[Range] = []
    for first, end in sorted(r for r in ranges if r[0] < r[1]):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((first, end))
    return tuple(found)


def _ranges(
    image: KernelImage, row: RangeRow, known: dict[str, tuple[Symbol, ...]]
) -> Iterator[Range]:
    if row.start is not None and row.end is not None:
        if row.start in known and row.end in known:
            yield known[row.start][0].address, known[row.end][0].address
    elif row.section is not None:
        yield from ((s.address, s.end) for s in image.sections if _is_named(s.name, row.section))
    elif row.executable:
        yield from ((s.address, s.end) for s in image.sections if s.executable)
        if not image.sections and "_text" in known and "_end" in known:
            yield known["_text"][0].address, known["_end"][0].address
    elif row.replacements:
        yield from _replacements(image)
    elif row.objects:
        yield from ((s.address, s.end) for name in row.objects for s in known.get(name, ()))
    elif row.embedded:
        yield from _embedded(image, row.embedded, known)
    elif row.run is not None:
        yield from _run(image, row, known)
    else:
        for first, end in _insides(image, row, known):
            functions = tuple(s for name in row.functions for s in known.get(name, ()))
            if row.prefix is not None:
                functions = image.symbols.find_starting((row.prefix,)).get(row.prefix, ())
            yield from (
                (s.address, s.end if s.size else _next(image, s.address))
                for s in functions
                if first <= s.address < end
            )


def _is_named(name: str, wanted: str) -> bool:
    return name.startswith(wanted[:-1]) if wanted.endswith("*") else name == wanted


def _embedded(
    image: KernelImage, between: tuple[str, ...], known: dict[str, tuple[Symbol, ...]]
) -> Iterator[Range]:
    """Yield the code of an ELF file between two symbols; all of it where there is none to read."""
    if not all(name in known for name in between):
        return
    first, end = (known[name][0].address for name in between)
    code = embedded_code(image, first, end)
    if code is None:
        yield first, end
    else:
        yield from code


def _insides(
    image: KernelImage, row: RangeRow, known: dict[str, tuple[Symbol, ...]]
) -> Iterator[Range]:
    if not row.inside:
        yield image.base, image.end
        return
    section = image.section(row.inside[0])
    if section is not None:
        yield section.address, section.end
    elif len(row.inside) == 3 and all(name in known for name in row.inside[1:]):
        yield known[row.inside[1]][0].address, known[row.inside[2]][0].address


def _run(
    image: KernelImage, row: RangeRow, known: dict[str, tuple[Symbol, ...]]
) -> Iterator[Range]:
    for start in known.get(row.run or "", ())[:1]:
        first = end = start.address
        for _ in range(_MAX_RUN):
            here = image.symbols.all_at(end)
            names = {_bare(s.name) for s in here}
            if names and not names.intersection(row.members):
                break
            after = _next(image, end)
            if after <= end:
                break
            end = after
        yield first, end


def _bare(name: str) -> str:
    prefix = next((p for p in _PREFIXES if name.startswith(p)), "")
    return name[len(prefix) :]


def _next(image: KernelImage, address: int) -> int:
    table = image.symbols.addresses
    i = int(np.searchsorted(table, np.uint64(address), side="right"))
    return int(table[i]) if i < len(table) else address


def _replacements(image: KernelImage) -> Iterator[Range]:
    """Yield the replacement sequences that .altinstructions names; callbacks have none."""
    firsts, ends = read_alternatives(image).replacements_spans()
    yield from zip(firsts.tolist(), ends.tolist(), strict=True)
