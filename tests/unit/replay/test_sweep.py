from collections.abc import Sequence

import pytest

from whypanic.arch.identification import replay_cores
from whypanic.replay.protocol import Engine, Job, Observation, Outcome, Permission, Region
from whypanic.replay.sweep import sweep

JOB = Job(
    id="switch",
    cpu="Cortex-A53",
    entry=0x8000_0000_0000,
    regions=(Region(0x8000_0000_0000, bytes(4), Permission.EXECUTE, "text"),),
    system={"id_aa64mmfr0_el1": 0x1122},
)
FEW = ("Cortex-A53", "Cortex-A57")


class Recorder:
    """An engine that faults on the first core it is given and returns on the others."""

    modelled: bool = True

    def __init__(self, name: str, cores: Sequence[str]) -> None:
        self.name = name
        self.cores = cores
        self.calls: list[Sequence[Job]] = []

    def supports(self, cpu: str) -> bool:
        return cpu in self.cores

    def run(self, jobs: Sequence[Job]) -> tuple[Observation, ...]:
        self.calls.append(jobs)
        return tuple(self._observe(job, first=n == 0) for n, job in enumerate(jobs))

    def _observe(self, job: Job, *, first: bool) -> Observation:
        if first:
            return Observation(
                job.id,
                self.name,
                self.modelled,
                Outcome.FAULT,
                "a fetch failed",
                pc=0xFFFF000008000054,
                far=0xFFFF000008000054,
                esr=0x86000004,
                pstate=0x800003C9,
            )
        return Observation(
            job.id,
            self.name,
            self.modelled,
            Outcome.RETURNED,
            "returned",
            registers={"x0": 40, "x1": 1},
            system={"vttbr_el2": None, "vtcr_el2": 0x80023558},
        )


def test_the_first_engine_that_has_a_core_runs_it() -> None:
    exact, broad = Recorder("exact", FEW), Recorder("broad", replay_cores())
    rows = sweep(JOB, (exact, broad))
    assert tuple(row.cpu for row in rows) == replay_cores()
    assert {row.cpu for row in rows if row.engine == "exact"} == set(FEW)
    assert {row.engine for row in rows} == {"exact", "broad"}


def test_each_engine_starts_once_with_a_job_a_core() -> None:
    exact, broad = Recorder("exact", FEW), Recorder("broad", replay_cores())
    sweep(JOB, (exact, broad))
    (jobs,) = exact.calls
    assert [(job.cpu, job.id) for job in jobs] == [
        ("Cortex-A53", "switch@Cortex-A53"),
        ("Cortex-A57", "switch@Cortex-A57"),
    ]
    assert all(job._replace(id=JOB.id, cpu=JOB.cpu) == JOB for job in jobs)
    (others,) = broad.calls
    assert len(others) == len(replay_cores()) - len(FEW)


def test_values_by_outcome() -> None:
    exact, broad = Recorder("exact", FEW), Recorder("broad", replay_cores())
    rows = {row.cpu: row for row in sweep(JOB, (exact, broad))}
    panics, survives = rows["Cortex-A53"], rows["Cortex-A57"]
    assert (panics.outcome, survives.outcome) == (Outcome.FAULT, Outcome.RETURNED)
    assert panics.values == (
        ("pc", 0xFFFF000008000054),
        ("far", 0xFFFF000008000054),
        ("esr", 0x86000004),
        ("pstate", 0x800003C9),
    )
    assert survives.values == (("x0", 40), ("vtcr_el2", 0x80023558), ("vttbr_el2", None))
    assert panics.observation is not None
    assert panics.observation.job == "switch@Cortex-A53"


def test_a_core_without_an_engine_is_unknown() -> None:
    only: Engine = Recorder("exact", FEW)
    rows = {row.cpu: row for row in sweep(JOB, (only,))}
    lacking = rows["Neoverse-N2"]
    assert (lacking.outcome, lacking.engine, lacking.values) == (Outcome.UNKNOWN, None, ())
    assert lacking.modelled


def test_an_engine_without_any_core_is_not_called() -> None:
    idle, broad = Recorder("idle", ()), Recorder("broad", replay_cores())
    sweep(JOB, (idle, broad))
    assert idle.calls == []


def test_a_short_answer_is_an_error() -> None:
    class Short(Recorder):
        def run(self, jobs: Sequence[Job]) -> tuple[Observation, ...]:
            return super().run(jobs)[:1]

    with pytest.raises(ValueError, match="argument"):
        sweep(JOB, (Short("short", FEW),))
