"""The engines that read debug information, over one image, and how their answers may differ."""

import shutil
from collections.abc import Callable, Sequence

import pytest

from whypanic.formats.kernel_image import KernelImage
from whypanic.host.symbolizers import GNU, LLVM, Symbolizer
from whypanic.model.image import SourcePosition
from whypanic.symbolize.debug_info import Chain
from whypanic.symbolize.drgn_info import DrgnInfo, open_drgn
from whypanic.symbolize.external_info import ExternalInfo

LLVM_PROGRAM, GNU_PROGRAM = "llvm-symbolizer", "aarch64-linux-gnu-addr2line"


def llvm(image: KernelImage, roots: Sequence[str] = ()) -> ExternalInfo:
    """Return llvm-symbolizer's reading of an image."""
    return _external(image, Symbolizer(LLVM, LLVM_PROGRAM), roots)


def addr2line(image: KernelImage, roots: Sequence[str] = ()) -> ExternalInfo:
    """Return GNU addr2line's reading of an image."""
    return _external(image, Symbolizer(GNU, GNU_PROGRAM), roots)


def drgn(image: KernelImage, roots: Sequence[str] = ()) -> DrgnInfo:
    """Return drgn's reading of an image, as the program puts it together."""
    found = open_drgn(image, roots=roots, other=lambda: llvm(image, roots))
    assert found is not None
    return found


def _external(image: KernelImage, program: Symbolizer, roots: Sequence[str]) -> ExternalInfo:
    if shutil.which(program.program) is None:
        pytest.skip(f"no {program.program}: bash scripts/setup.sh dev installs it")
    assert image.path is not None
    return ExternalInfo(image, image.path, program, roots=roots)


def without_columns(chain: Chain) -> Chain:
    """Return a chain as an engine that knows no columns gives it."""
    return tuple(SourcePosition(p.function, p.file, p.line, None) for p in chain)


def addr2line_errs(
    image: KernelImage, unit_name: Callable[[int], str], address: int, true: Chain, said: Chain
) -> bool:
    """Tell whether addr2line errs in a way that is known of it (`symbolize.external_info`), and in nothing else.

    :param unit_name: returns the file that was compiled for an address, below the tree.
    :param true: what the DWARF says.
    """
    if not true:
        # No function of the DWARF spans the address: the symbol, and the line of the function before it.
        symbol = image.symbol_at(address)
        assert symbol is not None
        names = {s.name for s in image.symbols.all_at(symbol.address)}
        return [p.function in names for p in said] == [True]
    first, *rest = without_columns(true)
    unit = unit_name(address)
    return unit != first.file and said == (
        SourcePosition(first.function, unit, first.line, None),
        *rest,
    )
