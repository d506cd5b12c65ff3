"""The instructions that certainly ran before one of them: back through its block, and through blocks with one way in.

The first block of a loop has two ways in. Where the loop is one run of instructions that is entered only there, the
path goes on before it, and what the loop writes is forgotten.

Ways in are the direct branches of the function, its jump labels (`__jump_table`: a nop in the file, a branch at run
time, or the other way round), branches that alternatives put there, and the fixups of `__ex_table`. A function with a
jump table is not followed, unless the caller says where each of its tables leads.

Sources: Arm ARM DDI 0487, encodings of B, B.cond, BC.cond, CBZ, TBZ, BR, BRAA; Linux include/linux/jump_label.h
(struct jump_entry, relative), arch/arm64/include/asm/extable.h (8 bytes, 12 since 5.16), asm/alternative.h (struct
alt_instr, asm goto of alternative_has_cap_likely() and _unlikely()).
"""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.arch.insn import Insn, decode
from whypanic.arch.values import MASK64
from whypanic.formats.kernel_image import KernelImage, Words

SYSTEM_CALLS = ("hvc", "smc", "svc")
CLOBBERED = (*(f"x{n}" for n in range(19)), "x30")
"""What a call may change: AAPCS64."""

_MAX_STEPS = 192
_MAX_LOOP = 2048
"""Instructions."""
_MAX_FUNCTION_BYTES = 1 << 20
_MAX_TABLE_BYTES = 1 << 24
_TABLE_REACH = 8
"""How many instructions before BR its register is looked for."""

Places = NDArray[np.int64]
_NOWHERE: Places = np.empty(0, np.int64)


class Step(NamedTuple):
    address: int
    """Link VA."""
    insn: Insn
    forgets: frozenset[str] = frozenset()
    """Registers that a loop beginning here may have changed before this step."""


class _Edges(NamedTuple):
    """Ways through a function other than to the next instruction."""

    sources: Places
    targets: Places
    patched: frozenset[int]
    """Words that may be a NOP when they run, whatever the file has."""


def path_to(
    image: KernelImage, pc: int, tables: Mapping[int, Collection[int]] | None = None
) -> tuple[Step, ...]:
    """Return the instructions that ran before the one at a link VA, oldest first, that one last.

    :param tables: where the branches through tables in this function lead, by link VA of the branch, as far as known.
    :return: () where the image does not hold the code.
    """
    symbol = image.symbol_at(pc)
    start = pc if symbol is None else symbol.address
    end = pc + 4 if symbol is None or symbol.end <= pc else symbol.end
    if pc % 4:
        return ()
    if start % 4 or end - start > _MAX_FUNCTION_BYTES:
        start, end = pc, pc + 4
    words = image.words(start, end)
    if words is None:
        return ()
    numbers = _numbers(image, words, start, (pc - start) // 4, tables or {})
    return tuple(
        Step(start + i * 4, decode(int(words[i])), forgets)
        for i, forgets in reversed(numbers.items())
    )


def _numbers(
    image: KernelImage, words: Words, start: int, at: int, tables: Mapping[int, Collection[int]]
) -> dict[int, frozenset[str]]:
    """Return numbers of the words on the way back, the latest first, with what each forgets."""
    numbers: dict[int, frozenset[str]] = {at: frozenset()}
    if any(start + 4 * i not in tables for i in _table_branches(words)):
        return numbers
    edges = _edges(image, words, start)
    labels = {(target - start) // 4 for targets in tables.values() for target in targets}
    while len(numbers) < _MAX_STEPS:
        before = {int(i) for i in edges.sources[edges.targets == at]}
        if at and (at - 1 in edges.patched or _goes_on(int(words[at - 1]))):
            before.add(at - 1)
        if at == 0 or at in labels:
            break
        if len(before) > 1:
            ends = {i for i in before if i >= at}
            forgets = _written(words, at, max(ends)) if _is_loop(edges, labels, at, ends) else None
            if forgets is None:
                break
            numbers[at] = forgets
            before -= ends
        if len(before) != 1:
            break
        at = before.pop()
        if at in numbers or decode(int(words[at])).mnemonic == "brk":
            break
        numbers[at] = frozenset()
    return numbers


def _is_loop(edges: _Edges, labels: Collection[int], at: int, ends: Collection[int]) -> bool:
    """Tell whether the instructions from one to the last of those that lead back to it are entered only there."""
    if not ends:
        return False
    last = max(ends)
    enters = (edges.targets > at) & (edges.targets <= last)
    outside = (edges.sources < at) | (edges.sources > last)
    return not bool(np.any(enters & outside)) and not any(at < label <= last for label in labels)


def _written(words: Words, first: int, last: int) -> frozenset[str] | None:
    """Return the registers that a loop writes; None: it is too long to look through."""
    if last - first > _MAX_LOOP:
        return None
    written: set[str] = set()
    for word in words[first : last + 1]:
        insn = decode(int(word))
        written.update(insn.writes)
        if (insn.branch is not None and insn.branch.link) or insn.mnemonic in SYSTEM_CALLS:
            written.update(CLOBBERED)
    return frozenset(written)


def _goes_on(word: int) -> bool:
    """Tell whether the next instruction may run after this one."""
    branch = decode(word).branch
    if branch is None:
        return True
    return branch.link or branch.kind not in ("b", "br", "ret", "eret")


def _edges(image: KernelImage, words: Words, start: int) -> _Edges:
    signed = words.astype(np.int64)
    number = np.arange(len(words))
    sources, targets = [], []
    # fmt: off
    for mask, bits, low, width in (
        (0xFC000000, 0x14000000, 0, 26),  # B
        (0xFF000000, 0x54000000, 5, 19),  # B.cond, BC.cond
        (0x7E000000, 0x34000000, 5, 19),  # CBZ, CBNZ
        (0x7E000000, 0x36000000, 5, 14),  # TBZ, TBNZ
    ):
        # fmt: on
        found = np.flatnonzero((words & np.uint32(mask)) == np.uint32(bits))
        offset = signed[found] >> low & (1 << width) - 1
        offset -= (offset >> (width - 1)) << width
        sources.append(number[found])
        targets.append(number[found] + offset)
    labels, replaced = _jump_labels(image), _alternatives(image, start, start + 4 * len(words))
    patched = np.concatenate([labels[0], replaced.words]) - _signed(start)
    for pairs in (labels, (replaced.places, replaced.targets), _fixups(image)):
        places, ends = ((addresses - _signed(start)) // 4 for addresses in pairs)
        inside = (places >= 0) & (places < len(words))
        sources.append(places[inside])
        targets.append(ends[inside])
    return _Edges(
        np.concatenate(sources), np.concatenate(targets), frozenset((patched // 4).tolist())
    )


def _jump_labels(image: KernelImage) -> tuple[Places, Places]:
    """Return places and targets of jump labels."""
    table = _table(image, "__start___jump_table", "__stop___jump_table", "__jump_table")
    if table is None:
        return _NOWHERE, _NOWHERE
    address, data = table
    return _relative_pairs(address, data, 16)


def _fixups(image: KernelImage) -> tuple[Places, Places]:
    """Return instructions that may fault, and where they go on then."""
    table = _table(image, "__start___ex_table", "__stop___ex_table", "__ex_table")
    if table is None:
        return _NOWHERE, _NOWHERE
    address, data = table
    for size in (12, 8):
        if len(data) % size:
            continue
        places, targets = _relative_pairs(address, data, size)
        # The table is sorted when the kernel is built.
        if bool(np.all(places[1:] >= places[:-1])) and bool(np.all(places % 4 == 0)):
            return places, targets
    return _NOWHERE, _NOWHERE


class _Replaced(NamedTuple):
    words: Places
    places: Places
    targets: Places


def _alternatives(image: KernelImage, first: int, end: int) -> _Replaced:
    """Return the words of a function that alternatives may replace, and the branches that they put there."""
    table = _table(image, "__alt_instructions", "__alt_instructions_end", ".altinstructions")
    if table is None:
        return _Replaced(_NOWHERE, _NOWHERE, _NOWHERE)
    address, data = table
    begins, replacements = _relative_pairs(address, data, 12)
    found = np.flatnonzero((begins >= _signed(first)) & (begins < _signed(end)))
    words: list[int] = []
    ways: list[tuple[int, int]] = []
    for row in found.tolist():
        place, made = int(begins[row]), int(replacements[row])
        n_bytes, n_new = data[row * 12 + 10], data[row * 12 + 11]
        words += range(place, place + n_bytes, 4)
        new = image.words(made & MASK64, (made + n_new) & MASK64) if n_new else None
        for i, word in enumerate(() if new is None else new.tolist()):
            branch = decode(word).branch
            if branch is not None and branch.offset is not None:
                ways.append((place + 4 * i, made + 4 * i + branch.offset))
    pairs = np.array(ways, np.int64).reshape(-1, 2)
    return _Replaced(np.array(words, np.int64), pairs[:, 0], pairs[:, 1])


def _relative_pairs(address: int, data: bytes, size: int) -> tuple[Places, Places]:
    """Return what the first two 32-bit fields of each entry lead to; a field is relative to itself."""
    fields = np.frombuffer(data[: len(data) // size * size], "<i4").reshape(-1, size // 4)
    begins = _signed(address) + np.arange(len(fields)) * size
    return begins + fields[:, 0], begins + 4 + fields[:, 1]


def _table(image: KernelImage, first: str, last: str, section: str) -> tuple[int, bytes] | None:
    """Return address and bytes of a table between two symbols, or else of a section."""
    found = image.section(section)
    begin, end = (found.address, found.end) if found is not None else (None, None)
    if begin is None:
        begin, end = image.value_of(first), image.value_of(last)
    if begin is None or end is None or not 0 < end - begin <= _MAX_TABLE_BYTES:
        return None
    data = image.read(begin, end - begin)
    return None if data is None else (begin, data)


def _signed(address: int) -> int:
    return address - (1 << 64) if address >> 63 else address


def _table_branches(words: Words) -> Iterator[int]:
    """Yield the branches to an address that was computed, or read from an array; a tail call does neither."""
    branches = np.flatnonzero(
        ((words & np.uint32(0xFFFFFC1F)) == np.uint32(0xD61F0000))  # BR
        | ((words & np.uint32(0xFEFFF800)) == np.uint32(0xD61F0800))  # BRAA, BRAAZ and their like
    )
    yield from (int(i) for i in branches if not _is_tail_call(words, int(i)))


def _is_tail_call(words: Words, at: int) -> bool:
    branch = decode(int(words[at])).branch
    register = None if branch is None else branch.register
    for word in words[max(at - _TABLE_REACH, 0) : at][::-1]:
        insn = decode(int(word))
        if register not in insn.writes:
            continue
        memory = insn.memory
        if memory is not None:
            return memory.index is None
        return insn.mnemonic == "orr" and int(word) >> 5 & 31 == 31
    return False
