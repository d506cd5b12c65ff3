import numpy as np
import pytest

from builders.images import link
from whypanic.code.flow import Flow
from whypanic.code.register_values import Loaded, RegisterValues, Sum, Term, Unknown, same_shape
from whypanic.formats.images import open_image

FIRST = 0xFFFF800008000000
SLOT = FIRST + 0x40


def values_of(code: str) -> RegisterValues:
    image = open_image(link(f"  .text\n{code}\n  ret\n"))
    section = image.section(".text")
    assert section is not None
    assert section.address == FIRST
    words = image.words(section.address, section.end)
    assert words is not None
    flow = Flow(words, FIRST, np.zeros(len(words), np.bool_))
    return RegisterValues(flow, lambda address: 0x1234_5678 if address == SLOT else None)


def at_end(code: str, register: str) -> Sum:
    values = values_of(code)
    return values.before(register, len(values.flow) - 1)


@pytest.mark.parametrize(
    ("code", "constant"),
    [
        ("adr x0, .+8", FIRST + 8),
        ("adrp x0, .+0x5000\nadd x0, x0, #0x123", FIRST + 0x5123),
        ("adrp x1, .+0x5000\nmov x0, x1\nsub x0, x0, #16", FIRST + 0x4FF0),
        ("adrp x0, .\nadd x0, x0, #1, lsl #12", FIRST + 0x1000),
        (
            "movz x0, #0x10\nmovk x0, #0x800, lsl #16\nmovk x0, #0xffff, lsl #48",
            0xFFFF_0000_0800_0010,
        ),
        ("movn x0, #0", 0xFFFF_FFFF_FFFF_FFFF),
        ("mov w1, #-1\nmov x0, x1", 0xFFFF_FFFF),
        ("mov x1, #3\nlsl x0, x1, #4", 0x30),
        ("mov x1, #0x80000000\nsxtw x0, w1", 0xFFFF_FFFF_8000_0000),
        ("mov x1, #0x1ff\nmov x2, #1\nadd x0, x2, w1, sxtb #2", 0xFFFF_FFFF_FFFF_FFFD),
        (f"ldr x0, .+{SLOT - FIRST}", 0x1234_5678),
        ("adrp x1, .\nldr x0, [x1, #0x40]", 0x1234_5678),
        ("adr x1, .+16\nstr x1, [sp, #24]\nbl .+4\nldr x0, [sp, #24]", FIRST + 16),
    ],
)
def test_constants_are_folded(code: str, constant: int) -> None:
    value = at_end(code, "x0")
    assert (value.constant, value.terms) == (constant, ())


@pytest.mark.parametrize(
    "code",
    [
        "adrp x1, .+0x5000\ncbz x2, 1f\nadrp x1, .+0x6000\n1: mov x0, x1",
        "adr x0, .\nbl .+4",
        "mov x0, #1\nldr x0, [x0, #8]!",
        "mov x1, #8\nldr x2, [x1], #8\nmov x0, x1",
        "add w0, w1, #1",
        "mov x1, #1\nstr w3, [sp, #28]\nstr x1, [sp, #24]\ncbz x2, 1f\nstr w3, [sp, #28]\n1: ldr x0, [sp, #24]",
    ],
)
def test_what_is_not_certain_is_unknown(code: str) -> None:
    value = at_end(code, "x0")
    assert not value.terms or value.constant == 0
    assert value.terms


def test_load_through_an_index_keeps_how_it_is_scaled() -> None:
    value = at_end("adrp x1, .+0x1000\nldr x0, [x1, w2, uxtw #3]", "x0")
    loaded = value.terms[0].atom
    assert isinstance(loaded, Loaded)
    assert (loaded.size, loaded.signed, loaded.place) == (8, False, 1)
    assert loaded.address.constant == FIRST + 0x1000
    index = loaded.address.terms[0]
    assert (index.extend, index.shift) == ("uxtw", 3)
    assert value.places == {0, 1}


def test_relative_entry_is_extended_then_scaled_then_added() -> None:
    code = "adrp x1, .+0x1000\nldrb w1, [x1, w2, uxtw]\nadr x3, .+12\nadd x0, x3, w1, sxtb #2"
    value = at_end(code, "x0")
    (term,) = value.terms
    assert (value.constant, term.extend, term.shift) == (FIRST + 20, "sxtb", 2)


def test_lowest_value_of_an_index_is_not_taken_for_part_of_the_address() -> None:
    value = at_end("adrp x1, .+0x1000\nsub x2, x2, #3\nldrsw x0, [x1, x2, lsl #2]", "x0")
    loaded = value.terms[0].atom
    assert isinstance(loaded, Loaded)
    assert loaded.address.constant == FIRST + 0x1000


def test_ways_that_load_from_the_same_table_agree() -> None:
    code = "adrp x1, .+0x1000\ncbz x2, 1f\nldr x0, [x1, x3, lsl #3]\nb 2f\n1: ldr x0, [x1, x4, lsl #3]\n2:"
    value = at_end(code, "x0")
    assert isinstance(value.terms[0].atom, Loaded)
    assert value.places == {0, 2, 4}


def test_value_around_a_loop_ends() -> None:
    value = at_end("mov x0, #0\n1: add x0, x0, #1\ncbnz x1, 1b", "x0")
    assert isinstance(value.terms[0].atom, Unknown)


def test_shape_ignores_what_is_unknown_and_nothing_else() -> None:
    a = Sum(5, (Term(Unknown("x0", 1)),))
    assert same_shape(a, Sum(5, (Term(Unknown("x1", 2)),)))
    assert not same_shape(a, Sum(6, (Term(Unknown("x0", 1)),)))
    assert not same_shape(a, Sum(5, (Term(Unknown("x0", 1), None, 2),)))
    loaded = Term(Loaded(Sum(8), 4, signed=True, place=3))
    assert not same_shape(a, Sum(5, (loaded,)))
    assert not same_shape(
        Sum(5, (loaded,)), Sum(5, (Term(Loaded(Sum(8), 4, signed=False, place=3)),))
    )
