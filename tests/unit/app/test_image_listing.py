import struct

import pytest

from builders.hyp_images import STAGE2_4_14, link_4_14, link_6_1
from builders.stage2 import stage2
from builders.variables import FOLDER
from whypanic.app.image_listing import function_facts, patched_words, table_contents
from whypanic.code.image_code import function_span
from whypanic.code.jump_tables import find_tables
from whypanic.formats.images import open_image
from whypanic.model.code import Listing
from whypanic.model.errors import InputError
from whypanic.model.image import ExecutionDomain
from whypanic.model.provenance import Origin
from whypanic.model.sections import SectionBytes

FUNCTION = "__init_stage2_translation"
ENTRIES = (0x5C, 0x34, 0x54, 0x48, 0x50)


def test_a_function_with_the_bytes_of_its_table() -> None:
    listing, domain, data = function_facts(open_image(link_4_14(stage2())), FUNCTION, None)
    assert isinstance(domain, ExecutionDomain)
    assert domain.name == "hyp"
    assert isinstance(listing, Listing)
    assert (listing.function, listing.source.origin) == (FUNCTION, Origin.IMAGE)
    assert (listing.lines[0].address, len(listing.lines)) == (STAGE2_4_14, 38)
    assert isinstance(data, SectionBytes)
    assert data.section == ".rodata"
    assert struct.unpack("<5Q", data.data) == tuple(STAGE2_4_14 + entry for entry in ENTRIES)


def test_a_function_without_a_table() -> None:
    (listing,) = function_facts(open_image(FOLDER / "variables-gcc.elf"), "read_state", None)
    assert isinstance(listing, Listing)


@pytest.mark.parametrize("name", ["nothing", "linux_banner", ""])
def test_what_is_no_function(name: str) -> None:
    image = open_image(link_4_14(stage2(), banner="Linux version 4.14.0 (a@b) (gcc) #1 SMP"))
    with pytest.raises(InputError, match="no function") as caught:
        list(function_facts(image, name, None))
    assert caught.value.path == image.name


PAN = """\
.section .hyp.text, "ax"
.type __kvm_nvhe_f, %function
__kvm_nvhe_f: nop
  ret
.size __kvm_nvhe_f, . - __kvm_nvhe_f
.Lother: msr pan, #1
.section .altinstructions, "a"
.long __kvm_nvhe_f - .
.long .Lother - .
.hword 4
.byte 4, 4
"""
NOP, MSR_PAN = 0xD503201F, 0xD500419F


def test_alternatives_are_as_the_features_say() -> None:
    image = open_image(link_6_1(PAN))
    span = function_span(image, image.value_of("__kvm_nvhe_f") or 0)
    assert span is not None
    assert patched_words(image, span, None) == {}
    assert patched_words(image, span, "0x20") == {span.first: NOP}
    assert patched_words(image, span, "0x10") == {span.first: MSR_PAN}
    listing, _ = function_facts(image, "__kvm_nvhe_f", "0x10")
    assert isinstance(listing, Listing)
    assert listing.lines[0].word == MSR_PAN


def test_relative_tables_are_given_as_they_stand() -> None:
    image = open_image(link_4_14(stage2(table="offsets")))
    span = function_span(image, STAGE2_4_14)
    assert span is not None
    assert list(table_contents(image, ())) == []
    tables = find_tables(image, span.first, span.end)
    assert [d.address for d in table_contents(image, tables)] == [t.table for t in tables]
