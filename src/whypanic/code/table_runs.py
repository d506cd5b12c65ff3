"""What a table branch leaves in the flags for each index, with the table read from an image.

A piece of code that ends in the branch is evaluated with one register set to each small number, the others unknown.
Where the branch register becomes a target of the table, the flags at the branch are those that the machine had if
that index was taken: the compare that bounds the index left them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from whypanic.arch.insn import decode
from whypanic.arch.insn.evaluate import MemoryReader, State, run
from whypanic.code.indirect_branch import IndirectBranch, is_taken_in
from whypanic.model.code import Listing
from whypanic.model.provenance import Derived

_NO_WAY_ON = ("b", "br", "ret", "eret")
_MAX_STARTS = 24
_MAX_ROOTS = 8
_MAX_SEEDS = 256
_MAX_STEPS = 64


class TableRun(NamedTuple):
    """One index, taken."""

    seed: int
    """Value of the register at the start."""
    target: int
    nzcv: int | None
    """None: set outside the code that was evaluated, or not known."""


class TableFlags(Derived, frozen=True, kw_only=True):
    """The ways to one target of a table, and the flags they leave."""

    branch: IndirectBranch
    target: int
    register: str
    """Whose value selects."""
    runs: tuple[TableRun, ...]
    """Those that lead to `target`."""
    alone: bool = True
    """No other way leads to the branch behind the place where the evaluation began."""

    @property
    def nzcv(self) -> tuple[int, ...]:
        """Flags that some index leaves which leads to the target; empty where they are not known."""
        if any(r.nzcv is None for r in self.runs):
            return ()
        return tuple(dict.fromkeys(r.nzcv for r in self.runs if r.nzcv is not None))

    @property
    def statement(self) -> str:
        seeds = ", ".join(str(r.seed) for r in self.runs[:8])
        flags = ", ".join(f"{f:04b}" for f in self.nzcv) or "not known"
        return f"{self.register} = {seeds} leads to {self.target:#x}; NZCV at the branch: {flags}"


def find_table_flags(
    branch: IndirectBranch,
    target: int,
    n_entries: int,
    memory: MemoryReader,
    landings: Iterable[int] = (),
    table: int | None = None,
) -> TableFlags | None:
    """Return how the branch comes to a target; None where no evaluated piece of code shows it.

    :param target: link VA, as the table holds it.
    :param memory: reads the image; asked for the table's entries.
    :param landings: link VAs that indirect branches of the function lead to.
    :param table: link VA of the table, known to be what the load adds its index to.
    """
    listing = branch.because[0]
    if not isinstance(listing, Listing):
        return None
    words = {line.address: line.word for line in listing.lines if line.word is not None}
    entered = {*landings, *_jumped_to(words)}
    base = _base(words, branch, table)
    best: TableFlags | None = None
    for start in _starts(words, branch):
        for root in _roots(words, start, branch.line.address):
            n_seeds = min(n_entries + 2, _MAX_SEEDS)
            runs = tuple(_runs(words, start, root, branch, n_seeds, memory, base))
            found = tuple(r for r in runs if r.target == target)
            if not found or len({r.target for r in runs}) == 1 < n_entries:
                continue
            best = TableFlags(
                source=branch.source,
                because=(branch, *branch.slice),
                branch=branch,
                target=target,
                register=root,
                runs=found,
                alone=not any(start < place <= branch.line.address for place in entered),
            )
            if best.nzcv:
                return best
    return best


def _jumped_to(words: dict[int, int]) -> Iterator[int]:
    for address, word in words.items():
        jump = decode(word).branch
        if jump is not None and jump.offset is not None and not jump.link:
            yield address + jump.offset


def _base(words: dict[int, int], branch: IndirectBranch, table: int | None) -> dict[str, int]:
    """Return the register that holds the table's address at the load, where the load has an index beside it."""
    if branch.load is None or table is None or branch.load.address not in words:
        return {}
    memory = decode(words[branch.load.address]).memory
    return {memory.base: table} if memory is not None and memory.index is not None else {}


def _starts(words: dict[int, int], branch: IndirectBranch) -> Iterator[int]:
    """Yield where to begin, nearest first: at the load of the entry and further back, no further than a call.

    Code that nothing falls into is reached by jumps: it goes on at those that lead to its first instruction.
    """
    pending = [branch.line.address if branch.load is None else branch.load.address]
    seen: set[int] = set()
    while pending and len(seen) < _MAX_STARTS:
        address = pending.pop(0)
        while address in words and address not in seen and len(seen) < _MAX_STARTS:
            jump = decode(words[address]).branch
            if jump is not None and jump.link:
                break
            # What does not go on to the next instruction ends the code before this piece.
            if seen and jump is not None and jump.kind in _NO_WAY_ON and address + 4 in seen:
                pending += [source for source in _sources(words, address + 4) if source not in seen]
                break
            seen.add(address)
            yield address
            address -= 4


def _sources(words: dict[int, int], target: int) -> Iterator[int]:
    """Yield the jumps that lead to an address."""
    for address, word in words.items():
        jump = decode(word).branch
        if jump is None or jump.offset is None or jump.link:
            continue
        if address + jump.offset == target:
            yield address


def _roots(words: dict[int, int], start: int, end: int) -> Iterator[str]:
    """Yield registers that the code reads before it writes them, few."""
    written: set[str] = set()
    found: list[str] = []
    for address in range(start, end, 4):
        word = words.get(address)
        if word is None:
            return
        insn = decode(word)
        if insn.system_register is not None and insn.mnemonic == "mrs":
            found.append(insn.system_register)
        found += [r for r in insn.reads if r[0] == "x" and r not in written]
        written |= set(insn.writes)
    yield from list(dict.fromkeys(found))[:_MAX_ROOTS]


def _runs(
    words: dict[int, int],
    start: int,
    root: str,
    branch: IndirectBranch,
    n_seeds: int,
    memory: MemoryReader,
    base: Mapping[str, int],
) -> Iterator[TableRun]:
    for seed in range(n_seeds):
        if root[0] == "x" and root[1:].isdigit():
            state = State().with_values({**base, root: seed})
        else:
            state = State(system={root: seed}).with_values(base)
        outcome = run(words, start, state, limit=_MAX_STEPS, memory=memory)
        if not is_taken_in(outcome, branch):
            continue
        value = outcome.final.get(branch.register)
        if value is not None:
            yield TableRun(seed, value, outcome.final.nzcv)
