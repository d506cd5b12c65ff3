from pathlib import Path

import pytest

from builders.el2_panics import (
    BANNER_4_14,
    BANNER_6_1,
    claims,
    explained,
    panic_4_14,
    panic_6_1,
    verdict,
)
from builders.hyp_images import STAGE2_4_14, link_4_14, link_6_1
from builders.stage2 import stage2
from whypanic.causes.el2 import line_against_opening
from whypanic.causes.image import used_image
from whypanic.formats.images import open_image

TABLE = "absolute-jump-table-at-el2"
POINTER = "absolute-pointer-at-el2"
CALL = "call-left-hyp-text"
DATA = "data-left-hyp-mappings"
PC = STAGE2_4_14 + 0x54
HYP_OFFSET = 0xFFFF000000000000
"""Hyp VA 0x8000_0800_0000 and link VA 0xffff_8000_0800_0000 differ by this."""


def test_an_entry_that_is_pc_proves_the_table() -> None:
    found = explained(panic_4_14(PC), link_4_14(stage2(), banner=BANNER_4_14))
    assert verdict(found, TABLE) == "proven"
    assert "entry [2] is PC" in claims(found, TABLE)
    assert found.assessments[0].id == TABLE
    assert verdict(found, POINTER) == "refuted"


@pytest.mark.parametrize("kaslr", [0x10000, 0x2C7E00000])
def test_kaslr_moves_pc_and_not_the_table(kaslr: int) -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    assert verdict(explained(panic_4_14(PC + kaslr, kaslr=kaslr), image), TABLE) == "proven"


def test_flags_that_no_index_leaves_prove_nothing() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    found = explained(panic_4_14(PC, ps=0xA00003C9), image)
    assert verdict(found, TABLE) == "refuted"
    # PARange 4 leaves Z and C set and leads to +0x50, not to +0x54.
    assert verdict(explained(panic_4_14(PC, ps=0x600003C9), image), TABLE) == "refuted"
    assert verdict(explained(panic_4_14(PC - 4, ps=0x600003C9), image), TABLE) == "proven"


def test_pc_that_is_no_entry_refutes_the_table() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    found = explained(panic_4_14(STAGE2_4_14 + 0x30), image)
    assert verdict(found, TABLE) == "refuted"
    assert "is none of them" in claims(found, TABLE)


def test_an_image_of_another_build_proves_nothing() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14.replace("#7", "#8"))
    found = explained(panic_4_14(PC), image)
    assert verdict(found, TABLE) in ("supported", "possible")
    assert "entry [2]" not in claims(found, TABLE)
    allowed = explained(panic_4_14(PC), image, allow_mismatch=True)
    assert verdict(allowed, TABLE) != "proven"
    assert "entry [2]" in claims(allowed, TABLE)


def test_a_table_in_hyp_reloc_is_refuted() -> None:
    name = "__kvm_nvhe_f"
    covered = "".join(f".long .Ltable + {8 * n} - .\n" for n in range(5))
    source = stage2(name=name, section=".hyp.rodata") + f'.section .hyp.reloc, "a"\n{covered}'
    image = link_6_1(source, banner=BANNER_6_1)
    pc = open_image(image).value_of(name)
    assert pc is not None
    text = panic_4_14(pc + 0x54).replace(BANNER_4_14, BANNER_6_1).replace("4.14.0 #7", "6.1.70 #3")
    found = explained(text, image)
    assert verdict(found, TABLE) == "refuted"
    assert ".hyp.reloc" in claims(found, TABLE)
    bare = link_6_1(stage2(name=name, section=".hyp.rodata"), banner=BANNER_6_1)
    assert verdict(explained(text, bare), TABLE) == "proven"


CALLER = """\
.section .hyp.text, "ax"
.globl __kvm_nvhe_handle
.type __kvm_nvhe_handle, %function
__kvm_nvhe_handle:
  stp x29, x30, [sp, #-16]!
  bl helper
  adrp x0, shared
  add x0, x0, :lo12:shared
  ldr x1, [x0]
  ldp x29, x30, [sp], #16
  ret
.size __kvm_nvhe_handle, . - __kvm_nvhe_handle
.text
.type other, %function
other:
  nop
  ret
.size other, . - other
.type helper, %function
helper:
  mov x0, #1
  ret
.size helper, . - helper
.data
.type shared, %object
shared: .quad 1
.size shared, 8
"""


def test_a_call_of_hyp_code_to_pc_proves_that_it_left() -> None:
    image = link_6_1(CALLER, banner=BANNER_6_1)
    helper = open_image(image).value_of("helper")
    assert helper is not None
    pc = helper - HYP_OFFSET & (1 << 64) - 1
    text = panic_6_1(pc, hyp_offset=HYP_OFFSET, esr=0x86000006, far=pc, place="helper+0x0/0x8")
    found = explained(text, image)
    assert verdict(found, CALL) == "proven"
    assert "in __kvm_nvhe_handle" in claims(found, CALL)


def test_kernel_code_that_no_hyp_code_calls_is_not_proven() -> None:
    image = link_6_1(CALLER, banner=BANNER_6_1)
    other = open_image(image).value_of("other")
    assert other is not None
    pc = other - HYP_OFFSET & (1 << 64) - 1
    text = panic_6_1(pc, hyp_offset=HYP_OFFSET, esr=0x86000006, far=pc, place="other+0x0/0x8")
    assert verdict(explained(text, image), CALL) == "supported"


def test_hyp_code_at_pc_refutes_that_a_call_left() -> None:
    image = link_6_1(CALLER, banner=BANNER_6_1)
    handle = open_image(image).value_of("__kvm_nvhe_handle")
    assert handle is not None
    pc = handle - HYP_OFFSET & (1 << 64) - 1
    text = panic_6_1(
        pc, hyp_offset=HYP_OFFSET, esr=0x86000006, far=pc, place="__kvm_nvhe_handle+0x0/0x1c"
    )
    assert verdict(explained(text, image), CALL) == "refuted"


def test_an_address_formed_in_hyp_code_that_is_far_proves_the_reference() -> None:
    image = link_6_1(CALLER, banner=BANNER_6_1)
    opened = open_image(image)
    handle, shared = opened.value_of("__kvm_nvhe_handle"), opened.value_of("shared")
    assert handle is not None
    assert shared is not None
    pc, far = (address - HYP_OFFSET & (1 << 64) - 1 for address in (handle + 0x10, shared))
    text = panic_6_1(
        pc, hyp_offset=HYP_OFFSET, esr=0x96000006, far=far, place="__kvm_nvhe_handle+0x10/0x1c"
    )
    found = explained(text, image)
    assert verdict(found, DATA) == "proven"
    assert "shared" in claims(found, DATA)


HOLDER = """\
.section .hyp.text, "ax"
.globl __kvm_nvhe_dispatch
.type __kvm_nvhe_dispatch, %function
__kvm_nvhe_dispatch:
  adrp x1, pointers
  add x1, x1, :lo12:pointers
  ldr x2, [x1, #8]
  blr x2
  ret
.size __kvm_nvhe_dispatch, . - __kvm_nvhe_dispatch
.type __kvm_nvhe_target, %function
__kvm_nvhe_target:
  ret
.size __kvm_nvhe_target, . - __kvm_nvhe_target
.section .hyp.rodata, "a"
.p2align 3
.type pointers, %object
pointers: .quad __kvm_nvhe_dispatch, __kvm_nvhe_target
.size pointers, 16
"""


def test_a_slot_of_hyp_data_that_nothing_converts_supports_a_pointer() -> None:
    image = link_6_1(HOLDER, banner=BANNER_6_1)
    target = open_image(image).value_of("__kvm_nvhe_target")
    assert target is not None
    text = panic_4_14(target).replace(BANNER_4_14, BANNER_6_1).replace("4.14.0 #7", "6.1.70 #3")
    found = explained(text, image)
    assert verdict(found, POINTER) == "supported"
    assert "no .hyp.reloc entry converts it" in claims(found, POINTER)
    covered = HOLDER + '.section .hyp.reloc, "a"\n.long pointers - ., pointers + 8 - .\n'
    again = explained(text, link_6_1(covered, banner=BANNER_6_1))
    assert "no .hyp.reloc entry converts it" not in claims(again, POINTER)


def test_constants_that_the_linker_marks_writable_are_constants() -> None:
    # .rodata of a kernel has the flags WA: what is written at boot only stands in it too.
    source = stage2().replace('.section .rodata, "a"', '.section .rodata, "aw"')
    found = explained(panic_4_14(PC), link_4_14(source, banner=BANNER_4_14))
    assert verdict(found, TABLE) == "proven"


def test_without_the_kaslr_offset_pc_is_nowhere() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    text = panic_4_14(PC).replace("[    0.640000] Kernel Offset: disabled\n", "")
    found = explained(text, image)
    assert verdict(found, TABLE) != "proven"
    assert "is PC" not in claims(found, TABLE)


def test_vhe_has_no_error_in_such_a_table() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    text = panic_4_14(PC).replace("Hyp mode initialized", "VHE mode initialized")
    assert verdict(explained(text, image), TABLE) == "refuted"


def test_a_switch_of_kernel_code_is_none_of_hyp_code() -> None:
    source = stage2().replace('.section .hyp.text, "ax"', '.section .text, "ax"')
    source += '.section .hyp.text, "ax"\n  .skip 64\n'
    image = link_4_14(source, banner=BANNER_4_14)
    start = open_image(image).value_of("__init_stage2_translation")
    assert start is not None
    found = explained(panic_4_14(start + 0x54), image)
    assert verdict(found, TABLE) == "refuted"
    assert "kernel code of the image" in claims(found, TABLE)


SWITCH = """\
.section .hyp.text, "ax"
.type f, %function
f:
  adrp x10, numbers
  add x10, x10, :lo12:numbers
{before}
  cmp x1, #2
  b.hi .Lend
{inside}
  ldr x11, [x10, x1, lsl #3]
  {branch}
{behind}
.Lone: mov w0, #1
.Ltwo: mov w0, #2
.Lthree: mov w0, #3
.Lend: ret
.size f, . - f
.section .rodata, "a"
.p2align 3
.type numbers, %object
numbers: .quad {entries}
.size numbers, . - numbers
"""
ONE = 0x52800020
"""mov w0, #1"""


def switch(
    *,
    entries: str = ".Lone, .Ltwo, .Lthree",
    branch: str = "br x11",
    before: str = "",
    inside: str = "",
    behind: str = "",
) -> str:
    """Return a switch on x1 with its table; entries 0 and 1 leave N, entry 2 Z and C."""
    return SWITCH.format(
        entries=entries, branch=branch, before=before, inside=inside, behind=behind
    )


def place_of(word: int, image: Path) -> int:
    """Return where the function has a word."""
    opened = open_image(image)
    (function,) = opened.symbols.find("f")
    words = opened.words(function.address, function.end)
    assert words is not None
    return STAGE2_4_14 + 4 * list(map(int, words)).index(word)


def test_a_call_through_a_table_is_no_switch() -> None:
    image = link_4_14(switch(branch="blr x11"), banner=BANNER_4_14)
    found = explained(panic_4_14(place_of(ONE, image)), image)
    assert verdict(found, TABLE) != "proven"
    assert "is PC" not in claims(found, TABLE)


def test_the_start_of_a_function_is_not_proven_to_come_from_a_table() -> None:
    image = link_4_14(switch(entries="f, .Lone, .Lthree"), banner=BANNER_4_14)
    found = explained(panic_4_14(STAGE2_4_14), image)
    assert verdict(found, TABLE) != "proven"
    assert "entry [0] is PC" in claims(found, TABLE)
    assert verdict(explained(panic_4_14(place_of(ONE, image)), image), TABLE) == "proven"


def test_of_two_tables_the_one_whose_flags_fit_counts() -> None:
    second = """\
.Lsecond:
  cmp x2, #2
  b.hi .Lend
  adrp x10, others
  add x10, x10, :lo12:others
  ldr x11, [x10, x2, lsl #3]
  br x11
"""
    source = switch(before="  cbz x3, .Lsecond", behind=second) + (
        '.section .rodata, "a"\n.type others, %object\nothers: .quad .Ltwo, .Lthree, .Lone\n'
        ".size others, 24\n"
    )
    image = link_4_14(source, banner=BANNER_4_14)
    pc = place_of(ONE, image)
    for flags in (0x800003C9, 0x600003C9):
        assert verdict(explained(panic_4_14(pc, ps=flags), image), TABLE) == "proven"
    assert verdict(explained(panic_4_14(pc, ps=0x100003C9), image), TABLE) == "refuted"


def test_flags_of_another_way_to_the_branch_refute_nothing() -> None:
    # Somebody jumps behind the compare: the flags there are not known.
    source = switch(before="  cmn x5, #1\n  b.eq .Lmiddle", inside=".Lmiddle:")
    image = link_4_14(source, banner=BANNER_4_14)
    pc = place_of(ONE, image)
    other = explained(panic_4_14(pc, ps=0x100003C9), image)
    assert "entry [0] is PC" in claims(other, TABLE)
    assert verdict(other, TABLE) != "proven"
    assert verdict(explained(panic_4_14(pc), image), TABLE) == "proven"


def test_a_branch_nobody_can_read_leaves_the_table_open() -> None:
    other = "  cbz x7, .Lover\n  ldr x12, [x6]\n  br x12\n.Lover:"
    for before, known in ((other, False), ("", True)):
        image = link_4_14(switch(before=before), banner=BANNER_4_14)
        pc = place_of(ONE, image) - 4
        assert ("is none of them" in claims(explained(panic_4_14(pc), image), TABLE)) is known


def test_what_is_not_known_to_be_the_kernels_image_refutes_nothing() -> None:
    image = link_4_14(stage2())
    bare = "\n".join(
        line
        for line in panic_4_14(PC).splitlines()
        if "Linux version" not in line and "Not tainted" not in line
    )
    found = explained(bare + "\n", image)
    assert verdict(found, POINTER) != "refuted"
    assert verdict(explained(panic_4_14(PC), link_4_14(stage2(), banner=BANNER_4_14)), POINTER) == (
        "refuted"
    )


def test_a_solved_distance_of_hyp_addresses_proves_no_call() -> None:
    image = link_6_1(CALLER, banner=BANNER_6_1)
    helper = open_image(image).value_of("helper")
    assert helper is not None
    pc = helper - HYP_OFFSET & (1 << 64) - 1
    text = panic_6_1(pc, hyp_offset=HYP_OFFSET, esr=0x86000006, far=pc, place="helper+0x0/0x8")
    text = "\n".join(line for line in text.splitlines() if "Hyp Offset" not in line) + "\n"
    found = explained(text, image)
    assert verdict(found, CALL) == "supported"


def test_an_external_abort_is_no_missing_mapping() -> None:
    image = link_6_1(CALLER, banner=BANNER_6_1)
    helper = open_image(image).value_of("helper")
    assert helper is not None
    pc = helper - HYP_OFFSET & (1 << 64) - 1
    text = panic_6_1(pc, hyp_offset=HYP_OFFSET, esr=0x86000010, far=pc, place="helper+0x0/0x8")
    assert verdict(explained(text, image), CALL) != "proven"


def test_an_address_that_another_register_held_proves_no_reference() -> None:
    # The function forms the address of `shared` too, but the access goes through its argument.
    source = CALLER.replace("  ldr x1, [x0]", "  ldr x1, [x19]")
    image = link_6_1(source, banner=BANNER_6_1)
    opened = open_image(image)
    handle, shared = opened.value_of("__kvm_nvhe_handle"), opened.value_of("shared")
    assert handle is not None
    assert shared is not None
    pc, far = (address - HYP_OFFSET & (1 << 64) - 1 for address in (handle + 0x10, shared))
    text = panic_6_1(
        pc, hyp_offset=HYP_OFFSET, esr=0x96000006, far=far, place="__kvm_nvhe_handle+0x10/0x1c"
    )
    assert verdict(explained(text, image), DATA) == "supported"
    # A write, says the syndrome; the instruction reads.
    image = link_6_1(CALLER, banner=BANNER_6_1)
    assert verdict(explained(text.replace("96000006", "96000046"), image), DATA) == "supported"


def test_an_image_that_merely_fits_comes_behind_the_words_of_the_text() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    said = f"\n$ addr2line -ife vmlinux {PC:x}\n__init_stage2_translation\narch/arm64/kvm/hyp/s2-setup.c:23\n"
    surely = explained(panic_4_14(PC) + said, image)
    entry = line_against_opening(surely.case)
    assert entry is not None
    assert entry.text.startswith("the image has PC at __init_stage2_translation+0x54")
    fits = explained(panic_4_14(PC).replace(BANNER_4_14, "booting") + said, image)
    identity = used_image(fits.case)
    assert identity is not None
    assert not identity.certain
    entry = line_against_opening(fits.case)
    assert entry is not None
    assert entry.text.startswith("addr2line puts PC on line 23")
