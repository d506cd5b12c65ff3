import pytest

from whypanic.arch.esr.exception_class import EXCEPTION_CLASSES, exception_class


def test_rows_are_sorted_and_unique() -> None:
    codes = [row.code for row in EXCEPTION_CLASSES]
    assert codes == sorted(set(codes))
    assert codes[0] >= 0
    assert codes[-1] < 64


@pytest.mark.parametrize(
    ("code", "short"),
    [
        (0x00, "Unknown/Uncategorized"),
        (0x07, "ASIMD"),
        (0x0D, "BTI"),
        (0x1C, "FPAC"),
        (0x21, "IABT (current EL)"),
        (0x24, "DABT (lower EL)"),
        (0x2D, "Guarded Control Stack"),
        (0x2F, "SError"),
        (0x3C, "BRK (AArch64)"),
    ],
)
def test_short_names_are_the_kernels(code: int, short: str) -> None:
    assert exception_class(code).short == short


@pytest.mark.parametrize("code", [0x02, 0x0B, 0x0F, 0x10, 0x23, 0x29, 0x36, 0x39, 0x3F])
def test_unallocated_class_is_named_with_its_number(code: int) -> None:
    row = exception_class(code)
    assert row.short == "UNRECOGNIZED EC"
    assert row.name == f"Unallocated exception class {code:#04x}"
