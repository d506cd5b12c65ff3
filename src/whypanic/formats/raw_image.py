"""KernelImage of a raw kernel: `Image`, packed or in EFI zboot or not.

Nothing in it says where sections, symbols and relocations are: its header gives its size and, in the EFI form, two
sections; everything else is found by what it must look like. The link base comes from the relocations, of a kernel
that has none from kallsyms.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from whypanic.formats.boundary_symbols import boundary_sections, without_overlap
from whypanic.formats.compression import compression_of, decompress
from whypanic.formats.image_header import ImageHeader, read_image_header, read_zboot_header
from whypanic.formats.kallsyms import Kallsyms, find_kallsyms
from whypanic.formats.kernel_image import (
    NO_RELOCATIONS,
    Extent,
    ImageKind,
    KernelImage,
    Section,
)
from whypanic.formats.relocation_runs import (
    BASE_ALIGNMENT,
    RecoveredRelocations,
    recover_relocations,
)
from whypanic.formats.symbol_table import SymbolTable, symbol_table
from whypanic.model.errors import InputError

_LIMIT = 512 << 20
_MAX_WRAPPERS = 3
_MAX_BANNER_BYTES = 1024
_MAX_BANNERS = 256
_BUILD_ID_NOTE = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"
_BUILD_ID_BYTES = 20
_ELF_MAGIC = b"\x7fELF"
_PAGE = 4096
_HINT = "give vmlinux, Image, vmlinuz, Image.gz or System.map of the crashed kernel"


class _Found(NamedTuple):
    """What the bytes of one kernel gave."""

    base: int
    relocations: RecoveredRelocations | None
    kallsyms: Kallsyms | None


def open_raw_image(data: memoryview, *, name: str) -> KernelImage:
    """Return the image of a raw kernel.

    :param data: the file: an Image, one packed with gzip, lz4, zstd, xz, lzma or bzip2, or a zboot program.
    :raises InputError: if it is none, or is packed and damaged.
    """
    data = unwrap(data, name=name)
    header = read_image_header(data)
    if header is None:
        message = f"{name} is no raw kernel of arm64: no `ARM\\x64` at 0x38"
        raise InputError(message, path=name, hints=(_HINT,))
    if header.big_endian:
        return _big_endian(data, name)
    missing = ["no debug information: a raw Image has none", *_truncation(data, header)]
    found = _find(data, header, missing)
    end = found.base + max(header.image_size, len(data))
    symbols = symbol_table(())
    if found.kallsyms is not None:
        symbols = found.kallsyms.table(end)
    image = KernelImage(
        name=name,
        kind=ImageKind.RAW,
        symbols=symbols,
        sections=_sections(header, found, symbols, len(data), missing),
        extents=(Extent(found.base, data),),
        relative=found.relocations.relative if found.relocations else NO_RELOCATIONS,
    )
    image.banner = _banner(data, image)
    image.build_id = _build_id(data, image)
    if image.banner is None:
        missing.append("no version: the image has no text `Linux version`, or several")
    if image.build_id is None:
        missing.append("no build id: the image has no note of one, or several")
    image.missing = tuple(missing)
    return image


def unwrap(data: memoryview, *, name: str) -> memoryview:
    """Return the bytes inside compression and zboot, however often they are wrapped.

    :raises InputError: if a wrapper is damaged or has a form that is not read.
    """
    for _ in range(_MAX_WRAPPERS):
        zboot = read_zboot_header(data)
        if zboot is not None:
            payload = data[zboot.offset : zboot.offset + zboot.size]
            if len(payload) < zboot.size or not zboot.size:
                message = (
                    f"{name} is cut short: its zboot header says {zboot.size} bytes at {zboot.offset:#x}, "
                    f"the file ends at {len(data):#x}"
                )
                raise InputError(message, path=name)
            if compression_of(payload) is None:
                message = (
                    f"{name} is a zboot image packed with `{zboot.compression}`, which is not read"
                )
                raise InputError(message, path=name, hints=(_HINT,))
            data = payload
        elif compression_of(data) is None:
            break
        data = memoryview(decompress(data, name=name, limit=_LIMIT))
    return data.toreadonly()


def _truncation(data: memoryview, header: ImageHeader) -> Iterator[str]:
    whole = max((s.file_offset + s.file_bytes for s in header.pe_sections), default=0)
    if whole > len(data):
        yield f"cut short: the header says {whole} bytes, the image has {len(data)}"


def _find(data: memoryview, header: ImageHeader, missing: list[str]) -> _Found:
    """Look for relocations, symbols and the link base; what is not there goes to `missing`."""
    relocations = recover_relocations(data, text_offset=header.text_offset)
    if relocations is not None:
        kallsyms = find_kallsyms(data, relocations.base, relocations.relative)
    else:
        kallsyms = find_kallsyms(data)
        missing.append("no relocations: the kernel is linked at a fixed address, or they were cut")
    if kallsyms is None:
        missing.append("no names: the image has no kallsyms that can be read")
    if relocations is not None:
        return _Found(relocations.base, relocations, kallsyms)
    base = _base_of(kallsyms, header) if kallsyms is not None else None
    if base is None:
        missing.append("no link base: addresses count from the first byte of the image")
    return _Found(base or 0, None, kallsyms)


def _base_of(kallsyms: Kallsyms, header: ImageHeader) -> int | None:
    """Return the link VA of the first byte as the names tell it: `_text`, else the start of 2 MiB before the lowest."""
    symbols = kallsyms.table()
    lowest = int(symbols.addresses[0]) if len(symbols) else 0
    if lowest < 0xFFFF << 48:
        return None
    text = symbols.find("_text")
    if text:
        return text[0].address
    return ((lowest - header.text_offset) & ~(BASE_ALIGNMENT - 1)) + header.text_offset


def _sections(
    header: ImageHeader, found: _Found, symbols: SymbolTable, n_bytes: int, missing: list[str]
) -> list[Section]:
    base, limit = found.base, found.base + max(header.image_size, n_bytes)
    sections = [s for s in boundary_sections(symbols) if base <= s.address and s.end <= limit]
    told = {section.name for section in sections}
    if ".text" not in told:
        missing.append("no sections but those of the header: code and read-only data are one")
    elif ".head.text" not in told:
        first = min(s.address for s in sections if s.name == ".text")
        if base < first:
            sections.append(Section(".head.text", base, first - base, True, False))
    for row in header.pe_sections:
        # The .text of the header is everything up to .init.data, constants too.
        if (row.executable and ".text" in told) or row.name in told:
            continue
        n_held = max(min(row.file_bytes, row.size, n_bytes - row.rva), 0)
        first = base + row.rva
        if n_held:
            sections.append(Section(row.name, first, n_held, row.executable, row.writable))
        if n_held < row.size and row.writable and ".bss" not in told and first + row.size <= limit:
            size = row.size - n_held
            sections.append(Section(".bss", first + n_held, size, False, row.writable, False))
    if found.relocations is not None:
        for name, span in (
            (".hyp.reloc", found.relocations.hyp_reloc),
            (".rela.dyn", found.relocations.rela),
            (".relr.dyn", found.relocations.relr),
        ):
            if span is not None and name not in told:
                sections.append(Section(name, base + span[0], span[1] - span[0], False, False))
    return [
        s._replace(has_bytes=s.has_bytes and s.end <= base + n_bytes)
        for s in without_overlap(sections)
    ]


def _banner(data: memoryview, image: KernelImage) -> str | None:
    """Return `Linux version ...`: at `linux_banner`, else the one text of that form that names a build.

    There are two in later kernels, one of them with a number that scripts/link-vmlinux.sh has not yet counted.
    """
    at = image.value_of("linux_banner")
    text = image.string_at(at, _MAX_BANNER_BYTES) if at is not None else None
    if text is not None and text.startswith("Linux version "):
        return text.rstrip("\n")
    found: list[bytes] = []
    for match in islice(re.finditer(rb"Linux version [0-9]", data), _MAX_BANNERS):
        line, end, _ = bytes(data[match.start() :][:_MAX_BANNER_BYTES]).partition(b"\n\0")
        if end and b"\n" not in line and b"\0" not in line:
            found.append(line)
    built = [text for text in found if re.search(rb"\) #[0-9]+ ", text)]
    chosen = set(built or found)
    return chosen.pop().decode("utf-8", "backslashreplace") if len(chosen) == 1 else None


def _build_id(data: memoryview, image: KernelImage) -> str | None:
    """Return the build id of the note between __start_notes and __stop_notes, else of the one note outside the vDSO."""
    first, end = image.value_of("__start_notes"), image.value_of("__stop_notes")
    lo, hi = 0, len(data)
    told = first is not None and end is not None and image.contains(first) and first < end
    if told and first is not None and end is not None:
        lo, hi = first - image.extents[0].address, end - image.extents[0].address
    pattern = re.compile(re.escape(_BUILD_ID_NOTE), re.DOTALL)
    ids = set()
    for match in pattern.finditer(data[lo:hi]):
        at = lo + match.start()
        start = at + len(_BUILD_ID_NOTE)
        if start + _BUILD_ID_BYTES <= len(data) and (told or not _in_vdso(data, at)):
            ids.add(bytes(data[start : start + _BUILD_ID_BYTES]))
    return ids.pop().hex() if len(ids) == 1 else None


def _in_vdso(data: memoryview, at: int) -> bool:
    """Tell whether an ELF file begins at the page that holds a note: the vDSO has a build id of its own."""
    page = at & ~(_PAGE - 1)
    return page > 0 and bytes(data[page : page + 4]) == _ELF_MAGIC


def _big_endian(data: memoryview, name: str) -> KernelImage:
    """Return what a big-endian kernel says of itself; its tables are not read."""
    image = KernelImage(name=name, kind=ImageKind.RAW, symbols=symbol_table(()))
    image.banner = _banner(data, image)
    image.missing = ("big-endian kernel: only its version is read, no code, symbols or data",)
    return image
