import struct

from whypanic.formats.image_header import (
    ImageHeader,
    PeSection,
    ZbootHeader,
    read_image_header,
    read_zboot_header,
)


def header(*, flags: int = 0xA, text_offset: int = 0x80000, pe_at: int = 0) -> bytearray:
    data = bytearray(0x200)
    struct.pack_into("<2sHIQQQ", data, 0, b"MZ", 0, 0, text_offset, 0x1AB0000, flags)
    struct.pack_into("<4sI", data, 56, b"ARM\x64", pe_at)
    return data


def test_fields() -> None:
    assert read_image_header(memoryview(header())) == ImageHeader(
        0x80000, 0x1AB0000, False, (), 4096
    )
    big = read_image_header(memoryview(header(flags=0xB)))
    assert big is not None
    assert big.big_endian


def test_page_sizes() -> None:
    for flags, page_bytes in ((0x0, None), (0xA, 4096), (0xC, 16384), (0xE, 65536)):
        found = read_image_header(memoryview(header(flags=flags)))
        assert found is not None
        assert found.page_bytes == page_bytes


def test_senseless_offset_is_none() -> None:
    found = read_image_header(memoryview(header(text_offset=0x4000_0000)))
    assert found is not None
    assert found.text_offset == 0


def test_no_header() -> None:
    data = header()
    assert read_image_header(memoryview(data[:63])) is None
    data[58] = 0
    assert read_image_header(memoryview(data)) is None


def test_pe_sections() -> None:
    data = header(pe_at=0x40)
    struct.pack_into("<4sHH12xHH", data, 0x40, b"PE\0\0", 0xAA64, 2, 0x20, 0)
    row = "<8sIIII12xI"
    struct.pack_into(row, data, 0x78, b".text", 0x5000, 0x1000, 0x5000, 0x1000, 0x60000020)
    struct.pack_into(row, data, 0xA0, b".data", 0x3000, 0x6000, 0x1200, 0x6000, 0xC0000040)
    found = read_image_header(memoryview(data))
    assert found is not None
    assert found.pe_sections == (
        PeSection(".text", 0x1000, 0x5000, 0x1000, 0x5000, True, False),
        PeSection(".data", 0x6000, 0x3000, 0x6000, 0x1200, False, True),
    )
    struct.pack_into("<H", data, 0x46, 60000)  # more rows than the file has
    found = read_image_header(memoryview(data))
    assert found is not None
    assert len(found.pe_sections) == 9
    struct.pack_into("<H", data, 0x44, 0x8664)
    found = read_image_header(memoryview(data))
    assert found is not None
    assert found.pe_sections == ()


def test_zboot() -> None:
    data = struct.pack("<2sH4sII8x32s", b"MZ", 0, b"zimg", 0x2000, 0x300, b"zstd")
    assert read_zboot_header(memoryview(data)) == ZbootHeader(0x2000, 0x300, "zstd")
    assert read_zboot_header(memoryview(data[:-1])) is None
    assert read_zboot_header(memoryview(header())) is None
