"""Build ids, banners and names of modules."""

import struct

import pytest

from builders.elf_files import KERNEL, MODULE, kernel, module, with_section, with_segment
from builders.images import assemble, link
from whypanic.formats.build_notes import build_id, linux_banner, module_name, notes
from whypanic.formats.elf import ElfFile
from whypanic.formats.elf_image import image_of_elf
from whypanic.formats.kernel_image import KernelImage

BANNER = "Linux version 6.9.0-test (a@b) (gcc 12) #1 SMP"


def _elf(data: bytes) -> ElfFile:
    return ElfFile(memoryview(data), "image")


def _image(data: bytes) -> KernelImage:
    return image_of_elf(memoryview(data), name="image", path=None)


def _note(name: bytes, kind: int, description: bytes) -> bytes:
    padded = name + b"\0" * (-len(name) % 4)
    return struct.pack("<III", len(name), len(description), kind) + padded + description


def test_notes_are_read_until_one_does_not_fit() -> None:
    data = _note(b"GNU\0", 3, b"abcd") + _note(b"Linux\0", 256, b"")
    found = [tuple(note) for note in notes(memoryview(data))]
    assert found == [(b"GNU", 3, b"abcd"), (b"Linux", 256, b"")]
    for cut in range(1, len(data)):
        assert len(list(notes(memoryview(data[:cut])))) <= 2
    assert list(notes(memoryview(_note(b"GNU\0", 3, b"abcd")[:-1]))) == []


def test_notes_with_sizes_beyond_all_bounds_end_the_list() -> None:
    for sizes in ((0xFFFFFFFF, 4), (4, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF)):
        data = struct.pack("<III", *sizes, 3) + b"GNU\0" + bytes(64)
        assert list(notes(memoryview(data))) == []


def test_notes_without_end_are_bounded() -> None:
    assert len(list(notes(memoryview(bytes(1 << 16))))) == 256


def test_build_id_by_section_by_segment_and_none() -> None:
    data = kernel().read_bytes()
    assert build_id(_elf(data)) == "ab" * 20
    by_segment = with_section(data, ".note.gnu.build-id", type=1, name=0)
    assert build_id(_elf(by_segment)) == "ab" * 20
    assert build_id(_elf(with_segment(by_segment, 1, type=0))) is None


def test_build_id_in_the_notes_of_a_kernel() -> None:
    source = (
        KERNEL
        + _asm_note(".notes", "Linux", "256", "1")
        + _asm_note(".notes", "GNU", "3", "0x0102")
    )
    data = link(source, "--build-id=none").read_bytes()
    assert build_id(_elf(data)) == "0201"


def _asm_note(section: str, name: str, kind: str, value: str) -> str:
    return f"""
        .section {section},"a",%note
        .word {len(name) + 1}, 2, {kind}
        .asciz "{name}"
        .balign 4
        .hword {value}
        .balign 4
    """


def test_build_id_of_a_module() -> None:
    assert build_id(_elf(module().read_bytes())) == "1122334455667788"


def test_banner_at_its_symbol() -> None:
    assert _image(kernel().read_bytes()).banner == BANNER


def test_banner_by_search_when_stripped() -> None:
    data = kernel().read_bytes()
    image = _image(with_section(data, ".symtab", type=1))
    assert image.banner == BANNER


def test_banner_with_nothing_behind_its_symbol_is_searched() -> None:
    source = KERNEL.replace(
        '"Linux version 6.9.0-test', '"%s version %s"\n.asciz "Linux version 6.8.0'
    )
    assert _image(link(source).read_bytes()).banner == "Linux version 6.8.0 (a@b) (gcc 12) #1 SMP"


def test_of_two_banners_without_a_symbol_that_with_a_number_counts() -> None:
    early = '"Linux version 6.9.0-test (a@b) (gcc 12) # SMP\\n"'
    source = KERNEL.replace(
        '"Linux version 6.9.0-test',
        f'"%s version %s"\n.asciz {early}\n.asciz "Linux version 6.9.0-test',
        1,
    )
    assert _image(link(source).read_bytes()).banner == BANNER


def test_no_banner() -> None:
    image = _image(link(KERNEL.replace("Linux version", "Plan version")).read_bytes())
    assert linux_banner(image) is None


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("", "", "frob_nic"),
        ("name=frob_nic", "name=frob-nic", "frob_nic"),
        ("name=frob_nic", "alias=x", "frob_nic"),
        ("vermagic=", "x.vermagic=", "frob_nic"),
    ],
)
def test_name_of_a_module(old: str, new: str, name: str) -> None:
    assert module_name(_elf(assemble(MODULE.replace(old, new)).read_bytes())) == name


def test_built_in_object_is_no_module() -> None:
    source = MODULE.replace("vermagic=", "frob.vermagic=").replace(
        ".gnu.linkonce.this", ".data.other"
    )
    assert module_name(_elf(assemble(source).read_bytes())) is None
