"""How far hyp VAs lie from link VAs, for the code that nVHE runs at EL2.

Every image page is mapped at EL2 at one distance from where it is linked: `kern_hyp_va()` keeps the low bits of the
page's linear-map address and replaces the others, and as all of memory lies within the kept bits, the image does too.
Kernels from 5.13 on print the distance. For older ones it follows from PC where the text leaves one place for PC only:

- `IDMAP page:` is the physical address of __hyp_idmap_text_start. A linear-map address equals its physical address in
  the low 29 bits at least (ARM64_MEMSTART_ALIGN), and a hyp VA equals the linear-map address in the bits that are kept,
  which span memory and so the image: PC's low bits select one link VA, if PC is an address of the image at all.
- Without it only the low 21 bits are known where the KASLR offset is known (virtual and physical address of the kernel
  are equal modulo 2 MiB), else the low 16 (the EFI stub places the kernel at multiples of 64 KiB).

That PC is one of the image follows where its instruction ran (only hyp text is executable at EL2), or where hyp text
branches to exactly this place and the fetch there failed.

Sources: Linux 6.1 arch/arm64/kvm/va_layout.c, kvm/mmu.c `kvm_mmu_init()`, kvm/handle_exit.c `nvhe_hyp_panic_handler()`,
include/asm/kernel-pgtable.h, include/asm/efi.h, kernel/head.S, read; the masks of 4.6..4.16 keep more low bits
(measured facts on execution domains); ARM64_MEMSTART_ALIGN since 4.6 from memory.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from whypanic.arch.esr import decode_esr
from whypanic.arch.insn.decode import decode
from whypanic.arch.pstate import decode_pstate
from whypanic.arch.values import MASK64
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.code import CodeLine
from whypanic.model.fault import PageTable
from whypanic.model.hyp import HypOffset, HypPanic, HypPanicAt, HypVaRange, IdmapPage, KvmModeLine
from whypanic.model.image import HypSlide
from whypanic.model.provenance import Fact, Origin
from whypanic.symbolize.kernel_sizes import fitting
from whypanic.symbolize.slides import solve_slide
from whypanic.symbolize.symbol_names import find_printed

_VA_LIMIT = 1 << 52
_PLACED = 1 << 16
_MOVED = 1 << 21
_LINEAR_BITS = 29
_MAX_CANDIDATES = 4096
_BRK64 = 0x3C
_B_MASK, _B_BITS = 0x7C000000, 0x14000000
_PAGE_SIZES = (0x1000, 0x4000, 0x10000)
_BRANCHED = "hyp text branches to it, and the fetch there failed"


class _Survey(NamedTuple):
    """Where PC may be."""

    panic: HypPanic
    links: tuple[int, ...]
    because: tuple[Fact, ...]
    sure: bool
    """PC is one of these, not an address outside the image."""
    words: str


def solve_hyp_slide(image: KernelImage, facts: Sequence[Fact]) -> HypSlide | None:
    """Return what is added to hyp VAs to get link VAs; None where it is not known for certain, and on VHE."""
    if _is_vhe(facts):
        return None
    panic = next((f for f in facts if isinstance(f, HypPanic)), None)
    offset = next((f for f in facts if isinstance(f, HypOffset)), None)
    at = next((f for f in facts if isinstance(f, HypPanicAt)), None)
    paired = _paired(image, panic, at)
    if offset is not None:
        because: tuple[Fact, ...] = (offset,)
        sentence = f"Hyp Offset {offset.offset:#x} is printed"
        if offset.source.origin is Origin.LAB:
            sentence = f"hyp offset {offset.offset:#x}: {offset.source.text}"
        if at is not None and panic is not None and paired is not None:
            because = (offset, at, panic)
            if paired != offset.offset:
                return _one_of(image, panic, offset, paired)
            sentence += ", and PC with the place printed for it agrees"
        return _slide(offset.offset, sentence, because, printed=True)
    if at is not None and panic is not None and paired is not None:
        sentence = f"PC and the place printed for it differ by {paired:#x}"
        return _slide(paired, sentence, (at, panic), printed=False)
    survey = _survey(image, facts)
    if survey is None or len(survey.links) != 1 or not survey.sure:
        return None
    link = survey.links[0]
    value = (link - (survey.panic.pc or 0)) & MASK64
    return _slide(
        value, f"PC is {link:#x} in the image: {survey.words}", survey.because, printed=False
    )


def _one_of(image: KernelImage, panic: HypPanic, offset: HypOffset, paired: int) -> HypSlide | None:
    """Return the one of two contradicting distances that puts PC into the image; None where both or none do."""
    fits = [v for v in (offset.offset, paired) if image.contains(((panic.pc or 0) + v) & MASK64)]
    if len(fits) != 1:
        return None
    sentence = (
        f"Hyp Offset {offset.offset:#x} is printed, the place printed for PC says {paired:#x}: "
        f"only {fits[0]:#x} leads into the image"
    )
    return _slide(fits[0], sentence, (offset, panic), printed=False)


def _is_vhe(facts: Sequence[Fact]) -> bool:
    return any(isinstance(f, KvmModeLine) and f.mode == "vhe" for f in facts)


def _is_hyp_va(value: int, facts: Sequence[Fact]) -> bool:
    """Tell whether TTBR0_EL2 may translate an address: no kernel address, and in the range that was printed."""
    printed = next((f for f in facts if isinstance(f, HypVaRange)), None)
    if printed is not None and printed.first < printed.last:
        return printed.first <= value <= printed.last
    return 0 < value < _VA_LIMIT


def _paired(image: KernelImage, panic: HypPanic | None, at: HypPanicAt | None) -> int | None:
    """Return the difference of PC and what `nVHE hyp panic at:` made of it."""
    if panic is None or panic.pc is None or at is None:
        return None
    if at.address is not None:
        apart = (at.address - panic.pc) & MASK64
        return apart if apart % _PAGE_SIZES[0] == 0 else None
    if at.ref is None or at.ref.offset is None:
        return None
    symbols = fitting(image, find_printed(image, (at.ref.symbol,)).get(at.ref.symbol, ()), at.ref)
    if len(symbols) != 1:
        return None
    difference = (symbols[0].address + at.ref.offset - panic.pc) & MASK64
    return difference if difference % _PAGE_SIZES[0] == 0 else None


# Candidates --------------------------------------------------------------------------------------


def _survey(image: KernelImage, facts: Sequence[Fact]) -> _Survey | None:
    panic = next((f for f in facts if isinstance(f, HypPanic)), None)
    if panic is None or panic.pc is None or not _is_hyp_va(panic.pc, facts) or panic.pc % 4:
        return None
    if panic.ps is not None and decode_pstate(panic.ps).el != 2:
        return None
    by_idmap = _by_idmap(image, panic, facts)
    if by_idmap is not None:
        return by_idmap
    slide = solve_slide(image, facts)
    step = _PLACED if slide is None else _MOVED
    low = (panic.pc - (slide.value if slide else 0)) % step
    bits = step.bit_length() - 1
    because: tuple[Fact, ...] = (panic,) if slide is None else (panic, slide)
    text = hyp_text(image)
    if _is_fetch(panic):
        # The fetch itself failed: PC is not in hyp text, which is mapped and executable.
        links = _outside(image, low, step, text)
        called = _branch_targets(image, text)
        hit = tuple(link for link in links if link in called)
        return _Survey(panic, hit, because, sure=True, words=_BRANCHED) if hit else None
    if text is None:
        return None
    links = tuple(_steps(text[0], text[1], low, step))
    kept = tuple(link for link in links if _fits(image, link, panic, facts) is not False)
    told = len(kept) == 1 and _fits(image, kept[0], panic, facts) is True
    words = f"the only place of hyp text with PC's low {bits} bits" + (
        ", and its word fits what happened" if told else ""
    )
    return _Survey(panic, kept, because, told or step == _MOVED, words) if kept else None


def _by_idmap(image: KernelImage, panic: HypPanic, facts: Sequence[Fact]) -> _Survey | None:
    """Return the place of PC from the physical address of the hyp idmap page."""
    page = next((f for f in facts if isinstance(f, IdmapPage)), None)
    start = image.value_of("__hyp_idmap_text_start")
    n_bits = max(image.end - image.base - 1, 1).bit_length()
    if page is None or start is None or panic.pc is None or n_bits > _LINEAR_BITS:
        return None
    table = next((f for f in facts if isinstance(f, PageTable) and f.page_kib), None)
    sizes = ((table.page_kib or 4) << 10,) if table else _PAGE_SIZES
    # The page was rounded down to the page size from 4.15 or so on; the image lies at a multiple of 64 KiB.
    moves = {page.pa - (start & ~(size - 1)) for size in (*sizes, _PAGE_SIZES[0])}
    fitting_moves = {move for move in moves if move % _PLACED == 0}
    if len(fitting_moves) != 1:
        return None
    move = fitting_moves.pop()
    link = image.base + ((panic.pc - move - image.base) & ((1 << n_bits) - 1))
    section = image.section_at(link)
    if not image.contains(link) or (section is not None and not section.executable):
        return None
    text = hyp_text(image)
    words = f"the only place with PC's low {n_bits} bits, counted from the IDMAP page {page.pa:#x}"
    if _is_fetch(panic):
        sure = link in _branch_targets(image, text)
        return _Survey(panic, (link,), (panic, page), sure, f"{words}; {_BRANCHED}")
    if _fits(image, link, panic, facts) is False:
        return None
    sure = text is not None and text[0] <= link < text[1]
    return _Survey(panic, (link,), (panic, page), sure, words)


def hyp_text(image: KernelImage) -> tuple[int, int] | None:
    """Return [first, end) of what EL2 maps as code."""
    first, end = image.value_of("__hyp_text_start"), image.value_of("__hyp_text_end")
    if first is not None and end is not None and first < end:
        return first, end
    section = image.section(".hyp.text")
    return (section.address, section.end) if section else None


def _is_fetch(panic: HypPanic) -> bool:
    if panic.esr is None or panic.far is None:
        return False
    esr = decode_esr(panic.esr, el=2)
    return esr.is_instruction_abort and esr.same_el is not False and panic.pc == panic.far


def _steps(first: int, end: int, low: int, step: int) -> list[int]:
    begin = first + (low - first) % step
    return list(range(begin, end, step)[:_MAX_CANDIDATES])


def _outside(
    image: KernelImage, low: int, step: int, text: tuple[int, int] | None
) -> tuple[int, ...]:
    """Return places in code with these low bits, hyp text left out."""
    found: set[int] = set()
    for section in image.executable_sections():
        found.update(_steps(section.address, section.end, low, step))
    return tuple(sorted(x for x in found if text is None or not text[0] <= x < text[1]))


def _branch_targets(image: KernelImage, text: tuple[int, int] | None) -> frozenset[int]:
    """Return where `b` and `bl` of hyp text leave it to.

    Source: DDI 0487, C6.2 B and BL: offset = imm26:'00', sign-extended.
    """
    words = image.words(*text) if text else None
    if text is None or words is None or not len(words):
        return frozenset()
    is_branch = (words & np.uint32(_B_MASK)) == np.uint32(_B_BITS)
    at = np.flatnonzero(is_branch)
    offset = ((words[at] & np.uint32(0x03FFFFFF)).astype(np.int64) << 38) >> 36
    targets = np.int64(text[0] - (1 << 64) if text[0] >> 63 else text[0]) + at * 4 + offset
    return frozenset(t & MASK64 for t in targets.tolist() if not text[0] <= t & MASK64 < text[1])


def _fits(image: KernelImage, link: int, panic: HypPanic, facts: Sequence[Fact]) -> bool | None:
    """Tell whether the word at a link VA can have done what the syndrome says; None: it does not tell."""
    data = image.read(link, 4)
    if data is None:
        return None
    word = int.from_bytes(data, "little")
    if (same := _code_fits(image, link, facts)) is not None:
        return same
    if panic.esr is None:
        return None
    esr = decode_esr(panic.esr, el=2)
    insn = decode(word)
    if esr.is_data_abort:
        # A load or store is too common to speak for a place; anything else speaks against it.
        return None if insn.memory is not None else False
    if esr.ec == _BRK64:
        return insn.mnemonic == "brk" and insn.immediate == esr.iss & 0xFFFF
    return None


def _code_fits(image: KernelImage, link: int, facts: Sequence[Fact]) -> bool | None:
    """Compare the words that the hyp's `Code:` line shows, where there is one."""
    line = next((f for f in facts if isinstance(f, CodeLine) and f.hyp), None)
    if line is None or line.faulting is None or len(line.words) < 3:
        return None
    first = link - 4 * line.faulting
    words = image.words(first, first + 4 * len(line.words))
    if words is None:
        return None
    same = sum(a == b for a, b in zip(words.tolist(), line.words, strict=False))
    return bool(same * 2 > len(line.words))


def _slide(value: int, sentence: str, because: tuple[Fact, ...], *, printed: bool) -> HypSlide:
    return HypSlide(
        source=because[0].source, because=because, value=value, printed=printed, sentence=sentence
    )
