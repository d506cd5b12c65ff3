"""Which argument of a function selects an entry of its table, and the values that select the wanted ones.

The words from the entry to the branch are evaluated, with one argument moved at a time; nothing is read from memory.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whypanic.arch.insn.evaluate import State, run
from whypanic.code.indirect_branch import IndirectBranch, index_at_load, is_taken_in
from whypanic.model.context import KernelOffset
from whypanic.model.provenance import Fact
from whypanic.replay.subject import Subject, Table

ARGUMENTS = tuple(f"x{n}" for n in range(8))
ANY_ARGUMENT = 1
"""A small index: a switch on an argument takes it for one of its cases."""
_MAX_STEPS = 400
_MAX_AWAY = 256
"""How far argument and index may differ: a switch takes its first case from the argument, or adds to it."""
_MAX_PICKS = 64
_TOTAL_STEPS = 60_000
"""Of all evaluations together: half a second."""
_MASK_64 = (1 << 64) - 1


class Pick(NamedTuple):
    """An argument that takes the code to an entry of a table."""

    entry: int
    register: str
    value: int
    nzcv: int | None
    """Flags at the branch; None where the function does not set them."""


def kernel_slide(facts: Sequence[Fact]) -> int:
    """Return how far the kernel ran from its link address, as the panic's ending says; 0 where it says nothing."""
    moved = next((f for f in facts if isinstance(f, KernelOffset)), None)
    return 0 if moved is None else moved.slide


def entries_at(table: Table, offset: int) -> tuple[int, ...]:
    """Return the indices of a table that lead to an offset of the function."""
    return tuple(index for index, own in sorted(table.entries.items()) if own == offset)


def find_picks(subject: Subject, table: Table, indices: Sequence[int]) -> tuple[Pick, ...]:
    """Return the arguments with which the code reaches the table's branch with these indices, at most 64.

    Empty where no argument alone decides, or where what decides is not in the words.
    """
    if subject.entry != 0 or not indices:
        return ()
    code = _Code(subject)
    for branch in table.branches:
        for register in ARGUMENTS:
            distance = code.distance(branch, register, indices[0])
            if distance is not None:
                wanted = indices[:_MAX_PICKS]
                if picks := tuple(code.picks(branch, register, distance, wanted)):
                    return picks
    return ()


class _Seen(NamedTuple):
    """What the code has at the branch."""

    picked: int | None
    """The index; None: it does not come from the registers."""
    nzcv: int | None


class _Code:
    """A function's words, and how much of them may still be evaluated."""

    def __init__(self, subject: Subject) -> None:
        self._start = subject.start
        self._words = {subject.start + offset: word for offset, word in subject.words.items()}
        self.steps_left = _TOTAL_STEPS

    def distance(self, branch: IndirectBranch, register: str, near: int) -> int | None:
        """Return value less index for a register that is the index but for a constant; None where it is not.

        :param near: an index: the values tried lie around it.
        """
        for value in _around(near):
            seen = self._run(branch, register, value)
            if self.steps_left <= 0:
                return None
            if seen is None:
                continue
            if seen.picked is None:
                return None
            # One that is not the index leaves it where it is.
            others = (self._run(branch, register, value + step & _MASK_64) for step in (1, -1))
            moved = {
                other.picked - seen.picked for other in others if other and other.picked is not None
            }
            return value - seen.picked if moved and moved <= {1, -1} else None
        return None

    def picks(
        self, branch: IndirectBranch, register: str, distance: int, indices: Sequence[int]
    ) -> Iterator[Pick]:
        """Yield those of the indices that are reached with the value they call for."""
        for index in indices:
            value = index + distance & _MASK_64
            seen = self._run(branch, register, value)
            if seen is not None and seen.picked == index:
                yield Pick(index, register, value, seen.nzcv)

    def _run(self, branch: IndirectBranch, register: str, value: int) -> _Seen | None:
        """Return what there is at the branch with a register set; None where it is not reached."""
        if branch.index is None or self.steps_left <= 0:
            return None
        given = {**dict.fromkeys(ARGUMENTS, ANY_ARGUMENT), register: value}
        state = State(pc=self._start).with_values(given)
        outcome = run(self._words, self._start, state, limit=_MAX_STEPS)
        self.steps_left -= len(outcome.steps) + 1
        if not is_taken_in(outcome, branch):
            return None
        return _Seen(index_at_load(outcome, branch), outcome.final.nzcv)


def _around(near: int) -> Iterator[int]:
    """Yield values around an index, nearest first."""
    yield near
    for step in range(1, _MAX_AWAY + 1):
        yield near + step
        if near >= step:
            yield near - step
