"""The function to replay, taken out of a text: its words, what they refer to, and the tables it branches through.

Offsets are bytes from the function's start. A symbol of None is the function itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from whypanic.code.indirect_branch import IndirectBranch, TargetOrigin, find_indirect_branches
from whypanic.model.code import Listing, SourceLocation
from whypanic.model.errors import InputError
from whypanic.model.provenance import Fact, Origin
from whypanic.replay.contents import Patch, contents_of
from whypanic.replay.references import Code, Reference, References, Target, printed_patches

_LINKED = 1 << 32
"""Printed addresses from here on are those of an image; below they are offsets in a section."""
_MAX_BYTES = 1 << 18
"""Size of a function at most."""
_MAX_ENTRIES = 4096
_POINTER_BYTES = 8
_TABLES = (TargetOrigin.ABSOLUTE_TABLE, TargetOrigin.RELATIVE_TABLE)


class Table(NamedTuple):
    """A table that indirect branches get their targets from."""

    origin: TargetOrigin
    """ABSOLUTE_TABLE or RELATIVE_TABLE."""
    entry_bytes: int
    branches: tuple[IndirectBranch, ...]
    symbol: str | None
    """Key of `Subject.targets`; None where the words do not tell which table it is."""
    offset: int
    """From the target's start."""
    entries: Mapping[int, int]
    """Index -> offset in the function, as far as the text tells; empty where the entries are plain bytes of offsets."""
    slots: int
    """Entries that the text has a place for."""

    @property
    def is_absolute(self) -> bool:
        return self.origin is TargetOrigin.ABSOLUTE_TABLE


class Subject(NamedTuple):
    """A function as a listing shows it."""

    function: str
    listing: Listing
    start: int
    """Printed address of the function's start."""
    link_address: int | None
    """The same, where the listing is of an image; None for an object."""
    entry: int | None
    """Offset of the first instruction: 0; None where the listing begins behind it."""
    words: Mapping[int, int]
    size: int
    """Bytes up to the end of the last line."""
    patches: tuple[Patch, ...]
    """Words that a linker fills in; none where the listing is of an image."""
    references: tuple[Reference, ...]
    targets: Mapping[str, Target]
    tables: tuple[Table, ...]
    source: str = "listing"


def find_subject(facts: Iterable[Fact], function: str | None = None) -> Subject:
    """Return the function to replay.

    :param facts: of a report and its context: listings, section dumps, addr2line results.
    :param function: its name; None: the only one listed by name, or the one that an addr2line result names. Of several
        listings of it the first is taken.
    :raises InputError: if no listing fits, more than one does, or none of its lines has an encoding.
    """
    known = tuple(facts)
    listings = [fact for fact in known if isinstance(fact, Listing)]
    return _subject(_choose(listings, known, function), listings, known)


def _choose(listings: list[Listing], facts: tuple[Fact, ...], function: str | None) -> Listing:
    names = list(dict.fromkeys(x.function for x in listings if x.function))
    if function is not None:
        fitting = [x for x in listings if x.function == function]
        if not fitting:
            message = f"no listing of `{function}` in the text"
            hint = f"listed are: {', '.join(f'`{name}`' for name in names[:8])}"
            raise InputError(message, hints=(hint,) if names else ())
        return fitting[0]
    if not listings:
        message = "no listing in the text to take code from"
        raise InputError(message, hints=("quote the function as `objdump -dr` prints it",))
    if len(listings) == 1:
        return listings[0]
    if len(names) == 1:
        return next(x for x in listings if x.function)
    said = {fact.function for fact in facts if isinstance(fact, SourceLocation)}
    named = [x for x in listings if x.function in said]
    if len({x.function for x in named}) != 1:
        message = f"{len(listings)} listings in the text"
        hints = (f"name one with `--function`: {', '.join(f'`{name}`' for name in names[:8])}",)
        raise InputError(message, hints=hints)
    return named[0]


def _subject(listing: Listing, listings: Sequence[Listing], facts: tuple[Fact, ...]) -> Subject:
    lines = [line for line in listing.lines if line.word is not None]
    name = listing.function or "code"
    if not lines:
        message = f"the listing of `{name}` shows no encodings"
        raise InputError(message, hints=("print it with `objdump -dr`, or gdb's `disassemble /r`",))
    start = _start(listing)
    size = listing.lines[-1].address + 4 - start
    if size > _MAX_BYTES:
        message = f"the listing of `{name}` spans {size} bytes, more than {_MAX_BYTES}"
        raise InputError(message)
    code = Code(
        name=name,
        section=listing.section,
        start=start,
        is_linked=start >= _LINKED,
        size=size,
        words={line.address - start: line.word for line in lines if line.word is not None},
        texts={line.address - start: line.text for line in lines},
    )
    near = contents_of(listing, listings, facts, code.own)
    references = References(code, near)
    if code.is_linked:
        references.linked()
    else:
        patches = [p for line in listing.lines for p in printed_patches(line, code)]
        patches = patches or [p for p in near.code_patches if p.offset in code.words]
        references.objects(patches)
    tables = _tables(listing, code, references)
    return Subject(
        function=name,
        listing=listing,
        start=start,
        link_address=start if code.is_linked else None,
        entry=0 if 0 in code.words else None,
        words=code.words,
        size=code.size,
        patches=tuple(sorted(references.patches)) if not code.is_linked else (),
        references=tuple(references.references),
        targets=references.targets,
        tables=tables,
        source="image" if listing.source.origin is Origin.IMAGE else "listing",
    )


def _start(listing: Listing) -> int:
    """Return the address of the function: its first line, unless operands such as `54 <f+0x34>` say otherwise."""
    for line in listing.lines:
        address, found, rest = line.text.rpartition(f" <{listing.function}+0x")
        digits = rest.partition(">")[0]
        where = address.rpartition(" ")[2].removeprefix("0x")
        if found and _is_hex(digits) and _is_hex(where):
            start = int(where, 16) - int(digits, 16)
            if 0 <= start <= listing.lines[0].address:
                return start
    return listing.lines[0].address


def _is_hex(text: str) -> bool:
    return 0 < len(text) <= 16 and all(c in "0123456789abcdef" for c in text)


def _tables(listing: Listing, code: Code, references: References) -> tuple[Table, ...]:
    """Return the tables in the order of their first branches; branches through one table are put together."""
    found: dict[tuple[str | None, int, int], Table] = {}
    bases = _Bases(code, references)
    for branch in find_indirect_branches(listing):
        if branch.origin not in _TABLES or branch.entry_bytes is None:
            continue
        reference = bases.find(branch)
        symbol = None if reference is None else reference.symbol
        offset = 0 if reference is None else reference.addend
        key = (symbol, offset, branch.entry_bytes)
        table = found.get(key)
        if table is not None:
            found[key] = table._replace(branches=(*table.branches, branch))
            continue
        found[key] = Table(branch.origin, branch.entry_bytes, (branch,), symbol, offset, {}, 0)
    starts = sorted({(r.symbol, r.addend) for r in references.references})
    return tuple(_filled(table, code, references, starts) for table in found.values())


class _Bases:
    """Finds the reference that is the address of a branch's table."""

    def __init__(self, code: Code, references: References) -> None:
        self._code = code
        self._insns = references.insns
        self._by_offset = {r.offsets[-1]: r for r in references.references}
        self._makers: dict[str, list[Reference]] = {}
        for reference in references.references:
            self._makers.setdefault(reference.register, []).append(reference)
        self._writers: dict[str, set[int]] = {}
        for offset, insn in references.insns.items():
            for register in insn.writes:
                self._writers.setdefault(register, set()).add(offset)

    def find(self, branch: IndirectBranch) -> Reference | None:
        """Return the reference.

        It stands in the branch's slice; or its register is written nowhere else: then every load through it means it.
        """
        start = self._code.start
        inside = [
            self._by_offset[line.address - start]
            for line in branch.slice
            if line.address - start in self._by_offset
        ]
        if len(inside) == 1:
            return inside[0]
        load = branch.load and self._insns.get(branch.load.address - start)
        if inside or not load or load.memory is None:
            return None
        makers = self._makers.get(load.memory.base, [])
        writers = self._writers.get(load.memory.base, set())
        return makers[0] if len(makers) == 1 and writers <= set(makers[0].offsets) else None


def _filled(
    table: Table, code: Code, references: References, starts: list[tuple[str, int]]
) -> Table:
    """Return a table with the entries that relocations or the bytes of an image tell."""
    if table.symbol is None:
        return table
    target = references.targets[table.symbol]
    contents, width = target.contents, table.entry_bytes
    later = [
        addend for symbol, addend in starts if symbol == table.symbol and addend > table.offset
    ]
    last = min([*later, contents.size])
    slots = max(0, min((last - table.offset) // width, _MAX_ENTRIES))
    entries: dict[int, int] = {}
    by_offset = {patch.offset: patch for patch in contents.patches}
    for index in range(slots):
        at = table.offset + index * width
        patch = by_offset.get(at)
        if patch is not None:
            own = _entry(patch, at - table.offset)
            if table.is_absolute and patch.type == "R_AARCH64_PREL32":
                own = None
        elif code.is_linked and table.is_absolute and width == _POINTER_BYTES:
            data = contents.read(at, width)
            value = int.from_bytes(data, "little") if data else 0
            own = value - code.start if 0 <= value - code.start < code.size else None
        else:
            own = None
        if own is not None:
            entries[index] = own
    return table._replace(entries=entries, slots=slots)


def _entry(patch: Patch, into_table: int) -> int | None:
    """Return the offset in the function that an entry leads to.

    A PREL32 entry is the distance from its own place; the code adds it to the table's address.
    """
    if patch.symbol is not None:
        return None
    if patch.type in ("R_AARCH64_ABS64", "R_AARCH64_RELATIVE"):
        return patch.addend
    return patch.addend - into_table if patch.type == "R_AARCH64_PREL32" else None
