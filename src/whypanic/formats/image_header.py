"""The header of a raw arm64 Image, the section table of its EFI form, and the header of EFI zboot.

Sources: Linux Documentation/arch/arm64/booting.rst (4. Call the kernel image), arch/arm64/kernel/efi-header.S,
drivers/firmware/efi/libstub/zboot-header.S, of 6.12; Microsoft PE format, section table.
"""

import struct
from typing import NamedTuple

HEADER_BYTES = 64
_MAGIC_AT, _MAGIC = 56, b"ARM\x64"
_PE_MAGIC, _MACHINE = b"PE\0\0", 0xAA64
_COFF_BYTES, _PE_SECTION_BYTES, _MAX_PE_SECTIONS = 24, 40, 32
_PE_EXECUTE, _PE_WRITE = 0x20000000, 0x80000000
_ZBOOT_HEADER_BYTES = 56
_MAX_TEXT_OFFSET = 2 << 20
_PAGE_BYTES = (None, 4096, 16384, 65536)


class PeSection(NamedTuple):
    """One row of the section table."""

    name: str
    rva: int
    """Offset from the first byte of the kernel."""
    size: int
    file_offset: int
    file_bytes: int
    executable: bool
    writable: bool


class ImageHeader(NamedTuple):
    text_offset: int
    """Bytes from a 2 MiB boundary to where the image is put; 0x80000 to 5.7, 0 since."""
    image_size: int
    """Bytes in memory, .bss included; 0 before 3.17."""
    big_endian: bool
    pe_sections: tuple[PeSection, ...]
    page_bytes: int | None = None
    """Bits 1 and 2 of the flags: 4096, 16384, 65536; None: not told (before 4.2)."""


class ZbootHeader(NamedTuple):
    """A kernel packed in an EFI program that unpacks it."""

    offset: int
    size: int
    compression: str


def read_image_header(data: memoryview) -> ImageHeader | None:
    """Return the header of an Image; None where there is none."""
    if len(data) < HEADER_BYTES or data[_MAGIC_AT : _MAGIC_AT + 4].tobytes() != _MAGIC:
        return None
    text_offset, image_size, flags = struct.unpack_from("<QQQ", data, 8)
    (pe_at,) = struct.unpack_from("<I", data, 60)
    return ImageHeader(
        text_offset if text_offset < _MAX_TEXT_OFFSET else 0,
        image_size,
        bool(flags & 1),
        _pe_sections(data, pe_at) if data[:2].tobytes() == b"MZ" else (),
        _PAGE_BYTES[flags >> 1 & 3],
    )


def _pe_sections(data: memoryview, at: int) -> tuple[PeSection, ...]:
    if at + _COFF_BYTES > len(data) or data[at : at + 4].tobytes() != _PE_MAGIC:
        return ()
    machine, n_sections = struct.unpack_from("<HH", data, at + 4)
    (optional_bytes,) = struct.unpack_from("<H", data, at + 20)
    first = at + _COFF_BYTES + optional_bytes
    if machine != _MACHINE:
        return ()
    found = []
    for i in range(min(n_sections, _MAX_PE_SECTIONS)):
        row = first + i * _PE_SECTION_BYTES
        if row + _PE_SECTION_BYTES > len(data):
            break
        name, size, rva, file_bytes, file_offset = struct.unpack_from("<8sIIII", data, row)
        (flags,) = struct.unpack_from("<I", data, row + 36)
        text = name.rstrip(b"\0").decode("ascii", "backslashreplace")
        executes, writes = bool(flags & _PE_EXECUTE), bool(flags & _PE_WRITE)
        found.append(PeSection(text, rva, size, file_offset, file_bytes, executes, writes))
    return tuple(found)


def read_zboot_header(data: memoryview) -> ZbootHeader | None:
    """Return the header of an EFI zboot program; None where there is none."""
    if len(data) < _ZBOOT_HEADER_BYTES or (bytes(data[:2]), bytes(data[4:8])) != (b"MZ", b"zimg"):
        return None
    offset, size = struct.unpack_from("<II", data, 8)
    name = bytes(data[24:_ZBOOT_HEADER_BYTES]).partition(b"\0")[0]
    return ZbootHeader(offset, size, name.decode("ascii", "backslashreplace"))
