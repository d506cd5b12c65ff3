"""Headers, sections and segments of ELF files, and numbers that lie."""

import struct
import zlib

import pytest
import zstandard

from builders.elf_files import kernel, module, section_number, with_header, with_section
from whypanic.formats.elf import ElfFile, relocation_name
from whypanic.model.errors import InputError


def _elf(data: bytes) -> ElfFile:
    return ElfFile(memoryview(data), "vmlinux")


def _rejection(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        _elf(data)
    assert caught.value.path == "vmlinux"
    return caught.value.message


def test_sections_and_segments_are_those_of_the_file() -> None:
    elf = _elf(kernel().read_bytes())
    text = elf.section(".text")
    assert text is not None
    assert (text.address, text.is_executable, text.is_writable, text.has_bytes) == (
        0xFFFF800008000000,
        True,
        False,
        True,
    )
    bss = elf.section(".bss")
    assert bss is not None
    assert (bss.has_bytes, bss.size, len(elf.bytes_of(bss))) == (False, 64, 0)
    assert [s.type for s in elf.segments] == ["PT_LOAD", "PT_NOTE"]
    assert elf.missing == ()


def test_type_of_the_file() -> None:
    assert _elf(kernel().read_bytes()).type == "ET_EXEC"
    assert _elf(module().read_bytes()).type == "ET_REL"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"class": 1}, "vmlinux is an ELF file of 32 bits, not of arm64"),
        ({"encoding": 2}, "vmlinux is a big-endian ELF file: only little-endian kernels are read"),
        (
            {"machine": 62},
            "vmlinux is an ELF file of machine EM_X86_64, not of arm64 (EM_AARCH64)",
        ),
        ({"machine": 0xBEEF}, "vmlinux is an ELF file of machine 48879, not of arm64 (EM_AARCH64)"),
        ({"type": 4}, "vmlinux is a core dump, not an image"),
        ({"type": 0x1234}, "vmlinux is an ELF file of type 4660, neither an image nor an object"),
    ],
    ids=str,
)
def test_files_of_another_kind_are_named(fields: dict[str, int], message: str) -> None:
    assert _rejection(with_header(kernel().read_bytes(), **fields)) == message


def test_no_elf_and_half_a_header() -> None:
    assert _rejection(b"hello") == "vmlinux is not an ELF file"
    assert (
        _rejection(kernel().read_bytes()[:40])
        == "vmlinux is an ELF file that ends inside its header"
    )


def test_file_cut_off_goes_on_with_its_segments() -> None:
    data = kernel().read_bytes()
    elf = _elf(data[: len(data) - 2000])
    assert elf.sections == []
    assert [s.type for s in elf.segments] == ["PT_LOAD", "PT_NOTE"]
    assert elf.missing == ("the section headers lie behind the end of the file: it is cut off",)


def test_file_cut_off_with_neither_table_is_rejected() -> None:
    assert (
        _rejection(module().read_bytes()[:200])
        == "vmlinux has no section or segment that can be read"
    )


def test_more_section_headers_than_the_file_has() -> None:
    elf = _elf(with_header(kernel().read_bytes(), shnum=0xFF00))
    assert elf.section(".text") is not None
    assert any("of 65280 section headers only" in clause for clause in elf.missing)


def test_section_count_in_the_first_section() -> None:
    data = kernel().read_bytes()
    count = len(_elf(data).sections)
    assert len(_elf(with_section(with_header(data, shnum=0), 0, size=count)).sections) == count


def test_section_names_by_the_first_section() -> None:
    data = kernel().read_bytes()
    names = section_number(data, ".shstrtab")
    elf = _elf(with_section(with_header(data, shstrndx=0xFFFF), 0, link=names))
    assert elf.section(".text") is not None


def test_sections_without_names() -> None:
    elf = _elf(with_header(kernel().read_bytes(), shstrndx=0))
    assert elf.section(".text") is None
    assert elf.missing == ("sections have no names",)


def test_section_behind_the_end_is_cut() -> None:
    elf = _elf(with_section(kernel().read_bytes(), ".data", size=1 << 40))
    data = elf.section(".data")
    assert data is not None
    assert 0 < len(elf.bytes_of(data)) < len(elf.data)
    assert elf.missing == ("sections reach beyond the end of the file: it is cut off",)


def test_section_at_an_offset_beyond_all_bounds_is_empty() -> None:
    elf = _elf(with_section(kernel().read_bytes(), ".data", offset=(1 << 64) - 8))
    data = elf.section(".data")
    assert data is not None
    assert bytes(elf.bytes_of(data)) == b""


def _packed(kind: int, size: int, payload: bytes) -> tuple[ElfFile, bytes]:
    """Return a file whose .debug_info is one compressed section, appended to it."""
    data = kernel().read_bytes()
    chdr = struct.pack("<IIQQ", kind, 0, size, 1) + payload
    return _elf(
        with_section(data + chdr, ".debug_info", flags=0x800, offset=len(data), size=len(chdr))
    ), chdr


@pytest.mark.parametrize(
    ("kind", "payload"),
    [(1, zlib.compress(b"x" * 5000)), (2, zstandard.compress(b"x" * 5000))],
    ids=["zlib", "zstd"],
)
def test_compressed_section_is_unpacked(kind: int, payload: bytes) -> None:
    elf, _ = _packed(kind, 5000, payload)
    section = elf.section(".debug_info")
    assert section is not None
    contents = elf.contents(section)
    assert contents is not None
    assert bytes(contents) == b"x" * 5000


@pytest.mark.parametrize(
    ("kind", "size", "payload", "clause"),
    [
        (
            1,
            1 << 44,
            zlib.compress(b"x" * 5000),
            ".debug_info claims 0x100000000000 bytes when unpacked",
        ),
        (1, 4999, zlib.compress(b"x" * 5000), ".debug_info cannot be unpacked"),
        (1, 5001, zlib.compress(b"x" * 5000), ".debug_info cannot be unpacked"),
        (2, 4999, zstandard.compress(b"x" * 5000), ".debug_info cannot be unpacked"),
        (1, 5000, b"garbage", ".debug_info cannot be unpacked"),
        (2, 5000, b"garbage", ".debug_info cannot be unpacked"),
        (77, 5000, b"garbage", ".debug_info cannot be unpacked"),
    ],
)
def test_compressed_section_that_lies(kind: int, size: int, payload: bytes, clause: str) -> None:
    elf, _ = _packed(kind, size, payload)
    section = elf.section(".debug_info")
    assert section is not None
    assert elf.contents(section) is None
    assert elf.missing == (clause,)


def test_names_of_relocations() -> None:
    assert relocation_name(283) == "R_AARCH64_CALL26"
    assert relocation_name(9999) == "9999"


def test_clauses_are_few_short_and_printable() -> None:
    elf = _elf(kernel().read_bytes())
    elf.note_missing(".na\nme\x1b[0m: lacks " + "x" * 1000)
    for i in range(100):
        elf.note_missing(f"section {i}")
    assert elf.missing[0].startswith(".na?me?[0m: lacks xxx")
    assert len(elf.missing[0]) == 200
    assert len(elf.missing) == 32
