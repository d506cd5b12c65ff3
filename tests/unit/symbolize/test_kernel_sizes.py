"""Sizes as kallsyms gives them: up to the next symbol that the kernel knows."""

import pytest

from builders.image_facts import BASE, TEXT_BYTES, function, listed_image
from builders.images import link
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import ImageKind, Section
from whypanic.formats.symbol_table import Symbol
from whypanic.model.registers import SymbolRef
from whypanic.symbolize.kernel_sizes import agrees, fitting, may_be_left_out, printed_sizes

SOURCE = """
    .text
    .global first
    .type first, %function
first:
    nop
    nop
    ret
    .size first, .-first
    .balign 16
    .global second
    .type second, %function
second:
    ret
    .size second, .-second
    .balign 32
    .global third
third:
    ret
"""


def sizes(name: str, *symbols: Symbol) -> tuple[int, ...]:
    image = listed_image(*symbols)
    return printed_sizes(image, image.symbols.find(name)[0])


def test_padding_belongs_to_the_function_before_it() -> None:
    image = open_image(link(SOURCE))
    first, second = image.symbols.find("first")[0], image.symbols.find("second")[0]
    assert first.size == 12
    assert printed_sizes(image, first) == (16,)
    assert printed_sizes(image, second) == (16,)


def test_symbols_that_kernels_leave_out_give_a_second_size() -> None:
    thunk = function("__AArch64ADRPThunk_f", 0x20)
    assert sizes("a", function("a", 0x10), thunk, function("b", 0x30)) == (0x10, 0x20)


def test_symbols_that_no_kernel_knows_give_none() -> None:
    stub = [function(f"__efistub_{i}", 0x20 + 4 * i) for i in range(100)]
    assert sizes("a", function("a", 0x10), *stub, function("b", 0x800)) == (0x7F0,)


def test_hyp_symbols_were_all_left_out_once() -> None:
    hyp = (function("__kvm_nvhe_f", 0x20), function("__kvm_nvhe_g", 0x30), function("b", 0x40))
    assert sizes("a", function("a", 0x10), *hyp) == (0x10, 0x20, 0x30)
    assert sizes("__kvm_nvhe_f", *hyp) == (0x10,)


def test_a_prefixed_mapping_symbol_may_end_a_hyp_function() -> None:
    mark = Symbol("__kvm_nvhe_$d.7", BASE + 0x28, 0, "other")
    symbols = (function("__kvm_nvhe_f", 0x20), mark, function("__kvm_nvhe_g", 0x30))
    assert sizes("__kvm_nvhe_f", *symbols) == (0x8, 0x10)


def test_a_symbol_at_the_very_top() -> None:
    top = Symbol("__kvm_nvhe_top", (1 << 64) - 1, 0, "function")
    assert sizes("__kvm_nvhe_top", function("a", 0), top) == ()


def test_aliases_have_one_size() -> None:
    assert sizes("a", function("a", 0x10), function("alias", 0x10), function("b", 0x40)) == (0x30,)


def test_the_last_symbol_reaches_to_the_end() -> None:
    assert sizes("a", function("a", 0x10)) == (TEXT_BYTES - 0x10,)


def test_behind_the_last_symbol_of_a_modules_section_comes_anything() -> None:
    section = Section(".text", BASE, 0x40, True, False)
    image = listed_image(
        function("a", 0), function("b", 0x10), kind=ImageKind.MODULE, sections=(section,)
    )
    assert printed_sizes(image, image.symbols.find("a")[0]) == (0x10,)
    assert printed_sizes(image, image.symbols.find("b")[0]) == ()
    ref = SymbolRef(symbol="b", offset=4, size=0x99)
    assert agrees(image, image.symbols.find("b")[0], ref) is None


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [(4, 0x10, True), (0x10, 0x10, True), (4, 0x14, False), (0x14, 0x10, False), (4, None, None)],
)
def test_agrees(offset: int, size: int | None, expected: bool | None) -> None:
    image = listed_image(function("a", 0), function("b", 0x10))
    ref = SymbolRef(symbol="a", offset=offset, size=size)
    assert agrees(image, image.symbols.find("a")[0], ref) is expected


def test_size_tells_duplicates_apart() -> None:
    image = listed_image(
        function("a", 0), function("b", 0x10), function("a", 0x20), function("c", 0x60)
    )
    both = image.symbols.find("a")
    assert fitting(image, both, SymbolRef(symbol="a", offset=0, size=0x40)) == both[1:]
    assert fitting(image, both, SymbolRef(symbol="a", offset=0)) == both
    assert fitting(image, both, SymbolRef(symbol="a", offset=0, size=0x44)) == ()


@pytest.mark.parametrize("name", ["$x", ".L12", "__crc_f", "f_veneer", "__kvm_nvhe_$d", ""])
def test_left_out(name: str) -> None:
    assert may_be_left_out(name)
    assert not may_be_left_out("probe_one")
