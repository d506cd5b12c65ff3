"""The guest's RAM as QEMU dumps it: an ELF core whose segments are physical memory.

Nothing in the file is trusted but as bytes: sizes and offsets are held against the file. Source: QEMU 7.2 dump/dump.c;
ELF gABI, program headers.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from whypanic.model.errors import InputError

_ELF64_LITTLE = b"\x7fELF\x02\x01"
_PT_LOAD, _PT_NOTE = 1, 4
_SHT_STRTAB = 3
_HEADERS_BYTES = 1 << 16
_MAX_SEGMENTS = 1024
_MAX_FOUND = 256


class Segment(NamedTuple):
    """Consecutive physical memory."""

    pa: int
    size: int
    file_offset: int


class Ram:
    """Physical memory, mapped from a file that must stay as it is."""

    def __init__(self, data: mmap.mmap | bytes, segments: tuple[Segment, ...]) -> None:
        self._data = data
        self.segments = segments

    def read(self, pa: int, n_bytes: int) -> bytes | None:
        """Return bytes at a physical address; None where not all of them are RAM."""
        for segment in self.segments:
            start = pa - segment.pa
            if start >= 0 and n_bytes >= 0 and start + n_bytes <= segment.size:
                at = segment.file_offset + start
                return bytes(self._data[at : at + n_bytes])
        return None

    def up_to(self, pa: int, n_bytes: int) -> bytes:
        """Return what RAM has from a physical address up, at most so many bytes."""
        for segment in self.segments:
            left = segment.pa + segment.size - pa
            if 0 < left <= segment.size:
                return self.read(pa, min(n_bytes, left)) or b""
        return b""

    def find(self, text: bytes) -> Iterator[int]:
        """Yield the physical addresses at which these bytes lie, the first few hundred."""
        n_found = 0
        for segment in self.segments:
            end = segment.file_offset + segment.size
            at = self._data.find(text, segment.file_offset, end)
            while at >= 0 and n_found < _MAX_FOUND:
                yield segment.pa + at - segment.file_offset
                n_found += 1
                at = self._data.find(text, at + 1, end)

    def close(self) -> None:
        """Unmap the file."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()


def open_ram(path: Path) -> Ram:
    """Return the memory in a dump.

    :raises InputError: if it cannot be read, or is no dump of that form.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is empty"
        message = f"cannot read the memory dump `{path}`: {why.lower()}"
        raise InputError(message, path=str(path)) from error
    return Ram(data, read_segments(data, str(path)))


def read_segments(data: mmap.mmap | bytes, name: str) -> tuple[Segment, ...]:
    """Return the memory that an ELF core has, as far as its bytes are in the file.

    :raises InputError: if it has none.
    """
    segments = tuple(_segments(data)) if data[:6] == _ELF64_LITTLE and len(data) >= 64 else ()
    if not segments:
        message = f"`{name}` is no dump of memory"
        raise InputError(message, path=name)
    return segments


def mend_dump(path: Path) -> int:
    """Make the offsets in a dump's headers those at which things are, and return by how many bytes they were off.

    QEMU 7.2 reckons the notes of all CPUs with the SVE vector length of the first, and writes each with its own
    (target/arm/arch_dump.c, cpu_get_note_size): RAM then begins before or behind where the headers say.

    :raises InputError: if the file cannot be read or written.
    """
    try:
        with path.open("r+b") as file:
            headers = bytearray(file.read(_HEADERS_BYTES))
            size = file.seek(0, os.SEEK_END)
            off = _mend(headers, size)
            if off:
                file.seek(0)
                file.write(headers)
    except OSError as error:
        message = f"cannot mend the memory dump `{path}`: {(error.strerror or str(error)).lower()}"
        raise InputError(message, path=str(path)) from error
    return off


def _mend(headers: bytearray, size: int) -> int:
    """Correct the headers of a dump of that many bytes; the end of what was written last tells how far they are off."""
    if headers[:6] != _ELF64_LITTLE or len(headers) < 64:
        return 0
    programs, sections = struct.unpack_from("<QQ", headers, 32)
    program_bytes, n_programs, section_bytes, n_sections = struct.unpack_from("<HHHH", headers, 54)
    moved: list[int] = []
    ends: list[int] = []
    for at in _places(headers, programs, program_bytes, n_programs, least=56):
        kind, _, offset, _, _, n_bytes = struct.unpack_from("<IIQQQQ", headers, at)
        if kind == _PT_LOAD:
            moved.append(at + 8)
            ends.append(offset + n_bytes)
        elif kind == _PT_NOTE:
            moved.append(at + 32)  # its length, for it begins where it should
    for at in _places(headers, sections, section_bytes, n_sections, least=64):
        _, kind, _, _, offset, n_bytes = struct.unpack_from("<IIQQQQ", headers, at)
        if kind == _SHT_STRTAB:
            moved.append(at + 24)
            ends.append(offset + n_bytes)
    off = size - max(ends, default=size)
    for at in moved if off else ():
        (value,) = struct.unpack_from("<Q", headers, at)
        struct.pack_into("<Q", headers, at, max(value + off, 0))
    return off


def _places(headers: bytearray, table: int, entry_bytes: int, n: int, *, least: int) -> list[int]:
    """Return where the entries of a table of headers begin, those that are there whole."""
    if entry_bytes < least:
        return []
    places = (table + i * entry_bytes for i in range(min(n, _MAX_SEGMENTS)))
    return [at for at in places if at + least <= len(headers)]


def _segments(data: mmap.mmap | bytes) -> Iterator[Segment]:
    (table,) = struct.unpack_from("<Q", data, 32)
    entry_bytes, n_entries = struct.unpack_from("<HH", data, 54)
    for i in range(min(n_entries, _MAX_SEGMENTS)):
        at = table + i * entry_bytes
        if entry_bytes < 56 or at + 56 > len(data):
            return
        kind, _, offset, _, pa, size = struct.unpack_from("<IIQQQQ", data, at)
        size = min(size, max(len(data) - offset, 0))
        if kind == _PT_LOAD and size:
            yield Segment(pa, size, offset)
