import pytest

from whypanic.arch.esr.sysregs import SYSREGS, Encoding, sysreg_name


def test_rows_are_sorted_and_unique() -> None:
    encodings = [row for row, _ in SYSREGS]
    assert encodings == sorted(set(encodings))
    names = [name for _, name in SYSREGS]
    assert len(names) == len(set(names))


def test_encodings_are_in_range() -> None:
    for (op0, op1, crn, crm, op2), _ in SYSREGS:
        assert (1 <= op0 <= 3, op1 < 8, crn < 16, crm < 16, op2 < 8) == (True,) * 5


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ((3, 0, 1, 0, 0), "SCTLR_EL1"),
        ((3, 3, 0, 0, 1), "CTR_EL0"),
        ((1, 3, 7, 4, 1), "DC ZVA"),
        ((2, 0, 0, 3, 4), "DBGBVR3_EL1"),
        ((3, 3, 14, 9, 2), "PMEVCNTR10_EL0"),
        ((3, 4, 12, 13, 1), "ICH_LR9_EL2"),
        ((3, 7, 15, 1, 2), "S3_7_C15_C1_2"),
    ],
)
def test_names(encoding: Encoding, name: str) -> None:
    assert sysreg_name(encoding) == name
