"""KernelImage of an ELF file: a linked kernel where its program headers put it, an object laid out from OBJECT_BASE."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whypanic.formats.build_notes import build_id, linux_banner, module_name
from whypanic.formats.elf import REL, ElfFile, ElfSection, Segment
from whypanic.formats.elf_relocations import (
    SectionLayout,
    apply_relocations,
    describe_kept,
    object_relocations,
    open_relocations,
    relative_relocations,
)
from whypanic.formats.elf_symbols import read_symbols, table_of
from whypanic.formats.kernel_image import OBJECT_BASE, Extent, ImageKind, KernelImage, Section
from whypanic.model.errors import InputError

_ADDRESS_END = 1 << 64
_MAX_ALIGNMENT = 1 << 21
_MAX_LOADED_SECTIONS = 4096
_MAX_LOADS = 64
"""Of a linked kernel: it has one or two segments and fewer than a hundred sections."""
_MAX_OBJECT_BYTES = 1 << 36
"""Sections without bytes claim at most this much in an object."""


def image_of_elf(data: memoryview, *, name: str, path: Path | None) -> KernelImage:
    """Return the image that an ELF file holds.

    :param name: as the user named it.
    :param path: the file, if debuggers can read it as it is.
    :raises InputError: if it is none of arm64, or holds nothing that can be read.
    """
    elf = ElfFile(data, name)
    image = _object(elf) if elf.type == REL else _linked(elf)
    image.path = path
    image.build_id = build_id(elf)
    image.has_debug_info = has_debug_info(elf)
    if not len(image.symbols):
        _fill_symbols(image, elf)
    if image.kind is not ImageKind.MODULE:
        image.banner = linux_banner(image)
    if not image.has_debug_info and image.kind is ImageKind.VMLINUX:
        elf.note_missing("no debug information: lines and variables are not known")
    if not any(s.executable and s.has_bytes for s in image.sections):
        elf.note_missing("no code: the file has no bytes of executable sections")
    image.missing = elf.missing
    return image


def has_debug_info(elf: ElfFile) -> bool:
    """Tell whether a file holds DWARF."""
    sections = (elf.section(".debug_info"), elf.section(".zdebug_info"))
    return any(s is not None and s.has_bytes and len(elf.bytes_of(s)) > 0 for s in sections)


def _fill_symbols(image: KernelImage, elf: ElfFile) -> None:
    """Take the names of a stripped kernel from its kallsyms."""
    if image.kind is ImageKind.VMLINUX:
        from whypanic.formats.kallsyms import symbols_from_image

        found = symbols_from_image(image)
        if found is not None and len(found):
            image.symbols = found
            elf.note_missing("no symbol table: names come from kallsyms")
            return
    elf.note_missing("no symbol table: it was stripped")


# Linked kernels


def _linked(elf: ElfFile) -> KernelImage:
    if any(segment.type == "PT_INTERP" for segment in elf.segments):
        message = f"{elf.name} is a program of user space, not a kernel"
        raise InputError(message, path=elf.name)
    chosen = _loaded_sections(elf)
    extents = _extents(elf, chosen)
    layout = _linked_layout(elf, chosen)
    sections = [_section(s, s.address) for s in chosen if s.size] or _segment_sections(elf)
    first = min((s.address for s in sections), default=0)
    last = max((s.end for s in sections), default=0)
    return KernelImage(
        name=elf.name,
        kind=ImageKind.VMLINUX,
        symbols=table_of(
            read_symbols(elf),
            shifts=np.zeros(len(elf.sections), np.uint64),
            in_image=layout.placed,
            executable=_executable(elf),
            span=(first, min(last, _ADDRESS_END - 1)),
        ),
        sections=sections,
        extents=extents,
        relative=relative_relocations(elf, extents),
        relocations=open_relocations(elf, layout),
    )


def _loaded_sections(elf: ElfFile) -> list[ElfSection]:
    """Return the sections in memory: those in loaded segments, or all if none is in one."""
    found: list[ElfSection] = []
    for section in elf.sections:
        if not section.is_allocated:
            continue
        if len(found) == _MAX_LOADED_SECTIONS:
            elf.note_missing(f"only the first {_MAX_LOADED_SECTIONS} sections in memory are read")
            break
        if section.address + section.size <= _ADDRESS_END:
            found.append(section)
        else:
            elf.note_missing("a section reaches beyond the end of the address space")
    spans = [(s.address, s.address + s.memory_bytes) for s in _loads(elf)]
    loaded = [
        section
        for section in found
        if any(lo <= section.address and section.address + section.size <= hi for lo, hi in spans)
    ]
    return loaded or found


def _loads(elf: ElfFile) -> list[Segment]:
    found = [s for s in elf.segments if s.type == "PT_LOAD"]
    if len(found) > _MAX_LOADS:
        elf.note_missing(f"only the first {_MAX_LOADS} loaded segments are read")
    return found[:_MAX_LOADS]


def _linked_layout(elf: ElfFile, chosen: Sequence[ElfSection]) -> SectionLayout:
    placed = np.zeros(len(elf.sections), np.bool_)
    placed[[s.number for s in chosen]] = True
    return SectionLayout(np.zeros(len(elf.sections), np.uint64), placed)


def _executable(elf: ElfFile) -> NDArray[np.bool_]:
    return np.array([s.is_executable for s in elf.sections], np.bool_)


def _section(section: ElfSection, address: int) -> Section:
    return Section(
        section.name,
        address,
        section.size,
        section.is_executable,
        section.is_writable,
        section.has_bytes,
    )


def _segment_sections(elf: ElfFile) -> list[Section]:
    """Return the loaded segments in place of sections."""
    return [
        Section(
            f"segment {i}",
            segment.address,
            segment.memory_bytes,
            segment.executable,
            segment.writable,
            segment.file_bytes > 0,
        )
        for i, segment in enumerate(_loads(elf))
        if segment.address + segment.memory_bytes <= _ADDRESS_END
    ]


def _extents(elf: ElfFile, chosen: Sequence[ElfSection]) -> list[Extent]:
    """Return the bytes by address: whole segments where the sections in them agree, else sections.

    A file of debug information keeps program headers, of bytes that are not in it: there its sections have none.
    """
    with_bytes = [s for s in chosen if s.has_bytes and s.size]
    found: list[Extent] = []
    used: set[int] = set()
    for segment in _loads(elf):
        if segment.address + segment.file_bytes > _ADDRESS_END:
            continue
        end = segment.address + segment.file_bytes
        inside = [s for s in with_bytes if segment.address <= s.address < end]
        agree = all(s.address - segment.address == s.offset - segment.offset for s in inside)
        if agree and (inside or not len(elf.sections)):
            used.update(s.number for s in inside)
            data = elf.data[
                min(segment.offset, len(elf.data)) : min(
                    segment.offset + segment.file_bytes, len(elf.data)
                )
            ]
            if len(data) < segment.file_bytes:
                elf.note_missing("segments reach beyond the end of the file: it is cut off")
            found.append(Extent(segment.address, data))
    found += [
        Extent(s.address, elf.bytes_of(s))
        for s in with_bytes
        if s.number not in used and not s.is_compressed
    ]
    return _apart(elf, found)


def _apart(elf: ElfFile, extents: list[Extent]) -> list[Extent]:
    """Return extents without those parts that an earlier one has."""
    found: list[Extent] = []
    end = 0
    for extent in sorted(extents, key=lambda e: (e.address, -len(e.data))):
        if not len(extent.data):
            continue
        cut = max(end - extent.address, 0)
        if cut:
            elf.note_missing("sections overlap: the bytes of the lower one count")
        if cut < len(extent.data):
            found.append(Extent(extent.address + cut, extent.data[cut:]))
            end = extent.end
    return found


# Relocatable objects


def _object(elf: ElfFile) -> KernelImage:
    layout = _object_layout(elf)
    placed = [s for s in elf.sections if layout.placed[s.number]]
    addresses = layout.starts[[s.number for s in placed]]
    octets, begins = _object_bytes(elf, placed)
    symbols = read_symbols(elf)
    relocations = object_relocations(elf, symbols, layout)
    if len(relocations):
        at = np.searchsorted(addresses, relocations.places, side="right") - 1
        offsets = (relocations.places - addresses[at]).astype(np.int64)
        sizes = np.array([s.size for s in placed], np.int64)
        positions = np.where(begins[at] >= 0, begins[at] + offsets, -1)
        kept = apply_relocations(octets, positions, sizes[at] - offsets, relocations)
        if (clause := describe_kept(kept)) is not None:
            elf.note_missing(clause)
    flat = octets.data.toreadonly()
    module = module_name(elf)
    last = int(addresses[-1]) + placed[-1].size if placed else OBJECT_BASE
    return KernelImage(
        name=elf.name,
        kind=ImageKind.OBJECT if module is None else ImageKind.MODULE,
        symbols=table_of(
            symbols,
            shifts=layout.starts,
            in_image=layout.placed,
            executable=_executable(elf),
            span=(OBJECT_BASE, last),
        ),
        sections=[_section(s, int(a)) for s, a in zip(placed, addresses, strict=True) if s.size],
        extents=[
            Extent(int(address), flat[begin : begin + section.size])
            for section, address, begin in zip(placed, addresses, begins.tolist(), strict=True)
            if begin >= 0 and section.size
        ],
        relocations=relocations,
        module=module or (None if module is None else _file_stem(elf.name)),
    )


def _file_stem(name: str) -> str:
    """Return the module's name by that of its file: one of debug information alone has no strings."""
    return Path(name).name.partition(".ko")[0].replace("-", "_")


def _object_layout(elf: ElfFile) -> SectionLayout:
    """Put sections behind each other in the order of the file."""
    starts = np.zeros(len(elf.sections), np.uint64)
    placed = np.zeros(len(elf.sections), np.bool_)
    at = OBJECT_BASE
    for section in elf.sections:
        if not section.is_allocated or section.is_compressed or not section.type:
            continue
        is_whole = not section.has_bytes or len(elf.bytes_of(section)) == section.size
        if not is_whole or at + section.size > _MAX_OBJECT_BYTES:
            elf.note_missing(f"{section.name}: claims {section.size:#x} bytes")
            continue
        alignment = section.alignment or 1
        if alignment & (alignment - 1) or alignment > _MAX_ALIGNMENT:
            elf.note_missing(f"{section.name}: is aligned to {alignment:#x}")
            alignment = 1
        at += -at % alignment
        starts[section.number], placed[section.number] = at, True
        at += section.size
    return SectionLayout(starts, placed)


def _object_bytes(
    elf: ElfFile, placed: Sequence[ElfSection]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of all sections, and where those of each begin; -1 for one without bytes."""
    begins = np.full(len(placed), -1, np.int64)
    size = sum(s.size for s in placed if s.has_bytes)
    if size > len(elf.data):
        message = f"{elf.name}: its sections claim {size} bytes in a file of {len(elf.data)}"
        raise InputError(message, path=elf.name)
    octets = np.empty(size, np.uint8)
    at = 0
    for i, section in enumerate(placed):
        if section.has_bytes:
            octets[at : at + section.size] = np.frombuffer(elf.bytes_of(section), np.uint8)
            begins[i] = at
            at += section.size
    return octets, begins
