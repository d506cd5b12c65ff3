import pytest

from builders.variables import Compiler, debug, image, place
from whypanic.symbolize.debug_info import Variable
from whypanic.symbolize.drgn_variables import variables_at

ALL = {f"x{n}": 0x1000 + n for n in range(31)} | {"sp": 0x8000}


def at(
    compiler: Compiler, function: str, n: int, registers: dict[str, int] | None = None
) -> dict[str, Variable]:
    pc = place(compiler, function, n)
    given = ALL if registers is None else registers
    found = variables_at(debug(compiler).program, pc, given, 16, 8)
    assert found is not None
    return {f"{variable.function}:{variable.name}": variable for variable in found}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_parameter_is_in_its_register(compiler: Compiler) -> None:
    w = at(compiler, "read_state", 0)["read_state:w"]
    assert (w.register, w.base, w.delta, w.value) == ("x0", "x0", 0, 0x1000)
    assert (w.type, w.pointee) == ("struct widget *", "struct widget")
    assert [(m.path, m.exact) for m in w.members] == [("state", True)]


def test_members_are_not_asked_for_without_an_offset() -> None:
    found = variables_at(debug("gcc").program, place("gcc", "read_state", 0), ALL)
    assert found is not None
    assert [variable.members for variable in found] == [()]


def test_value_of_a_register_that_was_not_printed_is_not_known() -> None:
    w = at("gcc", "read_state", 0, {"x1": 7})["read_state:w"]
    assert (w.register, w.value) == ("x0", None)


def test_nothing_is_known_of_values_without_registers() -> None:
    w = at("gcc", "read_state", 0, {})["read_state:w"]
    assert (w.register, w.value) == ("x0", None)


def test_integers_are_cut_to_their_size_and_keep_their_sign() -> None:
    found = at("gcc", "start", 1, {"x1": 0xFFFF_FFFF_FFFF_FFFE})
    assert (found["start:how"].register, found["start:how"].value) == ("x1", -2)


def test_computed_variable_names_its_register_and_the_distance() -> None:
    # The entry of the list is in x1, and what contains it begins eight bytes before.
    ticket = at("gcc", "stamps", 1, {"x1": 0x5000})["stamps:ticket"]
    assert (ticket.register, ticket.base, ticket.delta, ticket.value) == (None, "x1", -8, 0x4FF8)
    assert at("gcc", "stamps", 1, {})["stamps:ticket"].value is None


def test_one_register_may_hold_two_variables() -> None:
    found = at("gcc", "walk", 1, {"x1": 0x5000})
    assert {name for name, v in found.items() if v.register == "x1"} == {"walk:entry", "walk:each"}


def test_constant_is_in_no_register() -> None:
    found = at("clang", "walk", 0, {})
    assert (found["walk:sum"].register, found["walk:sum"].base, found["walk:sum"].value) == (
        None,
        None,
        0,
    )


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_variable_on_the_stack_has_an_address(compiler: Compiler) -> None:
    slot = at(compiler, "spilled", 1)["spilled:slot"]
    assert slot.in_memory
    assert slot.register is None
    assert slot.value is None
    assert slot.base == "sp"
    assert slot.address == ALL["sp"] + slot.delta


def test_address_on_an_unknown_stack_is_not_known() -> None:
    slot = at("gcc", "spilled", 1, {})["spilled:slot"]
    assert (slot.in_memory, slot.address) == (True, None)


def test_inlined_function_comes_first() -> None:
    names = list(at("clang", "parent_is", 1))
    assert names.index("same_kind:one") < names.index("parent_is:kind")


def test_optimised_out_variables_are_left_out() -> None:
    # After `ldr x0, [x0, #72]` GCC has nowhere left for `child`.
    assert "parent_is:child" not in at("gcc", "parent_is", 1)


def test_address_without_a_function_has_no_variables() -> None:
    program = debug("gcc").program
    assert variables_at(program, image("gcc").base - 0x1000, ALL) is None
    assert variables_at(program, 0, ALL) is None
    assert variables_at(program, (1 << 64) - 4, ALL) is None
