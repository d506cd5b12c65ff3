"""Relocations of ELF files: dynamic ones, and those of objects put into their bytes."""

import struct

import numpy as np
import pytest

from builders.elf_files import MODULE, kernel, module, with_section
from builders.images import assemble, link
from whypanic.arch.relocations import BY_NAME
from whypanic.formats.elf import ElfFile
from whypanic.formats.elf_image import image_of_elf
from whypanic.formats.elf_relocations import (
    apply_relocations,
    decode_relr,
    describe_kept,
    values_at,
)
from whypanic.formats.kernel_image import Extent, KernelImage, ObjectRelocations

BASE = 0xFFFF800008000000


def _image(data: bytes) -> KernelImage:
    return image_of_elf(memoryview(data), name="image", path=None)


def _slots(image: KernelImage) -> dict[int, int]:
    return dict(zip(image.relative.slots.tolist(), image.relative.values.tolist(), strict=True))


def _at(image: KernelImage, name: str) -> int:
    found = image.value_of(name)
    assert found is not None
    return found


@pytest.mark.parametrize("option", ["-pie", "-shared"])
def test_relative_slots_hold_link_addresses(option: str) -> None:
    options = (option, "-Bsymbolic") if option == "-shared" else (option,)
    image = _image(kernel(*options).read_bytes())
    table, first, second = (_at(image, n) for n in ("table", "first", "second"))
    assert _slots(image) == {table: first, table + 8: second + 4}
    assert image.read_u64(table) == first
    assert image.read_u64(table + 8) == second + 4
    assert image.read_u64(table + 16) == 0


def test_kernel_linked_for_one_address_has_none() -> None:
    image = _image(kernel().read_bytes())
    assert len(image.relative.slots) == 0
    assert image.read_u64(_at(image, "table")) == _at(image, "first")


def test_dynamic_relocation_with_a_symbol_stays_open() -> None:
    source = ".data\n.globl slot\nslot: .quad outside + 8\n.quad slot\n"
    image = _image(link(source, "-shared").read_bytes())
    slot = _at(image, "slot")
    opened = {r.place: r for r in image.relocations}
    assert (opened[slot].type, opened[slot].symbol) == (
        BY_NAME["R_AARCH64_ABS64"].number,
        "outside",
    )
    assert (opened[slot].addend, opened[slot].target) == (8, None)
    assert opened[slot + 8].target == slot


def test_symbol_of_a_dynamic_relocation_without_its_table_has_no_name() -> None:
    data = link(".data\nslot: .quad outside\n", "-shared").read_bytes()
    image = _image(with_section(data, ".dynsym", type=1))
    (opened,) = image.relocations
    assert (opened.symbol, opened.target) == ("", None)


RELR = """
        .data
        .globl  slots
slots:  .quad   slots, 0, target, target + 1
        .skip   63 * 8
        .quad   target + 2
target: .quad   0
        .section .relr.dyn,"a",%progbits
        .quad   slots
        .quad   (1 << 2 | 1 << 3) | 1
        .quad   (1 << 4) | 1
"""


def test_relr_table_of_a_kernel() -> None:
    image = _image(link(RELR).read_bytes())
    slots, target = _at(image, "slots"), _at(image, "target")
    assert _slots(image) == {
        slots: slots,
        slots + 16: target,
        slots + 24: target + 1,
        slots + 8 * (1 + 63 + 3): target + 2,
    }


@pytest.mark.parametrize(
    ("words", "slots"),
    [
        ([], []),
        ([0x1000], [0x1000]),
        ([0x1000, 0x2000], [0x1000, 0x2000]),
        ([0x1000, 1], [0x1000]),
        ([0x1000, 3], [0x1000, 0x1008]),
        ([0x1000, 1 << 63 | 1], [0x1000, 0x1000 + 8 * 63]),
        ([0x1000, 1, 3], [0x1000, 0x1008 + 8 * 63]),
        ([0x1000, 3, 0x8000, 5], [0x1000, 0x8000, 0x1008, 0x8010]),
    ],
)
def test_words_of_relr(words: list[int], slots: list[int]) -> None:
    found = decode_relr(np.array(words, np.uint64))
    assert found is not None
    assert found.tolist() == slots


def test_relr_that_begins_with_a_bitmap_or_is_huge_is_damaged() -> None:
    assert decode_relr(np.array([3, 0x1000], np.uint64)) is None
    full = np.full(1 << 17, (1 << 64) - 1, np.uint64)
    full[0] = 0x1000
    assert decode_relr(full) is None


def test_values_lie_in_one_extent_or_are_not_there() -> None:
    extents = [Extent(0x1000, memoryview(bytes(range(16)))), Extent(0x1010, memoryview(b"tiny"))]
    places = np.array([0x1000, 0x1003, 0x1009, 0xFFF, 0x1010, 0x5000], np.uint64)
    values, there = values_at(extents, places)
    assert there.tolist() == [True, True, False, False, False, False]
    assert values[:2].tolist() == [0x0706050403020100, 0x0A09080706050403]


# Objects


def _word(image: KernelImage, offset: int) -> int:
    text = image.section(".text")
    assert text is not None
    data = image.read(text.address + offset, 4)
    assert data is not None
    return int(struct.unpack("<I", data)[0])


def test_object_bytes_lead_to_where_sections_were_put() -> None:
    image = _image(module().read_bytes())
    helper, state = _at(image, "helper"), _at(image, "state")
    start = _at(image, "init_module")
    page = (state >> 12) - (start >> 12)
    assert _word(image, 0) == 0x90000000 | (page & 3) << 29 | (page >> 2) << 5
    assert _word(image, 4) == 0x91000000 | (state & 0xFFF) << 10
    assert _word(image, 8) == 0xF9400001 | (state & 0xFFF) >> 3 << 10
    assert _word(image, 12) == 0x94000000, "the callee is undefined"
    assert _word(image, 16) == 0x94000000 | helper - start - 16 >> 2
    assert _word(image, 20) == 0xB4000000 | (helper - start - 20 >> 2) << 5
    assert _word(image, 24) == 0x36180000 | (helper - start - 24 >> 2) << 5
    assert _word(image, 28) == 0x54000000 | (helper - start - 28 >> 2) << 5
    assert _word(image, 32) == 0x14000000 | helper - start - 32 >> 2
    offset = helper - start - 36
    assert _word(image, 36) == 0x10000002 | (offset & 3) << 29 | (offset >> 2) << 5
    assert _word(image, 40) == 0xD2A00003 | (state >> 16) << 5
    assert _word(image, 44) == 0xF2800003 | (state & 0xFFFF) << 5
    assert image.missing == ()


def test_object_data_leads_to_where_sections_were_put() -> None:
    image = _image(module().read_bytes())
    helper, state = _at(image, "helper"), _at(image, "state")
    assert image.read_u64(state) == helper
    assert image.read_u64(state + 8) == 0, "undefined"
    data = image.read(state + 16, 4)
    assert data is not None
    assert int.from_bytes(data, "little", signed=True) == helper - state - 16


def test_relocations_of_an_object_are_listed() -> None:
    image = _image(module().read_bytes())
    state, helper, start = (_at(image, n) for n in ("state", "helper", "init_module"))
    assert isinstance(image.relocations, ObjectRelocations)
    assert [
        (r.type, r.symbol, r.addend, r.target) for r in image.relocations.within(state, state + 24)
    ] == [
        (257, ".text.unlikely", 0, helper),
        (257, "printk", 16, None),
        (261, ".text.unlikely", 0, helper),
    ]
    call = next(r for r in image.relocations if r.place == start + 12)
    assert (call.type, call.symbol, call.target) == (283, "printk", None)
    assert len(image.relocations[:3]) == 3
    assert image.relocations[-1].place >= image.relocations[0].place


def test_relocation_that_does_not_fit_leaves_the_bytes() -> None:
    source = MODULE.replace("ldr     x1, [x0, :lo12:state]", "ldr     x1, [x0, :lo12:state+4]")
    image = _image(assemble(source).read_bytes())
    assert _word(image, 8) == 0xF9400001
    assert image.missing == ("relocations left open in the bytes: 1 R_AARCH64_LDST64_ABS_LO12_NC",)


def test_relocations_of_another_form_or_place_are_left_out() -> None:
    data = module().read_bytes()
    image = _image(with_section(data, ".rela.data", type=9))
    assert "relocations without addends are not read" in image.missing[0]
    image = _image(with_section(data, ".data", size=8, type=1))
    assert [
        r.place - _at(image, "state") for r in image.relocations if r.place >= _at(image, "state")
    ] == [0]
    image = _image(with_section(data, ".rela.data", info=0xFFFF))
    assert image.read_u64(_at(image, "state")) == 0


def test_unknown_types_and_places_at_the_end_are_counted() -> None:
    relocations = ObjectRelocations(
        places=np.array([0x1000, 0x1004, 0x1006], np.uint64),
        types=np.array([9999, 257, 283], np.uint32),
        addends=np.zeros(3, np.int64),
        targets=np.array([0x1000, 0x1000, 0x1000], np.uint64),
        is_defined=np.ones(3, np.bool_),
        symbols=np.zeros(3, np.int64),
        name_of=str,
    )
    octets = np.zeros(8, np.uint8)
    kept = apply_relocations(octets, np.array([0, 4, 6]), np.array([8, 4, 2]), relocations)
    assert kept == {9999: 1, 257: 1, 283: 1}
    assert not octets.any()
    assert describe_kept(kept) == (
        "relocations left open in the bytes: 1 R_AARCH64_ABS64, 1 R_AARCH64_CALL26, 1 9999"
    )
    assert describe_kept({}) is None


def test_headers_that_share_one_table_do_not_multiply_it() -> None:
    data = bytearray(module().read_bytes())
    elf = ElfFile(memoryview(bytes(data)), "object")
    tables = [s for s in elf.sections if s.type == 4]
    most = max(tables, key=lambda s: s.size)
    changed = bytes(data)
    for table in tables:
        changed = with_section(
            changed, table.number, offset=most.offset, size=len(data) - most.offset
        )
    image = _image(changed)
    assert len(image.relocations) <= len(data) // 24
