import pytest

from whypanic.code.register_values import Loaded, Sum, Term, Unknown
from whypanic.code.table_idioms import idiom_of, table_form
from whypanic.model.image import TableEntryKind

TABLE, LABEL = 0xFFFF800009000100, 0xFFFF800008001000
INDEX = Unknown("x1", 4)


def load(size: int, shift: int, *, is_signed: bool = False, table: int = TABLE) -> Loaded:
    return Loaded(Sum(table, (Term(INDEX, "uxtw", shift),)), size, is_signed, 7)


@pytest.mark.parametrize(
    ("value", "raw", "target", "idiom"),
    [
        (Sum(0, (Term(load(8, 3)),)), LABEL + 8, LABEL + 8, "switch through addresses, LLVM up to 7, or a computed goto behind a compare"),
        (Sum(TABLE, (Term(load(4, 2, is_signed=True)),)), 0xFFFFFFF0, TABLE - 16, "LLVM word, relative to the table"),
        (Sum(LABEL, (Term(load(4, 2, is_signed=True)),)), 0xFFFFFFF0, LABEL - 16, "LLVM word, relative to a label"),
        (Sum(LABEL, (Term(load(1, 0), None, 2),)), 0xFF, LABEL + 4 * 255, "LLVM byte, relative to a label"),
        (Sum(LABEL, (Term(load(2, 1), None, 2),)), 0xFFFF, LABEL + 4 * 65535, "LLVM half, relative to a label"),
        (Sum(LABEL, (Term(load(1, 0), "sxtb", 2),)), 0xFF, LABEL - 4, "GCC byte, relative to a label"),
        (Sum(LABEL, (Term(load(2, 1), "sxth", 2),)), 0x8000, LABEL - 4 * 0x8000, "GCC half, relative to a label"),
        (Sum(LABEL, (Term(load(4, 2), "sxtw", 2),)), 0xFFFFFFFF, LABEL - 4, "GCC word, relative to a label"),
    ],
)  # fmt: skip
def test_entry_becomes_the_address_that_the_code_makes(
    value: Sum, raw: int, target: int, idiom: str
) -> None:
    form = table_form(value)
    assert form is not None
    assert form.table == TABLE
    assert form.target(raw) == target
    assert idiom_of(form, call=False, in_function=True, bounded=True) == idiom
    assert (form.kind is TableEntryKind.ABSOLUTE) == (form.entry_bytes == 8)


@pytest.mark.parametrize(
    ("call", "inside", "bounded", "idiom"),
    [
        (False, True, False, "computed goto"),
        (True, False, True, "array of function addresses"),
        (False, False, True, "array of function addresses"),
    ],
)
def test_use_of_a_table_of_addresses(call: bool, inside: bool, bounded: bool, idiom: str) -> None:
    form = table_form(Sum(0, (Term(load(8, 3)),)))
    assert form is not None
    assert idiom_of(form, call=call, in_function=inside, bounded=bounded) == idiom


@pytest.mark.parametrize(
    "value",
    [
        Sum(LABEL),
        Sum(0, (Term(INDEX),)),
        Sum(0, (Term(load(8, 4)),)),  # an array of structures
        Sum(0, (Term(load(8, 0)),)),
        Sum(0, (Term(load(8, 3, table=0)),)),  # the array is not known
        Sum(8, (Term(load(8, 3)),)),
        Sum(0, (Term(load(8, 3), "sxtw"),)),
        Sum(0, (Term(load(4, 2)),)),
        Sum(LABEL, (Term(load(1, 0)), Term(INDEX))),
        Sum(0, (Term(Loaded(Sum(TABLE), 8, signed=False, place=1)),)),  # one pointer
    ],
)
def test_other_values_come_from_no_table(value: Sum) -> None:
    assert table_form(value) is None
