"""The words of a `Code:` line held against the image: as built, as patched for this CPU, or neither.

The kernel patches itself: alternatives (those of the boot CPU early, the rest when all CPUs are up, a module's when it
is loaded; hyp text through its linear alias, at the same times), ftrace, jump labels, relocations, probes. What remains
after all of that is a difference that nobody is known to have made; one single bit of it is called a flipped bit.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from whypanic.arch.brk import brk_meaning
from whypanic.arch.insn.text import render as in_assembler
from whypanic.arch.relocations import BY_NUMBER, Operation
from whypanic.code.alternative_callbacks import ANY_WORD, WordShape
from whypanic.code.alternatives import (
    AlternativeTable,
    read_alternatives,
    render,
)
from whypanic.code.image_capabilities import NO_NAMES, Features
from whypanic.code.patch_sites import PatchSite, PatchSites
from whypanic.code.patched_word import PatchedWord
from whypanic.formats.kernel_image import ImageKind, KernelImage, ObjectRelocation
from whypanic.model.image import CodeComparison, ComparedWord, WordState
from whypanic.model.provenance import Fact, Source

_UNSURE = "what the kernel patches there by itself is not known: this image does not name all of its tables"
_MAX_WORDS = 256
_LAST = (1 << 64) - 8 * _MAX_WORDS
_BRK, _BRK_MASK = 0xD4200000, 0xFFE0001F
_PROBES = frozenset({"kprobe", "uprobe", "kgdb"})
_FINE = frozenset({WordState.BUILT, WordState.PATCHED})
_ADRP_PAGES = 0x60FFFFE0
_ADR_OR_ADRP = 0x1F00001F
"""The bits that ADR and ADRP of one register share."""
_MODULE_VENEER = WordShape(0xFC000000, 0x14000000)
_SLIDE_LOW_BITS = 0xFFF
"""KASLR keeps the offset in a page."""


class _Expected(NamedTuple):
    """What one word may be."""

    address: int
    built: int
    words: tuple[int, ...]
    shapes: tuple[WordShape, ...]
    why: str
    change: PatchedWord | None
    slot: bool

    def allows(self, word: int) -> bool:
        return word in self.words or any(shape.fits(word) for shape in self.shapes)


def compare_words(
    image: KernelImage,
    link_pc: int,
    words: Sequence[int],
    faulting_index: int,
    features: Features | None = None,
    *,
    source: Source,
    because: tuple[Fact, ...] = (),
    is_early: bool | None = None,
    slide: int | None = None,
    table: AlternativeTable | None = None,
    sites: PatchSites | None = None,
) -> CodeComparison | None:
    """Return the words of memory held against the image; None where the image has no bytes there.

    :param link_pc: link VA of the word number `faulting_index`.
    :param features: of the CPU; what is not known leaves both forms possible.
    :param is_early: the crash came before alternatives were applied (all CPUs up, `system-wide alternatives`), so that
        the built form is right; None: not known. A module's are applied when it is loaded.
    :param slide: run VA - link VA, for relocated literals among the code.
    """
    first = link_pc - 4 * faulting_index
    if link_pc % 4 or not 0 < len(words) <= _MAX_WORDS or not 0 < first < _LAST:
        return None
    table = read_alternatives(image) if table is None else table
    sites = PatchSites(image) if sites is None else sites
    expected = _Reader(image, features, table, sites, slide).expected(first, len(words))
    if not expected:
        return None
    early = False if image.kind is ImageKind.MODULE else is_early
    sure = table.is_known and sites.is_known
    compared = tuple(
        _compare(known, words[(known.address - first) // 4] & 0xFFFFFFFF, early, sure)
        for known in expected
    )
    sentence = "; ".join(_sentences(image, expected, compared, features, early))
    if not sure and any(word.state not in _FINE for word in compared):
        sentence += f"; {_UNSURE}"
    return CodeComparison(source=source, because=because, words=compared, sentence=sentence)


class _Reader:
    """Puts together all that may change the words of one range."""

    def __init__(
        self,
        image: KernelImage,
        features: Features | None,
        table: AlternativeTable,
        sites: PatchSites,
        slide: int | None,
    ) -> None:
        self._image = image
        self._features = features
        self._table = table
        self._sites = sites
        self._slide = slide

    def expected(self, first: int, n_words: int) -> list[_Expected]:
        """Return what is expected of those words that the file has."""
        found: list[_Expected] = []
        run: list[int] = []
        for address in range(first, first + 4 * n_words, 4):
            if self._image.words(address, address + 4) is None:
                found += self._run(run)
                run = []
            else:
                run.append(address)
        return found + self._run(run)

    def _run(self, addresses: list[int]) -> list[_Expected]:
        if not addresses:
            return []
        first, end = addresses[0], addresses[-1] + 4
        has: Callable[[int], bool | None] = self._features.has if self._features else _unknown
        names = self._features.names if self._features else NO_NAMES
        rendered = render(
            self._image, self._table, first, end, has, name_of=names.name, number_of=names.number
        )
        patched: dict[int, list[PatchSite]] = {}
        for site in self._sites.within(first, end):
            if site.words or site.shapes:
                patched.setdefault(site.address, []).append(site)
        relocated = self._slots(first, end) | self._open(first, end)
        return [
            self._word(
                address, built, rendered.changes.get(address), patched.get(address, []), relocated
            )
            for address, built in zip(addresses, rendered.built.tolist(), strict=False)
        ]

    def _word(
        self,
        address: int,
        built: int,
        change: PatchedWord | None,
        sites: list[PatchSite],
        relocated: dict[int, tuple[WordShape, ...]],
    ) -> _Expected:
        if address in relocated:
            shapes = relocated[address]
            exact = tuple(s.value for s in shapes if s.mask == 0xFFFFFFFF)
            loose = tuple(s for s in shapes if s.mask != 0xFFFFFFFF)
            return _Expected(address, built, exact, loose, "relocation", None, True)
        words = list(change.words) if change else [built]
        shapes_of_change = list(change.shapes) if change else []
        for site in sites:
            words += site.words
            shapes_of_change += site.shapes
        why = "; ".join(([change.why] if change else []) + [site.text for site in sites])
        return _Expected(
            address, built, tuple(dict.fromkeys(words)), tuple(shapes_of_change), why, change, False
        )

    def _slots(self, first: int, end: int) -> dict[int, tuple[WordShape, ...]]:
        """Return the words that slots of eight bytes hold when the kernel is relocated."""
        near = self._image.relative.within(max(first - 7, 0), end)
        found: dict[int, tuple[WordShape, ...]] = {}
        for slot, value in zip(near.slots.tolist(), near.values.tolist(), strict=True):
            if slot % 4:
                continue
            run = value + (self._slide or 0)
            masks = (0xFFFFFFFF,) * 2 if self._slide is not None else (_SLIDE_LOW_BITS, 0xFFFF0000)
            for half, mask in enumerate(masks):
                word = run >> 32 * half & 0xFFFFFFFF
                found[slot + 4 * half] = (WordShape(mask, word & mask),)
        return found

    def _open(self, first: int, end: int) -> dict[int, tuple[WordShape, ...]]:
        """Return the words of an object that are not complete before it is loaded."""
        found: dict[int, tuple[WordShape, ...]] = {}
        for relocation in self._image.relocations_within(first - 7, end):
            shapes = self._open_shapes(relocation)
            if shapes:
                found[relocation.place] = shapes
                kind = BY_NUMBER.get(relocation.type)
                if kind is not None and kind.is_data and kind.width == 64:
                    found[relocation.place + 4] = shapes
        return found

    def _open_shapes(self, relocation: ObjectRelocation) -> tuple[WordShape, ...]:
        kind = BY_NUMBER.get(relocation.type)
        if kind is None or kind.is_data or relocation.place % 4:
            return (ANY_WORD,)
        if kind.operation is Operation.PLACE and relocation.target is not None:
            here = self._image.section_at(relocation.place)
            if here is not None and here == self._image.section_at(relocation.target):
                return ()
        built = self._image.words(relocation.place, relocation.place + 4)
        if built is None:
            return (ANY_WORD,)
        word = int(built[0])
        if kind.operation is Operation.PAGE:
            # The loader may make an ADR of it, or a branch to a veneer (erratum 843419).
            return (WordShape(_ADR_OR_ADRP, word & _ADR_OR_ADRP), _MODULE_VENEER)
        width = 12 if kind.field.name.startswith("load or store") else kind.width
        bits = _ADRP_PAGES if kind.field.name == "ADR" else (1 << width) - 1 << kind.field.lo
        mask = ~bits & 0xFFFFFFFF
        return (WordShape(mask, word & mask),)


def _unknown(_number: int) -> bool | None:
    return None


def _compare(known: _Expected, word: int, early: bool | None, sure: bool) -> ComparedWord:
    state, why = _state(known, word, early)
    if state is WordState.BIT_FLIP and not sure:
        # An access to a register of EL2 instead of EL1 differs in one bit, too.
        state, why = WordState.NEITHER, known.why
    return ComparedWord(
        address=known.address,
        word=word,
        built=known.built,
        expected=known.words,
        state=state,
        why=why,
    )


def _state(known: _Expected, word: int, early: bool | None) -> tuple[WordState, str]:
    if known.allows(word):
        is_built = word == known.built and not known.slot
        return (WordState.BUILT, "") if is_built else (WordState.PATCHED, known.why)
    change = known.change
    if change is not None:
        if word == known.built:
            if early:
                return WordState.BUILT, f"{known.why}: not applied yet"
            return WordState.UNPATCHED, known.why
        if change.knows(word):
            return WordState.WRONGLY_PATCHED, known.why
    if word & _BRK_MASK == _BRK and brk_meaning(word >> 5 & 0xFFFF).kind in _PROBES:
        return WordState.PATCHED, brk_meaning(word >> 5 & 0xFFFF).text
    flipped = _flipped(known, word)
    if flipped is not None:
        bit, right = flipped
        return WordState.BIT_FLIP, f"bit {bit} of {right:08x}"
    return WordState.NEITHER, known.why


def _flipped(known: _Expected, word: int) -> tuple[int, int] | None:
    """Return the one bit that differs from a word that should be there, and that word."""
    candidates = list(known.words)
    if known.change is not None:
        candidates += [known.built, *known.change.every]
    for right in dict.fromkeys(candidates):
        if (word ^ right).bit_count() == 1:
            return (word ^ right).bit_length() - 1, right
    for shape in known.shapes:
        wrong = (word ^ shape.value) & shape.mask
        if wrong.bit_count() == 1:
            return wrong.bit_length() - 1, word ^ wrong
    return None


def _sentences(
    image: KernelImage,
    expected: list[_Expected],
    compared: tuple[ComparedWord, ...],
    features: Features | None,
    early: bool | None,
) -> Iterator[str]:
    n, bad = len(compared), [w for w in compared if w.state not in _FINE]
    where = _place(image, compared[0].address)
    if not bad:
        patched = list(dict.fromkeys(w.why for w in compared if w.state is WordState.PATCHED))
        what = f"the {n} words at {where} are" if n > 1 else f"the word at {where} is"
        yield f"{what} {'those' if n > 1 else 'that'} of the image" + (
            f", as the kernel patches it: {', '.join(patched)}" if patched else ""
        )
        return
    if len(bad) < n:
        yield f"{n - len(bad)} of the {n} words at {where} are those of the image"
    flips = [w for w in bad if w.state is WordState.BIT_FLIP]
    strange = [w for w in bad if w.state is WordState.NEITHER]
    if flips and not strange and len(flips) == 1:
        yield _flip(image, flips[0])
    elif flips or strange:
        yield _difference(image, flips + strange, n)
    for known, word in zip(expected, compared, strict=True):
        if word.state in (WordState.UNPATCHED, WordState.WRONGLY_PATCHED):
            yield _misapplied(image, known, word, features, early)
    yield from _in_part(image, expected, compared)


def _flip(image: KernelImage, word: ComparedWord) -> str:
    wrong = word.word ^ _right(word)
    return (
        f"the word at {_place(image, word.address)} is one bit from the image's: memory holds {word.word:08x} "
        f"({in_assembler(word.word)}), the image {_right(word):08x} ({in_assembler(_right(word))}), "
        f"bit {wrong.bit_length() - 1}"
    )


def _right(word: ComparedWord) -> int:
    return int(word.why.rpartition(" ")[2], 16) if word.why else word.built


def _difference(image: KernelImage, words: list[ComparedWord], n: int) -> str:
    shown = ", ".join(
        f"{w.word:08x} at {_place(image, w.address)} where the image has {w.built:08x}"
        for w in sorted(words, key=lambda w: w.address)[:2]
    )
    more = f", and {len(words) - 2} more" if len(words) > 2 else ""
    if len(words) < n:
        return f"{len(words)} of them are not: memory holds {shown}{more}"
    return f"no word there is the image's: memory holds {shown}{more}"


def _misapplied(
    image: KernelImage,
    known: _Expected,
    word: ComparedWord,
    features: Features | None,
    early: bool | None,
) -> str:
    change = known.change
    place = _place(image, word.address)
    if word.state is WordState.UNPATCHED:
        row = change.row if change is not None else None
        has = features is not None and row is not None and features.has(row.capability)
        everywhere = row is not None and row.unconditional
        cause = (
            "though it applies to every CPU"
            if everywhere
            else "though an alternative there is for this CPU"
        )
        cause = "though the CPU has it" if has and not everywhere else cause
        late = "" if early is False else ", or not yet"
        return f"memory holds the unpatched {word.word:08x} at {place}: {known.why}, {cause}, was not applied{late}"
    return (
        f"memory holds {word.word:08x} at {place}, as {known.why} leaves it, though the CPU's features do not call "
        "for it"
    )


def _in_part(
    image: KernelImage, expected: list[_Expected], compared: tuple[ComparedWord, ...]
) -> Iterator[str]:
    """Yield the alternatives of which some words are patched and some are not."""
    states: dict[int, set[WordState]] = {}
    for known, word in zip(expected, compared, strict=True):
        changed = word.state is WordState.PATCHED and word.word != known.built
        if known.change is not None and (changed or word.state is WordState.UNPATCHED):
            states.setdefault(known.change.row.place, set()).add(word.state)
    for place, found in states.items():
        if WordState.UNPATCHED in found and WordState.PATCHED in found:
            yield f"the alternative at {_place(image, place)} is applied only in part"


def _place(image: KernelImage, address: int) -> str:
    symbol = image.symbol_at(address)
    if symbol is None or (symbol.size and address >= symbol.end):
        return f"{address:#x}"
    return f"{symbol.name}+{address - symbol.address:#x}"
