import pytest

from builders.variables import type_of
from whypanic.symbolize.access_places import Access, Place, place_of
from whypanic.symbolize.access_terms import How, Term
from whypanic.symbolize.members import Layout


def place(name: str, offset: int | None, n_bytes: int = 8, *, delta: int | None = 0) -> Place:
    """Return what lies at an offset of what `p`, a pointer to a type, points to."""
    from drgn import Language

    type_ = type_of("gcc", name)
    pointer = Layout(type_.prog.pointer_type(type_, language=Language.C))
    term = Term("p", pointer, "f", How.HELD, delta)
    return place_of(Access("x0", 0, offset, n_bytes, 1), term)


@pytest.mark.parametrize(
    ("type_", "offset", "n_bytes", "words"),
    [
        ("struct widget", 16, 8, "the access at +0x10 is `p->state` (u64, 8 bytes)"),
        ("struct widget", 68 - 2, 1, "the access at +0x42 is `p->mode` (u8, 1 byte)"),
        ("struct widget", 20, 4, "the access at +0x14 of 4 bytes is in `p->state` (u64)"),
        ("struct widget", 69, 1, "the access at +0x45 is to padding of struct widget"),
        (
            "struct link",
            -8,
            8,
            "the access at -0x8 lies before it, in whatever contains that struct link",
        ),
        (
            "struct link",
            24,
            8,
            "the access at +0x18 lies behind the end of that struct link (0x10 bytes), "
            "where an array would have `p[1].prev`",
        ),
        (
            "struct link",
            1 << 40,
            8,
            "the access at +0x10000000000 lies behind the end of that struct link (0x10 bytes)",
        ),
        ("u64", 0, 8, "the access at +0x0 is `*p` (u64)"),
        ("u64", 24, 8, "the access at +0x18 is `p[3]` (u64)"),
        ("u64", -8, 8, "the access at -0x8 is `p[-1]` (u64)"),
        ("u64", 4, 4, "the access at +0x4 is in `*p` (u64)"),
    ],
)
def test_words(type_: str, offset: int, n_bytes: int, words: str) -> None:
    assert place(type_, offset, n_bytes).words == words


def test_bit_fields_are_alternatives() -> None:
    assert place("struct widget", 64, 4).words.endswith(
        "is in `p->kind` (u32 : 4) or `p->armed` (u32 : 1) or `p->depth` (u32 : 11)"
    )


def test_distance_of_the_register_from_the_pointer_counts() -> None:
    found = place("struct widget", 8, 8, delta=8)
    assert found.member is not None
    assert found.member.path == "state"
    assert found.is_inside
    assert found.is_exact


def test_what_is_not_known_is_not_said() -> None:
    assert place("struct widget", None) == place("struct widget", 8, delta=None) == Place("")


def test_pointer_without_a_type_has_no_place() -> None:
    term = Term("foo()", None, None, How.LOADED, 0)
    assert place_of(Access("x0", 0, 8, 8, 1), term) == Place("")


def test_symbol_and_distance() -> None:
    term = Term("&shelves", None, None, How.LOADED, 0x10, symbol="shelves")
    assert place_of(Access("x0", 0, 8, 8, 1), term).words == "the access is to `shelves` + 0x18"
    own = term._replace(text="this_cpu_ptr(&shelves)", delta=-8)
    assert place_of(Access("x0", 0, 8, 8, 1), own).words == "the access is to this CPU's `shelves`"
