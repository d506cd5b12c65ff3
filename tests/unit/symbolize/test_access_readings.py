import pytest

from builders.variables import Compiler, debug, image, place
from whypanic.arch.insn import decode
from whypanic.model.image import AccessReading
from whypanic.model.provenance import Finding, Origin, Source
from whypanic.symbolize.access_readings import read_access

BOTH = pytest.mark.parametrize("compiler", ["gcc", "clang"])
SOURCE = Source(origin=Origin.IMAGE, text="vmlinux")
STACK = 0xFFFF80000A003F00
LIST_POISON1 = 0xDEAD000000000100


def read(
    compiler: Compiler, function: str, n: int, *, base: int = 0, **registers: int
) -> tuple[AccessReading, ...]:
    """Read access number `n` of a function, with `base` in its base register."""
    made, pc = image(compiler), place(compiler, function, n)
    words = made.words(pc, pc + 4)
    assert words is not None
    insn = decode(int(words[0]))
    assert insn.memory is not None
    given = {"sp": STACK, insn.memory.base: base} | registers
    return read_access(insn, pc, given, debug(compiler), source=SOURCE, image=made)


def said(*args: object, **registers: int) -> list[str]:
    return [reading.sentence for reading in read(*args, **registers)]  # type: ignore[arg-type]


@BOTH
def test_null_pointer_and_member(compiler: Compiler) -> None:
    (reading,) = read(compiler, "read_state", 0)
    assert reading == AccessReading(
        source=SOURCE,
        function="read_state",
        variable="w",
        type="struct widget *",
        register="x0",
        pointer=0,
        struct="struct widget",
        member="state",
        member_type="u64",
        offset=16,
        value=0,
        sentence="x0 held `w` (struct widget *), NULL: the access at +0x10 is `w->state` (u64, 8 bytes)",
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (LIST_POISON1, "0xdead000000000100 (LIST_POISON1)"),
        ((1 << 64) - 19, "the error pointer -ENODEV"),
        (0x6B6B6B6B6B6B6B6B, "0x6b6b6b6b6b6b6b6b (POISON_FREE)"),
        (0x6E6F6974706F2D64, '0x6e6f6974706f2d64 (the characters "d-option")'),
        (0x7FFC12340000, "the user address 0x7ffc12340000"),
        (0xFFFF000012345680, "0xffff000012345680"),
        (0x30, "0x30"),
    ],
)
def test_value_of_the_pointer_is_told(value: int, words: str) -> None:
    (sentence,) = said("gcc", "read_state", 0, base=value)
    assert sentence.startswith(f"x0 held `w` (struct widget *), {words}: ")


@BOTH
def test_pointer_loaded_from_a_member_is_an_expression(compiler: Compiler) -> None:
    (reading,) = read(compiler, "read_grandparent", 1)
    assert (reading.variable, reading.type) == ("w->parent", "struct widget *")
    assert reading.member == "parent"
    (reading,) = read(compiler, "read_grandparent", 2)
    assert (reading.variable, reading.member) == ("w->parent->parent", "state")


@BOTH
def test_pointer_of_operations(compiler: Compiler) -> None:
    readings = read(compiler, "start", 2)
    assert [(r.variable, r.member, r.member_type) for r in readings] == [
        ("w->ops", "start", "int (*)(struct widget *, int)")
    ]


def test_variable_of_an_inlined_function_names_it_and_its_origin() -> None:
    (reading,) = read("clang", "parent_is", 1)
    assert (reading.function, reading.variable, reading.origin) == (
        "same_kind",
        "one",
        "child->parent",
    )
    assert reading.sentence == (
        "x8 held `one` (const struct widget *) of the inlined same_kind(), NULL, which was `child->parent`: "
        "the access at +0x42 is `one->mode` (u8, 1 byte)"
    )


@BOTH
def test_pointer_that_a_call_returned(compiler: Compiler) -> None:
    (reading,) = read(compiler, "found_state", 1, base=(1 << 64) - 12)
    assert (reading.variable, reading.member) == ("find_widget()", None)
    assert reading.sentence == "x0 held what `find_widget()` returned, the error pointer -ENOMEM"
    (reading,) = read(compiler, "kept", 4, base=0)
    assert (reading.variable, reading.origin) == ("other", "find_widget()")
    assert "NULL, returned by `find_widget()`: " in reading.sentence


@BOTH
def test_every_member_of_a_union_that_fits_is_named(compiler: Compiler) -> None:
    (sentence,) = said(compiler, "kept", 3)
    assert sentence.endswith(
        "the access at +0x18 is `w->both` (u64, 8 bytes) or `w->owner` (void *, 8 bytes)"
    )
    (reading,) = read(compiler, "read_hi", 0)
    assert reading.member == "hi"


@BOTH
def test_element_of_an_array_in_a_structure(compiler: Compiler) -> None:
    # The base register is w + 8 * i; the index is gone, and the difference tells it.
    (reading,) = read(compiler, "read_corner", 0, base=24, x0=0)
    assert (reading.variable, reading.value, reading.member) == ("w", 0, "corner[3].y")
    assert reading.offset == 32 + 3 * 8 + 4
    assert "held `w` (struct widget *) + 0x18, with `w` = NULL: " in reading.sentence
    (reading,) = read(compiler, "read_key", 0, base=0xFFFF000000000020, x0=0xFFFF000000000000)
    assert reading.member == "slots[2].key"


@BOTH
def test_index_that_leads_far_away_leaves_the_member_open(compiler: Compiler) -> None:
    (reading,) = read(compiler, "read_corner", 0, base=0xFFFF200000000000, x0=0xFFFF000000000000)
    assert (reading.variable, reading.member, reading.offset) == ("w", None, None)
    assert reading.sentence.endswith("held an address computed from `w` (struct widget *)")


@BOTH
def test_pointer_behind_an_unknown_register_leaves_the_member_open(compiler: Compiler) -> None:
    (reading,) = read(compiler, "read_corner", 0, base=24)
    assert (reading.variable, reading.value, reading.member) == ("w", None, None)


@BOTH
def test_index_register(compiler: Compiler) -> None:
    (reading,) = read(compiler, "read_table", 0, x1=5)
    assert (reading.variable, reading.offset) == ("table", 40)
    assert reading.sentence == (
        "x0 held `table` (const u64 *), NULL, and x1 (`i`) = 0x5: the access at +0x28 is `table[5]` (const u64)"
    )
    (sentence,) = said(compiler, "read_table", 0)
    assert sentence == "x0 held `table` (const u64 *), NULL, and x1 (`i`) is not known"


def test_list_walk_gives_the_entry_and_what_contains_it() -> None:
    readings = read("gcc", "walk", 1)
    assert [(r.variable, r.member) for r in readings] == [("each", "state"), ("entry", None)]
    assert "lies behind the end of that struct link (0x10 bytes)" in readings[1].sentence


def test_variable_that_ended_an_instruction_before_still_names_the_value() -> None:
    (reading,) = read("clang", "walk", 2)
    assert (reading.variable, reading.member) == ("each", "siblings.next")


@BOTH
def test_per_cpu_address(compiler: Compiler) -> None:
    (reading,) = read(compiler, "shelf_height", 0, base=0xFFFF00007FB00000)
    assert (reading.variable, reading.member) == ("mine", "size.y")
    assert reading.origin == "this_cpu_ptr(&this_shelf)"


@BOTH
def test_variable_with_a_constant_address(compiler: Compiler) -> None:
    (reading,) = read(compiler, "spare_state", 0, base=0xFFFF800008012000)
    assert reading.variable == "&spare_widget"
    assert reading.sentence.endswith(
        "is an address that the code makes, and held 0xffff800008012000: the access is to `spare_widget`"
    )
    (reading,) = read(compiler, "spare_state", 1)
    assert (reading.variable, reading.type) == ("spare_widget", None)


@BOTH
def test_pair_of_members(compiler: Compiler) -> None:
    (sentence,) = said(compiler, "swap_links", 0)
    assert sentence.endswith(
        "is `link->next` (struct link *, 8 bytes), with `link->prev` behind it"
    )


@BOTH
def test_number_used_as_an_address(compiler: Compiler) -> None:
    (reading,) = read(compiler, "raw", 0, base=0x8000)
    assert (reading.variable, reading.type, reading.struct) == ("address", "u64", None)
    assert reading.sentence == "x0 held `address` (u64), 0x8000: the access is at +0x18 from it"


@BOTH
def test_variable_on_the_stack(compiler: Compiler) -> None:
    (reading,) = read(compiler, "spilled", 1, base=STACK)
    assert (reading.register, reading.variable, reading.offset) == ("sp", "slot", 0)
    assert reading.sentence.endswith(", which lies on the stack of spilled()")


@BOTH
def test_pointer_loaded_back_from_the_stack(compiler: Compiler) -> None:
    (reading,) = read(compiler, "spilled", 2)
    assert (reading.variable, reading.member) == ("slot", "state")


@BOTH
def test_saved_registers_are_nobodys_variable(compiler: Compiler) -> None:
    assert read(compiler, "start", 0, base=STACK) == ()


@BOTH
def test_user_pointer(compiler: Compiler) -> None:
    (sentence,) = said(compiler, "copy_from", 0, base=0xFFFFB2340010)
    assert sentence == (
        "x0 held `user` (const u64 *), the user address 0xffffb2340010: the access at +0x0 is `*user` (const u64)"
    )


def test_without_the_base_register_there_is_no_reading() -> None:
    insn = decode(0xF9400800)
    pc = place("gcc", "read_state", 0)
    assert read_access(insn, pc, {"x1": 0}, debug("gcc"), source=SOURCE, image=image("gcc")) == ()


def test_no_access_has_no_reading() -> None:
    nop = decode(0xD503201F)
    pc = place("gcc", "read_state", 0)
    assert read_access(nop, pc, {"x0": 0}, debug("gcc"), source=SOURCE) == ()


def test_patched_instruction_is_read_without_what_the_file_has_before_it() -> None:
    # ldr x0, [x0, #0x18] where the file has #0x10, in the middle of the chain of loads.
    insn = decode(0xF9400C00)
    pc = place("gcc", "read_grandparent", 2)
    assert read_access(insn, pc, {"x0": 0}, debug("gcc"), source=SOURCE, image=image("gcc")) == ()


def test_symbols_alone_still_name_calls_and_data() -> None:
    made, insn = image("gcc"), decode(0xF9400800)
    pc = place("gcc", "found_state", 1)
    (reading,) = read_access(insn, pc, {"x0": 0}, None, source=SOURCE, image=made)
    assert reading.variable == "find_widget()"


def test_without_an_image_only_the_debug_information_speaks() -> None:
    insn, pc = decode(0xF9400800), place("gcc", "read_state", 0)
    (reading,) = read_access(insn, pc, {"x0": 0}, debug("gcc"), source=SOURCE)
    assert reading.member == "state"
    pc = place("gcc", "found_state", 1)
    assert read_access(insn, pc, {"x0": 0}, debug("gcc"), source=SOURCE) == ()


def test_another_variable_with_the_same_value_is_called_so() -> None:
    # ldr x0, [x5, #0x18] where nothing is known of x5, and x20 holds `w`.
    insn, pc, w = decode(0xF9400CA0), place("gcc", "kept", 3), 0xFFFF000012345600
    (reading,) = read_access(insn, pc, {"x5": w + 8, "x20": w}, debug("gcc"), source=SOURCE)
    assert (reading.variable, reading.member) == ("w", "corner[0]")
    assert reading.sentence.startswith("x5 held the same value as `w` (struct widget *) plus 0x8, ")
    assert reading.coincides
    assert read_access(insn, pc, {"x5": w + 0x4000, "x20": w}, debug("gcc"), source=SOURCE) == ()


def test_null_is_the_same_value_only_with_a_member_of_that_size() -> None:
    pc, registers = place("gcc", "kept", 3), {"x5": 0, "x20": 0}
    eight, two = decode(0xF9400CA0), decode(0x794030A0)
    (reading,) = read_access(eight, pc, registers, debug("gcc"), source=SOURCE)
    assert (reading.variable, reading.member) == ("w", "both")
    assert read_access(two, pc, registers, debug("gcc"), source=SOURCE) == ()


def test_null_that_was_computed_is_telling() -> None:
    # ldr x0, [x5, #0x18], and `ticket` is x1 - 8.
    insn, pc = decode(0xF9400CA0), place("gcc", "stamps", 1)
    found = read_access(insn, pc, {"x5": 0, "x1": 8}, debug("gcc"), source=SOURCE)
    assert [(r.variable, r.member) for r in found] == [("ticket", "stamp")]
    assert found[0].sentence.startswith(
        "x5 held the same value as `ticket` (struct ticket *), NULL: "
    )


def test_only_what_is_reached_through_the_frame_is_on_the_stack() -> None:
    insn, pc = decode(0xF94000A0), place("gcc", "spilled", 1)
    registers = {"sp": STACK, "x5": STACK + 8}
    assert read_access(insn, pc, registers, debug("gcc"), source=SOURCE) == ()


@BOTH
def test_container_of_a_null_entry(compiler: Compiler) -> None:
    readings = read(compiler, "stamps", 1)
    ticket = readings[0]
    assert (ticket.variable, ticket.member, ticket.offset) == ("ticket", "stamp", 24)
    assert ticket.value == (1 << 64) - 8
    assert " (struct ticket *) + 0x8, with `ticket` = NULL - 0x8: " in ticket.sentence


def test_facts_behind_a_reading_are_kept() -> None:
    fact = Finding(source=SOURCE, sentence="x0 is 0")
    insn, pc = decode(0xF9400800), place("gcc", "read_state", 0)
    found = read_access(insn, pc, {"x0": 0}, debug("gcc"), source=SOURCE, because=(fact,))
    assert [reading.because for reading in found] == [(fact,)]
    assert found[0].statement == found[0].sentence
