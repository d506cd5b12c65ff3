"""What a draft becomes when it is over: a block of lines, or no report at all."""

from collections.abc import Sequence
from typing import NamedTuple

from whypanic.crashlog.drafts import Draft
from whypanic.crashlog.headlines import Entry
from whypanic.crashlog.sections.rule import Part

FOREIGN = 2
"""`Draft.foreign` of a report with a line that only another architecture prints; 1: one that is unusual here."""

_STRONG = {
    Part.ERROR,
    Part.ABORT_HEAD,
    Part.HYP_VALUES,
    Part.PANIC,
    Part.HEADLINE,
    Part.HYP,
    Part.END_PANIC,
}
_ARM64 = {Part.PC, Part.REGISTERS, Part.ABORT_HEAD, Part.ABORT, Part.TRACE}


class LogBlock(NamedTuple):
    """The lines of one report."""

    indexes: tuple[int, ...]
    """Of the lines that say something of the report, in order."""
    messages: frozenset[int]
    """Those among them that no section knows: what a WARN() or BUG() said."""
    unknown: tuple[int, ...]
    """Lines of the same writer between them that no section knows."""
    number: int
    """Place among all that was begun in this input."""
    follows: int | None
    """Number of the block that this one is a consequence of."""
    foreign: bool
    """Another architecture's report."""
    weak: bool
    """A call trace with nothing else."""
    boot: int = 0
    """Number of starts of a kernel that the text shows before it."""
    beside: bool = False
    """Begun while another CPU may have been printing the block that it `follows`."""


def is_report(draft: Draft) -> bool:
    """A fragment of one or two stray register lines is no report."""
    if draft.needs_more and draft.is_message_only:
        return False
    if draft.entry is Entry.PRELUDE and draft.panic is None:
        return False
    return bool(draft.parts & _STRONG) or len(draft.indexes) > 2


def _is_foreign(draft: Draft) -> bool:
    """Another architecture's marks, and none that only arm64 prints where they are weak ones."""
    return draft.foreign >= FOREIGN or (draft.foreign == 1 and not draft.parts & _ARM64)


def block_of(draft: Draft) -> LogBlock:
    """Return the lines of a report that is over, in order and each once."""
    indexes = tuple(sorted(set(draft.indexes)))
    return LogBlock(
        indexes=indexes,
        messages=frozenset(draft.messages),
        unknown=tuple(i for i in draft.unknown if i < indexes[-1]),
        number=draft.number,
        follows=draft.follows.number if draft.follows is not None else None,
        foreign=_is_foreign(draft),
        weak=draft.weak,
        boot=draft.boot,
        beside=draft.beside,
    )


def without_weak(blocks: Sequence[LogBlock]) -> tuple[LogBlock, ...]:
    """Return the blocks; where one is more than a call trace, without those that are nothing else."""
    strong = tuple(block for block in blocks if not block.weak)
    return strong or tuple(blocks)
