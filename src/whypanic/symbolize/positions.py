"""What debuggers say of an address, brought to one form whoever said it.

Files are named relative to the kernel tree. A debugger may put the folder in which the compiler ran (DW_AT_comp_dir)
before the name that the compiler wrote: llvm-symbolizer is told not to, drgn does where it is absolute, addr2line
always. And the compiler wrote the path of the tree itself for a kernel built with `O=`, or for assembler files whose
paths were not mapped. These paths are learnt from functions whose files are known, as scripts/decode_stacktrace.sh of
Linux does with `init/main.c` (from memory), and taken off. Of a module they must be given. Files that were made in the
folder of an `O=` build keep its path where the debugger puts it there. `.` and `..` are resolved by text. Line 0 means
that code belongs to no line (DWARF 5, 6.2.2, from memory), column 0 that it is not known.

An address of C code that no function's entry spans gets no position: it is a NOP that pads, or one that ftrace patches
(GCC begins the function's DW_AT_low_pc behind those), and its row in the line table is that of the function before.
Assembler code has file and line and no function: LLVM writes no entries for it, and where GNU as writes one for each of
several names of one place, debuggers differ in which they take. The symbol table has all of them.
"""

import mmap
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from whypanic.formats.elf import ElfFile
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.line_programs import LineTables
from whypanic.model.errors import InputError
from whypanic.model.image import SourcePosition
from whypanic.symbolize.debug_info import Chain
from whypanic.symbolize.rust_names import demangle

RawChain = Sequence[SourcePosition]
"""As a debugger gave it: names perhaps mangled, files anyhow, 0 for no line."""

_UNKNOWN = frozenset({"", "??", "<invalid>"})


class _Landmark(NamedTuple):
    symbol: str
    offset: int
    """Bytes: past the NOPs where a function begins."""
    file: str


_LANDMARKS = (
    _Landmark("start_kernel", 16, "init/main.c"),
    _Landmark("_text", 0, "arch/arm64/kernel/head.S"),
    _Landmark("vectors", 0, "arch/arm64/kernel/entry.S"),
)


class Positions:
    """The form of positions in one image."""

    def __init__(self, image: KernelImage, roots: Iterable[str] = ()) -> None:
        """Begin with what is known.

        :param roots: paths of kernel trees that names of files may begin with.
        """
        self._image = image
        self.is_object = image.kind in {ImageKind.MODULE, ImageKind.OBJECT}
        self._roots = dict.fromkeys(roots)

    @property
    def roots(self) -> tuple[str, ...]:
        """Paths of the tree as names of files begin with them, each with its last `/`."""
        return tuple(self._roots)

    @cached_property
    def landmarks(self) -> Mapping[int, str]:
        """Addresses whose files are known, for `learn`."""
        if self.is_object:
            return {}
        found = self._image.symbols.find_each(mark.symbol for mark in _LANDMARKS)
        return {
            found[mark.symbol][0].address + mark.offset: mark.file
            for mark in _LANDMARKS
            if mark.symbol in found
        }

    def learn(self, chains: Mapping[int, RawChain]) -> None:
        """Take the tree's paths from the raw chains of landmarks."""
        for address, file in self.landmarks.items():
            chain = chains.get(address)
            path = _normal(chain[-1].file) if chain else None
            if path is not None and path.endswith(f"/{file}"):
                self._roots[path.removesuffix(file)] = None

    def chain(self, address: int, raw: RawChain) -> Chain:
        """Return a chain in the common form; () where it tells nothing, or what cannot be so."""
        chain = tuple(self._position(p) for p in raw)
        if not chain or chain[0].file is None:
            return ()
        if len(chain) == 1:
            if chain[0].file.endswith(".S"):
                return (self._in_assembler(address, chain[0]),)
            if chain[0].function is None and chain[0].file.endswith((".c", ".h")):
                return ()
        return chain

    def _position(self, raw: SourcePosition) -> SourcePosition:
        function = None if raw.function is None or raw.function in _UNKNOWN else raw.function
        file = _normal(raw.file)
        if file is not None:
            for root in sorted(self._roots, key=len, reverse=True):
                if file.startswith(root):
                    file = file.removeprefix(root)
                    break
        line = raw.line or None
        return SourcePosition(
            function if function is None else demangle(function),
            file,
            line,
            (raw.column or None) if line else None,
        )

    def _in_assembler(self, address: int, said: SourcePosition) -> SourcePosition:
        tables = None if said.file is None or self.is_object else self._line_tables
        found = tables.disordered(address, said.file or "") if tables is not None else None
        line, column = (said.line, said.column) if found is None else found
        return SourcePosition(None, said.file, line or None, column or None)

    @cached_property
    def _line_tables(self) -> LineTables | None:
        elf = open_elf(self._image)
        return None if elf is None else LineTables(elf)


def open_elf(image: KernelImage) -> ElfFile | None:
    """Return the file of an image; None where it cannot be read."""
    if image.path is None:
        return None
    try:
        with image.path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return ElfFile(memoryview(data), image.name)
    except (OSError, ValueError, InputError):
        return None


def _normal(file: str | None) -> str | None:
    if file is None or file in _UNKNOWN:
        return None
    return posixpath.normpath(file)
