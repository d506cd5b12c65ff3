from builders.images import link
from whypanic.code.hyp_relocations import hyp_relocations
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage
from whypanic.formats.symbol_table import symbol_table

CODE = """
  .section .hyp.text,"ax"
a: nop
b: ret
  .section .hyp.rodata,"a"
  .p2align 3
one: .quad a
two: .quad b
three: .quad a
  .section .hyp.reloc,"a"
begin:
  .word one - .
  .word three - .
end:
  .data
  .p2align 3
other: .quad b
"""


def test_entries_are_distances_from_their_own_places() -> None:
    image = open_image(link(CODE, "-pie"))
    found = hyp_relocations(image)
    one, three = image.value_of("one"), image.value_of("three")
    assert found is not None
    assert one is not None
    assert three is not None
    assert found.slots.tolist() == [one, three]
    assert not found.recovered
    assert [found.covers(one), found.covers(one + 8), found.covers(three)] == [True, False, True]
    assert found.count_in(one, three) == 1


def test_kernel_without_the_section_lists_nothing() -> None:
    old = CODE[: CODE.index("  .section .hyp.reloc")] + CODE[CODE.index("  .data") :]
    image = open_image(link(old, "-pie"))
    assert hyp_relocations(image) is None


def joined(image: KernelImage) -> Extent:
    """Return all bytes as a raw Image has them: one behind the other at their addresses."""
    first, end = image.extents[0].address, image.extents[-1].end
    data = bytearray(end - first)
    for extent in image.extents:
        data[extent.address - first : extent.end - first] = extent.data
    return Extent(first, memoryview(bytes(data)))


def without_names(source: str) -> KernelImage:
    whole = open_image(link(source, "-pie"))
    return KernelImage(
        name="Image",
        kind=ImageKind.RAW,
        symbols=symbol_table([]),
        extents=[joined(whole)],
        relative=whole.relative,
    )


def test_list_is_recovered_where_nothing_names_it() -> None:
    whole = hyp_relocations(open_image(link(CODE, "-pie")))
    found = hyp_relocations(without_names(CODE))
    assert whole is not None
    assert found is not None
    assert found.recovered
    assert found.slots.tolist() == whole.slots.tolist()


def test_words_that_lead_to_no_slot_are_not_taken_for_entries() -> None:
    source = CODE.replace("  .word one - .\n  .word three - .\n", "  .word 5\n  .word 6\n")
    assert hyp_relocations(without_names(source)) is None
