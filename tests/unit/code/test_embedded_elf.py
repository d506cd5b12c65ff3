import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.images import link
from whypanic.code.embedded_elf import embedded_code
from whypanic.code.execution_domains import domains_of
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import symbol_table

BASE = 0xFFFF800008BEA000
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
TEXT = (1, 6)
"""SHT_PROGBITS, SHF_ALLOC and SHF_EXECINSTR."""


def elf(
    *sections: tuple[int, int, int, int], machine: int = 183, ident: bytes = b"\x7fELF\x02\x01\x01"
) -> bytes:
    """Return an ELF file with sections of (type, flags, offset, size), its table of sections at 0x100."""
    head = HEADER.pack(
        ident.ljust(16, b"\0"), 3, machine, 1, 0, 64, 0x100, 0, 64, 56, 0, 64, len(sections), 0
    )
    table = b"".join(SECTION.pack(0, t, f, o, o, s, 0, 0, 4, 0) for t, f, o, s in sections)
    return head.ljust(0x100, b"\0") + table.ljust(0x300, b"\0")


def image(data: bytes) -> KernelImage:
    return KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table([]),
        sections=[Section(".rodata", BASE, len(data), executable=False, writable=False)],
        extents=[Extent(BASE, memoryview(data))],
    )


def code(data: bytes) -> list[tuple[int, int]] | None:
    found = embedded_code(image(data), BASE, BASE + len(data))
    return None if found is None else list(found)


def test_executable_sections_are_code() -> None:
    data = elf((1, 2, 0x80, 0x20), (*TEXT, 0x300, 0x40), (1, 7, 0x340, 0x10)) + bytes(0x100)
    # .rodata of the vDSO has all three flags: writable, so no code.
    assert code(data) == [(BASE + 0x300, BASE + 0x340)]


@pytest.mark.parametrize(
    "data",
    [
        elf((*TEXT, 0x80, 0x20), machine=40),
        elf((*TEXT, 0x80, 0x20), ident=b"\x7fELF\x01\x01\x01"),
        elf((*TEXT, 0x80, 0x10000)),
        elf((*TEXT, 1 << 63, 1 << 63)),
        elf(),
    ],
)
def test_no_code_for_this_machine(data: bytes) -> None:
    assert code(data) == []


def test_what_is_no_elf_file() -> None:
    assert code(bytes(0x400)) is None
    assert code(b"\x7fELF") is None
    assert embedded_code(image(elf()), BASE, BASE - 8) is None
    assert embedded_code(image(elf()), 0, 64) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    for whole in (data, elf((*TEXT, 0x80, 0x20))[:64] + data):
        found = code(whole) or []
        assert all(BASE <= first <= end <= BASE + len(whole) for first, end in found)


def test_domain_of_the_vdso_is_its_text_alone(tmp_path: Path) -> None:
    inner = tmp_path / "vdso.so"
    inner.write_bytes(elf((1, 2, 0x80, 0x20), (*TEXT, 0x300, 0x40)) + bytes(0x80))
    source = f'.section .rodata, "a"\n.globl vdso_start, vdso_end\nvdso_start: .incbin "{inner}"\nvdso_end:\n'
    made = open_image(link(source + ".text\nf: ret\n"))
    (domain,) = (d for d in domains_of(made) if d.name == "vdso")
    first = made.value_of("vdso_start")
    assert first is not None
    assert domain.code == ((first + 0x300, first + 0x340),)
