"""How control and registers flow through one function of an image.

Blocks that no direct branch reaches are taken to be reached from every indirect branch of the function: a computed
goto may lead to any of them.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from whypanic.arch.insn import Insn, decode
from whypanic.code.masks import MASKS, field, signed_field
from whypanic.formats.kernel_image import Words

ENTRY = -1
"""In place of a definition: the value that the function was entered with."""
_CONDITIONAL = {"b.cond": (5, 19), "cbz|cbnz": (5, 19), "tbz|tbnz": (5, 14)}
MAX_DEFINITIONS = 32
_MAX_BITS = 1 << 28
_ANYWHERE = -(1 << 40)
_MAX_STEPS = 1 << 21
"""Of the search for dominators; functions of kernels need some thousands."""
_CLOBBERED = frozenset((*(f"x{n}" for n in range(19)), "x30", "nzcv"))
"""What a callee may change under AAPCS64; x18 because the kernel may use it as the shadow call stack."""


class Flow:
    """The words of one function, by number from its first, as blocks."""

    def __init__(
        self,
        words: Words,
        first: int,
        data: NDArray[np.bool_],
        no_return: frozenset[int] = frozenset(),
        known: Mapping[int, Iterable[int]] = MappingProxyType({}),
    ) -> None:
        """Find the blocks.

        :param data: which words are no instructions, bool[n].
        :param no_return: numbers of the calls that do not come back.
        :param known: number of a BR -> numbers of the words that it leads to, all of them.
        """
        self.first = first
        self.words: list[int] = words.tolist()
        self._array = words
        self._code = ~data
        self._insns: dict[int, Insn] = {}
        self._writers: dict[str, list[int]] = {}
        self._entries: dict[str, list[int]] = {}
        self._make_blocks(no_return, known)

    def _make_blocks(self, no_return: frozenset[int], known: Mapping[int, Iterable[int]]) -> None:
        words, code, n = self._array, self._code, len(self._array)
        jumps: dict[int, list[int]] = {}
        leaders = {0} if n else set()
        for name, at in (("b", (0, 26)), *_CONDITIONAL.items()):
            index = np.flatnonzero(MASKS[name].hits(words) & code)
            targets = index + signed_field(words[index], *at)
            for source, target in zip(index.tolist(), targets.tolist(), strict=True):
                leaders.add(source + 1)
                if 0 <= target < n and code[target]:
                    leaders.add(target)
                    jumps.setdefault(target, []).append(source)
        for source, places in known.items():
            for target in places:
                if 0 <= target < n and code[target]:
                    leaders.add(target)
                    jumps.setdefault(target, []).append(source)
        links = MASKS["bl"].hits(words) | ((words & np.uint32(0xFEFFF000)) == np.uint32(0xD63F0000))
        leaving = MASKS["any register"].hits(words) & ~links
        stops = leaving | MASKS["udf"].hits(words) | MASKS["b"].hits(words) | ~code
        # BRK #0x800 is WARN as well as BUG, and goes on behind a WARN; others are a compiler's trap.
        brk = MASKS["brk"].hits(words) & (field(words, 5, 16) != np.uint32(0x800))
        stops |= brk
        stops[[place for place in no_return if 0 <= place < n]] = True
        leaders.update((np.flatnonzero(stops) + 1).tolist())
        leaders.update((np.flatnonzero(code[1:] != code[:-1]) + 1).tolist())
        self.starts = sorted(i for i in leaders if i < n)
        """Number of the first word of each block."""
        self._ends = [*self.starts[1:], n]
        self._stops = stops
        self._is_indirect = MASKS["br"].hits(words) & code
        self._is_indirect[list(known)] = False
        previous: list[list[int]] = [[] for _ in self.starts]
        for block, start in enumerate(self.starts):
            if block and not stops[start - 1]:
                previous[block].append(block - 1)
            for source in jumps.get(start, ()):
                origin = self.block_of(source)
                if origin not in previous[block]:
                    previous[block].append(origin)
        self.previous = previous
        """Blocks that come directly before each block, indirect branches left out."""
        self.indirect = [
            block for block in range(len(self.starts)) if self._is_indirect[self.last_of(block)]
        ]
        """Blocks that end with BR."""
        if not self.indirect:
            # Behind a B that nothing else leads past: a static branch, which is patched to a NOP.
            plain = MASKS["b"].hits(words)
            for block in range(1, len(self.starts)):
                start = self.starts[block]
                if not previous[block] and plain[start - 1] and code[start]:
                    previous[block].append(block - 1)
        self.landings = (
            [b for b in range(1, len(self.starts)) if not previous[b] and code[self.starts[b]]]
            if self.indirect
            else []
        )
        """Blocks that only an indirect branch can lead to."""
        self._is_landing = frozenset(self.landings)

    def __len__(self) -> int:
        return len(self.words)

    def address(self, place: int) -> int:
        return self.first + 4 * place

    def place(self, address: int) -> int | None:
        """Return the number of the word at an address; None outside."""
        at, odd = divmod(address - self.first, 4)
        return at if not odd and 0 <= at < len(self.words) else None

    def insn(self, place: int) -> Insn:
        """Return one instruction decoded."""
        found = self._insns.get(place)
        if found is None:
            found = self._insns[place] = decode(self.words[place])
        return found

    def block_of(self, place: int) -> int:
        return bisect_right(self.starts, place) - 1

    def last_of(self, block: int) -> int:
        """Return the number of the last word of a block."""
        return self._ends[block] - 1

    def indirect_places(self) -> list[int]:
        """Return the numbers of the BRs whose targets are not known."""
        return [self.last_of(block) for block in self.indirect]

    def is_code(self, place: int) -> bool:
        return bool(self._code[place])

    def blocks_before(self, block: int) -> list[int]:
        """Return the blocks that come before a block; for one only reached indirectly all that end with BR."""
        return self.indirect if block in self._is_landing else self.previous[block]

    # Registers -------------------------------------------------------------------------------

    def writers(self, register: str) -> list[int]:
        """Return the numbers of the words that write a register, calls that may among them, in order."""
        kept = self._writers.get(register)
        if kept is None:
            found = self.stored(register) if register[0] == "[" else self._find_writers(register)
            kept = self._writers[register] = list(found)
        return kept

    def _find_writers(self, register: str) -> Iterator[int]:
        words = self._array
        calls = MASKS["bl"].hits(words) | ((words & np.uint32(0xFEFFF000)) == np.uint32(0xD63F0000))
        calls &= self._code
        number = np.uint32(31 if register == "sp" else int(register[1:]))
        named = (field(words, 0, 5) == number) | (field(words, 5, 5) == number)
        named |= field(words, 10, 5) == number
        # CAS, CASP and CPY* write the register in another field, CASP and LD64B also those after it.
        other = field(words, 16, 5)
        memory = (words & np.uint32(0x0A000000)) == np.uint32(0x08000000)
        memory |= MASKS["mops"].hits(words)
        named |= memory & ((other == number) | (other + np.uint32(1) == number))
        for place in np.flatnonzero((named & self._code) | calls).tolist():
            clobbered = calls[place] and register in _CLOBBERED
            if clobbered or register in self.insn(place).writes:
                yield place

    def definitions(self, register: str, place: int) -> tuple[int, ...]:
        """Return which words may have written the value that a register has before a word; ENTRY among them.

        Empty for xzr, where no known way leads there, or there are too many; at most MAX_DEFINITIONS.
        """
        if register == "xzr":
            return ()
        writers = self.writers(register)
        block = self.block_of(place)
        i = bisect_left(writers, place) - 1
        if i >= 0 and writers[i] >= self.starts[block]:
            return (writers[i],)
        bits = self._reaching(register)[block]
        found = [ENTRY] if bits >> len(writers) & 1 else []
        bits &= (1 << len(writers)) - 1
        while bits and len(found) < MAX_DEFINITIONS:
            found.append(writers[(bits & -bits).bit_length() - 1])
            bits &= bits - 1
        return tuple(found)

    def _reaching(self, register: str) -> list[int]:
        """Return for every block which writers reach its beginning, a bit each; the bit behind them is ENTRY."""
        kept = self._entries.get(register)
        if kept is not None:
            return kept
        writers = self.writers(register)
        n = len(self.starts)
        if n * len(writers) > _MAX_BITS:
            return self._entries.setdefault(register, [0] * (n + 1))
        own = [0] * (n + 1)
        for bit, place in enumerate(writers):
            own[self.block_of(place)] = 1 << bit
        entering = [0] * (n + 1)
        if n:
            entering[0] = 1 << len(writers)
        todo = deque(block for block in range(n) if own[block] or not block)
        queued = [bool(own[block]) or not block for block in range(n)] + [False]
        while todo:
            block = todo.popleft()
            queued[block] = False
            leaving = own[block] or entering[block]
            for after in self.afters[block]:
                before = entering[after]
                if before | leaving != before:
                    entering[after] = before | leaving
                    if not own[after] and not queued[after]:
                        queued[after] = True
                        todo.append(after)
        self._entries[register] = entering
        return entering

    @cached_property
    def afters(self) -> list[list[int]]:
        """Blocks that come directly after each block.

        Behind the last block one more stands for every BR: the blocks that end with it lead there, and from there it
        goes to those that nothing else leads to.
        """
        n = len(self.starts)
        found: list[list[int]] = [[] for _ in range(n + 1)]
        for block, previous in enumerate(self.previous):
            for before in previous:
                found[before].append(block)
        if self.landings:
            for block in self.indirect:
                found[block].append(n)
            found[n] = self.landings
        return found

    def stored(self, slot: str) -> dict[int, str]:
        """Return the words that store to an eight-byte slot of the stack, each with the register stored.

        A store of another size to the slot has `?`: what it leaves there is not followed.

        :param slot: `[sp+8]`, `[x29-16]`; also taken for a register by `writers` and `definitions`.
        """
        base = slot[1:-1].replace("-", "+").partition("+")[0]
        offset = int(slot[1 + len(base) : -1])
        words, number = self._array, np.uint32(31 if base == "sp" else int(base[1:]))
        memory = (words & np.uint32(0x0A000000)) == np.uint32(0x08000000)
        found: dict[int, str] = {}
        for place in np.flatnonzero(memory & self._code & (field(words, 5, 5) == number)).tolist():
            access = self.insn(place).memory
            if access is None or not access.store or access.writeback or access.base != base:
                continue
            for n, register in enumerate(access.data):
                at = access.offset + n * access.size
                if at == offset and access.size == 8 and not access.fp:
                    found[place] = register
                elif at < offset + 8 and offset < at + access.size:
                    found[place] = "?"
        return found

    def keeps_slot(self, slot: str, base: str, place: int) -> bool:
        """Tell whether a slot of the stack still holds at a word what was stored to it.

        Not where an address in the stack went into another register, which a call may store through, or where the
        base has moved since.
        """
        lowest = self._shared_from.get(base, 0)
        others = self._shared_from.keys() - {base}
        if others or (base in self._shared_from and int(slot[1 + len(base) : -1]) + 8 > lowest):
            return False
        now = self.definitions(base, place)
        stores = (n for n in self.definitions(slot, place) if n != ENTRY)
        return all(self.definitions(base, n) == now for n in stores)

    @cached_property
    def _shared_from(self) -> dict[str, int]:
        """By sp and x29: the lowest offset at which an address in the stack goes into another register."""
        found: dict[str, int] = {}
        words = self._array
        for base, number in (("sp", 31), ("x29", 29)):
            adds = MASKS["add x imm"].hits(words) | MASKS["sub x imm"].hits(words)
            adds |= MASKS["add x extended"].hits(words)
            copies = adds & (field(words, 5, 5) == number)
            if number == 29:
                copies |= MASKS["mov"].hits(words) & (field(words, 16, 5) == 29)
            made = field(words, 0, 5)
            for place in np.flatnonzero(copies & (made != 31) & (made != 29) & self._code).tolist():
                insn = self.insn(place)
                is_sum = insn.mnemonic in ("add", "sub")
                at = _ANYWHERE if is_sum and insn.immediate is None else insn.immediate or 0
                if insn.mnemonic == "sub" and at != _ANYWHERE:
                    at = -at
                found[base] = min(found.get(base, at), at)
        return found

    # Dominance -------------------------------------------------------------------------------

    @cached_property
    def dominators(self) -> list[int | None]:
        """For each block the nearest one that every way to it goes through; None for the first and unreached ones.

        The number behind the last block stands for the indirect branches, as in `afters`.
        Source: Cooper, Harvey, Kennedy, A Simple, Fast Dominance Algorithm (2001); from memory.
        """
        n = len(self.starts)
        previous = [
            [n] if block in self._is_landing else self.previous[block] for block in range(n)
        ]
        previous.append(self.indirect if self.landings else [])
        order = self._post_order()
        number = {block: i for i, block in enumerate(order)}
        found: list[int | None] = [None] * (n + 1)
        found[0] = 0
        changed = True
        self._steps = 0
        while changed:
            if self._steps > _MAX_STEPS:
                return [None] * (n + 1)
            changed = False
            for block in reversed(order):
                if block == 0:
                    continue
                new: int | None = None
                for before in previous[block]:
                    if found[before] is not None:
                        new = before if new is None else self._meet(new, before, found, number)
                if new is not None and found[block] != new:
                    found[block] = new
                    changed = True
        found[0] = None
        return found

    def _post_order(self) -> list[int]:
        order: list[int] = []
        seen = {0}
        stack = [(0, iter(self.afters[0]))]
        while stack:
            block, rest = stack[-1]
            for after in rest:
                if after not in seen:
                    seen.add(after)
                    stack.append((after, iter(self.afters[after])))
                    break
            else:
                stack.pop()
                order.append(block)
        return order

    def _meet(self, a: int, b: int, found: list[int | None], number: dict[int, int]) -> int:
        """Return the nearest block that dominates two."""
        while a != b and self._steps <= _MAX_STEPS:
            self._steps += 1
            if number[a] < number[b]:
                a = found[a] or 0
            else:
                b = found[b] or 0
        return a
