"""The files of tests/data/lines, opened: small line tables of several compilers."""

from functools import cache

from builders.repository import ROOT
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage
from whypanic.symbolize.debug_info import Chain

FOLDER = ROOT / "tests" / "data" / "lines"
TREE = ("/src/tree/",)
"""The path of the tree that they were compiled with."""


@cache
def image(name: str) -> KernelImage:
    """Return one file as an image."""
    return open_image(FOLDER / name)


def instructions(made: KernelImage) -> list[int]:
    """Return the address of every instruction."""
    return [a for s in made.executable_sections() for a in range(s.address, s.end, 4)]


def shown(chain: Chain) -> list[str]:
    """Return a chain as text, one function each."""
    return [f"{p.function} {p.file}:{p.line}:{p.column}" for p in chain]
