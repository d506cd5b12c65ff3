"""What a build says of itself: build id and the text of `Linux version`.

Source: System V gABI, ch. 5, Note Section; GNU ld, --build-id (NT_GNU_BUILD_ID); Linux init/version.c
(linux_banner) and include/asm-generic/vmlinux.lds.h (NOTES: the kernel's notes are one section, .notes).
"""

import re
import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from whypanic.formats.elf import SHT_NOTE, ElfFile
from whypanic.formats.kernel_image import KernelImage

_NT_GNU_BUILD_ID = 3
_MAX_NOTES = 256
_MAX_NOTE_BYTES = 64 << 10
_MAX_ID_BYTES = 64
_HEADER_BYTES = 12
_MAX_BANNER_BYTES = 1024
_MAX_SEARCHED_BYTES = 64 << 20
_MAX_BANNERS = 16
_MODULE_NAME_OFFSET = 24
"""Of `name` in struct module: behind the state and a list_head (Linux include/linux/module.h, 4.0 to 6.18)."""
_MODULE_NAME_BYTES = 64 - 8


class Note(NamedTuple):
    name: bytes
    type: int
    description: bytes


def notes(data: memoryview, alignment: int = 4) -> Iterator[Note]:
    """Yield the notes of a section or segment until one does not fit."""
    at = 0
    for _ in range(_MAX_NOTES):
        if at + _HEADER_BYTES > len(data):
            return
        name_bytes, n_bytes, kind = struct.unpack_from("<III", data, at)
        first = at + _HEADER_BYTES
        second = first + name_bytes + -(first + name_bytes) % alignment
        if second + n_bytes > len(data) or n_bytes > _MAX_NOTE_BYTES:
            return
        name = bytes(data[first : first + min(name_bytes, 32)]).rstrip(b"\0")
        yield Note(name, kind, bytes(data[second : second + n_bytes]))
        at = second + n_bytes + -(second + n_bytes) % alignment


def build_id(elf: ElfFile) -> str | None:
    """Return the build id in lower-case hexadecimal; None where the file has none."""
    sections = [s for s in elf.sections if s.type == SHT_NOTE or s.name in _NOTE_SECTIONS]
    sections.sort(key=lambda s: s.name not in _NOTE_SECTIONS)
    places = [elf.bytes_of(s) for s in sections[:_MAX_NOTES] if not s.is_compressed]
    for segment in elf.segments:
        if segment.type == "PT_NOTE":
            end = segment.offset + segment.file_bytes
            places.append(elf.data[min(segment.offset, len(elf.data)) : min(end, len(elf.data))])
    for data in places:
        for note in notes(data):
            is_id = note.name == b"GNU" and note.type == _NT_GNU_BUILD_ID
            if is_id and 0 < len(note.description) <= _MAX_ID_BYTES:
                return note.description.hex()
    return None


_NOTE_SECTIONS = (".note.gnu.build-id", ".notes")


def linux_banner(image: KernelImage) -> str | None:
    """Return the text `Linux version ...` of a kernel without its newline; None where it is not found.

    It stands at `linux_banner`; without symbols such a text of .rodata is taken. Later kernels have two, of which one
    has no number yet (Linux init/version.c, init/version-timestamp.c).
    """
    at = image.value_of("linux_banner")
    found = image.string_at(at, _MAX_BANNER_BYTES) if at is not None else None
    if found is not None and found.startswith("Linux version "):
        return found.rstrip("\n")
    section = image.section(".rodata")
    if section is None:
        return None
    for extent in image.extents:
        first, end = max(extent.address, section.address), min(extent.end, section.end)
        if first < end:
            data = extent.data[first - extent.address : end - extent.address]
            texts = _banner_pattern().finditer(data[:_MAX_SEARCHED_BYTES])
            candidates = [match.group() for match in islice(texts, _MAX_BANNERS)]
            if candidates:
                numbered = (text for text in candidates if re.search(rb"\) #[0-9]+ ", text))
                return next(numbered, candidates[0]).decode("utf-8", "backslashreplace")
    return None


def _banner_pattern() -> re.Pattern[bytes]:
    return re.compile(rb"Linux version [0-9][^\n\0]{1,1000}")


def module_name(elf: ElfFile) -> str | None:
    """Return the name of a loadable module, with _ for -; None for an object that is none.

    modpost writes `vermagic=` and the object `__this_module` into loadable modules only; the tables .modinfo of
    built-in code name its parameters. Linux scripts/mod/modpost.c (add_header), include/linux/module.h (MODULE_INFO).
    """
    strings = elf.section(".modinfo")
    words = bytes(elf.bytes_of(strings)[:_MAX_NOTE_BYTES]).split(b"\0") if strings else []
    this = elf.section(".gnu.linkonce.this_module")
    if this is None and not any(word.startswith(b"vermagic=") for word in words):
        return None
    found = next((word[5:] for word in words if word.startswith(b"name=")), b"")
    if not found and this is not None:
        held = bytes(elf.bytes_of(this)[_MODULE_NAME_OFFSET:][:_MODULE_NAME_BYTES])
        found = held.partition(b"\0")[0]
    return found[:_MODULE_NAME_BYTES].decode("utf-8", "backslashreplace").replace("-", "_")
