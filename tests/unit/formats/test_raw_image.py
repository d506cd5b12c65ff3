"""Raw kernels made byte by byte, and one made by the linker and objcopy."""

import gzip
import lzma
import struct
import subprocess
from pathlib import Path

import pytest
import zstandard

from builders.images import PREFIX, link
from builders.kallsyms import Entry, Era, encode
from builders.raw_images import (
    BANNER,
    BUILD_ID,
    DATA,
    HYP_RELOC,
    RODATA,
    SLOTS,
    TEXT,
    VDSO_ID,
    RawImage,
    note,
    raw_image,
)
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.raw_image import open_raw_image, unwrap
from whypanic.model.errors import InputError


def opened(image: RawImage | bytes, name: str = "Image") -> KernelImage:
    return open_raw_image(
        memoryview(image.data if isinstance(image, RawImage) else image), name=name
    )


def zboot(payload: bytes, word: str = "gzip", *, size: int | None = None) -> bytes:
    head = struct.pack(
        "<2sH4sII8x32s", b"MZ", 0, b"zimg", 0x200, size or len(payload), word.encode()
    )
    return head.ljust(0x200, b"\0") + payload + bytes(64)


@pytest.mark.parametrize("era", list(Era))
@pytest.mark.parametrize("packed_slots", [False, True])
def test_relocatable_kernel_of_every_era(era: Era, packed_slots: bool) -> None:
    built = raw_image(era, packed_slots=packed_slots)
    image = opened(built)
    assert image.kind is ImageKind.RAW
    assert image.base == built.base
    assert [(s.address, s.name) for s in image.symbols] == [
        (s.address, s.name) for s in built.symbols
    ]
    assert image.relative.slots.tolist() == sorted(built.slots)
    assert {image.read_u64(slot) for slot in built.slots} == set(built.values)
    assert image.banner == BANNER
    assert image.build_id == BUILD_ID
    assert image.missing == ("no debug information: a raw Image has none",)


def test_sections_from_names() -> None:
    image = opened(raw_image())
    base = image.base
    found = [
        (s.name, s.address - base, s.executable, s.writable, s.has_bytes) for s in image.sections
    ]
    words = HYP_RELOC + 16
    assert found == [
        (".head.text", 0, True, False, True),
        (".text", TEXT, True, False, True),
        (".hyp.text", TEXT + 0x800, True, False, True),
        (".text", TEXT + 0xC00, True, False, True),
        (".rodata", RODATA, False, False, True),
        (".notes", RODATA + 0x2000, False, False, True),
        (".rodata", RODATA + 0x2024, False, False, True),
        (".data", DATA, False, True, True),
        (".hyp.reloc", HYP_RELOC, False, False, True),
        (".data", HYP_RELOC + 12, False, True, True),
        (".rela.dyn", words, False, False, True),
        (".data", words + 24 * (len(SLOTS) + 1), False, True, True),
        (".bss", DATA + 0x2000, False, True, False),
    ]
    hyp = image.section(".hyp.reloc")
    assert hyp is not None
    assert hyp.size == 12
    assert image.section_at(base + TEXT + 0x900) == image.sections[2]


def test_names_of_code_only() -> None:
    image = opened(raw_image(all_names=False))
    assert image.banner == BANNER
    assert image.build_id == BUILD_ID
    assert [s.name for s in image.sections if s.executable] == [
        ".head.text",
        ".text",
        ".hyp.text",
        ".text",
    ]
    assert image.base == raw_image().base


@pytest.mark.parametrize(
    ("text_offset", "base"), [(0x80000, 0xFFFF_0000_0808_0000), (0, 0xFFFF_8000_1000_0000)]
)
@pytest.mark.parametrize("relocatable", [False, True])
@pytest.mark.parametrize("all_names", [False, True])
def test_link_base(text_offset: int, base: int, relocatable: bool, all_names: bool) -> None:
    built = raw_image(
        Era.BEFORE,
        base=base,
        text_offset=text_offset,
        relocatable=relocatable,
        all_names=all_names,
    )
    image = opened(built)
    assert image.extents[0].address == base
    assert [s.address for s in image.symbols] == [s.address for s in built.symbols]


def test_fixed_kernel_without_names_has_no_base() -> None:
    image = opened(raw_image(relocatable=False, names=False))
    assert image.extents[0].address == 0
    assert image.banner == BANNER
    assert image.build_id == BUILD_ID
    assert not len(image.symbols)
    assert [m.partition(":")[0] for m in image.missing] == [
        "no debug information",
        "no relocations",
        "no names",
        "no link base",
        "no sections but those of the header",
    ]


def test_fixed_kernel_whose_names_count_from_themselves() -> None:
    built = raw_image(Era.PLACE, relocatable=False)
    image = opened(built)
    assert [s.address + built.base for s in image.symbols] == [s.address for s in built.symbols]
    assert "no link base: addresses count from the first byte of the image" in image.missing


@pytest.mark.parametrize("form", ["gzip", "zstd", "xz", "lzma", "zboot", "zboot lzma", "twice"])
def test_wrapped(form: str) -> None:
    built = raw_image()
    inner = built.data + bytes(0x3000)  # zboot pads to the size in memory
    packed = {
        "gzip": lambda: gzip.compress(built.data) + b"\xd0\x0d\xfe\xed device tree",
        "zstd": lambda: zstandard.compress(built.data) + struct.pack("<I", len(built.data)),
        "xz": lambda: lzma.compress(built.data),
        "lzma": lambda: lzma.compress(built.data, format=lzma.FORMAT_ALONE),
        "zboot": lambda: zboot(gzip.compress(inner)),
        "zboot lzma": lambda: zboot(lzma.compress(inner, format=lzma.FORMAT_ALONE), "lzma"),
        "twice": lambda: gzip.compress(zboot(gzip.compress(inner))),
    }[form]()
    image = opened(packed)
    assert image.base == built.base
    assert len(image.symbols) == len(built.symbols)
    assert image.build_id == BUILD_ID


def test_damaged_wrappers() -> None:
    payload = gzip.compress(raw_image().data)
    with pytest.raises(
        InputError, match=r"^x is cut short: its zboot header says 99999 bytes at 0x200"
    ):
        opened(zboot(payload, size=99999), "x")
    with pytest.raises(InputError, match="packed with gzip and cannot be unpacked: it ends early"):
        opened(payload[: len(payload) // 2])
    with pytest.raises(InputError, match="zboot image packed with `lzo`, which is not read"):
        opened(zboot(b"\x89LZO\0\r\n\x1a\n" + bytes(100), "lzo"))
    with pytest.raises(InputError, match=r"^x is no raw kernel of arm64: no `ARM\\x64` at 0x38$"):
        opened(gzip.compress(b"hello" * 100), "x")
    with pytest.raises(InputError, match="no raw kernel of arm64"):
        opened(b"")


def test_wrapped_without_end() -> None:
    data = raw_image().data
    for _ in range(5):
        data = gzip.compress(data)
    with pytest.raises(InputError, match="no raw kernel"):
        opened(data)
    assert bytes(unwrap(memoryview(b"plain"), name="x")) == b"plain"


def test_big_endian() -> None:
    data = bytearray(raw_image().data)
    data[24] |= 1
    image = opened(bytes(data))
    assert image.banner == BANNER
    assert not image.extents
    assert image.missing == (
        "big-endian kernel: only its version is read, no code, symbols or data",
    )


def test_two_versions_without_names() -> None:
    built = raw_image(names=False)
    other = BANNER.replace("#7 SMP", "# SMP").encode() + b"\n\0"
    data = bytearray(built.data)
    data[RODATA + 0x200 : RODATA + 0x200 + len(other)] = other
    assert opened(bytes(data)).banner == BANNER
    third = BANNER.replace("#7", "#8").encode() + b"\n\0"
    data[RODATA + 0x300 : RODATA + 0x300 + len(third)] = third
    image = opened(bytes(data))
    assert image.banner is None
    assert "no version: the image has no text `Linux version`, or several" in image.missing


def test_two_build_ids_are_none() -> None:
    data = bytearray(raw_image(names=False).data)
    assert opened(bytes(data)).build_id == BUILD_ID
    data[RODATA + 0x2800 : RODATA + 0x2824] = note("ee" * 20)
    image = opened(bytes(data))
    assert image.build_id is None
    assert "no build id: the image has no note of one, or several" in image.missing
    assert VDSO_ID not in str(image.missing)


def test_pe_sections_where_names_are_missing() -> None:
    data = bytearray(raw_image(names=False).data)
    data[0x3C:0x40] = struct.pack("<I", 0x40)
    table = struct.pack(
        "<8sIIIIIIHHI", b".text", 0x5000, 0x1000, 0x5000, 0x1000, 0, 0, 0, 0, 0x60000020
    )
    table += struct.pack(
        "<8sIIIIIIHHI", b".data", 0x3000, 0x6000, 0x2200, 0x6000, 0, 0, 0, 0, 0xC0000040
    )
    data[0x40 : 0x40 + 24 + len(table)] = (
        struct.pack("<4sHH12xHH", b"PE\0\0", 0xAA64, 2, 0, 0) + table
    )
    image = opened(bytes(data))
    assert [(s.name, s.executable, s.writable, s.has_bytes) for s in image.sections][:2] == [
        (".text", True, False, True),
        (".data", False, True, True),
    ]
    assert image.sections[-1].name == ".bss"
    assert not image.sections[-1].has_bytes
    assert "cut short: the header says 33280 bytes, the image has 32768" in image.missing


def test_made_by_linker_and_objcopy(tmp_path: Path) -> None:
    base = 0xFFFF_8000_0800_0000
    symbols = [
        Entry(base, "T", "_text"),
        Entry(base + 0x1000, "T", "_stext"),
        Entry(base + 0x1008, "T", "second"),
        Entry(base + 0x1020, "T", "_etext"),
    ]
    tables = encode(symbols, Era.BEHIND, start=0x2000).data
    values = ", ".join(str(byte) for byte in tables)
    source = f"""
    .text
    .long 0x5a4d, 0
    .quad 0, 0x10000, 0xa
    .org 0x38
    .ascii "ARM\\x64"
    .org 0x1000
first: nop
    ret
second: nop
    ret
    .section .rodata, "a"
    .balign 0x1000
    .byte {values}
    .balign 8
    .asciz "{BANNER}\\n"
    .data
    .quad first, second, first + 4, second + 4, first, second
    """
    elf = link(source, "-pie", "-z", "notext")
    raw = tmp_path / "Image"
    subprocess.run([f"{PREFIX}objcopy", "-O", "binary", str(elf), str(raw)], check=True, timeout=60)
    image = opened(raw.read_bytes())
    assert image.extents[0].address == base
    assert image.build_id == "ab" * 20
    assert image.banner == BANNER
    assert [(s.name, s.address) for s in image.symbols] == [(s.name, s.address) for s in symbols]
    assert image.relative.values.tolist() == [
        base + 0x1000 + offset for offset in (0, 8, 4, 12, 0, 8)
    ]
    assert image.read_u64(int(image.relative.slots[1])) == base + 0x1008
