import pytest

from builders.variables import Compiler, debug, image, place
from whypanic.symbolize.access_terms import How, Term, Terms
from whypanic.symbolize.block_path import path_to

BOTH = pytest.mark.parametrize("compiler", ["gcc", "clang"])


def terms(compiler: Compiler, function: str, n: int, **registers: int) -> tuple[Terms, str]:
    """Return the terms at access number `n` of a function, and its base register."""
    made, pc = image(compiler), place(compiler, function, n)
    path = path_to(made, pc)
    memory = path[-1].insn.memory
    assert memory is not None
    return Terms(path, registers, debug(compiler), made), memory.base


def named(*args: object, **registers: int) -> list[Term]:
    found, base = terms(*args, **registers)  # type: ignore[arg-type]
    return list(found.of(base))


@BOTH
def test_variable_held_by_the_register(compiler: Compiler) -> None:
    (w,) = named(compiler, "read_state", 0)
    assert (w.text, w.how, w.delta, w.function) == ("w", How.HELD, 0, "read_state")
    assert w.pointee is not None
    assert w.pointee.structure == "struct widget"


@BOTH
def test_chain_of_loads(compiler: Compiler) -> None:
    (parent,) = named(compiler, "read_grandparent", 2)
    assert (parent.text, parent.how) == ("w->parent->parent", How.LOADED)


@BOTH
def test_address_computed_from_a_variable_and_something(compiler: Compiler) -> None:
    base = terms(compiler, "read_corner", 0)[1]
    (w,) = named(compiler, "read_corner", 0, **{"x0": 0x1000, base: 0x1018})
    assert (w.text, w.how, w.delta) == ("w", How.INDEXED, 0x18)
    (w,) = named(compiler, "read_corner", 0, x0=0x1000)
    assert w.delta is None


def test_variable_of_a_step_before() -> None:
    (each,) = named("clang", "walk", 2)
    assert (each.text, each.how) == ("each", How.EARLIER)


@BOTH
def test_returned_by_a_call(compiler: Compiler) -> None:
    (found,) = named(compiler, "found_state", 1)
    assert (found.text, found.layout, found.how) == ("find_widget()", None, How.LOADED)


@BOTH
def test_symbols(compiler: Compiler) -> None:
    found, base = terms(compiler, "spare_state", 0)
    memory = found.path[-1].insn.memory
    assert memory is not None
    (address,) = found.of(base, memory.offset)
    assert (address.text, address.symbol) == ("&spare_widget", "spare_widget")
    assert address.delta == -memory.offset
    (value,) = named(compiler, "spare_state", 1)
    assert (value.text, value.symbol) == ("spare_widget", None)


@BOTH
def test_per_cpu_address_is_an_expression(compiler: Compiler) -> None:
    found, base = terms(compiler, "shelf_height", 0)
    (made,) = found.made(found.states[-1][base])
    assert (made.text, made.symbol) == ("this_cpu_ptr(&this_shelf)", "this_shelf")


@BOTH
def test_variable_loaded_back_from_the_stack(compiler: Compiler) -> None:
    (slot,) = named(compiler, "spilled", 2)
    assert slot.text == "slot"


@BOTH
def test_number_is_marked_as_one(compiler: Compiler) -> None:
    assert [(t.text, t.is_integer) for t in named(compiler, "raw", 0)] == [("address", True)]


def test_function_that_the_code_belongs_to() -> None:
    assert terms("gcc", "read_state", 0)[0].compiled_function == "read_state"


def test_variables_are_asked_once_a_step() -> None:
    found = terms("gcc", "read_state", 0)[0]
    assert found.variables(found.last) is found.variables(found.last)
