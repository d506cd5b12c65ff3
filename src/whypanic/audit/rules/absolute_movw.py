"""Moved code builds an absolute address of the image from immediates.

Found is every chain of MOVZ, MOVN and MOVK, of w and x registers and in any order, that makes an address of the image;
in an object every chain with a MOVW_UABS or MOVW_SABS relocation of bits 32 and up: what clang makes of any address
with -mcmodel=large.

Why it breaks: the address is the one that was linked. Nothing relocates it, so it is wrong as soon as KASLR moves the
kernel, and where the code runs it is not mapped.

Example:
    movz x8, #:abs_g0_nc:table
    movk x8, #:abs_g1_nc:table
    movk x8, #:abs_g2_nc:table
    movk x8, #:abs_g3:table

False positives: constants outside the image (TRAMP_VALIAS, masks), and the beginning of the image where a register is
added to it before it is used (KIMAGE_VADDR plus the KASLR offset in __relocate_kernel). Placeholders that alternatives
fill in (kimage_voffset, the hyp vectors) are zero in the file; MOVW_PREL relocations are PC-relative. What goes only to
ELR_EL2, and what comes after the kernel's page tables are in force, is as for literals.

Sources: assembler output of clang 19 with -mcmodel=large in tests/data/tables; ELF for the Arm 64-bit Architecture
(aaelf64.rst), group relocations.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.audit.api import rule
from whypanic.audit.faults import MOVED, access_fault, cause_of, fetch_fault, runs_where
from whypanic.audit.function_code import FunctionCode, codes_of, spans_of
from whypanic.audit.kernel_mapped import kernel_is_mapped
from whypanic.audit.literal_use import is_followed, is_meant_for_el1
from whypanic.audit.value_uses import Use, uses_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.code.flow import ENTRY
from whypanic.code.masks import field
from whypanic.formats.kernel_image import KernelImage, ObjectRelocation, Words
from whypanic.model.audit import Evidence, Finding, Level

_MOVES = 0x1F800000
"""MOVN, MOVZ and MOVK, w and x, but for bits 29 and 30."""
_MOVE = 0x12800000
_HIGH = {267: "MOVW_UABS_G2", 268: "MOVW_UABS_G2_NC", 269: "MOVW_UABS_G3", 272: "MOVW_SABS_G2"}
_OTHERS = range(263, 273)
"""MOVW_UABS_G0 to MOVW_SABS_G2."""
_ALIGNED = 1 << 21
_RD = 31
_MAX_PASSES, _MAX_WAYS = 6, 4
_LOW, _ALL = (1 << 32) - 1, (1 << 64) - 1
_MAX_BEHIND = 16
"""Moves of one chain lie so near to each other in an object."""


_Made = tuple[int, frozenset[int]]
"""A value, and the numbers of the words that make it."""


class _Chain(NamedTuple):
    """One address built."""

    place: int
    """Number of the word that completes it."""
    register: str
    value: int | None
    """None: of a symbol."""
    symbol: str
    places: frozenset[int]
    how: str


@rule(
    number="R07",
    id="absolute-movw",
    title="moved code builds an absolute address from immediates",
    domains=MOVED,
)
def absolute_movw(view: AuditView) -> Iterator[Finding]:
    """Yield every chain of moves in moved code that makes an address of the image."""
    for domain in view.named(MOVED):
        places = _related(view, domain) if view.is_object else _possible(view, domain)
        seen: set[int] = set()
        for span in spans_of(view, domain, places):
            for code in codes_of(view, span):
                chains = _open_chains(view, code) if view.is_object else _chains(view.image, code)
                for chain in chains:
                    place = code.address(chain.place)
                    if domain.holds(place) and place not in seen:
                        seen.add(place)
                        yield from _check(view, domain, code, chain)


def _possible(view: AuditView, domain: Domain) -> NDArray[np.uint64]:
    """Return moves that may set bits 31:16 of an address of the image."""
    code = view.instructions(domain)
    moves = code.where((code.words & np.uint32(_MOVES)) == np.uint32(_MOVE))
    low, high = view.image.base >> 16, max(view.image.end - 1, 0) >> 16
    if high - low >= 0xFFFF:
        return moves.places
    # In a MOVN bits are inverted. An image of some MB has few values here, and they may wrap at 16 bits.
    middles = np.array([n & 0xFFFF for n in range(low, high + 1)], np.uint32)
    immediate = field(moves.words, 5, 16)
    inverted = field(moves.words, 29, 2) == 0
    value = np.where(inverted, immediate ^ np.uint32(0xFFFF), immediate)
    fits = np.isin(value, middles) & (field(moves.words, 21, 2) == 1)
    # A MOVN of the low bits leaves ones above them.
    fits |= inverted & (field(moves.words, 21, 2) != 1) & bool(np.isin(0xFFFF, middles))
    places: NDArray[np.uint64] = moves.places[fits]
    return places


def _related(view: AuditView, domain: Domain) -> NDArray[np.uint64]:
    found = [
        entry.place
        for first, end in view.own_code(domain)
        for entry in view.image.relocations_within(first, end)
        if entry.type in _HIGH
    ]
    return np.array(found, np.uint64)


def _chains(image: KernelImage, code: FunctionCode) -> Iterator[_Chain]:
    """Yield the chains of a function whose value is an address of the image on some way, at their last move."""
    flow = code.flow
    words: Words = np.array(flow.words, np.uint32)
    moves = np.flatnonzero((words & np.uint32(_MOVES)) == np.uint32(_MOVE)).tolist()
    moves = [n for n in moves if flow.is_code(n) and words[n] & _RD != _RD]
    known = frozenset(moves)
    made: dict[tuple[int, str], list[_Made]] = {}
    for _ in range(_MAX_PASSES):
        before = {key: len(values) for key, values in made.items()}
        for place in moves:
            _make(code, place, made)
        if all(before.get(key) == len(values) for key, values in made.items()):
            break
    inner = {
        (earlier, register)
        for place, register in made
        if place in known and flow.insn(place).mnemonic == "movk"
        for earlier in flow.definitions(register, place)
        if earlier < place
    }
    for (place, register), values in sorted(made.items()):
        found = next((v for v in values if image.contains(v[0])), None)
        if found is not None and place in known and (place, register) not in inner:
            yield _Chain(place, register, found[0], "", found[1], "movz and movk")


def _make(code: FunctionCode, place: int, made: dict[tuple[int, str], list[_Made]]) -> None:
    """Add the values that a move may give its register, by what its base is known to be."""
    insn = code.flow.insn(place)
    register = f"x{insn.word & _RD}"
    values = made.setdefault((place, register), [])
    if insn.mnemonic != "movk":
        if not values:
            values.append(((insn.immediate or 0) & _ALL, frozenset({place})))
        return
    at = 16 * (insn.word >> 21 & 3)
    bits = insn.word >> 5 & 0xFFFF
    for earlier in code.flow.definitions(register, place)[:_MAX_WAYS]:
        if earlier == ENTRY:
            continue
        if (earlier, register) not in made:
            other = code.values.made(register, earlier)
            made[earlier, register] = [] if other.terms else [(other.constant, other.places)]
        for value, places in made[earlier, register]:
            changed = (value & ~(0xFFFF << at) | bits << at) & (_LOW if insn.is_32bit else _ALL)
            if len(values) < _MAX_WAYS and all(changed != known for known, _ in values):
                values.append((changed, places | {place}))


def _open_chains(view: AuditView, code: FunctionCode) -> Iterator[_Chain]:
    """Yield the chains of an object's function that relocations make an address, at their last move."""
    chains: list[list[ObjectRelocation]] = []
    current: dict[tuple[str, int, int], list[ObjectRelocation]] = {}
    for entry in view.image.relocations_within(code.span.first, code.span.end):
        place = (entry.place - code.span.first) // 4
        if entry.type not in _OTHERS or entry.place % 4 or place >= len(code.flow):
            continue
        # A chain goes on while the same symbol goes into the same register not far behind.
        key = (entry.symbol, entry.addend, code.flow.words[place] & _RD)
        chain = current.get(key)
        if chain is None or entry.place - chain[-1].place > 4 * _MAX_BEHIND:
            chain = current[key] = []
            chains.append(chain)
        chain.append(entry)
    for chain in chains:
        high = next((entry for entry in chain if entry.type in _HIGH), None)
        last = (chain[-1].place - code.span.first) // 4
        number = code.flow.words[last] & _RD
        if high is None or number == _RD or _is_constant(view.image, high):
            continue
        how = f"R_AARCH64_{_HIGH[high.type]} against {high.symbol or 'no symbol'}"
        places = frozenset((entry.place - code.span.first) // 4 for entry in chain)
        yield _Chain(last, f"x{number}", None, high.symbol, places, how)


def _is_constant(image: KernelImage, entry: ObjectRelocation) -> bool:
    """Tell whether the symbol is an absolute one, a number."""
    return entry.target is not None and not image.contains(entry.target)


def _check(view: AuditView, domain: Domain, code: FunctionCode, chain: _Chain) -> Iterator[Finding]:
    if kernel_is_mapped(view, domain, code, chain.place):
        return
    uses = uses_of(code.flow, chain.place, chain.register)
    symbol = chain.symbol
    if chain.value is not None:
        if _is_base(view.image, chain.value) and {use.kind for use in uses} == {Use.CONVERTED}:
            return
        named = view.image.symbol_at(chain.value)
        symbol = named.name if named is not None else ""
    symbols = (symbol,) if chain.value is None else _names_at(view.image, chain.value)
    kinds = {use.kind for use in uses}
    if Use.CONVERTED not in kinds and is_meant_for_el1(domain, uses, symbols):
        return
    followed = [use for use in uses if is_followed(use, domain)]
    branch = any(use.kind is Use.BRANCHED for use in followed)
    shown = (followed or list(uses))[:2]
    made = f"{chain.value:#x}" if chain.value is not None else "the address of"
    yield Finding(
        rule="absolute-movw",
        level=Level.ERROR,
        title="immediates make an absolute address of the image",
        domain=domain.name,
        place=code.address(chain.place),
        slice=code.slice(chain.places, chain.place, *(use.place for use in shown)),
        word=code.word_of(chain.place),
        evidence=(
            Evidence(
                text=f"{chain.register} becomes {made} {symbol or 'no symbol'}: {chain.how}",
                address=chain.value,
            ),
            *(
                Evidence(text=f"there it is {use.kind.value}", address=code.address(use.place))
                for use in shown
            ),
            runs_where(view, domain),
        ),
        fault=fetch_fault(domain) if branch else access_fault(domain),
        cause=cause_of(domain, branch=branch),
        remedy="form the address with adrp and add: build this code without -mcmodel=large",
    )


def _names_at(image: KernelImage, address: int) -> tuple[str, ...]:
    return tuple(symbol.name for symbol in image.symbols.all_at(address))


def _is_base(image: KernelImage, value: int) -> bool:
    """Tell whether a value is where the image begins, or KIMAGE_VADDR below its TEXT_OFFSET."""
    return value in (image.base, image.base & ~(_ALIGNED - 1))
