from builders.variables import type_of
from whypanic.symbolize.members import Layout, members_at

WIDGET = "struct widget"
Answer = tuple[str, str, bool]


def at(offset: int, n_bytes: int = 0, name: str = WIDGET) -> list[Answer]:
    found = members_at(type_of("gcc", name), offset, n_bytes)
    return [(member.path, member.type, member.exact) for member in found]


def test_plain_member_of_the_size_of_the_access_is_exact() -> None:
    assert at(16, 8) == [("state", "u64", True)]


def test_smaller_access_is_not_exact() -> None:
    assert at(16, 4) == [("state", "u64", False)]


def test_access_behind_the_begin_of_a_member_is_not_exact() -> None:
    assert at(20, 4) == [("state", "u64", False)]


def test_without_a_size_what_begins_there_is_exact() -> None:
    assert at(16) == [("state", "u64", True)]


def test_members_of_structures_inside_have_a_path() -> None:
    assert at(8, 8) == [("siblings.prev", "struct link *", True)]


def test_elements_of_arrays_have_an_index() -> None:
    assert at(32 + 2 * 8 + 4, 4) == [("corner[2].y", "int", True)]


def test_whole_structure_is_the_answer_where_no_scalar_fits() -> None:
    assert at(40, 8) == [("corner[1]", "struct point", True), ("corner[1].x", "int", False)]


def test_every_alternative_of_a_union_is_given_exact_ones_first() -> None:
    assert at(24, 8) == [
        ("both", "u64", True),
        ("owner", "void *", True),
        ("lo", "u32", False),
    ]
    assert at(28, 4) == [("hi", "u32", True), ("both", "u64", False), ("owner", "void *", False)]


def test_bit_fields_that_an_access_reads_are_listed_and_never_exact() -> None:
    assert at(64, 4) == [
        ("kind", "u32 : 4", False),
        ("armed", "u32 : 1", False),
        ("depth", "u32 : 11", False),
    ]
    assert at(65, 1) == [("depth", "u32 : 11", False)]


def test_padding_is_a_member_without_path() -> None:
    assert at(69, 1) == [("", "", False)]


def test_flexible_array_has_no_end() -> None:
    assert at(104 + 16 * 1000, 8) == [("slots[1000].key", "u64", True)]
    assert at(104 + 16 * 3 + 12, 4) == [("slots[3].at.y", "int", True)]


def test_nothing_lies_before_a_structure_or_behind_its_end() -> None:
    assert at(-8, 8) == []
    assert at(16, 8, "struct link") == []
    assert at(1 << 40, 8, "struct shelf") == []


def test_functions_that_are_pointed_to_are_recognised() -> None:
    found = members_at(type_of("gcc", "struct widget_ops"), 0, 8)
    assert [(m.path, m.is_function_pointer) for m in found] == [("start", True)]
    assert found[0].struct == "struct widget_ops"
    others = members_at(type_of("gcc", WIDGET), 72, 8)
    assert [(m.path, m.is_function_pointer) for m in others] == [("parent", False)]


def test_scalars_have_an_empty_path_and_their_own_type() -> None:
    assert at(0, 8, "u64") == [("", "u64", True)]
    assert at(8, 8, "u64") == []


def test_layout_follows_pointers() -> None:
    (parent,) = members_at(type_of("clang", WIDGET), 72, 8)
    assert parent.layout is not None
    assert parent.layout.is_pointer
    pointee = parent.layout.pointee
    assert pointee is not None
    assert pointee.structure == WIDGET
    assert pointee.size == 104
    assert [m.path for m in pointee.members(80, 8)] == ["ops"]


def test_layout_of_a_typedef_is_named_as_written() -> None:
    layout = Layout(type_of("gcc", "u64"))
    assert (layout.name, layout.size, layout.structure, layout.pointee) == ("u64", 8, None, None)
    assert layout == Layout(type_of("gcc", "u64"))
    assert layout != Layout(type_of("gcc", "u32"))


def test_self_made_types_that_lie_do_not_hang() -> None:
    from drgn import Language, TypeMember

    from builders.variables import debug

    program, c = debug("gcc").program, Language.C
    byte = program.int_type("char", 1, False, language=c)
    inner = program.union_type(None, 8, (), language=c)
    for _ in range(30):
        members = tuple(TypeMember(inner, f"m{i}", 0) for i in range(2))
        inner = program.union_type(None, 8, members, language=c)
    assert 0 < len(members_at(inner, 0, 8)) <= 16
    overlong = program.struct_type(
        "s", 4, (TypeMember(program.array_type(byte, 1 << 60, language=c), "a", 0),), language=c
    )
    assert [m.path for m in members_at(overlong, 3, 1)] == ["a[3]"]
    huge = program.struct_type("h", 1 << 62, (TypeMember(byte, "b", 8 << 50),), language=c)
    assert [m.path for m in members_at(huge, 1 << 50, 1)] == ["b"]
    assert [m.path for m in members_at(huge, 1 << 51, 1)] == [""]


def test_damaged_member_is_no_answer() -> None:
    from drgn import Language, TypeMember

    from builders.variables import debug

    def broken() -> object:
        message = "damaged"
        raise RuntimeError(message)

    program = debug("gcc").program
    member = TypeMember(broken, "m", 0)  # type: ignore[arg-type]
    type_ = program.struct_type("s", 8, (member,), language=Language.C)
    assert members_at(type_, 0, 8) == ()
