"""Debug information as drgn reads it: the only place that makes a drgn Program.

The image is added as a module of a program that has no memory, at its link VAs; nothing is indexed for `locate`. Names
come from DWARF alone: symbol finders are off, for drgn would give an address without a DWARF function the name of the
ELF symbol before it, mapping symbols among them. Finders of debug information are off, so that nothing but this file is
read, and nothing is fetched.

Held against llvm-symbolizer over every instruction in 512 KB of a kernel by GCC 12 and of one by clang 19 with ThinLTO,
both DWARF 5: the same chains, lines and columns, but for two things that drgn 0.3.0 gets wrong. Line tables of LLVM's
assembler that go back: `positions` reads these itself. Functions of Rust: those inside a DW_TAG_namespace are not
found, and what is inlined in them is not either; another engine is asked where there is one, and without it the
function stays unknown.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from whypanic.formats.kernel_image import KernelImage
from whypanic.model.errors import HostError
from whypanic.model.image import SourcePosition
from whypanic.symbolize.debug_info import Chain, DebugInfo, Variable
from whypanic.symbolize.external_info import is_rust_source
from whypanic.symbolize.positions import Positions, RawChain

if TYPE_CHECKING:
    from drgn import Program

OpenOther = Callable[[], "DebugInfo | None"]


class DrgnInfo:
    """Debug information of one image, read by drgn."""

    engine = "drgn"
    caution = None

    def __init__(
        self,
        image: KernelImage,
        program: "Program",
        *,
        roots: Sequence[str] = (),
        other: OpenOther | None = None,
    ) -> None:
        """Take a program that has the image.

        :param other: opens the engine that is asked for functions of Rust.
        """
        self.program = program
        self._positions = Positions(image, roots)
        self._open_other = other
        self._has_learnt = False

    @property
    def roots(self) -> tuple[str, ...]:
        """Paths of the kernel tree that names of files begin with; they are left out there."""
        self._learn()
        return self._positions.roots

    def locate(self, addresses: Sequence[int]) -> list[Chain]:
        """Return for each link VA the chain of functions there, innermost first; () where nothing is known."""
        raw = {address: self._raw(address) for address in dict.fromkeys(addresses)}
        if any(_is_absolute(p) for chain in raw.values() for p in chain):
            self._learn()
        chains = {address: self._positions.chain(address, raw[address]) for address in raw}
        rust = [a for a, chain in raw.items() if any(is_rust_source(p.file) for p in chain)]
        chains.update(self._ask_other(rust))
        return [chains[address] for address in addresses]

    def variables(
        self, pc: int, registers: Mapping[str, int], *, offset: int | None = None, n_bytes: int = 0
    ) -> tuple[Variable, ...] | None:
        """Return the variables in scope at a link VA, innermost function first; None: drgn cannot tell."""
        from whypanic.symbolize.drgn_variables import variables_at

        return variables_at(self.program, pc, registers, offset=offset, n_bytes=n_bytes)

    def _learn(self) -> None:
        if not self._has_learnt:
            self._has_learnt = True
            self._positions.learn({a: self._raw(a) for a in self._positions.landmarks})

    def _raw(self, address: int) -> RawChain:
        try:
            return [
                SourcePosition(place.name(), place.filename, place.line, place.column)
                for place in self.program.source_location(address)
            ]
        except Exception:  # a bare one for DWARF that libdw cannot follow, others for no position
            return ()

    def _ask_other(self, addresses: Sequence[int]) -> dict[int, Chain]:
        if not addresses or self._open_other is None:
            return {}
        try:
            other = self._open_other()
            answers = [] if other is None or other.caution else other.locate(addresses)
        except HostError:
            return {}
        found = zip(addresses, answers, strict=False)
        return {address: chain for address, chain in found if chain}


def open_drgn(
    image: KernelImage, *, roots: Sequence[str] = (), other: OpenOther | None = None
) -> DrgnInfo | None:
    """Return the debug information of an image; None where drgn is not installed or cannot read it.

    :param roots: paths of the kernel tree that names of files of a module may begin with.
    :param other: opens the engine that is asked for functions of Rust.
    """
    if image.path is None or not image.has_debug_info:
        return None
    try:
        import drgn
    except ImportError:
        return None
    logging.getLogger("drgn").setLevel(logging.CRITICAL + 1)
    try:
        program = drgn.Program(drgn.Platform(drgn.Architecture.AARCH64))
        program.set_enabled_symbol_finders([])
        program.set_enabled_debug_info_finders([])
        positions = Positions(image)
        module: drgn.Module
        if positions.is_object:
            relocatable = program.relocatable_module(image.name, image.base, create=True)
            module = relocatable
            for section in image.sections:
                relocatable.section_addresses.setdefault(section.name, section.address)
        else:
            module = program.extra_module(image.name, create=True)
        module.try_file(image.path, force=True)
        module.address_range = (image.base, image.end)  # set before, it would move the file
        is_read = module.debug_file_status == drgn.ModuleFileStatus.HAVE
    except Exception:  # of drgn's own kinds, or bare: another engine may read the file
        return None
    return DrgnInfo(image, program, roots=roots, other=other) if is_read else None


def _is_absolute(place: SourcePosition) -> bool:
    return place.file is not None and place.file.startswith("/")
