"""Debug information as llvm-symbolizer or addr2line prints it.

llvm-symbolizer answers as drgn does, and is the reference of the differential tests. GNU addr2line (2.40) does not: it
prints no columns; where no DWARF function spans the address it prints the symbol; in DWARF 5 of clang, which keeps
addresses in .debug_addr, it leaves out inlined functions, so that the innermost line stands beside a function further
out (no function is taken over there); for rows of file 1 in DWARF 5 it names the unit's own file, which is file 0. By
the rows and entries that llvm-dwarfdump shows, llvm-symbolizer is right in all of these. `caution` says so to the user.

Modules are not laid out where they are linked. The program then reads a copy whose section headers carry the addresses
of the image; `.debug_aranges`, which LLVM does not relocate, loses its name there.
"""

import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from whypanic.formats.kernel_image import KernelImage
from whypanic.model.errors import HostError
from whypanic.model.image import SourcePosition
from whypanic.symbolize.debug_info import Chain, Variable
from whypanic.symbolize.positions import Positions, RawChain, open_elf

LLVM, GNU = "llvm-symbolizer", "addr2line"
CAUTION = "addr2line is exact neither about inlined functions nor about the names of files: llvm-symbolizer or drgn is"
_AT_ONCE = 500
"""Addresses in one call."""
_DISCRIMINATOR = " (discriminator "
_HEADER_BYTES, _ADDRESS_AT = 64, 16
"""Of a section header, and where sh_addr is in it."""
_SHOFF_AT = 0x28


class SymbolizerProgram(Protocol):
    """A program that can be called; `host.symbolizers` has it."""

    @property
    def engine(self) -> str:
        """LLVM or GNU."""
        ...

    def __call__(
        self,
        image: Path,
        addresses: Sequence[int],
        *,
        linkage_names: bool = False,
        changes: Sequence[tuple[int, bytes]] = (),
    ) -> str:
        """Return what it printed.

        :raises HostError: if it failed.
        """
        ...


class ExternalInfo:
    """Debug information of one image, through another program."""

    def __init__(
        self,
        image: KernelImage,
        path: Path,
        program: SymbolizerProgram,
        *,
        roots: Sequence[str] = (),
    ) -> None:
        self._image = image
        self._path = path
        self._program = program
        self._positions = Positions(image, roots)
        self._has_learnt = False
        self.engine = program.engine

    @property
    def caution(self) -> str | None:
        """What is to be said of its answers."""
        return CAUTION if self.engine == GNU else None

    @property
    def roots(self) -> tuple[str, ...]:
        """Paths of the kernel tree that names of files begin with; they are left out there.

        :raises HostError: if the program fails.
        """
        if not self._has_learnt:
            self.locate(())
        return self._positions.roots

    def locate(self, addresses: Sequence[int]) -> list[Chain]:
        """Return for each link VA the chain of functions there, innermost first; () where nothing is known.

        :raises HostError: if the program fails.
        """
        landmarks = [] if self._has_learnt else list(self._positions.landmarks)
        raw = self._ask(dict.fromkeys((*addresses, *landmarks)))
        if not self._has_learnt:
            self._positions.learn(raw)
            self._has_learnt = True
        if self.engine == LLVM:
            rust = [a for a, chain in raw.items() if any(is_rust_source(p.file) for p in chain)]
            raw |= self._ask(rust, linkage_names=True)
        chains = [self._positions.chain(address, raw.get(address, ())) for address in addresses]
        return [_innermost(chain) for chain in chains] if self._has_no_inlines else chains

    def variables(
        self, pc: int, registers: Mapping[str, int], *, offset: int | None = None, n_bytes: int = 0
    ) -> tuple[Variable, ...] | None:
        """Return None: these programs print no variables."""
        _ = pc, registers, offset, n_bytes
        return None

    @cached_property
    def _has_no_inlines(self) -> bool:
        """The program misses inlined functions of this image."""
        elf = open_elf(self._image) if self.engine == GNU else None
        return elf is not None and elf.section(".debug_addr") is not None

    @cached_property
    def _changes(self) -> tuple[tuple[int, bytes], ...]:
        return tuple(_placed(self._image)) if self._positions.is_object else ()

    def _ask(
        self, addresses: Sequence[int] | dict[int, None], *, linkage_names: bool = False
    ) -> dict[int, RawChain]:
        found: dict[int, RawChain] = {}
        parse = _from_json if self.engine == LLVM else _from_lines
        wanted = [a for a in addresses if 0 <= a < 1 << 64]
        for i in range(0, len(wanted), _AT_ONCE):
            some = wanted[i : i + _AT_ONCE]
            printed = self._program(
                self._path, some, linkage_names=linkage_names, changes=self._changes
            )
            found.update(zip(some, parse(printed, some), strict=True))
        return found


def _innermost(chain: Chain) -> Chain:
    return tuple(SourcePosition(None, p.file, p.line, p.column) for p in chain[:1])


def is_rust_source(file: str | None) -> bool:
    """Tell by its name whether a file is one of Rust."""
    return file is not None and file.endswith(".rs")


def _placed(image: KernelImage) -> Iterator[tuple[int, bytes]]:
    """Yield the bytes by file offset that put the sections of a relocatable object where the image has them."""
    elf = open_elf(image)
    if elf is None:
        return
    (table,) = struct.unpack_from("<Q", elf.data, _SHOFF_AT)
    waiting: dict[tuple[str, int], list[int]] = {}
    for placed in image.sections:
        waiting.setdefault((placed.name, placed.size), []).append(placed.address)
    for section in elf.sections:
        header = table + section.number * _HEADER_BYTES
        if section.name == ".debug_aranges":
            yield header, bytes(4)
        elif section.is_allocated and (places := waiting.get((section.name, section.size))):
            yield header + _ADDRESS_AT, places.pop(0).to_bytes(8, "little")


# What they print


def _from_json(printed: str, addresses: Sequence[int]) -> list[RawChain]:
    """Read the JSON of llvm-symbolizer: one array, an object for each address."""
    try:
        answers = json.loads(printed)
    except (ValueError, RecursionError) as error:
        message = f"`{LLVM}` printed no JSON: it must be of LLVM 13 or later"
        raise HostError(message) from error
    if not isinstance(answers, list) or len(answers) != len(addresses):
        message = f"`{LLVM}` did not answer for each of {len(addresses)} addresses"
        raise HostError(message)
    failures = [said for answer in answers if (said := _failure(answer))]
    if failures and len(failures) == len(answers):
        message = f"`{LLVM}`: {failures[0]}"
        raise HostError(message)
    return [_json_chain(answer) for answer in answers]


def _failure(answer: Any) -> str | None:
    error = answer.get("Error") if isinstance(answer, dict) else None
    return str(error.get("Message")) if isinstance(error, dict) else None


def _json_chain(answer: Any) -> RawChain:
    places = answer.get("Symbol") if isinstance(answer, dict) else None
    if not isinstance(places, list):
        return ()
    return [
        SourcePosition(
            _text(place.get("FunctionName")),
            _text(place.get("FileName")),
            _number(place.get("Line")),
            _number(place.get("Column")),
        )
        for place in places
        if isinstance(place, dict)
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _from_lines(printed: str, addresses: Sequence[int]) -> list[RawChain]:
    """Read what addr2line prints for -a -f -i: the address, then two lines for each function, its name and its place.

    A name or a path may hold anything but a newline; the address that is due next ends a chain.
    """
    lines = printed.split("\n")
    chains: list[RawChain] = []
    at = 0
    for i, address in enumerate(addresses):
        if at >= len(lines) or lines[at] != f"{address:#018x}":
            message = f"`{GNU}` printed {lines[at : at + 1]} where {address:#x} was due"
            raise HostError(message)
        at += 1
        following = f"{addresses[i + 1]:#018x}" if i + 1 < len(addresses) else ""
        chain = []
        while at + 1 < len(lines) and lines[at] != following:
            chain.append(_place(lines[at], lines[at + 1]))
            at += 2
        chains.append(chain)
    return chains


def _place(function: str, place: str) -> SourcePosition:
    file, _, line = place.partition(_DISCRIMINATOR)[0].rpartition(":")
    if re.fullmatch("[0-9]{1,9}", line) is not None:
        return SourcePosition(function, file, int(line), None)
    # Without a folder and a line it is the file symbol before the address, of whatever file.
    return SourcePosition(function, file if "/" in file else None, None, None)
