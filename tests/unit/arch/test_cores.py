import pytest

from whypanic.arch.cores import (
    CORE_NAMES,
    IMPLEMENTERS,
    MACHINES,
    MMFR0_ALONE,
    PARANGE_BITS,
    core_of_midr,
    cores_of_machine,
    id_aa64mmfr0,
)
from whypanic.arch.cpucaps import ERRATUM_CORES
from whypanic.arch.identification import replay_cores


@pytest.mark.parametrize(
    ("midr", "name"),
    [
        (0x411F_D071, "Cortex-A57"),
        (0x410F_D034, "Cortex-A53"),
        (0x414F_D0C1, "Neoverse-N1"),
        (0x461F_0010, "A64FX"),
        (0x6120_0221, "M1-Icestorm"),
    ],
)
def test_core_of_midr(midr: int, name: str) -> None:
    assert core_of_midr(midr) == name


def test_unknown_midr() -> None:
    assert core_of_midr(0) is None
    assert core_of_midr(2**64 - 1) is None


def test_names_are_unique_and_implementers_known() -> None:
    assert len(set(CORE_NAMES.values())) == len(CORE_NAMES)
    assert {implementer for implementer, _ in CORE_NAMES} <= set(IMPLEMENTERS)


def test_register_values_are_of_named_cores_and_stand_once() -> None:
    assert {*replay_cores(), *MMFR0_ALONE} <= set(CORE_NAMES.values())
    assert not set(replay_cores()) & set(MMFR0_ALONE)


def test_erratum_cores_are_named_cores() -> None:
    known = set(CORE_NAMES.values()) | {"OcteonTX2"}
    assert {row.core for row in ERRATUM_CORES} <= known


def test_register_values() -> None:
    assert id_aa64mmfr0("Cortex-A53") == 0x1122
    assert id_aa64mmfr0("Cortex-A57") == 0x1124
    assert id_aa64mmfr0("Cortex-A78AE") == 0x101125
    assert id_aa64mmfr0("Cortex-A710") == 0x22200101122
    assert PARANGE_BITS[(id_aa64mmfr0("Neoverse-N2") or 0) & 0xF] == 48


def test_unknown_core() -> None:
    assert id_aa64mmfr0("Cortex-Z9") is None


@pytest.mark.parametrize(
    ("name", "cores"),
    [
        ("ARM Juno development board (r0) (DT)", ("Cortex-A53", "Cortex-A57")),
        ("ARM Juno development board (r1) (DT)", ("Cortex-A53", "Cortex-A57")),
        ("ARM Juno development board (r2)", ("Cortex-A53", "Cortex-A72")),
        ("HiKey960 (DT)", ("Cortex-A53", "Cortex-A73")),
        ("Pine64 RockPro64 v2.0 (DT)", ("Cortex-A53", "Cortex-A72")),
        ("Pine64 Rock64 (DT)", ("Cortex-A53",)),
        ("linux,dummy-virt (DT)", ()),
        ("", ()),
    ],
)
def test_cores_of_machine(name: str, cores: tuple[str, ...]) -> None:
    assert cores_of_machine(name) == cores


def test_machine_rows_are_lower_case_reachable_and_known() -> None:
    for row in MACHINES:
        assert row.needle == row.needle.lower()
        assert cores_of_machine(row.needle) == row.cores
        assert set(row.cores) <= set(CORE_NAMES.values())
