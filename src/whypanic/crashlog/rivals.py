"""Two reports printed at once by two CPUs, without a caller in the prefix: whose line is this?

Told by content: the CPU and pid of a headline, the ESR and the fault address that both the header and a later line
carry, the stack that sp and x29 share, and what a report already has, for no dump prints a line twice. What remains
is told by order: whoever wrote the line before it first comes first again. That is doubt, and is said so.

die() holds a lock, so whole dumps do not mix; headers, abort information and page-table lines of faults do, and all
lines of SErrors and warnings.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from whypanic.crashlog.headlines import Entry
from whypanic.crashlog.sections.rule import Part
from whypanic.model.context import Task
from whypanic.model.fault import (
    FaultAddress,
    Headline,
    InternalError,
    PageWalk,
    PrintedField,
    Syndrome,
)
from whypanic.model.registers import Register

if TYPE_CHECKING:
    from whypanic.crashlog.drafts import Draft
    from whypanic.crashlog.recognise import Recognised
    from whypanic.model.provenance import Fact

RIVALS = frozenset({Entry.FAULT, Entry.ERROR_INTERRUPT, Entry.WARN})
"""Headlines of which two CPUs may each print one at once."""
TOLD_APART = "two reports were printed at once: their lines are told apart by what they say"
IN_DOUBT = "two reports were printed at once: some lines are told apart by their order only"
_ONCE = frozenset(
    {Part.ABORT, Part.ABORT_HEAD, Part.WALK, Part.ERROR, Part.REGISTERS, Part.PC, Part.IDENTITY,
     Part.MODULES, Part.TRACE, Part.CODE, Part.END_TRACE}
)  # fmt: skip
_STACK_BYTES = 1 << 16


class Marks:
    """What a report has said so far that another line can be held against."""

    def __init__(self) -> None:
        self.items: dict[str, int] = {}
        """Kinds of line that a dump prints once, with the turn at which this one did."""
        self.cpus: set[int] = set()
        self.pids: set[int] = set()
        self.esrs: set[int] = set()
        self.addresses: set[int] = set()
        self.sp: int | None = None

    def take(self, found: "Recognised", turn: int) -> None:
        """Remember a line of this report."""
        for item in _items(found):
            self.items.setdefault(item, turn)
        for fact in found.facts:
            if isinstance(fact, Headline | Task):
                self.cpus.update(() if fact.cpu is None else (fact.cpu,))
                self.pids.update(() if fact.pid is None else (fact.pid,))
            elif isinstance(fact, Syndrome):
                self.esrs.add(fact.esr)
            elif isinstance(fact, FaultAddress):
                self.addresses.add(fact.va)
            elif isinstance(fact, Register) and fact.name == "sp":
                self.sp = fact.value


class Choice(NamedTuple):
    """Which of two open reports a line belongs to."""

    rival: bool
    """To the other one than that which took the last line."""
    sure: bool


def may_rival(before: "Draft", entry: Entry | None) -> bool:
    """Tell whether a headline may be another CPU's, while the report before it goes on."""
    return (
        entry in RIVALS
        and before.entry is entry
        and not (before.has_ended or before.panic or before.is_over)
        and Part.TRACE not in before.parts
    )


def choose(current: "Draft", rival: "Draft", found: "Recognised") -> Choice:
    """Return whose a line is.

    :param current: the report that took the last line.
    """
    if found.part not in _ONCE:
        return Choice(False, True)
    if rival.has_ended:
        return Choice(False, True)
    mine, theirs = current.marks, rival.marks
    items = _items(found)
    have = any(item in mine.items for item in items) or current.has_ended
    rival_has = any(item in theirs.items for item in items)
    if have != rival_has:
        return Choice(have, True)
    told = _by_values(mine, theirs, found.facts)
    if told is not None:
        return Choice(told, True)
    if have or not items:
        return Choice(False, True)
    return _by_order(mine, theirs)


def _by_values(mine: Marks, theirs: Marks, facts: "Sequence[Fact]") -> bool | None:
    """Return whether a value on the line is the rival's; None where it is both's or nobody's."""
    for fact in facts:
        pairs: list[tuple[bool, bool]] = []
        if isinstance(fact, Task):
            if fact.cpu is not None:
                pairs.append((fact.cpu in mine.cpus, fact.cpu in theirs.cpus))
            if fact.pid is not None:
                pairs.append((fact.pid in mine.pids, fact.pid in theirs.pids))
        elif isinstance(fact, InternalError):
            pairs.append((fact.err in mine.esrs, fact.err in theirs.esrs))
        elif isinstance(fact, PageWalk | FaultAddress):
            pairs.append((fact.va in mine.addresses, fact.va in theirs.addresses))
        elif isinstance(fact, Register) and fact.name == "x29":
            pairs.append((_near(fact.value, mine.sp), _near(fact.value, theirs.sp)))
        for is_mine, is_theirs in pairs:
            if is_mine != is_theirs:
                return is_theirs
    return None


def _near(value: int | None, sp: int | None) -> bool:
    return value is not None and sp is not None and 0 <= value - sp < _STACK_BYTES


def _by_order(mine: Marks, theirs: Marks) -> Choice:
    """Return whose turn it is: where both wrote the last kind of line, the one that wrote it first."""
    last = max(mine.items, key=lambda item: mine.items[item], default=None)
    if last is None or last not in theirs.items:
        return Choice(False, True)
    return Choice(theirs.items[last] < mine.items[last], False)


def _items(found: "Recognised") -> tuple[str, ...]:
    if found.part is Part.HEADLINE:
        return ("headline",)
    if found.part not in _ONCE:
        return ()
    if found.part is Part.ERROR:
        return (found.part.name,)
    names = [
        f"{type(fact).__name__} {fact.name}"
        if isinstance(fact, Register | PrintedField)
        else type(fact).__name__
        for fact in found.facts
    ]
    return tuple(names) or (found.part.name,)
