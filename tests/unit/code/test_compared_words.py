"""Words of memory held against an image."""

from msgspec.structs import asdict

from builders.images import assemble
from builders.patched_code import BASE, NOP, alternative, image
from whypanic.arch.cpucaps_table import expand
from whypanic.code.compared_words import compare_words
from whypanic.code.image_capabilities import CapabilityNames, Features, features_from
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.model.image import CodeComparison, WordState
from whypanic.model.provenance import Source

LIST = expand((6, 1, 192))
NAMES = CapabilityNames(LIST, "image", "6.1.192", len(LIST))
PAN, LSE = LIST.index("HAS_PAN"), LIST.index("HAS_LSE_ATOMICS")
SOURCE = Source(text="Code: made up")
SET_PAN, ADD_1, ADD_2, RET = 0xD500419F, 0x91000400, 0x91000800, 0xD65F03C0
KPROBE, KGDB, WARN = 0xD4200080, 0xD4208000, 0xD4210000
CODE = f"""
.globl do_work, alt_cb_patch_nops
.type do_work, %function
do_work:
    add x0, x0, #1
    nop
1:  b 2f
    add x0, x0, #2
2:  nop
    nop
    ret
.size do_work, . - do_work
alt_cb_patch_nops: ret
.subsection 1
10: msr pan, #1
11: add x0, x0, #1
    add x0, x0, #2
.previous
{alternative("do_work + 4", "10b", PAN, 4, 4)}
{alternative("1b", "alt_cb_patch_nops", 0x8000 | LSE, 4, 0)}
{alternative("2b", "11b", PAN, 8, 8)}
"""
B_2 = 0x14000002
BUILT = (ADD_1, NOP, B_2, ADD_2, NOP, NOP, RET)
WITH_PAN = (ADD_1, SET_PAN, B_2, ADD_2, ADD_1, ADD_2, RET)


def compared(
    words: tuple[int, ...],
    features: Features | None = None,
    *,
    img: KernelImage | None = None,
    is_early: bool | None = False,
    slide: int | None = None,
) -> CodeComparison:
    made = compare_words(
        img or image(CODE),
        BASE + 4 * (len(words) - 1),
        words,
        len(words) - 1,
        features,
        source=SOURCE,
        is_early=is_early,
        slide=slide,
    )
    assert made is not None
    return made


def states(comparison: CodeComparison) -> list[str]:
    return [word.state.value for word in comparison.words]


def cpu(text: str) -> Features:
    return features_from(text, NAMES)


def test_words_as_built() -> None:
    made = compared(BUILT, cpu("SVE"))
    assert set(states(made)) == {"built"}
    assert made.statement == "the 7 words at do_work+0x0 are those of the image"
    assert [w.address - BASE for w in made.words] == [0, 4, 8, 12, 16, 20, 24]
    assert asdict(made)["source"] == SOURCE


def test_words_as_patched_for_the_cpu() -> None:
    made = compared(WITH_PAN, cpu("HAS_PAN"))
    assert states(made) == ["built", "patched", "built", "built", "patched", "patched", "built"]
    assert made.words[1].why == "alternative ARM64_HAS_PAN"
    assert made.statement.endswith("as the kernel patches it: alternative ARM64_HAS_PAN")


def test_either_form_of_an_unknown_cpu() -> None:
    assert set(states(compared(BUILT))) == {"built"}
    assert states(compared((ADD_1, SET_PAN, NOP)))[1:] == ["patched", "patched"]


def test_an_alternative_that_was_not_applied() -> None:
    made = compared(BUILT[:3], cpu("PAN,LSE_ATOMICS"))
    assert states(made) == ["built", "unpatched", "unpatched"]
    assert (
        f"the unpatched {NOP:08x} at do_work+0x4: alternative ARM64_HAS_PAN, though the CPU has it,"
        " was not applied" in made.statement
    )
    assert "or not yet" not in made.statement
    assert "or not yet" in compared(BUILT[:3], cpu("PAN"), is_early=None).statement


def test_before_alternatives_are_applied_the_built_form_is_right() -> None:
    made = compared(BUILT, cpu("PAN,LSE_ATOMICS"), is_early=True)
    assert set(states(made)) == {"built"}
    assert made.words[1].why.endswith("not applied yet")
    # Those of the boot CPU come first.
    assert states(compared(WITH_PAN, cpu("PAN"), is_early=True))[1] == "patched"


def test_an_alternative_of_another_cpu() -> None:
    made = compared(WITH_PAN[:2], cpu("SVE"))
    assert states(made)[1] == "wrongly-patched"
    assert "though the CPU's features do not call for it" in made.statement


def test_an_alternative_applied_in_part() -> None:
    made = compared((*WITH_PAN[:5], NOP, RET), cpu("PAN"))
    assert states(made)[4:6] == ["patched", "unpatched"]
    assert "the alternative at do_work+0x10 is applied only in part" in made.statement


def test_one_bit_from_the_built_word() -> None:
    made = compared((ADD_1, NOP, B_2, ADD_2 ^ 1 << 17), cpu("SVE"))
    assert states(made) == ["built", "built", "built", "bit-flip"]
    assert made.words[3].why == f"bit 17 of {ADD_2:08x}"
    assert "is one bit from the image's" in made.statement
    assert made.statement.endswith("bit 17")


def test_one_bit_from_the_patched_word() -> None:
    made = compared((ADD_1, SET_PAN ^ 1), cpu("PAN"))
    assert made.words[1].state is WordState.BIT_FLIP
    assert made.words[1].why == f"bit 0 of {SET_PAN:08x}"


def test_several_differences_are_no_flipped_bit() -> None:
    made = compared((ADD_1 ^ 2, NOP, B_2, 0xDEADBEEF), cpu("SVE"))
    assert states(made) == ["bit-flip", "built", "built", "neither"]
    assert "one bit" not in made.statement
    assert f"deadbeef at do_work+0xc where the image has {ADD_2:08x}" in made.statement
    every = compared((1, 2, 3), cpu("SVE"))
    assert every.statement.startswith("no word there is the image's: memory holds 00000001")
    assert every.statement.endswith("and 1 more")


def test_probes_are_no_corruption() -> None:
    made = compared((KPROBE, NOP, KGDB), cpu("SVE"))
    assert states(made) == ["patched", "built", "patched"]
    assert "kprobe" in made.words[0].why
    assert states(compared((WARN,), cpu("SVE"))) == ["neither"]


def test_ftrace_and_jump_labels_are_no_corruption() -> None:
    img = image(
        'f: nop\nnop\nnop\n1: ret\n.pushsection __mcount_loc, "a"\n.quad f\n.popsection\n'
        '.pushsection __jump_table, "a"\n.word f + 8 - ., 1b - .\n.quad f - .\n.popsection\n',
        "-pie",
    )
    made = compared((0xAA1E03E9, 0x94000400, 0x14000001, RET), img=img)
    assert states(made) == ["patched", "patched", "patched", "built"]
    assert [w.why.partition(" ")[0] for w in made.words[:3]] == ["ftrace", "ftrace", "jump"]
    assert states(compared((NOP, NOP, NOP, RET), img=img)) == ["built"] * 4
    assert states(compared((NOP, NOP, 0x14000002), img=img))[2] == "neither"


def test_relocated_literals_hold_run_addresses() -> None:
    img = image("f: ldr x0, 1f\nret\n1: .quad f\n", "-pie")
    low, high = BASE & 0xFFFFFFFF, BASE >> 32
    slide = 0x1234_5670_0000
    run = BASE + slide
    code = (0x58000040, RET)
    moved = (*code, run & 0xFFFFFFFF, run >> 32)
    assert states(compared(moved, img=img, slide=slide))[2:] == ["patched", "patched"]
    assert states(compared(moved, img=img))[2:] == ["patched", "patched"]
    stuck = compared((*code, low, high), img=img, slide=slide)
    assert stuck.words[3].state is not WordState.PATCHED


def test_a_module_is_completed_when_it_is_loaded() -> None:
    img = open_image(
        assemble(
            "f: bl far\nadrp x0, far\nldr x1, [x0, :lo12:far]\nbl g\nret\ng: ret\n"
            f"{alternative('f + 16', 'g', PAN, 4, 4)}"
        )
    )
    img.kind = ImageKind.MODULE
    text = img.section(".text")
    assert text is not None
    words = (0x97FF0000, 0xB0001237, 0xF9432001, 0x94000002, RET)
    made = compare_words(img, text.address + 4, words, 1, cpu("PAN"), source=SOURCE, is_early=True)
    assert made is not None
    # The adrp has another register than the file: no relocation does that.
    assert states(made) == ["patched", "neither", "patched", "built", "built"]


def test_words_outside_the_image_are_left_out() -> None:
    img = image(CODE)
    made = compare_words(img, BASE, (0x12345678, ADD_1), 1, None, source=SOURCE)
    assert made is not None
    assert [w.address for w in made.words] == [BASE]
    assert made.statement == "the word at do_work+0x0 is that of the image"
    assert compare_words(img, 0x1000, (1, 2), 1, None, source=SOURCE) is None
    assert compare_words(img, BASE + 2, (1, 2), 1, None, source=SOURCE) is None
    assert compare_words(img, BASE, (), 0, None, source=SOURCE) is None


def test_without_the_tables_one_bit_is_no_proof() -> None:
    img = image("do_work: mrs x0, elr_el1\nret\n")
    at_el2 = (0xD53C4020, RET)
    assert states(compared(at_el2, img=img)) == ["bit-flip", "built"]
    img.kind = ImageKind.RAW
    made = compared(at_el2, img=img)
    assert states(made) == ["neither", "built"]
    assert "does not name all of its tables" in made.statement


def test_of_two_alternatives_over_a_word_the_one_of_this_cpu_is_named() -> None:
    img = image(f"""
.globl do_work
.type do_work, %function
do_work:
    add x0, x0, #1
1:  nop
    ret
.size do_work, . - do_work
.subsection 1
10: msr pan, #1
11: add x0, x0, #2
.previous
{alternative("1b", "10b", PAN, 4, 4)}
{alternative("1b", "11b", LSE, 4, 4)}
""")
    found = compared((ADD_1, NOP, RET), cpu("PAN"), img=img)
    assert "PAN, though the CPU has it, was not applied" in found.statement
    assert "LSE" not in found.statement
