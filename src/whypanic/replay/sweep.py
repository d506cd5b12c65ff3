"""One job on every core of the table: which of them survive, which panic, and with which values."""

from collections.abc import Sequence
from typing import NamedTuple

from whypanic.arch.identification import replay_cores
from whypanic.replay.protocol import Engine, Job, Observation, Outcome


class SweepRow(NamedTuple):
    """What one core made of the job."""

    cpu: str
    outcome: Outcome
    engine: str | None
    """None: no engine has the core."""
    modelled: bool
    values: tuple[tuple[str, int | None], ...]
    """Of a fault pc, far, esr, pstate; of a return x0 and the system registers written; None: unknown."""
    observation: Observation | None = None


def sweep(job: Job, engines: Sequence[Engine]) -> tuple[SweepRow, ...]:
    """Return one row for every core of arch/identification.py, in its order.

    :param engines: the preferred one first; a core runs on the first that supports it, and each engine is called once.
    :raises HostError: if an engine is missing or died.
    """
    cores = replay_cores()
    chosen = {core: next((e for e in engines if e.supports(core)), None) for core in cores}
    seen: dict[str, Observation] = {}
    for engine in engines:
        own = [core for core in cores if chosen[core] is engine]
        if own:
            jobs = [job._replace(id=f"{job.id}@{core}", cpu=core) for core in own]
            seen.update(zip(own, engine.run(jobs), strict=True))
    return tuple(_row(core, chosen[core], seen.get(core)) for core in cores)


def _row(core: str, engine: Engine | None, seen: Observation | None) -> SweepRow:
    if engine is None or seen is None:
        return SweepRow(core, Outcome.UNKNOWN, None, True, ())
    return SweepRow(core, seen.outcome, seen.engine, seen.modelled, _values(seen), seen)


def _values(seen: Observation) -> tuple[tuple[str, int | None], ...]:
    if seen.outcome is Outcome.FAULT:
        return (("pc", seen.pc), ("far", seen.far), ("esr", seen.esr), ("pstate", seen.pstate))
    if seen.outcome is Outcome.RETURNED:
        return (("x0", seen.registers.get("x0")), *sorted(seen.system.items()))
    return ()
