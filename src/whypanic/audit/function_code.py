"""The functions of a domain that a rule looks into: their flow and the values of their registers.

As built, and as patched with the last choice of every alternative, where alternatives change them.
"""

from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from whypanic.audit.absolute_slots import Slots, slots_of
from whypanic.audit.view import AuditView
from whypanic.code.alternatives import render
from whypanic.code.execution_domains import Domain
from whypanic.code.flow import ENTRY, Flow
from whypanic.code.image_code import (
    MAX_FUNCTION,
    Span,
    data_mask,
    function_span,
    linked_bytes,
    linked_words,
)
from whypanic.code.masks import MASKS, field, signed_field
from whypanic.code.register_values import RegisterValues
from whypanic.code.sweep import ends_of
from whypanic.formats.kernel_image import Addresses, Words

_PAGE = np.uint64(0xFFF)
BEFORE_FIRST = 128
"""A table's first entries may be empty: its address then lies so many bytes before its first absolute slot."""
_ASSEMBLER = ("hyp-idmap", "hyp-stub", "idmap", "trampoline", "kexec", "hibernate")
_MAX_JOINED = 16
_MAX_PADDING = 256
_NO_SYMBOL = 0x4000
"""Bytes looked at around code that no symbol names."""


class FunctionCode(NamedTuple):
    """One function, in one of the forms that it runs in."""

    span: Span
    flow: Flow
    values: RegisterValues
    patched: frozenset[int]
    """Numbers of the words that an alternative put there."""

    def address(self, place: int) -> int:
        return self.flow.address(place)

    def word_of(self, place: int) -> int | None:
        """Return the word as it runs, where it is not that of the file."""
        return self.flow.words[place] if place in self.patched else None

    def slice(self, places: frozenset[int], *more: int) -> tuple[int, ...]:
        """Return link VAs of words by number, sorted."""
        return tuple(self.address(p) for p in sorted((places | set(more)) - {ENTRY}))


_KEPT: WeakKeyDictionary[AuditView, dict[tuple[int, int], tuple[FunctionCode, ...]]] = (
    WeakKeyDictionary()
)


def codes_of(view: AuditView, span: Span) -> tuple[FunctionCode, ...]:
    """Return a function as built, and as patched where alternatives change it; () where its bytes are not known."""
    kept = _KEPT.setdefault(view, {})
    key = (span.first, span.end)
    if key not in kept:
        kept[key] = tuple(_codes(view, span))
    return kept[key]


def _codes(view: AuditView, span: Span) -> Iterator[FunctionCode]:
    words = linked_words(view.image, span.first, min(span.end, span.first + MAX_FUNCTION))
    if words is None or not len(words):
        return
    data = data_mask(view.image, span.first, words)
    yield _code(view, span, words, data, frozenset())
    if not len(view.alternatives):
        return
    changes = render(view.image, view.alternatives, span.first, span.end, _unknown).changes
    patched = words.copy()
    places: set[int] = set()
    for address, change in changes.items():
        others = [w for w in change.words if w != change.built]
        place = (address - span.first) // 4
        if others and 0 <= place < len(patched):
            patched[place] = others[-1]
            places.add(place)
    if places:
        yield _code(view, span, patched, data, frozenset(places))


def _code(
    view: AuditView, span: Span, words: Words, data: NDArray[np.bool_], patched: frozenset[int]
) -> FunctionCode:
    flow = Flow(words, span.first, data, ends_of(view.image, words, span.first, data))
    return FunctionCode(span, flow, RegisterValues(flow, lambda a: _literal(view, a)), patched)


def _literal(view: AuditView, address: int) -> int | None:
    """Return what a literal of code holds, or a slot of the GOT; None for other memory."""
    section = view.image.section_at(address)
    if section is None:
        return None
    is_literal = section.executable and view.image.symbols.is_data(address) is not False
    if not is_literal and not slots_of(view).in_got(address):
        return None
    data = linked_bytes(view.image, address, 8)
    return None if data is None else int.from_bytes(data, "little")


def _unknown(_number: int) -> bool | None:
    return None


def span_of(view: AuditView, domain: Domain, place: int) -> Span | None:
    """Return the function of a domain that code at a place belongs to; what lies around it where no symbol names it."""
    span = function_span(view.image, place)
    if span is not None:
        return _joined(view, domain, span) if domain.name in _ASSEMBLER else span
    for first, end in domain.code:
        if first <= place < end:
            start = max(first, place - _NO_SYMBOL) & ~3
            return Span(f"{start:#x}", start, min(end, place + _NO_SYMBOL))
    return None


def _joined(view: AuditView, domain: Domain, span: Span) -> Span:
    """Return a span with those around it that the code falls through to: a label in assembler ends no function."""
    for _ in range(_MAX_JOINED):
        after = function_span(view.image, span.end) if domain.holds(span.end) else None
        if after is None or after.end <= span.end or not _falls_through(view, span.first, span.end):
            break
        span = Span(span.name, span.first, after.end)
    for _ in range(_MAX_JOINED):
        before = function_span(view.image, span.first - 4) if domain.holds(span.first - 4) else None
        if before is None or not before.first < span.first:
            break
        if not _falls_through(view, before.first, span.first):
            break
        span = Span(before.name, before.first, span.end)
    return span


def _falls_through(view: AuditView, first: int, end: int) -> bool:
    """Tell whether the code before an address goes on there; what aligns the next function does not."""
    start = max(first, end - _MAX_PADDING)
    words = linked_words(view.image, start, end)
    if words is None or not len(words):
        return False
    data = data_mask(view.image, start, words)
    for word, is_data in zip(reversed(words.tolist()), reversed(data.tolist()), strict=True):
        if is_data or MASKS["udf"].fits(word):
            return False
        if MASKS["nop"].fits(word):
            continue
        leaves = MASKS["any register"].fits(word) and not MASKS["blr"].fits(word)
        return not (leaves or MASKS["b"].fits(word) or MASKS["brk"].fits(word))
    return False


def spans_of(view: AuditView, domain: Domain, places: Addresses) -> tuple[Span, ...]:
    """Return the functions that hold these places, each once, by address."""
    found: dict[int, Span] = {}
    end = 0
    for place in np.unique(places).tolist():
        if place < end:
            continue
        span = span_of(view, domain, place)
        if span is not None:
            found[span.first] = span
            end = span.end
    return tuple(found.values())


def functions_at(view: AuditView, domain: Domain, slots: Slots) -> tuple[Span, ...]:
    """Return the functions of a domain that may form the address of one of these slots, or of a table of them.

    Quick, and seldom too few: any ADRP with any low twelve bits that the function uses, any ADR. Low bits that an ADD
    and the load's offset make together are not foreseen.
    """
    if not len(slots.places):
        return ()
    code = view.instructions(domain)
    adrp, adr = code.found("adrp"), code.found("adr")
    aims = (adrp.places & ~_PAGE) + (relative(adrp.words) << 12).astype(np.uint64)
    ends = aims + _PAGE + np.uint64(1 + BEFORE_FIRST)
    near = np.searchsorted(slots.places, aims) < np.searchsorted(slots.places, ends)
    aims, at = aims[near], adrp.places[near]
    adr_aims = adr.places + relative(adr.words).astype(np.uint64)
    direct = adr.places[_reaches(adr_aims, slots)]
    found = dict.fromkeys(spans_of(view, domain, direct))
    for span in spans_of(view, domain, at):
        lows = _low_parts(view, domain, span)
        own = aims[(at >= np.uint64(span.first)) & (at < np.uint64(span.end))]
        if len(lows) and _reaches((np.unique(own)[:, None] + lows).ravel(), slots).any():
            found[span] = None
    return tuple(sorted(found, key=lambda span: span.first))


def _reaches(addresses: Addresses, slots: Slots) -> NDArray[np.bool_]:
    """Return which addresses are a slot or lie little before one."""
    i = np.searchsorted(slots.places, addresses)
    after = slots.places[np.minimum(i, len(slots.places) - 1)]
    found: NDArray[np.bool_] = (i < len(slots.places)) & (
        after - addresses < np.uint64(BEFORE_FIRST)
    )
    return found


def _low_parts(view: AuditView, domain: Domain, span: Span) -> Addresses:
    """Return what a function adds to pages, uint64[n]."""
    code = view.instructions(domain)
    lo, hi = np.searchsorted(code.places, np.array([span.first, span.end], np.uint64))
    words = code.words[lo:hi]
    adds = field(words[MASKS["add x imm"].hits(words)], 10, 12)
    loads = field(words[MASKS["ldr x uimm"].hits(words)], 10, 12) * np.uint32(8)
    unscaled = (words & np.uint32(0xFFE00000)) == np.uint32(0xF8400000)
    plain = field(words[unscaled], 12, 9) & np.uint32(0xFF)
    pairs = (words & np.uint32(0xFFC00000)) == np.uint32(0xA9400000)
    paired = field(words[pairs], 15, 7) * np.uint32(8)
    zero = np.zeros(1, np.uint32)
    # A pair loads two slots, and low bits may be added in two steps.
    return np.unique(
        np.concatenate([zero, adds, loads, plain, paired, paired + np.uint32(8)])
    ).astype(np.uint64)


def relative(words: Words) -> NDArray[np.int64]:
    """Return the immediate of ADR, or of ADRP in pages, int64[n]."""
    return signed_field(words, 5, 19) * 4 + field(words, 29, 2).astype(np.int64)
