"""ELF files of arm64: header, sections, segments, and the bytes of each; every number is held against the file's size.

pyelftools declares the records and knows the names of numbers; tables are read at once with numpy (a relocatable
vmlinux.o has 50,000 sections). Source: System V gABI, ch. 4 and 5 (Extended Section Header, Section Compression);
ELF for the Arm 64-bit Architecture (aaelf64.rst).
"""

import struct
from collections.abc import Sequence
from functools import cache, cached_property
from io import BytesIO
from typing import NamedTuple

import numpy as np
from elftools.common.exceptions import ELFError
from elftools.common.utils import struct_parse
from elftools.elf.enums import ENUM_RELOC_TYPE_AARCH64
from elftools.elf.structs import ELFStructs
from numpy.typing import NDArray

from whypanic.formats.compression import inflate, unpack_zstd
from whypanic.model.errors import InputError

EXEC, DYN, REL = "ET_EXEC", "ET_DYN", "ET_REL"
SHT_PROGBITS, SHT_SYMTAB, SHT_RELA, SHT_NOTE, SHT_NOBITS, SHT_REL = 1, 2, 4, 7, 8, 9
SHT_DYNSYM, SHT_SYMTAB_SHNDX, SHT_RELR = 11, 18, 19
_SHF_WRITE, _SHF_ALLOC, _SHF_EXECINSTR, _SHF_TLS, _SHF_COMPRESSED = 1, 2, 4, 0x400, 0x800
_SHN_XINDEX = 0xFFFF
_PN_XNUM = 0xFFFF
_ELFCOMPRESS_ZLIB, _ELFCOMPRESS_ZSTD = 1, 2

HEADER_BYTES, _SECTION_BYTES, _SEGMENT_BYTES, _CHDR_BYTES = 64, 64, 56, 24
MAX_SECTIONS = 1 << 20
"""Sections read: an allyesconfig vmlinux.o with a section for each function stays below it."""
_MAX_SEGMENTS = 1024
_MAX_NAME_BYTES = 512
_MAX_CLAUSES, _MAX_CLAUSE_CHARACTERS = 32, 200
_MAX_UNPACKED_BYTES = 2 << 30

_SECTION = np.dtype(
    [
        ("name", "<u4"),
        ("type", "<u4"),
        ("flags", "<u8"),
        ("address", "<u8"),
        ("offset", "<u8"),
        ("size", "<u8"),
        ("link", "<u4"),
        ("info", "<u4"),
        ("alignment", "<u8"),
        ("entry_bytes", "<u8"),
    ]
)


class ElfSection(NamedTuple):
    """One section header, as the file has it: nothing here is checked except that it is there."""

    number: int
    """Its index in the table."""
    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int

    @property
    def is_allocated(self) -> bool:
        """It occupies memory of the kernel; those of threads are of no kernel."""
        return bool(self.flags & _SHF_ALLOC) and not self.flags & _SHF_TLS

    @property
    def is_executable(self) -> bool:
        return bool(self.flags & _SHF_EXECINSTR)

    @property
    def is_writable(self) -> bool:
        return bool(self.flags & _SHF_WRITE)

    @property
    def is_compressed(self) -> bool:
        return bool(self.flags & _SHF_COMPRESSED)

    @property
    def has_bytes(self) -> bool:
        return self.type not in (0, SHT_NOBITS)


class Segment(NamedTuple):
    """One program header."""

    type: str | int
    """PT_LOAD, PT_NOTE ...; a number that has no name stays one."""
    executable: bool
    writable: bool
    offset: int
    address: int
    file_bytes: int
    memory_bytes: int


class ElfFile:
    """An ELF file of arm64, little-endian, 64 bits."""

    def __init__(self, data: memoryview, name: str) -> None:
        """Read the header and both tables.

        :raises InputError: if it is not such a file, or has neither sections nor segments that can be read.
        """
        self.data = data
        self.name = name
        self._missing: dict[str, None] = {}
        self._structs = ELFStructs(little_endian=True, elfclass=64)
        self._structs.create_basic_structs()
        _check_ident(data, name)
        try:
            self._structs.create_advanced_structs()
            header = struct_parse(self._structs.Elf_Ehdr, BytesIO(bytes(data[:HEADER_BYTES])))
        except (ELFError, ValueError, KeyError) as error:
            message = f"{name}: the ELF header cannot be read: {error}"
            raise InputError(message, path=name) from error
        _check_machine(header["e_machine"], header["e_type"], name)
        self.type: str = header["e_type"]
        """EXEC, DYN or REL."""
        self._table = self._section_table(
            header["e_shoff"], header["e_shentsize"], header["e_shnum"]
        )
        self._names = self._name_bytes(header["e_shstrndx"])
        self.segments = self._read_segments(
            header["e_phoff"], header["e_phentsize"], header["e_phnum"]
        )
        if not len(self._table) and not any(s.type == "PT_LOAD" for s in self.segments):
            message = f"{name} has no section or segment that can be read"
            hint = "a file that was cut off while it was copied looks like this"
            raise InputError(message, path=name, hints=(hint,))

    @property
    def missing(self) -> tuple[str, ...]:
        """What the file should have and has not, one clause each."""
        return tuple(self._missing)

    def note_missing(self, clause: str) -> None:
        """Add a clause to `missing`; names of sections in it are made printable, and few are enough."""
        if len(self._missing) < _MAX_CLAUSES:
            shown = "".join(c if c.isprintable() else "?" for c in clause[:_MAX_CLAUSE_CHARACTERS])
            self._missing[shown] = None

    @cached_property
    def sections(self) -> Sequence[ElfSection]:
        """All sections, by index."""
        table = self._table
        columns = [
            table[field].tolist()
            for field in (
                "type",
                "flags",
                "address",
                "offset",
                "size",
                "link",
                "info",
                "alignment",
            )
        ]
        names = [self._name_at(at) for at in table["name"].tolist()]
        rows = zip(range(len(table)), names, *columns, strict=True)
        return [ElfSection._make(row) for row in rows]

    @cached_property
    def _by_name(self) -> dict[str, ElfSection]:
        return {section.name: section for section in reversed(self.sections)}

    def section(self, name: str) -> ElfSection | None:
        """Return the first section of this name."""
        return self._by_name.get(name)

    def linked(self, section: ElfSection) -> ElfSection | None:
        """Return the section that sh_link names."""
        return self.sections[section.link] if 0 < section.link < len(self.sections) else None

    def bytes_of(self, section: ElfSection) -> memoryview:
        """Return a section's bytes as they stand in the file, as many of them as there are."""
        if not section.has_bytes:
            return self.data[:0]
        found = self.data[
            min(section.offset, len(self.data)) : min(section.offset + section.size, len(self.data))
        ]
        if len(found) < section.size:
            self.note_missing("sections reach beyond the end of the file: it is cut off")
        return found

    def contents(self, section: ElfSection, limit: int = _MAX_UNPACKED_BYTES) -> memoryview | None:
        """Return a section's bytes, unpacked where it is compressed; None where they cannot be unpacked.

        :param limit: bytes; a section that claims more is not unpacked.
        """
        data = self.bytes_of(section)
        unpacked: bytes | None = None
        if section.is_compressed:
            if len(data) < _CHDR_BYTES:
                return None
            header = struct_parse(self._structs.Elf_Chdr, BytesIO(bytes(data[:_CHDR_BYTES])))
            kind, size = header["ch_type"], header["ch_size"]
            data = data[_CHDR_BYTES:]
        elif section.name.startswith(".zdebug"):
            if bytes(data[:4]) != b"ZLIB" or len(data) < 12:
                return None
            kind, (size,) = "ELFCOMPRESS_ZLIB", struct.unpack_from(">Q", data, 4)
            data = data[12:]
        else:
            return data
        if size > limit:
            self.note_missing(f"{section.name} claims {size:#x} bytes when unpacked")
            return None
        if kind in ("ELFCOMPRESS_ZLIB", _ELFCOMPRESS_ZLIB):
            unpacked = inflate(data, size)
        elif kind in ("ELFCOMPRESS_ZSTD", _ELFCOMPRESS_ZSTD):
            unpacked = unpack_zstd(data, size)
        if unpacked is None:
            self.note_missing(f"{section.name} cannot be unpacked")
            return None
        return memoryview(unpacked)

    # Tables

    def _section_table(self, offset: int, entry_bytes: int, count: int) -> NDArray[np.void]:
        none = np.empty(0, _SECTION)
        if not offset:
            self.note_missing("no section headers")
            return none
        first = self.data[offset : offset + _SECTION_BYTES]
        if len(first) < _SECTION_BYTES:
            self.note_missing("the section headers lie behind the end of the file: it is cut off")
            return none
        if entry_bytes != _SECTION_BYTES:
            self.note_missing(f"section headers of {entry_bytes} bytes are not of this form")
            return none
        if count == 0:
            count = int(np.frombuffer(first, _SECTION)[0]["size"])
        there = (len(self.data) - offset) // _SECTION_BYTES
        if count > there or count > MAX_SECTIONS:
            read = min(there, MAX_SECTIONS)
            self.note_missing(f"of {count} section headers only {read} are read")
            count = read
        return np.frombuffer(self.data, _SECTION, count, offset)

    def _name_bytes(self, index: int) -> memoryview:
        table = self._table
        if index == _SHN_XINDEX and len(table):
            index = int(table[0]["link"])
        if not 0 < index < len(table):
            if len(table):
                self.note_missing("sections have no names")
            return self.data[:0]
        row = table[index]
        offset, size = int(row["offset"]), int(row["size"])
        return self.data[min(offset, len(self.data)) : min(offset + size, len(self.data))]

    def _name_at(self, offset: int) -> str:
        name = bytes(self._names[offset : offset + _MAX_NAME_BYTES])
        return name.partition(b"\0")[0].decode("utf-8", "backslashreplace")

    def _read_segments(self, offset: int, entry_bytes: int, count: int) -> tuple[Segment, ...]:
        if count == _PN_XNUM and len(self._table):
            count = int(self._table[0]["info"])
        if not offset or not count:
            return ()
        there = max(len(self.data) - offset, 0) // _SEGMENT_BYTES
        if entry_bytes != _SEGMENT_BYTES or count > min(there, _MAX_SEGMENTS):
            self.note_missing("not all program headers can be read")
            count = min(there, _MAX_SEGMENTS) if entry_bytes == _SEGMENT_BYTES else 0
        stream = BytesIO(bytes(self.data[offset : offset + count * _SEGMENT_BYTES]))
        found = []
        for i in range(count):
            row = struct_parse(self._structs.Elf_Phdr, stream, i * _SEGMENT_BYTES)
            found.append(
                Segment(
                    row["p_type"],
                    bool(row["p_flags"] & 1),
                    bool(row["p_flags"] & 2),
                    row["p_offset"],
                    row["p_vaddr"],
                    row["p_filesz"],
                    row["p_memsz"],
                )
            )
        return tuple(found)


@cache
def _relocation_names() -> dict[int, str]:
    return {number: name for name, number in ENUM_RELOC_TYPE_AARCH64.items()}


def relocation_name(number: int) -> str:
    """Return the name of a relocation of AArch64; the number itself where pyelftools has no name for it."""
    return _relocation_names().get(number, str(number))


def _check_ident(data: memoryview, name: str) -> None:
    ident = bytes(data[:HEADER_BYTES])
    if ident[:4] != b"\x7fELF":
        message = f"{name} is not an ELF file"
        raise InputError(message, path=name)
    if len(ident) < HEADER_BYTES:
        message = f"{name} is an ELF file that ends inside its header"
        raise InputError(message, path=name)
    if ident[4] != 2:
        message = f"{name} is an ELF file of 32 bits, not of arm64"
        raise InputError(message, path=name)
    if ident[5] != 1:
        message = f"{name} is a big-endian ELF file: only little-endian kernels are read"
        raise InputError(message, path=name)


def _check_machine(machine: str | int, kind: str | int, name: str) -> None:
    if machine != "EM_AARCH64":
        message = f"{name} is an ELF file of machine {machine}, not of arm64 (EM_AARCH64)"
        raise InputError(message, path=name)
    if kind == "ET_CORE":
        message = f"{name} is a core dump, not an image"
        raise InputError(message, path=name)
    if kind not in (EXEC, DYN, REL):
        message = f"{name} is an ELF file of type {kind}, neither an image nor an object"
        raise InputError(message, path=name)
