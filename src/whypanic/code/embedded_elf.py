"""Code of an ELF file that an image carries as data: the vDSO.

Source: System V ABI, ELF-64: Ehdr, Shdr. Linux arch/arm64/kernel/vdso/vdso-wrap.S places the file whole; its section
headers are kept (vdso.lds.S, objcopy -S).
"""

import struct
from collections.abc import Iterator

from whypanic.formats.kernel_image import KernelImage

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_MAGIC = b"\x7fELF\x02\x01\x01"
_AARCH64 = 183
_PROGBITS, _EXECUTABLE = 1, 4
_WRITABLE = 1
_MAX_SECTIONS = 64
_MAX_BYTES = 1 << 20


def embedded_code(image: KernelImage, first: int, end: int) -> Iterator[tuple[int, int]] | None:
    """Return the link VAs of AArch64 code in the ELF file at [first, end); None where no ELF file is.

    Nothing is in it that is for another machine: the vDSO of 32-bit processes. A section that is writable too is no
    code: linkers give `.rodata` of the vDSO the flags of what stands beside it.
    """
    data = image.read(first, max(0, min(end - first, _MAX_BYTES)))
    if data is None or len(data) < _HEADER.size or data[4:6] not in (b"\x01\x01", b"\x02\x01"):
        return None
    if not data.startswith(b"\x7fELF"):
        return None
    return _sections(data, first)


def _sections(data: bytes, first: int) -> Iterator[tuple[int, int]]:
    fields = _HEADER.unpack_from(data)
    machine, table, entry_bytes, count = fields[2], fields[6], fields[11], fields[12]
    if not data.startswith(_MAGIC) or machine != _AARCH64 or entry_bytes != _SECTION.size:
        return
    for i in range(min(count, _MAX_SECTIONS)):
        at = table + i * _SECTION.size
        if at + _SECTION.size > len(data):
            return
        _, kind, flags, _, offset, size, *_ = _SECTION.unpack_from(data, at)
        is_code = kind == _PROGBITS and flags & _EXECUTABLE and not flags & _WRITABLE
        if is_code and offset + size <= len(data):
            yield first + offset, first + offset + size
