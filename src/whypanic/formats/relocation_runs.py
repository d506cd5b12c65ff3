"""Relocations of a kernel of which only the bytes are left: the run of RELA records, RELR words, .hyp.reloc.

The linker script puts .hyp.reloc, .rela.dyn and .relr.dyn one behind the other. A RELA record is {slot, 0x403, addend}
of eight bytes each, tens of thousands of them in a row; what is in the run of other types (9566 R_AARCH64_NONE in a
kernel of Debian's) is passed over. RELR (Linux 5.4 on, CONFIG_RELR) is a list of words: an even one is the address of a
slot, an odd one a map of the 63 slots that follow; the value of such a slot stands in the slot. .hyp.reloc (5.12 on)
lists slots once more, for EL2, as s32 distances from the entry itself.

Sources: ELF for the Arm 64-bit Architecture (aaelf64), Dynamic relocations; Linux 6.12 arch/arm64/kernel/vmlinux.lds.S,
arch/arm64/kvm/hyp/nvhe/gen-hyprel.c, arch/arm64/kernel/pi/relocate.c.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.kernel_image import RelativeRelocations

BASE_ALIGNMENT = 2 << 20
"""The kernel is linked at a multiple of this, plus the text_offset of its header."""
RELATIVE = 0x403
_KNOWN_TYPES = np.array([0, 257, 1024, 1025, 1026, RELATIVE], np.uint64)
"""R_AARCH64_NONE, ABS64, COPY, GLOB_DAT, JUMP_SLOT, RELATIVE."""
_MAX_SYMBOL = 1 << 20
_MIN_RECORDS = 4
_MIN_RELR_WORDS = 8
_MAX_RELR_RUNS = 8
_MAX_RELR_WORDS = 1 << 18
"""A kernel of 50 MB has 12,000 of them."""
_RELR_BITS = 63
_MAX_IMAGE_BYTES = 1 << 30
_HYP_WINDOW = 1 << 16
"""Entries of .hyp.reloc looked at; Linux 7.2 has 221."""
_WAYS = (0, *(sign * k for k in range(1, 64) for sign in (-1, 1)))
"""Multiples of BASE_ALIGNMENT from the likeliest link base at which others are tried."""
_SAMPLE = 4096
_GOOD_SHARE = 0.95
"""Of the slots that fit. A linker may leave a few of RELR empty."""

_Words = NDArray[np.uint64]
_TOP = np.uint64(0xFFFF)


class RecoveredRelocations(NamedTuple):
    """What was found, with spans of bytes in the file."""

    base: int
    """Link VA of the first byte of the file."""
    relative: RelativeRelocations
    n_rela: int
    """RELATIVE records of the run."""
    n_other: int
    """Records of other types inside it."""
    n_relr: int
    """Slots that RELR names."""
    rela: tuple[int, int] | None
    relr: tuple[int, int] | None
    hyp_reloc: tuple[int, int] | None


class _Run(NamedTuple):
    first: int
    """Index of the first word of the first record."""
    end: int
    slots: _Words
    addends: _Words
    n_other: int


def recover_relocations(
    data: memoryview, *, text_offset: int = 0, base: int | None = None
) -> RecoveredRelocations | None:
    """Return the relocations of a kernel's bytes; None where there are none: it is linked at a fixed address.

    :param data: the kernel from its first byte on, as it is loaded.
    :param text_offset: of its header.
    :param base: link VA of the first byte, where it is known.
    """
    words = np.frombuffer(data[: len(data) & ~7], "<u8")
    run = _rela_run(words)
    relr = _relr_behind(words, run.end) if run is not None else None
    if base is None:
        found = _link_base(words, run, relr, text_offset)
        if found is None:
            # With RELR few records of RELA are left, or none.
            relr = _longest_relr(words)
            found = _link_base(words, run, relr, text_offset)
        if found is None:
            return None
        base = found
    if relr is not None and _fit(words, base, relr.slots, None) < _GOOD_SHARE:
        relr = None
    if run is None and relr is None:
        return None
    return _assemble(words, base, run, relr)


def _rela_run(words: _Words) -> _Run | None:
    """Find the longest run of records."""
    hits = np.flatnonzero(words[1:-1] == RELATIVE) + 1
    if len(hits):
        hits = hits[(_top(words[hits - 1])) & (_top(words[hits + 1]))]
    if len(hits) < _MIN_RECORDS:
        return None
    edges = np.flatnonzero(np.diff(hits) != 3)
    starts, ends = np.append(0, edges + 1), np.append(edges, len(hits) - 1)
    longest = int(np.argmax(ends - starts))
    if int(ends[longest] - starts[longest]) + 1 < _MIN_RECORDS:
        return None
    middle = int(hits[starts[longest]])
    types = words[middle % 3 :: 3]
    known = np.isin(types & np.uint64(0xFFFFFFFF), _KNOWN_TYPES)
    known &= (types >> np.uint64(32)) < _MAX_SYMBOL
    unknown = np.flatnonzero(~known)
    at = middle // 3
    k = int(np.searchsorted(unknown, at))
    lo = int(unknown[k - 1]) + 1 if k else 0
    hi = int(unknown[k]) if k < len(unknown) else len(types)
    chosen = np.flatnonzero(types[lo:hi] == RELATIVE) + lo
    places = chosen * 3 + middle % 3
    places = places[(places >= 1) & (places + 1 < len(words))]
    places = places[
        _top(words[places - 1])
    ]  # an addend may be 0: a weak symbol that nothing defines
    # Records of type NONE are zeros, and so is padding: the run begins and ends with a record that says something.
    told = np.flatnonzero(types[lo:hi]) + lo
    first, last = int(told[0]) * 3 + middle % 3, int(told[-1]) * 3 + middle % 3
    return _Run(
        max(first - 1, 0),
        min(last + 2, len(words)),
        words[places - 1],
        words[places + 1],
        int(told[-1] - told[0]) + 1 - len(places),
    )


class _Relr(NamedTuple):
    first: int
    end: int
    slots: _Words


def _relr_behind(words: _Words, after: int) -> _Relr | None:
    """Read RELR words that begin right behind the RELA records, or behind NONE records and padding there."""
    rest = words[after : after + (1 << 18)]
    told = np.flatnonzero(rest)
    return _read_relr(words, after + int(told[0])) if len(told) else None


def _longest_relr(words: _Words) -> _Relr | None:
    """Find the run of words that reads as RELR and names the most slots."""
    odd = (words & np.uint64(1)) == 1
    fits = odd | _top(words)
    edges = np.flatnonzero(np.diff(fits.astype(np.int8)))
    bounds = np.concatenate(([0], edges + 1, [len(words)]))
    starts, ends = bounds[:-1], bounds[1:]
    keep = fits[starts] & (ends - starts >= _MIN_RELR_WORDS) if len(words) else np.empty(0, bool)
    starts, ends = starts[keep], ends[keep]
    if not len(starts):
        return None
    n_odd = np.concatenate(([0], np.cumsum(odd)))
    # Pointers are no maps and text has no addresses: a list of RELR has both.
    score = np.minimum(n_odd[ends] - n_odd[starts], (ends - starts) - (n_odd[ends] - n_odd[starts]))
    best: _Relr | None = None
    for i in np.argsort(score)[::-1][:_MAX_RELR_RUNS].tolist():
        evens = np.flatnonzero(~odd[starts[i] : ends[i]])
        found = _read_relr(words, int(starts[i] + evens[0])) if len(evens) else None
        if found and (best is None or len(found.slots) > len(best.slots)):
            best = found
    return best if best and len(best.slots) >= _MIN_RELR_WORDS else None


def _read_relr(words: _Words, first: int) -> _Relr | None:
    """Read RELR words as long as their addresses rise, lie within one kernel, and are of the kernel's half."""
    part = words[first : first + _MAX_RELR_WORDS]
    is_map = (part & np.uint64(1)) == 1
    if not len(part) or is_map[0]:
        return None
    evens = np.flatnonzero(~is_map)
    values = part[evens]
    origin = values[0]
    good = _top(values) & (values - origin < _MAX_IMAGE_BYTES)
    good[1:] &= values[1:] > values[:-1]
    bad = np.flatnonzero(~good)
    n_evens = int(bad[0]) if len(bad) else len(evens)
    if not n_evens:
        return None
    end = int(evens[n_evens]) if n_evens < len(evens) else len(part)
    # What follows the list may be odd too; a map that reaches past any kernel is none.
    is_map, part = is_map[:end], part[:end]
    group = np.cumsum(~is_map) - 1
    order = np.arange(end) - evens[group]
    beyond = np.flatnonzero(is_map & (order * _RELR_BITS * 8 > _MAX_IMAGE_BYTES))
    if len(beyond):
        end = int(beyond[0])
        is_map, part, group, order = is_map[:end], part[:end], group[:end], order[:end]
    maps = np.flatnonzero(is_map)
    if int(np.bitwise_count(part[maps]).sum()) > len(words):
        return None
    starts = values[group[maps]] + (order[maps].astype(np.uint64) - 1) * (_RELR_BITS * 8) + 8
    slots = [values[:n_evens]]
    for bit in range(1, 64):
        chosen = (part[maps] >> np.uint64(bit)) & np.uint64(1) == 1
        slots.append(starts[chosen] + np.uint64(8 * (bit - 1)))
    return _Relr(first, first + end, np.sort(np.concatenate(slots)))


def _link_base(words: _Words, run: _Run | None, relr: _Relr | None, text_offset: int) -> int | None:
    """Return the link VA of the first word; None where no place fits.

    The lowest address that a relocation names lies in the first 2 MiB of most kernels: that place is tried first, then
    those around it.
    """
    lists: list[tuple[_Words, _Words | None]] = []
    if run is not None:
        lists.append((run.slots, run.addends))
    if relr is not None:
        lists.append((relr.slots, None))
    lists.sort(key=lambda found: -len(found[0]))
    for slots, addends in lists:
        named = slots if addends is None else np.concatenate((slots, addends))
        lowest = int(named[_top(named)].min())
        likely = ((lowest - text_offset) & ~(BASE_ALIGNMENT - 1)) + text_offset
        for base in (likely + way * BASE_ALIGNMENT for way in _WAYS):
            if _fit(words, base % (1 << 64), slots, addends) >= _GOOD_SHARE:
                return base % (1 << 64)
    return None


def _fit(words: _Words, base: int, slots: _Words, addends: _Words | None) -> float:
    """Return which share of a sample of slots reads as it must if the kernel is linked at `base`.

    A slot of RELA holds nothing or its addend, one of RELR an address; one outside the file counts against the base.
    """
    step = max(len(slots) // _SAMPLE, 1)
    sample = (slots[::step] - np.uint64(base)).view(np.int64)
    inside = (sample >= 0) & (sample <= len(words) * 8 - 8) & (sample % 2 == 0)
    held = _held(words, sample[inside])
    fine = _top(held)
    if addends is not None:
        fine = (held == 0) | (held == addends[::step][inside])
    return float(np.count_nonzero(fine)) / max(len(sample), 1)


def _assemble(
    words: _Words, base: int, run: _Run | None, relr: _Relr | None
) -> RecoveredRelocations:
    n_bytes = len(words) * 8
    slots: list[_Words] = []
    values: list[_Words] = []
    n_rela = n_relr = 0
    if run is not None:
        inside = _inside(run.slots, base, n_bytes)
        slots.append(run.slots[inside])
        values.append(run.addends[inside])
        n_rela = len(slots[-1])
    if relr is not None:
        chosen = relr.slots[_inside(relr.slots, base, n_bytes)]
        slots.append(chosen)
        values.append(_held(words, (chosen - np.uint64(base)).astype(np.int64)))
        n_relr = len(chosen)
    every, what = np.concatenate(slots), np.concatenate(values)
    order = np.argsort(every, kind="stable")
    relative = RelativeRelocations(every[order], what[order])
    relative.slots.setflags(write=False)
    relative.values.setflags(write=False)
    first = run.first if run else relr.first if relr else 0
    return RecoveredRelocations(
        base,
        relative,
        n_rela,
        run.n_other if run else 0,
        n_relr,
        (run.first * 8, run.end * 8) if run else None,
        (relr.first * 8, relr.end * 8) if relr else None,
        _hyp_reloc(words, base, relative, first),
    )


def _hyp_reloc(
    words: _Words, base: int, relative: RelativeRelocations, first: int
) -> tuple[int, int] | None:
    """Walk the entries of .hyp.reloc backwards from the word `first`, as long as each leads to a slot."""
    halves = words.view("<i4")[: first * 2]
    start = max(len(halves) - _HYP_WINDOW, 0)
    values = halves[start:].astype(np.int64)
    if len(values) and values[-1] == 0:
        values = values[:-1]  # .rela.dyn is aligned to eight bytes
    places = np.arange(start, start + len(values), dtype=np.int64) * 4
    targets = (places + values).astype(np.uint64) + np.uint64(base)
    at = np.searchsorted(relative.slots, targets)
    known = relative.slots[np.minimum(at, len(relative.slots) - 1)] == targets
    others = np.flatnonzero(~known)
    n_first = int(others[-1]) + 1 if len(others) else 0
    if n_first == len(values):
        return None
    return (start + n_first) * 4, (start + len(values)) * 4


def _held(words: _Words, offsets: NDArray[np.int64]) -> _Words:
    """Return the eight bytes at each even offset."""
    quarters, at = words.view("<u2"), offsets >> 1
    found = np.zeros(len(offsets), np.uint64)
    for i in range(4):
        found |= quarters[at + i].astype(np.uint64) << np.uint64(16 * i)
    return found


def _inside(slots: _Words, base: int, n_bytes: int) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (slots >= np.uint64(base)) & (
        slots - np.uint64(base) <= n_bytes - 8
    )
    return inside


def _top(values: _Words) -> NDArray[np.bool_]:
    """Tell which words are addresses of the kernel's half."""
    found: NDArray[np.bool_] = (values >> np.uint64(48)) == _TOP
    return found
