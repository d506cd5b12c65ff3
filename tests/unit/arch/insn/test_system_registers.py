"""Names of system registers."""

import pytest

from whypanic.arch.insn.system_registers import (
    _ROWS,
    _names,
    is_register_name,
    name_register,
)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        (0xC000, "midr_el1"),
        (0xC038, "id_aa64mmfr0_el1"),
        (0xC03C, "id_aa64mmfr4_el1"),
        (0xE088, "hcr_el2"),
        (0xC208, "sp_el0"),
        (0xDE82, "tpidr_el0"),
        (0x8012, "mdscr_el1"),
        (0xFFFF, "s3_7_c15_c15_7"),
    ],
)
def test_name(encoding: int, name: str) -> None:
    assert name_register(encoding) == name


def test_rows_are_sorted_and_names_unique() -> None:
    keys = [tuple(map(int, row.split()[:4])) for row in _ROWS.strip().splitlines() if row[0] != " "]
    assert keys == sorted(set(keys))
    assert len(set(_names().values())) == len(_names())


@pytest.mark.parametrize("name", ["id_aa64mmfr0_el1", "midr_el1", "s3_0_c15_c2_7"])
def test_a_register_name(name: str) -> None:
    assert is_register_name(name)


@pytest.mark.parametrize("name", ["", "-", "x0", "id_aa64mmfr9_el1", "s3_0_c16_c2_7", "s3_0_c1_c2"])
def test_no_register_name(name: str) -> None:
    assert not is_register_name(name)
