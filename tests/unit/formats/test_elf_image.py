"""Images of ELF files: what lies where, and what is missing."""

from itertools import pairwise

import pytest

from builders.elf_files import (
    KERNEL,
    header,
    kernel,
    module,
    section_number,
    with_header,
    with_section,
    with_segment,
)
from builders.images import assemble, link
from whypanic.formats.elf import ElfFile
from whypanic.formats.elf_image import has_debug_info, image_of_elf
from whypanic.formats.kernel_image import OBJECT_BASE, ImageKind, KernelImage
from whypanic.model.errors import InputError

BASE = 0xFFFF800008000000


def _image(data: bytes, name: str = "image") -> KernelImage:
    return image_of_elf(memoryview(data), name=name, path=None)


def test_kernel() -> None:
    path = kernel("-pie")
    image = image_of_elf(memoryview(path.read_bytes()), name="vmlinux", path=path)
    assert (image.kind, image.name, image.path, image.module) == (
        ImageKind.VMLINUX,
        "vmlinux",
        path,
        None,
    )
    assert image.build_id == "ab" * 20
    assert image.base == BASE
    assert image.has_debug_info
    assert image.missing == ()
    text, bss = image.section(".text"), image.section(".bss")
    assert text is not None
    assert bss is not None
    assert (text.executable, bss.has_bytes, bss.writable) == (True, False, True)
    assert image.section(".debug_info") is None
    assert image.read(bss.address, 4) is None
    words = image.words(BASE + 8, BASE + 16)
    assert words is not None
    assert words.tolist() == [0x94000002, 0xD65F03C0]


def test_bytes_between_sections_of_a_segment_are_there() -> None:
    image = _image(kernel().read_bytes())
    assert len(image.extents) == 1
    assert image.extents[0].address == BASE


def test_sections_that_contradict_their_segment_count_for_themselves() -> None:
    data = kernel().read_bytes()
    image = _image(with_segment(data, 0, offset=0))
    assert len(image.extents) > 1
    assert image.read(BASE + 12, 4) == b"\xc0\x03\x5f\xd6"


def test_file_of_debug_information_alone_has_no_code() -> None:
    data = kernel().read_bytes()
    for name in (".text", ".hyp.text", ".rodata", ".data"):
        data = with_section(data, name, type=8)
    image = _image(with_segment(data, 0, offset=64))
    assert "no code: the file has no bytes of executable sections" in image.missing
    assert image.read(BASE, 4) is None
    assert image.value_of("first") == BASE
    assert image.has_debug_info


def test_stripped_kernel_says_so() -> None:
    image = _image(with_section(kernel().read_bytes(), ".symtab", type=1))
    assert image.missing == ("no symbol table: it was stripped",)
    assert image.read(BASE + 12, 4) == b"\xc0\x03\x5f\xd6"


def test_kernel_without_section_headers_has_its_segments() -> None:
    image = _image(with_header(kernel().read_bytes(), shoff=0, shnum=0))
    assert [s.name for s in image.sections] == ["segment 0"]
    assert image.read(BASE + 12, 4) == b"\xc0\x03\x5f\xd6"
    assert image.build_id == "ab" * 20
    assert image.missing == (
        "no section headers",
        "no symbol table: it was stripped",
        "no debug information: lines and variables are not known",
    )


def test_kernel_cut_off_inside_its_data() -> None:
    data = kernel().read_bytes()
    offset = next(s.offset for s in ElfFile(memoryview(data), "x").segments)
    image = _image(data[: offset + 16])
    assert image.read(BASE + 12, 4) == b"\xc0\x03\x5f\xd6"
    assert image.read(BASE + 16, 4) is None
    assert any("cut off" in clause for clause in image.missing)


def test_sections_outside_the_loaded_segments_are_no_part_of_the_image() -> None:
    image = _image(with_section(kernel().read_bytes(), ".hyp.text", address=0))
    assert image.base == BASE
    assert image.section(".hyp.text") is None


def test_overlapping_sections_give_each_byte_once() -> None:
    data = with_segment(kernel().read_bytes(), 0, type=0)
    image = _image(with_section(data, ".hyp.text", address=BASE + 4))
    ends = [(e.address, e.end) for e in image.extents]
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))
    assert "sections overlap: the bytes of the lower one count" in image.missing


def test_addresses_at_the_end_of_the_address_space() -> None:
    data = with_segment(kernel().read_bytes(), 0, vaddr=(1 << 64) - 16)
    image = _image(with_section(data, ".data", address=(1 << 64) - 4))
    assert "a section reaches beyond the end of the address space" in image.missing


def test_program_of_user_space_is_refused() -> None:
    data = with_segment(kernel().read_bytes(), 1, type=3)
    with pytest.raises(InputError, match=r"^image is a program of user space, not a kernel$"):
        _image(data)


def test_module() -> None:
    image = _image(module().read_bytes())
    assert (image.kind, image.module, image.base) == (ImageKind.MODULE, "frob_nic", OBJECT_BASE)
    assert image.build_id == "1122334455667788"
    assert image.banner is None
    assert not image.has_debug_info
    bss, state = image.section(".bss"), image.symbols.find("state")[0]
    assert bss is not None
    assert bss.address % 64 == 0
    assert (state.address % 8, state.size, state.kind) == (0, 24, "object")
    places = [(s.address, s.end) for s in image.sections]
    assert all(end <= start for (_, end), (start, _) in pairwise(places))


def test_object_that_is_no_module() -> None:
    image = _image(assemble(".text\nf: ret\n.type f, %function\n").read_bytes())
    assert (image.kind, image.module) == (ImageKind.OBJECT, None)
    assert image.value_of("f") == OBJECT_BASE


def test_module_of_debug_information_alone_is_named_by_its_file() -> None:
    data = module().read_bytes()
    for name in (".modinfo", ".gnu.linkonce.this_module", ".text", ".text.unlikely"):
        data = with_section(data, name, type=8)
    image = _image(data, "/lib/frob-nic.ko.debug")
    assert (image.kind, image.module) == (ImageKind.MODULE, "frob_nic")
    assert "no code: the file has no bytes of executable sections" in image.missing


def test_sections_of_a_module_lie_alike_in_its_file_of_debug_information() -> None:
    data = module().read_bytes()
    places = {s.name: s.address for s in _image(data).sections}
    changed = with_section(with_section(data, ".text", type=8), ".data", type=8)
    assert {s.name: s.address for s in _image(changed).sections} == places


@pytest.mark.parametrize(
    ("fields", "clause"),
    [
        ({"size": 1 << 40}, ".data: claims 0x10000000000 bytes"),
        ({"size": (1 << 64) - 1, "type": 8}, ".data: claims 0xffffffffffffffff bytes"),
        ({"alignment": 3}, ".data: is aligned to 0x3"),
        ({"alignment": 1 << 63}, ".data: is aligned to 0x8000000000000000"),
        ({"offset": 1 << 63}, ".data: claims 0x18 bytes"),
    ],
)
def test_section_of_an_object_that_lies(fields: dict[str, int], clause: str) -> None:
    image = _image(with_section(module().read_bytes(), ".data", **fields))
    assert clause in image.missing
    assert image.value_of("init_module") == OBJECT_BASE


def test_sections_of_an_object_that_share_their_bytes_are_refused() -> None:
    data = module().read_bytes()
    for name in (".text", ".data", ".modinfo", ".gnu.linkonce.this_module"):
        data = with_section(data, name, offset=0, size=len(data) // 2)
    with pytest.raises(InputError, match="its sections claim"):
        _image(data)


def test_debug_information_needs_bytes() -> None:
    def has(data: bytes) -> bool:
        return has_debug_info(ElfFile(memoryview(data), "x"))

    data = kernel().read_bytes()
    assert has(data)
    assert not has(with_section(data, ".debug_info", type=8))
    assert not has(with_section(data, ".debug_info", size=0))
    source = KERNEL.replace(".debug_info", ".zdebug_info")
    assert has(link(source).read_bytes())


def test_sections_that_lead_in_circles() -> None:
    data = module().read_bytes()
    symtab, strtab = section_number(data, ".symtab"), section_number(data, ".strtab")
    for number in range(header(data, "shnum")):
        data = with_section(data, number, link=symtab, info=strtab)
    image = _image(data)
    assert image.kind is ImageKind.MODULE
