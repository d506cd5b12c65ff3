"""Assembler text of small images with the tables that the kernel patches its code by."""

from builders.images import link
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage

NOP = 0xD503201F
BASE = 0xFFFF800008000000
"""Where the first word of .text lies."""


def alternative(place: str, replacement: str, capability: int, n_bytes: int, other: int) -> str:
    """Return one row of .altinstructions, as arch/arm64's macros write it."""
    return (
        '.pushsection .altinstructions, "a"\n'
        f".word {place} - .\n.word {replacement} - .\n.hword {capability:#x}\n"
        f".byte {n_bytes}\n.byte {other}\n.popsection\n"
    )


def image(source: str, *options: str) -> KernelImage:
    """Return the linked image of assembler text."""
    return open_image(link(f".text\n{source}\n", *options))
