import pytest

from whypanic.arch.esr.fault_status import FAULT_STATUS, FaultKind, fault_status


def test_rows_are_sorted_and_unique() -> None:
    codes = [row.code for row in FAULT_STATUS]
    assert codes == sorted(set(codes))
    assert codes[-1] < 64


def test_a_level_in_the_name_is_the_level_of_the_row() -> None:
    for row in FAULT_STATUS:
        if row.level is None:
            assert not row.name.startswith("level")
        else:
            assert row.name.startswith(f"level {row.level} ")


@pytest.mark.parametrize(
    ("code", "kind", "level"),
    [
        (0x00, FaultKind.ADDRESS_SIZE, 0),
        (0x04, FaultKind.TRANSLATION, 0),
        (0x0B, FaultKind.ACCESS_FLAG, 3),
        (0x0F, FaultKind.PERMISSION, 3),
        (0x10, FaultKind.EXTERNAL_ABORT, None),
        (0x11, FaultKind.TAG_CHECK, None),
        (0x13, FaultKind.EXTERNAL_ABORT_ON_WALK, -1),
        (0x17, FaultKind.EXTERNAL_ABORT_ON_WALK, 3),
        (0x18, FaultKind.ECC, None),
        (0x1B, FaultKind.ECC, -1),
        (0x1F, FaultKind.ECC, 3),
        (0x21, FaultKind.ALIGNMENT, None),
        (0x23, FaultKind.GPF, -1),
        (0x28, FaultKind.GPF, None),
        (0x29, FaultKind.ADDRESS_SIZE, -1),
        (0x2B, FaultKind.TRANSLATION, -1),
        (0x30, FaultKind.TLB_CONFLICT, None),
        (0x31, FaultKind.UNSUPPORTED_ATOMIC, None),
        (0x35, FaultKind.IMPDEF, None),
    ],
)
def test_kind_and_level(code: int, kind: FaultKind, level: int | None) -> None:
    row = fault_status(code)
    assert (row.kind, row.level) == (kind, level)


def test_reserved_code_is_shown() -> None:
    row = fault_status(0x3A)
    assert row.kind is FaultKind.UNKNOWN
    assert row.name == "reserved fault status 0x3a"
