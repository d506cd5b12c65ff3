"""How far from its link address an image ran: KASLR for the kernel, the load address for a module.

`Kernel Offset:` is printed by panics only. Else every address printed with its symbol gives the same difference. It is
a multiple of the page size: KASLR moves the kernel by 2 MiB steps, plus what its physical address is off a multiple of
2 MiB (Linux 6.1 arch/arm64/kernel/head.S, MIN_KIMG_ALIGN; the EFI stub places it at multiples of 64 KiB, efi.h
EFI_KIMG_ALIGN, read). A module's sections are loaded each to a place of its own.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from whypanic.arch.values import MASK64
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol
from whypanic.model.context import KernelOffset
from whypanic.model.image import Slide
from whypanic.model.provenance import Fact
from whypanic.symbolize.kernel_sizes import fitting
from whypanic.symbolize.printed_refs import Pair, address_pairs
from whypanic.symbolize.symbol_names import find_printed, is_of_image, names_no_image

PAGE = 0x1000
_MAX_PAIRS = 200
_MAX_DUPLICATES = 64


class _Vote(NamedTuple):
    """A pair, and the differences that the symbols of its name allow."""

    pair: Pair
    slides: frozenset[int]


class SolvedSlide(NamedTuple):
    """A slide, or why there is none."""

    slide: Slide | None
    reason: str
    """One lower-case clause."""


def solve_slide(image: KernelImage, facts: Sequence[Fact]) -> Slide | None:
    """Return how far the image was moved; None where the text does not tell or contradicts itself."""
    return explain_slide(image, facts).slide


def explain_slide(image: KernelImage, facts: Sequence[Fact]) -> SolvedSlide:
    """Return the slide of an image, or why it is not known."""
    if image.kind in (ImageKind.MODULE, ImageKind.OBJECT):
        return _module_slide(image, facts)
    votes = _votes(image, facts, page=PAGE)
    printed = next((f for f in facts if isinstance(f, KernelOffset)), None)
    solved = _elect(votes)
    if printed is None:
        return _solved(solved, votes)
    value = printed.slide
    words = f"Kernel Offset {value:#x} is printed" if printed.enabled else "KASLR is off"
    agreeing = [v for v in votes if value in v.slides]
    if not votes or len(agreeing) == len(votes):
        more = f", and {_addresses(len(votes))} with symbols agree" if votes else ""
        return _answer(
            value, words + more, [printed, *(v.pair.fact for v in agreeing)], printed=True
        )
    if solved is not None and solved != value and _count(votes, solved) >= 2:
        backing = [v.pair.fact for v in votes if solved in v.slides]
        sentence = (
            f"{words}, but {_addresses(len(backing))} printed with symbols say that the kernel "
            f"was moved by {_shown(solved)}"
        )
        return _answer(solved, sentence, [*backing, printed], printed=False)
    sentence = (
        f"{words}; {len(agreeing)} of {_addresses(len(votes))} printed with symbols agree with it"
    )
    backing = [printed, *(v.pair.fact for v in agreeing)]
    # One that contradicts it may be damaged; where several do and none agrees, nothing bears the printed one out.
    return _answer(value, sentence, backing, printed=bool(agreeing) or len(votes) == 1)


def _solved(solved: int | None, votes: Sequence[_Vote]) -> SolvedSlide:
    if not votes:
        return SolvedSlide(None, "no kernel address is printed with a symbol of the image")
    if solved is None:
        return SolvedSlide(
            None,
            f"{_addresses(len(votes))} printed with symbols do not agree on how far the kernel was moved",
        )
    backing = [v.pair.fact for v in votes if solved in v.slides]
    of = "" if len(backing) == len(votes) else f" of {len(votes)}"
    sentence = (
        f"the kernel was moved by {_shown(solved)}: {len(backing)}{of} "
        f"{'address' if len(votes) == 1 else 'addresses'} printed with symbols say so"
    )
    return _answer(solved, sentence, backing, printed=False)


def _module_slide(image: KernelImage, facts: Sequence[Fact]) -> SolvedSlide:
    """Return the slide of the section that most addresses lie in; another section's is another."""
    by_section: dict[str, list[_Vote]] = {}
    for vote in _votes(image, facts, page=4):
        for section, slides in _by_section(image, vote).items():
            by_section.setdefault(section, []).append(_Vote(vote.pair, slides))
    if not by_section:
        return SolvedSlide(None, f"no address is printed with a symbol of {image.name}")
    name, votes = max(by_section.items(), key=lambda item: (len(item[1]), item[0] == ".text"))
    solved = _elect(votes)
    if solved is None:
        return SolvedSlide(
            None, f"the addresses printed with symbols of {image.name} do not agree on its place"
        )
    backing = [v.pair.fact for v in votes if solved in v.slides]
    sentence = (
        f"{name} of {image.name} was loaded {_shown(solved)} from its address in the file: "
        f"{_addresses(len(backing))} printed with symbols"
    )
    return _answer(solved, sentence, backing, printed=False, module=image.module, section=name)


def _by_section(image: KernelImage, vote: _Vote) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for slide in vote.slides:
        section = image.section_at((vote.pair.address - slide) & MASK64)
        if section is not None:
            found.setdefault(section.name, set()).add(slide)
    return {name: frozenset(slides) for name, slides in found.items()}


def _votes(image: KernelImage, facts: Sequence[Fact], *, page: int) -> list[_Vote]:
    pairs = [
        pair
        for pair in address_pairs(facts, image)
        if is_of_image(pair.ref.module, image)
        and not names_no_image(pair.ref.symbol, pair.ref.module)
    ][:_MAX_PAIRS]
    if not pairs:
        return []
    found = find_printed(image, (pair.ref.symbol for pair in pairs))
    return [
        _Vote(pair, _differences(image, pair, found[pair.ref.symbol], page))
        for pair in pairs
        if pair.ref.symbol in found
    ]


def _differences(
    image: KernelImage, pair: Pair, symbols: Sequence[Symbol], page: int
) -> frozenset[int]:
    """Return what each symbol of the name says that is a whole number of pages; sizes tell duplicates apart."""
    fit = fitting(image, symbols, pair.ref)[:_MAX_DUPLICATES]
    differences = ((pair.address - s.address - (pair.ref.offset or 0)) & MASK64 for s in fit)
    return frozenset(d for d in differences if d % page == 0)


def _elect(votes: Sequence[_Vote]) -> int | None:
    """Return the only difference that more than two thirds of the pairs allow."""
    counts = Counter(slide for vote in votes for slide in vote.slides)
    if not counts:
        return None
    (best, n_best), *others = counts.most_common(2)
    if n_best * 3 <= len(votes) * 2 or (others and others[0][1] == n_best):
        return None
    return best


def _count(votes: Sequence[_Vote], slide: int) -> int:
    return sum(slide in vote.slides for vote in votes)


def _answer(
    value: int,
    sentence: str,
    facts: Sequence[Fact],
    *,
    printed: bool,
    module: str | None = None,
    section: str | None = None,
) -> SolvedSlide:
    because = tuple(dict.fromkeys(facts))
    slide = Slide(
        source=because[0].source,
        because=because,
        value=value,
        printed=printed,
        module=module,
        section=section,
        sentence=sentence,
    )
    return SolvedSlide(slide, sentence)


def _addresses(n: int) -> str:
    return "1 address" if n == 1 else f"{n} addresses"


def _shown(slide: int) -> str:
    return f"{slide:#x}" if slide >> 63 == 0 else f"-{(1 << 64) - slide:#x}"
