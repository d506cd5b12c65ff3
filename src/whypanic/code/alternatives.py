"""Code as the alternatives of an image leave it on a CPU with given capabilities.

`.altinstructions` is an array of rows of twelve bytes, the same in all of 4.9 to 6.18: where the built instructions are
and where their replacement is (both relative to the field itself), the capability, both lengths. What changed is who
writes: until 6.0 a row whose capability is ARM64_NCAPS, and whose replacement has no length, names a function that is
called whatever the CPU; from 6.1 on bit 15 of the capability says so, and the function is called if the CPU has it.

Source: Debian linux-source-6.1 6.1.192-2, arch/arm64/kernel/alternative.c (get_alt_insn, __apply_alternatives) and
include/asm/alternative-macros.h, read; the older form: 4.19 and 5.4, from memory. Where replacements were in a section
of their own (until 5.8) the kernel tests branch targets in another order; for all it accepts the words are the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.code.alternative_callbacks import (
    ANY_WORD,
    WordChoices,
    callback_words,
    is_known,
    plain_name,
)
from whypanic.code.patched_word import Alternative, PatchedWord, WordHistory
from whypanic.code.retarget import relocated
from whypanic.code.table_search import find_alternatives
from whypanic.formats.kernel_image import Addresses, ImageKind, KernelImage, ObjectRelocation, Words

SECTION = ".altinstructions"
_FIRST, _END = "__alt_instructions", "__alt_instructions_end"
_ROW = np.dtype(
    [
        ("place", "<i4"),
        ("replacement", "<i4"),
        ("capability", "<u2"),
        ("n_bytes", "u1"),
        ("replacement_bytes", "u1"),
    ]
)
_REPLACEMENT_AT = 4
_CALLBACK_BIT = 0x8000
_MAX_ROWS = 1 << 20
_LAST = (1 << 64) - 1
_MAX_NOTES = 20
_MAX_ENTRY_BYTES = 255

HasCapability = Callable[[int], bool | None]
"""Whether the CPU has a capability, by its number in this kernel; None: not known."""


class AlternativeTable:
    """The alternatives of one image, as arrays."""

    def __init__(
        self,
        rows: NDArray[np.void],
        places: Addresses,
        replacements: Addresses,
        names: Mapping[int, str],
        image: KernelImage,
        *,
        is_known: bool = True,
    ) -> None:
        """Keep the rows that lie in the image.

        :param places: link VA of the built instructions, by row.
        :param replacements: the same for replacements and functions.
        :param names: of functions that are not in this file, by row.
        """
        self.is_known = is_known
        """False: the image may have alternatives, but where its table lies cannot be found."""
        base, end = np.uint64(image.base), np.uint64(min(image.end, _LAST))
        numbers = np.flatnonzero((places >= base) & (places < end) & (rows["n_bytes"] > 0))
        self.n_bad = len(rows) - len(numbers)
        """Rows left out: they point out of the image."""
        rows = rows[numbers]
        self.places = places[numbers]
        self.replacements = replacements[numbers]
        self.n_bytes = rows["n_bytes"].astype(np.int64)
        self.replacement_bytes = rows["replacement_bytes"].astype(np.int64)
        marked = (rows["capability"] & _CALLBACK_BIT) != 0
        self.has_callback_bit = bool(marked.any())
        """The form of 6.1 and later; False also where no row could tell."""
        by_number = (self.replacement_bytes == 0) & ~marked & (not self.has_callback_bit)
        self.is_callback = marked | by_number
        self.is_unconditional = by_number
        self.capabilities = (rows["capability"] & ~np.uint16(_CALLBACK_BIT)).astype(np.int64)
        self.n_capabilities = int(self.capabilities[by_number].max()) if by_number.any() else None
        """ARM64_NCAPS, where the form of callbacks tells it."""
        self._names = {i: names[int(row)] for i, row in enumerate(numbers) if int(row) in names}
        self._symbols = image.symbols
        self._order = np.argsort(self.places, kind="stable")
        self._sorted = self.places[self._order]
        self._spans: tuple[Addresses, Addresses] | None = None
        self._function_names: dict[int, str | None] = {}

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Alternative]:
        return (self.row(i) for i in range(len(self)))

    def row(self, i: int) -> Alternative:
        """Return row number `i`."""
        is_callback = bool(self.is_callback[i])
        replacement = int(self.replacements[i])
        return Alternative(
            int(self.places[i]),
            int(self.n_bytes[i]),
            replacement,
            int(self.replacement_bytes[i]),
            int(self.capabilities[i]),
            is_callback,
            self._function_name(i, replacement) if is_callback else None,
            bool(self.is_unconditional[i]),
        )

    def covering(self, first: int, end: int) -> tuple[Alternative, ...]:
        """Return the rows that may change a word of [first, end), in the order of the table: that of applying."""
        lo, hi = np.searchsorted(
            self._sorted,
            np.array([max(first - _MAX_ENTRY_BYTES, 0), min(max(end, 0), _LAST)], np.uint64),
        )
        found = np.sort(self._order[lo:hi])
        ends = self.places[found] + self.n_bytes[found].astype(np.uint64)
        return tuple(self.row(int(i)) for i in found[ends > np.uint64(max(first, 0))])

    def replacements_spans(self) -> tuple[Addresses, Addresses]:
        """Return (first, end) link VAs of replacement instructions, merged and sorted: never executed in place."""
        if self._spans is None:
            keep = ~self.is_callback & (self.replacement_bytes > 0)
            order = np.argsort(self.replacements[keep], kind="stable")
            firsts = self.replacements[keep][order]
            ends = firsts + self.replacement_bytes[keep][order].astype(np.uint64)
            ends = np.maximum.accumulate(ends) if len(ends) else ends
            new = np.ones(len(firsts), np.bool_)
            new[1:] = firsts[1:] > ends[:-1]
            last = np.flatnonzero(np.append(new[1:], True)) if len(firsts) else new[:0].nonzero()[0]
            self._spans = firsts[new], ends[last]
        return self._spans

    def in_replacement(self, address: int) -> bool:
        """Tell whether a link VA lies in replacement instructions."""
        firsts, ends = self.replacements_spans()
        if not 0 <= address <= _LAST:
            return False
        i = int(np.searchsorted(firsts, np.uint64(address), side="right")) - 1
        return i >= 0 and address < int(ends[i])

    def _function_name(self, i: int, address: int) -> str | None:
        if i in self._names:
            return plain_name(self._names[i])
        if address not in self._function_names:
            names = [plain_name(s.name) for s in self._symbols.all_at(address)]
            known = [name for name in names if is_known(name)]
            self._function_names[address] = next(iter(known or names), None)
        return self._function_names[address]


def read_alternatives(image: KernelImage) -> AlternativeTable:
    """Return the alternatives of an image; an empty table where it has none or they cannot be found."""
    first, n_bytes = _bounds(image)
    data = image.read(first, n_bytes - n_bytes % _ROW.itemsize) if n_bytes else b""
    rows = np.frombuffer(data or b"", _ROW)
    fields = np.uint64(first) + np.arange(len(rows), dtype=np.uint64) * np.uint64(_ROW.itemsize)
    places = fields + rows["place"].astype(np.int64).view(np.uint64)
    replacements = fields + np.uint64(4) + rows["replacement"].astype(np.int64).view(np.uint64)
    relocations = image.relocations_within(first, first + len(rows) * _ROW.itemsize)
    names = _relocate(relocations, first, places, replacements)
    is_known = bool(n_bytes) or image.lists_tables
    return AlternativeTable(rows, places, replacements, names, image, is_known=is_known)


def _bounds(image: KernelImage) -> tuple[int, int]:
    section = image.section(SECTION)
    if section is not None and section.has_bytes:
        return section.address, min(section.size, _MAX_ROWS * _ROW.itemsize)
    found = image.symbols.find_each((_FIRST, _END))
    if _FIRST not in found or _END not in found:
        return (image.kind is ImageKind.RAW and find_alternatives(image)) or (0, 0)
    first = found[_FIRST][0].address
    return first, min(max(found[_END][0].address - first, 0), _MAX_ROWS * _ROW.itemsize)


def _relocate(
    relocations: Sequence[ObjectRelocation],
    first: int,
    places: Addresses,
    replacements: Addresses,
) -> dict[int, str]:
    """Fill in what relocations of an object say, and return names of functions outside it, by row."""
    names: dict[int, str] = {}
    for relocation in relocations:
        row, field = divmod(relocation.place - first, _ROW.itemsize)
        if field == 0:
            places[row] = relocation.target or 0
        elif field == _REPLACEMENT_AT:
            replacements[row] = relocation.target or 0
            if relocation.target is None:
                names[row] = relocation.symbol
    return names


class RenderedCode(NamedTuple):
    """Code as it runs."""

    first: int
    built: Words
    changes: dict[int, PatchedWord]
    """By address: the words that an alternative covers."""
    notes: tuple[str, ...]
    """What an alternative does that the kernel refuses to apply or cannot get right."""

    @property
    def words(self) -> Words:
        """Words as patched where that is certain, else as built, uint32[n]."""
        words = self.built.copy()
        for address, change in self.changes.items():
            if change.certain is not None:
                words[(address - self.first) // 4] = change.certain
        return words


def render(
    image: KernelImage,
    table: AlternativeTable,
    first: int,
    end: int,
    has_cap: HasCapability,
    name_of: Callable[[int], str | None] | None = None,
    number_of: Callable[[str], int | None] | None = None,
) -> RenderedCode:
    """Return the code of [first, end) as alternatives leave it; nothing where the file has no bytes there.

    :param has_cap: of a capability that is not known both the built and the replacing word stay possible.
    :param name_of: name of a capability without ARM64_, for `why`.
    :param number_of: number of a named capability, which some callbacks ask for.
    """
    first &= ~3
    built = image.words(first, end)
    if built is None:
        return RenderedCode(first, np.empty(0, np.uint32), {}, ())
    patcher = _Patcher(image, table, has_cap, number_of, [])
    states: dict[int, WordHistory] = {}
    last: dict[int, Alternative] = {}
    for row in table.covering(first, first + 4 * len(built)):
        present = True if row.unconditional else has_cap(row.capability)
        for i, choices in enumerate(patcher.choices(row)):
            address = row.place + 4 * i
            if first <= address < first + 4 * len(built):
                if address not in states:
                    states[address] = WordHistory(int(built[(address - first) // 4]))
                states[address].apply(choices, present)
                # Of several rows over one word the last one that this CPU may take made it what it is.
                if present is not False or address not in last:
                    last[address] = row
    changes = {
        address: PatchedWord(
            address,
            state.built,
            state.now.words,
            state.now.shapes,
            tuple(state.every),
            tuple(state.every_shape),
            last[address],
            _why(last[address], name_of),
        )
        for address, state in sorted(states.items())
    }
    return RenderedCode(first, built, changes, tuple(patcher.notes))


def _why(row: Alternative, name_of: Callable[[int], str | None] | None) -> str:
    callback = f"callback {row.callback or f'{row.replacement:#x}'}"
    if row.unconditional:
        return f"alternative, {callback}"
    name = name_of(row.capability) if name_of else None
    capability = f"ARM64_{name}" if name else f"capability {row.capability}"
    return f"alternative {capability}" + (f", {callback}" if row.is_callback else "")


class _Patcher(NamedTuple):
    """Makes the words of one row, and notes what is wrong with it."""

    image: KernelImage
    table: AlternativeTable
    has_cap: HasCapability
    number_of: Callable[[str], int | None] | None
    notes: list[str]

    def _has_named(self, name: str) -> bool | None:
        number = self.number_of(name) if self.number_of else None
        return None if number is None else self.has_cap(number)

    def choices(self, row: Alternative) -> tuple[WordChoices, ...]:
        """Return what the row may leave of each of its words."""
        n_words = row.n_bytes // 4
        if row.place % 4 or row.n_bytes % 4:
            self._note(row, f"{row.n_bytes} bytes at {row.place:#x} are no whole instructions")
        if row.is_callback:
            built = self.image.words(row.place, row.place + 4 * n_words)
            known = (
                callback_words(row.callback, built.tolist(), self._has_named)
                if built is not None
                else None
            )
            return known or (WordChoices(shapes=(ANY_WORD,)),) * n_words
        if row.replacement_bytes != row.n_bytes:
            self._note(row, f"{row.n_bytes} bytes, its replacement has {row.replacement_bytes}")
        n_words = min(n_words, row.replacement_bytes // 4)
        words = self.image.words(row.replacement, row.replacement + 4 * n_words)
        if words is None:
            self._note(row, f"the replacement at {row.replacement:#x} is not in the file")
            return ()
        return tuple(self._copied(row, i, word) for i, word in enumerate(words.tolist()))

    def _copied(self, row: Alternative, i: int, word: int) -> WordChoices:
        inside = (row.replacement, row.replacement + row.replacement_bytes)
        moved = relocated(word, row.replacement + 4 * i, row.place + 4 * i, inside)
        if moved.problem is not None:
            self._note(row, moved.problem)
        target = moved.target
        if (
            target is not None
            and not inside[0] <= target <= inside[1]
            and self.table.in_replacement(target)
        ):
            self._note(row, f"its branch leads to {target:#x}, in another replacement")
        return WordChoices((moved.word,))

    def _note(self, row: Alternative, text: str) -> None:
        if len(self.notes) < _MAX_NOTES:
            self.notes.append(f"alternative at {row.place:#x}: {text}")
