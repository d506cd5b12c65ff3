"""Which argument of a function selects an entry of its table, and the value that selects the wanted one.

The words from the entry to the branch are evaluated, with one argument moved at a time; nothing is read from memory.
"""

from collections.abc import Mapping

from whypanic.arch.insn.evaluate import State, run
from whypanic.code.indirect_branch import IndirectBranch
from whypanic.model.context import KernelOffset
from whypanic.model.provenance import Fact
from whypanic.replay.subject import Subject, Table

ARGUMENTS = tuple(f"x{n}" for n in range(8))
ANY_ARGUMENT = 1
"""A small index: a switch on an argument takes it for one of its cases."""
_MAX_STEPS = 400
_MAX_BELOW = 256
"""How far the first case of a switch may lie above 0: the code takes it from the argument."""


def kernel_slide(facts: tuple[Fact, ...]) -> int:
    """Return how far the kernel ran from its link address, as the panic's ending says; 0 where it says nothing."""
    moved = next((f for f in facts if isinstance(f, KernelOffset)), None)
    return (moved.offset or 0) if moved is not None and moved.enabled else 0


def entries_at(table: Table, offset: int) -> tuple[int, ...]:
    """Return the indices of a table that lead to an offset of the function."""
    return tuple(index for index, own in sorted(table.entries.items()) if own == offset)


def find_argument(subject: Subject, table: Table, index: int) -> tuple[str, int] | None:
    """Return the argument, and its value, with which the code reaches the table's branch with an index.

    None where no argument alone decides, or where what decides is not in the words.
    """
    if subject.entry != 0:
        return None
    words = {subject.start + offset: word for offset, word in subject.words.items()}
    for branch in table.branches:
        for value in range(index, index + _MAX_BELOW):
            for name in ARGUMENTS:
                if _index_with(words, subject.start, branch, {name: value}) != index:
                    continue
                other = _index_with(words, subject.start, branch, {name: value + 1})
                if other != index:
                    return name, value
    return None


def _index_with(
    words: Mapping[int, int], start: int, branch: IndirectBranch, moved: Mapping[str, int]
) -> int | None:
    """Return the index register at the load; None where the branch is not reached."""
    if branch.index is None:
        return None
    state = State(pc=start).with_values({**dict.fromkeys(ARGUMENTS, ANY_ARGUMENT), **moved})
    outcome = run(words, start, state, limit=_MAX_STEPS)
    if outcome.reason != "indirect-branch" or outcome.stop.address != branch.line.address:
        return None
    at_load = [
        step
        for step in outcome.steps
        if step.insn.memory is not None and step.insn.memory.index == branch.index
    ]
    return at_load[-1].before.get(branch.index) if at_load else None
