"""Values of a run held against those of the log, and where two runs part."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from whypanic.replay.protocol import Observation, Outcome, TraceLine

_FLAGS = 0xF0000000


class Role(StrEnum):
    """How a value of a run came about."""

    DERIVED = "derived"
    """The run computed it."""
    GIVEN = "given"
    """It was put in."""
    SOLVED = "solved"
    """It was chosen so that another value fits."""


class Value(NamedTuple):
    name: str
    log: int | None
    replay: int | None
    equal: bool | None
    role: Role


class LogValues(NamedTuple):
    """What the panic lines of the log say; None: not printed."""

    pc: int | None = None
    far: int | None = None
    esr: int | None = None
    pstate: int | None = None


def compare(
    log: LogValues, seen: Observation, roles: Mapping[str, Role] | None = None
) -> tuple[Value, ...]:
    """Return PC, FAR, ESR and PSTATE side by side.

    PSTATE is derived only where the code that ran set the flags: else its flags are those put in, and it is given.
    """
    given = dict(roles or {})
    if seen.outcome is Outcome.FAULT and not _flags_were_set(seen):
        given.setdefault("pstate", Role.GIVEN)
    known = seen.pstate_known & 0xFFFFFFFF
    rows: list[Value] = []
    fault = seen.outcome is Outcome.FAULT
    for name, mine in (
        ("pc", seen.pc if fault else None),
        ("far", seen.far if fault else None),
        ("esr", seen.esr if fault else None),
        ("pstate", seen.pstate if fault else None),
    ):
        theirs = getattr(log, name)
        equal = None if theirs is None or mine is None else theirs == mine
        if name == "pstate" and theirs is not None and mine is not None:
            equal = _same_pstate(theirs, mine, known)
        rows.append(Value(name, theirs, mine, equal, given.get(name, Role.DERIVED)))
    return tuple(rows)


def _same_pstate(theirs: int, mine: int, known: int) -> bool | None:
    """Compare the bits that the run determined; None where the flags are not among them and nothing else differs.

    PAN, UAO, SSBS and the like are what EL2 had set before: a run does not know them.
    """
    if (theirs ^ mine) & known:
        return False
    return True if known & _FLAGS == _FLAGS else None


def _flags_were_set(seen: Observation) -> bool:
    """Return whether an executed instruction wrote NZCV.

    QEMU keeps no trace: there the mask tells. An engine that models always keeps one; empty means that nothing ran.
    """
    if seen.trace or seen.modelled:
        return any(name == "nzcv" for line in seen.trace for name, _ in line.writes)
    return bool(seen.pstate_known & _FLAGS)


def is_reproduced(values: tuple[Value, ...]) -> bool:
    """Return whether every derived value equals the log's, PC or FAR and PSTATE among them.

    Values given or solved do not count (contract, replay).
    """
    derived = {v.name: v.equal for v in values if v.role is Role.DERIVED and v.log is not None}
    if not derived or any(equal is not True for equal in derived.values()):
        return False
    return "pstate" in derived and ("pc" in derived or "far" in derived)


class Parting(NamedTuple):
    """The first instruction after which two runs differ."""

    address: int
    word: int
    ours: tuple[tuple[str, int | None], ...]
    theirs: tuple[tuple[str, int | None], ...]


def find_parting(run: tuple[TraceLine, ...], correct: tuple[TraceLine, ...]) -> Parting | None:
    """Return where a run leaves the path of a correct one; None while they agree."""
    for mine, theirs in zip(run, correct, strict=False):
        if mine.address != theirs.address:
            return Parting(mine.address, mine.word, mine.writes, theirs.writes)
        if mine.writes != theirs.writes:
            return Parting(mine.address, mine.word, mine.writes, theirs.writes)
    return None
