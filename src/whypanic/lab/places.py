"""Names of places in a kernel that runs, by offset from the first byte of its Image.

QEMU puts the Image at a fixed physical address, so a PC that the CPU itself translates gives the offset in every mode:
before the MMU is on, with KASLR, and at EL2 with its own addresses.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from whypanic.model.errors import InputError

if TYPE_CHECKING:
    from whypanic.formats.kernel_image import KernelImage

Namer = Callable[[int], str | None]
"""From an offset in the Image to `symbol+0x4`."""


def image_namer(image: Path, vmlinux: Path | None) -> Namer:
    """Return what names offsets; the files are opened at the first call.

    :param image: the Image that was booted; its kallsyms are read where there is no vmlinux.
    """
    opened: list[KernelImage | None] = []

    def name(offset: int) -> str | None:
        if not opened:
            opened.append(with_symbols(vmlinux) or with_symbols(image))
        return None if opened[0] is None else name_in(opened[0], offset)

    return name


def with_symbols(path: Path | None) -> "KernelImage | None":
    """Return the image in a file; None where it is none, or has no symbols."""
    from whypanic.formats.images import open_image

    if path is None:
        return None
    try:
        image = open_image(path)
    except InputError:
        return None
    return image if len(image.symbols) else None


def name_in(image: "KernelImage", offset: int) -> str | None:
    """Return `symbol+0x4` for an offset from the first byte of an image, by the last symbol before it.

    As kallsyms does it: by size, `__kvm_hyp_init`, which are vectors, would have all of the functions behind it.
    """
    link_va = image.base + offset
    i = image.symbols.index_at(link_va)
    if i < 0:
        return None
    start = image.symbols.symbol(i).address
    best = image.symbols.at(start)
    symbol = best if best is not None and best.address == start else image.symbols.symbol(i)
    behind = link_va - start
    return f"{symbol.name}+{behind:#x}" if behind else symbol.name
