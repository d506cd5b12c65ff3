"""Functions of an image: where they begin and end, which of their words are data, and their listing.

Source of the mapping symbols: ELF for the Arm 64-bit Architecture (aaelf64.rst).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.arch.insn.text import render
from whypanic.arch.relocations import BY_NUMBER, relocate_data, relocate_word
from whypanic.code.masks import MASKS, signed_field
from whypanic.formats.kernel_image import KernelImage, Words
from whypanic.formats.symbol_table import Symbol, is_local_label
from whypanic.model.code import Listing, ListingLine, ListingTool, Relocation
from whypanic.model.provenance import Origin, Source

MAX_FUNCTION = 1 << 19
"""Bytes of one function that are looked at; functions of kernels have up to some tens of thousands."""
_ABS64 = 257
_NO_RETURN = (
    "__stack_chk_fail",
    "__fortify_panic",
    "fortify_panic",
    "panic",
    "nmi_panic",
    "do_exit",
    "do_group_exit",
    "make_task_dead",
    "kthread_exit",
    "kthread_complete_and_exit",
    "__module_put_and_kthread_exit",
    "usercopy_abort",
    "rust_begin_unwind",
    "cpu_startup_entry",
    "arch_cpu_idle_dead",
    "machine_real_restart",
    "hyp_panic",
    "__kvm_nvhe_hyp_panic",
)
"""Declared __noreturn in the kernel's headers; a call to one that is missing here only loses a table."""


class Span(NamedTuple):
    """Addresses of one function."""

    name: str
    first: int
    end: int
    aliases: tuple[str, ...] = ()
    """Other symbols that begin at `first`."""

    def holds(self, address: int) -> bool:
        """Tell whether an address lies in the function."""
        return self.first <= address < self.end


class ImageLine(ListingLine, frozen=True, kw_only=True):
    """A line of a listing made from an image; its text is rendered when it is asked for."""

    @property
    def statement(self) -> str:
        words = self.text if self.word is None else render(self.word, self.address)
        return f"{self.address:x}: {'' if self.word is None else f'{self.word:08x} '}{words}"


def function_span(image: KernelImage, address: int) -> Span | None:
    """Return the function that a link VA belongs to; None where no symbol of code holds it.

    Its end is that of the symbol, else the next symbol at a greater address, else the end of the section.
    """
    section = image.section_at(address)
    if image.sections and (section is None or not section.executable):
        return None
    symbol = image.symbol_at(address)
    if symbol is None or is_local_label(symbol.name):
        return None
    if section is not None and symbol.address < section.address:
        return None
    end = symbol.end if symbol.size else _next_symbol(image, symbol)
    if section is not None:
        end = min(end, section.end)
    end = min(end, symbol.address + MAX_FUNCTION)
    if not symbol.address <= address < end:
        return None
    others = (s.name for s in image.symbols.all_at(symbol.address))
    aliases = tuple(name for name in dict.fromkeys(others) if name != symbol.name)
    return Span(symbol.name, symbol.address, end, aliases)


def _next_symbol(image: KernelImage, symbol: Symbol) -> int:
    table = image.symbols
    i = int(np.searchsorted(table.addresses, np.uint64(symbol.address), side="right"))
    return int(table.addresses[i]) if i < len(table) else image.end


def cold_parts(image: KernelImage, name: str) -> tuple[Span, ...]:
    """Return what the compiler moved out of a function of this name: `name.cold` and `name.cold.N`.

    Static functions of one name may each have one; which is whose is not in the symbols.
    """
    names = [f"{name}.cold", *(f"{name}.cold.{n}" for n in range(4))]
    found = (s for each in image.symbols.find_each(names).values() for s in each)
    spans = (function_span(image, s.address) for s in found)
    return tuple(span for span in spans if span is not None)


def data_mask(image: KernelImage, first: int, words: Words) -> NDArray[np.bool_]:
    """Return which of the words at `first` are data, bool[n].

    By mapping symbols; where the section has none, or is of data and carries code of another file like the vDSO, by the
    literals that its loads name.
    """
    end = first + 4 * len(words)
    table = image.symbols
    section = image.section_at(first)
    start = section.address if section is not None else first
    lo, hi = np.searchsorted(table.mapping_addresses, np.array([start, end], np.uint64))
    places = table.mapping_addresses[int(lo) : int(hi)]
    if not len(places) or (section is not None and not section.executable):
        return _literal_words(words)
    changes = np.minimum((np.maximum(places, np.uint64(first)) - np.uint64(first)) // 4, len(words))
    edges = np.concatenate([changes.astype(np.int64), [len(words)]])
    mask = np.zeros(len(words), np.bool_)
    kinds = table.mapping_is_data[int(lo) : int(hi)]
    mask[edges[0] :] = np.repeat(kinds, np.diff(edges))
    return mask


def _literal_words(words: Words) -> NDArray[np.bool_]:
    """Return which words are loaded by LDR (literal) of their neighbours, bool[n]."""
    mask = np.zeros(len(words), np.bool_)
    index = np.flatnonzero(MASKS["ldr literal"].hits(words))
    targets = index + signed_field(words[index], 5, 19)
    top = words[index] >> np.uint32(24)
    # A word that only looks like a load names any place; the two plain forms are what compilers emit.
    for kind, n_words in ((0x18, 1), (0x98, 1), (0x58, 2)):
        hits = targets[top == kind]
        for n in range(n_words):
            at = hits + n
            mask[at[(at >= 0) & (at < len(words))]] = True
    return mask


def data_words(image: KernelImage, first: int, end: int) -> NDArray[np.bool_]:
    """Return which words of [first, end) are data, bool[n]; empty where the bytes are not in the file."""
    words = image.words(first, end)
    return np.empty(0, np.bool_) if words is None else data_mask(image, first, words)


def linked_words(image: KernelImage, first: int, end: int) -> Words | None:
    """Return the words of [first, end) with open relocations of an object resolved as its reader laid it out.

    None where not all bytes are in the file. A relocation whose symbol is not defined leaves its word.
    """
    words = image.words(first, end)
    near = image.relocations_within(first, end)
    if words is None or not near:
        return words
    changed = words.copy()
    for entry in near:
        kind = BY_NUMBER.get(entry.type)
        at = (entry.place - first) // 4
        if kind is None or kind.is_data or entry.target is None or kind.is_got or entry.place % 4:
            continue
        try:
            linked = relocate_word(int(words[at]), kind, target=entry.target, place=entry.place)
        except (ValueError, KeyError):
            continue
        changed[at] = linked
    return changed


def linked_bytes(image: KernelImage, address: int, n_bytes: int) -> bytes | None:
    """Return bytes of data with open relocations resolved; None where not all are in the file."""
    data = image.read(address, n_bytes)
    near = image.relocations_within(address - 7, address + n_bytes)
    if data is None or not near:
        return data
    changed = bytearray(data)
    for entry in near:
        kind = BY_NUMBER.get(entry.type)
        if kind is None or not kind.is_data or entry.target is None:
            continue
        try:
            linked = relocate_data(kind, target=entry.target, place=entry.place)
        except ValueError:
            continue
        for i, byte in enumerate(linked):
            at = entry.place + i - address
            if 0 <= at < n_bytes:
                changed[at] = byte
    return bytes(changed)


def listing_of(
    image: KernelImage,
    first: int,
    end: int,
    *,
    words: Mapping[int, int] | None = None,
    texts: bool = False,
    pool: bool = False,
) -> Listing | None:
    """Return [first, end) as a listing; None where the bytes are not in the file.

    Data words carry no word: nobody may decode them; their text is `.word` or `.quad`.

    :param words: address -> word for those that are to be shown otherwise than the file has them, as patched perhaps.
    :param texts: render every instruction; else `text` is empty and `statement` renders it.
    :param pool: keep a literal pool that ends the span; else the listing ends with its last instruction, and
        `indirect_branch.is_whole` can be true of it.
    """
    found = image.words(first, min(end, first + MAX_FUNCTION))
    if found is None:
        return None
    linked = linked_words(image, first, min(end, first + MAX_FUNCTION))
    data = data_mask(image, first, found if linked is None else linked)
    values: list[int] = found.tolist()
    n = len(values)
    while n and data[n - 1] and not pool:
        n -= 1
    span = function_span(image, first)
    name = span.name if span is not None else None
    section = image.section_at(first)
    opened = _relocation_texts(image, first, end)
    lines: list[ListingLine] = []
    i = 0
    while i < n:
        address = first + 4 * i
        source = Source(origin=Origin.IMAGE, address=address)
        word: int | None = values[i] if words is None else words.get(address, values[i])
        text = ""
        step = 1
        if data[i]:
            wide = address % 8 == 0 and i + 1 < n and data[i + 1]
            step = 2 if wide else 1
            value = values[i] | values[i + 1] << 32 if wide else values[i]
            text, word = f".quad {value:#018x}" if wide else f".word {value:#010x}", None
        elif texts and word is not None:
            text = render(word, address)
        lines.append(
            ImageLine(
                source=source,
                address=address,
                word=word,
                text=text,
                function=name,
                relocations=opened.get(address, ()),
            )
        )
        i += step
    return Listing(
        source=Source(origin=Origin.IMAGE, address=first, text=f"{name or 'code'} of {image.name}"),
        function=name,
        lines=tuple(lines),
        tool=ListingTool.UNKNOWN,
        section=section.name if section is not None else None,
    )


def _relocation_texts(
    image: KernelImage, first: int, end: int
) -> dict[int, tuple[Relocation, ...]]:
    found: dict[int, tuple[Relocation, ...]] = {}
    for entry in image.relocations_within(first, end):
        kind = BY_NUMBER.get(entry.type)
        name = kind.name if kind is not None else str(entry.type)
        made = Relocation(type=name, symbol=entry.symbol, addend=entry.addend)
        found[entry.place & ~3] = (*found.get(entry.place & ~3, ()), made)
    return found


def slot_value(image: KernelImage, address: int) -> int | None:
    """Return the address that an eight-byte slot holds; None where it holds none, or none that is known."""
    for entry in image.relocations_within(address, address + 1):
        return entry.target if entry.type == _ABS64 else None
    return image.read_u64(address)


def calls_without_return(image: KernelImage, calls: Mapping[int, int]) -> frozenset[int]:
    """Return which calls do not come back, by the names of the functions called.

    :param calls: address of a call -> address that it leads to, if nothing of it is open.
    """
    at = image.symbols.all_at
    ends = {a for a in set(calls.values()) if any(s.name in _NO_RETURN for s in at(a))}
    found = {place for place, target in calls.items() if target in ends}
    if image.relocations and calls:
        near = image.relocations_within(min(calls), max(calls) + 1)
        found.update(e.place for e in near if e.symbol in _NO_RETURN and e.place in calls)
    return frozenset(found)
