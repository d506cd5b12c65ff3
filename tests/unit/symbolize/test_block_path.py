from builders.images import link
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage
from whypanic.symbolize.block_path import path_to


def opened(source: str) -> KernelImage:
    return open_image(link(f".text\n.type f, %function\nf:\n{source}\n.size f, . - f\n"))


def offsets(image: KernelImage, at: str = "at", **options: object) -> list[int]:
    pc, begin = image.value_of(at), image.value_of("f")
    assert pc is not None
    assert begin is not None
    return [step.address - begin for step in path_to(image, pc, **options)]  # type: ignore[arg-type]


def test_straight_line_goes_back_to_the_begin_of_the_function() -> None:
    image = opened("nop\nbl f\ncbz x0, 1f\nat: ldr x0, [x0]\n1: ret")
    assert offsets(image) == [0, 4, 8, 12]


def test_block_with_one_branch_to_it_goes_on_at_that_branch() -> None:
    image = opened("nop\ncbz x0, at\nnop\nret\nat: ldr x0, [x0]\nret")
    assert offsets(image) == [0, 4, 16]


def test_two_ways_in_end_the_path() -> None:
    image = opened("cbz x0, 1f\nnop\n1: nop\nat: ldr x0, [x0]\nret")
    assert offsets(image) == [8, 12]


def test_code_that_nothing_leads_to_begins_a_path() -> None:
    image = opened("nop\nret\nnop\nat: ldr x0, [x0]\nret")
    assert offsets(image) == [8, 12]


def test_loop_is_left_at_its_head_and_forgets_what_it_writes() -> None:
    image = opened("nop\n1: nop\nat: ldr x0, [x1]\nadd x2, x2, #1\ncbnz x0, 1b\nret")
    pc = image.value_of("at")
    assert pc is not None
    path = path_to(image, pc)
    assert [step.address - path[0].address for step in path] == [0, 4, 8]
    assert [sorted(step.forgets) for step in path] == [[], ["x0", "x2"], []]


def test_call_in_a_loop_forgets_what_it_may_change() -> None:
    image = opened("nop\n1: nop\nat: ldr x0, [x19]\nbl f\ncbnz x0, 1b\nret")
    pc = image.value_of("at")
    assert pc is not None
    assert path_to(image, pc)[1].forgets == {*(f"x{n}" for n in range(19)), "x30"}


def test_loop_that_is_entered_in_the_middle_ends_the_path() -> None:
    image = opened("cbz x5, 2f\n1: nop\nat: ldr x0, [x1]\n2: cbnz x0, 1b\nret")
    assert offsets(image) == [4, 8]


def test_code_behind_a_trap_is_not_taken_for_its_continuation() -> None:
    assert offsets(opened("nop\nbrk #0x800\nat: ldr x0, [x0]\nret")) == [8]


def test_function_with_a_jump_table_is_followed_only_with_its_targets() -> None:
    image = opened(
        "nop\nadr x1, f\nldrsw x2, [x1, x0, lsl #2]\nadd x1, x1, x2\nbr x1\n1: nop\n2: nop\nat: ldr x0, [x0]\nret"
    )
    begin = image.value_of("f")
    assert begin is not None
    assert offsets(image) == [28]
    assert offsets(image, tables={begin + 16: (begin + 20, begin + 24)}) == [24, 28]
    assert offsets(image, tables={begin + 16: (begin + 20,)}) == [20, 24, 28]


def test_tail_call_through_a_pointer_is_no_jump_table() -> None:
    loaded = opened("nop\nat: ldr x0, [x0]\nldr x16, [x1, #8]\nbr x16")
    copied = opened("nop\nat: ldr x0, [x0]\nmov x16, x3\nbr x16")
    assert offsets(loaded) == offsets(copied) == [0, 4]


def test_jump_label_is_a_way_in() -> None:
    # A nop at f that may become a branch to `at`, which a conditional branch leads to as well.
    source = (
        "nop\ncbz x0, at\nnop\nret\nat: ldr x0, [x0]\nret\n.size f, . - f\n"
        ".section .rodata\n.globl __start___jump_table, __stop___jump_table\n"
        "__start___jump_table: .word f - ., at - .\n.quad 0\n__stop___jump_table:\n.text\n"
    )
    assert offsets(opened(source)) == [16]


def test_fixup_of_a_user_access_is_a_way_in() -> None:
    source = (
        "ldtr x1, [x2]\ncbz x0, at\nnop\nret\nat: ldr x0, [x0]\nret\n.size f, . - f\n"
        ".section .rodata\n.globl __start___ex_table, __stop___ex_table\n"
        "__start___ex_table: .word f - ., at - .\n.hword 2, 0\n__stop___ex_table:\n.text\n"
    )
    assert offsets(opened(source)) == [16]
    assert offsets(opened(source.replace(".hword 2, 0\n", ""))) == [16]


def test_address_without_code_has_no_path() -> None:
    image = opened("at: ldr x0, [x0]\nret")
    assert path_to(image, 0x1000) == ()
    assert path_to(image, image.base + 2) == ()
    assert path_to(image, (1 << 64) - 4) == ()


def test_path_is_bounded() -> None:
    image = opened("nop\n" * 5000 + "at: ldr x0, [x0]\nret")
    assert len(offsets(image)) <= 256


ALTERNATIVE = (
    '\n.section .altinstructions, "a"\n.globl __alt_instructions\n__alt_instructions:\n'
    ".word f + 4 - ., new - (. - 0)\n.hword 8\n.byte 4, 4\n"
    ".globl __alt_instructions_end\n__alt_instructions_end:\n.text\n"
)
LABEL = (
    '\n.section __jump_table, "a"\n.globl __start___jump_table\n__start___jump_table:\n'
    ".word f + 4 - ., out - .\n.quad 0\n.globl __stop___jump_table\n__stop___jump_table:\n.text\n"
)


def test_an_unread_table_is_not_taken_for_one_that_leads_nowhere() -> None:
    image = opened(
        "nop\nadr x1, f\nldrsw x2, [x1, x0, lsl #2]\nadd x1, x1, x2\nbr x1\n1: nop\nat: ldr x0, [x0]\nret"
    )
    assert offsets(image, tables={}) == [24]


def test_a_branch_that_an_alternative_puts_there_is_a_way_in() -> None:
    image = opened(f"nop\nnop\nnop\n2: nop\nat: ldr x0, [x0]\nret\nnew: b 2b{ALTERNATIVE}")
    assert offsets(image) == [12, 16]


def test_a_jump_label_built_as_a_branch_may_fall_through() -> None:
    # What stands behind the branch is reached from it at run time, and from the end of the function.
    image = opened(f"nop\nb out\n2: nop\nat: ldr x0, [x0]\nout: ret\ncbz x1, 2b\nret{LABEL}")
    assert offsets(image) == [8, 12]
