from builders.images import assemble, link
from whypanic.code.image_code import (
    calls_without_return,
    cold_parts,
    data_mask,
    data_words,
    function_span,
    linked_bytes,
    linked_words,
    listing_of,
    slot_value,
)
from whypanic.code.indirect_branch import TargetOrigin, find_indirect_branches, is_whole
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import Symbol, symbol_table
from whypanic.model.provenance import Origin

CODE = """
  .text
  .globl first
  .type first, %function
  .type other_name, %function
first:
other_name:
  ldr x0, 1f
  ldr w1, 2f
  br x0
  .p2align 3
1: .quad outside
2: .word 0x12345678
  .size first, .-first
  .size other_name, .-other_name
  nop
  .type second, %function
second:
  adrp x0, outside
  ldr x0, [x0, :lo12:outside]
  bl panic
  .size second, .-second
  .type panic, %function
panic: b panic
  .size panic, .-panic
  .type second.cold, %function
second.cold: ret
  .size second.cold, .-second.cold
bare: nop
  nop
  .data
  .p2align 3
outside: .quad first
"""


def test_span_is_that_of_the_symbol() -> None:
    image = open_image(link(CODE))
    at = {s.name: s.address for s in image.symbols}
    span = function_span(image, at["first"] + 8)
    assert span is not None
    assert (span.first, span.end) == (at["first"], at["first"] + 0x1C)
    assert {span.name, *span.aliases} >= {"first", "other_name"}
    assert span.holds(at["first"] + 0x18)
    assert not span.holds(at["first"] + 0x1C)


def test_padding_data_and_places_outside_are_in_no_function() -> None:
    image = open_image(link(CODE))
    at = {s.name: s.address for s in image.symbols}
    assert function_span(image, at["first"] + 0x1C) is None
    assert function_span(image, at["outside"]) is None
    assert function_span(image, 0) is None


def test_symbol_without_a_size_ends_at_the_next_or_with_its_section() -> None:
    image = open_image(link(CODE))
    section = image.section(".text")
    assert section is not None
    bare = image.value_of("bare")
    assert bare is not None
    span = function_span(image, bare)
    assert span is not None
    assert span.end == section.end
    names = symbol_table([Symbol("a", 0x1000, 0, "other"), Symbol("b", 0x1010, 0, "other")])
    plain = KernelImage(
        name="i", kind=ImageKind.RAW, symbols=names, extents=[Extent(0x1000, memoryview(bytes(64)))]
    )
    assert function_span(plain, 0x1008) == ("a", 0x1000, 0x1010, ())
    assert function_span(plain, 0x1010) is not None
    assert function_span(plain, 0x1200) is None


def test_cold_part_is_found_by_its_name() -> None:
    image = open_image(link(CODE))
    (part,) = cold_parts(image, "second")
    assert part.first == image.value_of("second.cold")
    assert cold_parts(image, "first") == ()


def test_mapping_symbols_tell_data_from_code() -> None:
    image = open_image(link(CODE))
    first = image.value_of("first")
    assert first is not None
    assert data_words(image, first, first + 0x20).tolist() == [False] * 4 + [True] * 3 + [False]
    assert data_words(image, first + 0x14, first + 0x20).tolist() == [True, True, False]
    assert data_words(image, 0, 4).tolist() == []


def test_without_mapping_symbols_loaded_literals_are_data() -> None:
    whole = open_image(link(CODE))
    first = whole.value_of("first")
    assert first is not None
    words = whole.words(first, first + 0x20)
    assert words is not None
    bare = KernelImage(name="i", kind=ImageKind.RAW, symbols=symbol_table([]))
    # The word that pads to eight bytes is not known for data.
    assert data_mask(bare, first, words).tolist() == [False] * 4 + [True] * 3 + [False]


def test_listing_carries_addresses_and_no_word_for_data() -> None:
    image = open_image(link(CODE))
    first = image.value_of("first")
    assert first is not None
    listing = listing_of(image, first, first + 0x1C, pool=True)
    assert listing is not None
    assert listing.section == ".text"
    assert [line.address - first for line in listing.lines] == [0, 4, 8, 12, 16, 24]
    assert [line.word is None for line in listing.lines] == [False] * 4 + [True, True]
    outside = image.value_of("outside")
    assert [line.text for line in listing.lines[4:]] == [
        f".quad {outside:#018x}",
        ".word 0x12345678",
    ]
    assert all(line.source.origin is Origin.IMAGE for line in listing.lines)
    assert [line.source.address for line in listing.lines] == [
        line.address for line in listing.lines
    ]
    assert listing.lines[2].statement == f"{first + 8:x}: d61f0000 br x0"
    assert listing.lines[2].text == ""


def test_listing_serves_what_reads_listings_of_a_log() -> None:
    image = open_image(link(CODE))
    first = image.value_of("first")
    assert first is not None
    listing = listing_of(image, first, first + 0xC)
    assert listing is not None
    (branch,) = find_indirect_branches(listing)
    assert branch.origin is TargetOrigin.LITERAL
    assert is_whole(listing)
    # A pool behind the code is left out, so that a function with one is whole as well.
    trimmed = listing_of(image, first, first + 0x1C)
    assert trimmed is not None
    assert trimmed.lines[-1].address == first + 0xC


def test_listing_shows_other_words_and_texts_when_told() -> None:
    image = open_image(link(CODE))
    first = image.value_of("first")
    assert first is not None
    listing = listing_of(image, first, first + 8, words={first: 0xD503201F}, texts=True)
    assert listing is not None
    assert [line.text for line in listing.lines] == ["nop", f"ldr w1, #{first + 0x18:#x}"]
    assert listing_of(image, 0, 8) is None


def test_open_relocations_of_an_object_are_resolved_and_listed() -> None:
    image = open_image(assemble(CODE))
    at = {s.name: s.address for s in image.symbols}
    second = at["second"]
    words = linked_words(image, second, second + 12)
    assert words is not None
    assert int(words[2]) == 0x94000001
    assert len(image.relocations_within(second, second + 8)) == 2
    listing = listing_of(image, second, second + 12)
    assert listing is not None
    assert [[r.type for r in line.relocations] for line in listing.lines] == [
        ["R_AARCH64_ADR_PREL_PG_HI21"],
        ["R_AARCH64_LDST64_ABS_LO12_NC"],
        [],
    ]
    raw = linked_bytes(image, at["outside"], 8)
    assert raw == at["first"].to_bytes(8, "little")
    assert linked_bytes(image, at["outside"] + 4, 4) == bytes(4)
    assert slot_value(image, at["outside"]) == at["first"]


def test_calls_that_do_not_return_are_known_by_name() -> None:
    image = open_image(link(CODE))
    panic, first = image.value_of("panic"), image.value_of("first")
    assert panic is not None
    assert first is not None
    assert calls_without_return(image, {0: first, 4: panic, 8: 0}) == {4}
    made = open_image(assemble(".text\nf: bl __stack_chk_fail\nbl printk\nret\n"))
    start = made.value_of("f")
    assert start is not None
    assert calls_without_return(made, {start: start, start + 4: start + 4}) == {start}


def test_section_without_bytes_has_no_words() -> None:
    names = symbol_table([Symbol("a", 0x1000, 8, "function")])
    image = KernelImage(
        name="i", kind=ImageKind.VMLINUX, symbols=names,
        sections=[Section(".text", 0x1000, 0x100, executable=True, writable=False, has_bytes=False)],
    )  # fmt: skip
    assert linked_words(image, 0x1000, 0x1008) is None
    assert listing_of(image, 0x1000, 0x1008) is None
