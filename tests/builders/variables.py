"""The images of tests/data/variables, opened: code with structures whose members the tests name."""

from functools import cache
from typing import TYPE_CHECKING, Literal

from builders.repository import ROOT
from whypanic.arch.insn import decode
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage
from whypanic.symbolize.drgn_info import DrgnInfo, open_drgn

if TYPE_CHECKING:
    from drgn import Type

Compiler = Literal["gcc", "clang"]
FOLDER = ROOT / "tests" / "data" / "variables"


@cache
def image(compiler: Compiler) -> KernelImage:
    """Return the image that one compiler made."""
    return open_image(FOLDER / f"variables-{compiler}.elf")


@cache
def debug(compiler: Compiler) -> DrgnInfo:
    """Return its debug information."""
    found = open_drgn(image(compiler))
    assert found is not None
    return found


def type_of(compiler: Compiler, name: str) -> "Type":
    """Return a type by name, e.g. `struct widget`."""
    return debug(compiler).program.type(name)


def place(compiler: Compiler, function: str, n: int) -> int:
    """Return the link VA of load or store number `n` of a function, from 0."""
    made = image(compiler)
    (symbol,) = made.symbols.find(function)
    words = made.words(symbol.address, symbol.end)
    assert words is not None
    found = [symbol.address + i * 4 for i, word in enumerate(words.tolist()) if decode(word).memory]
    return found[n]
