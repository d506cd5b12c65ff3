"""The table of identification registers beside what the engines' cores answer to MRS at EL2."""

import pytest

from builders import a64
from builders.engines import qemu_engine, unicorn_engine
from whypanic.arch.identification import identification, qemu_model, replay_cores
from whypanic.replay.protocol import Engine, Job, Outcome, Permission, Region

TEXT = 0x8000_0900_0000
ENCODINGS = {
    "midr_el1": (3, 0, 0, 0, 0),
    "revidr_el1": (3, 0, 0, 0, 6),
    "id_aa64pfr0_el1": (3, 0, 0, 4, 0),
    "id_aa64pfr1_el1": (3, 0, 0, 4, 1),
    "id_aa64dfr0_el1": (3, 0, 0, 5, 0),
    "id_aa64isar0_el1": (3, 0, 0, 6, 0),
    "id_aa64isar1_el1": (3, 0, 0, 6, 1),
    "id_aa64isar2_el1": (3, 0, 0, 6, 2),
    "id_aa64mmfr0_el1": (3, 0, 0, 7, 0),
    "id_aa64mmfr1_el1": (3, 0, 0, 7, 1),
    "id_aa64mmfr2_el1": (3, 0, 0, 7, 2),
    "clidr_el1": (3, 1, 0, 0, 1),
    "ctr_el0": (3, 3, 0, 0, 1),
    "dczid_el0": (3, 3, 0, 0, 7),
}
# Fields that QEMU fills from the machine, not from the core.
MACHINE_FIELDS = {
    "id_aa64pfr0_el1": 0xF << 24 | 0xF << 12,  # GIC: registers of a GICv3; EL3: a secure world
    "id_aa64dfr0_el1": 0xF << 32,  # PMSVer: QEMU has no statistical profiling
}


def _answers(engine: Engine, cores: tuple[str, ...]) -> dict[tuple[str, str], int | None]:
    asked = [(core, name) for core in cores for name in ENCODINGS]
    jobs = [
        Job(
            id=f"{core} {name}",
            cpu=core,
            entry=TEXT,
            regions=(
                Region(
                    TEXT, a64.code([a64.mrs(0, *ENCODINGS[name]), a64.RET]), Permission.EXECUTE, "t"
                ),
            ),
            return_va=TEXT + 0x10000,
        )
        for core, name in asked
    ]
    seen = engine.run(jobs)
    assert {o.outcome for o in seen} == {Outcome.RETURNED}, [o for o in seen if o.pc is not None]
    return {key: o.registers["x0"] for key, o in zip(asked, seen, strict=True)}


def test_every_register_is_asked() -> None:
    assert set(ENCODINGS) == set(identification(replay_cores()[0]))


def test_unicorn_answers_from_the_table() -> None:
    answers = _answers(unicorn_engine(), replay_cores())
    for (core, name), value in answers.items():
        assert value == identification(core)[name], (core, name)


def test_the_models_of_qemu_answer_as_the_table() -> None:
    engine = qemu_engine()
    cores = tuple(core for core in replay_cores() if qemu_model(core))
    assert all(engine.supports(core) for core in cores)
    for (core, name), value in _answers(engine, cores).items():
        assert value is not None
        differs = (value ^ identification(core)[name]) & ~MACHINE_FIELDS.get(name, 0)
        assert not differs, (core, name, hex(value))


@pytest.mark.parametrize("core", [core for core in replay_cores() if not qemu_model(core)])
def test_cores_that_qemu_lacks(core: str) -> None:
    assert not qemu_engine().supports(core)
    assert unicorn_engine().supports(core)
