"""Kernels that scripts/lab-kernels.sh has built: WHYPANIC_LAB names the folder that it printed.

kernels/  by two toolchains, as they are
tables/   the same with the patch of examples/live
pages/    with larger pages
"""

import os
import struct
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage

FOLDER = "WHYPANIC_LAB"
_IMAGES = ("Image", "arch/arm64/boot/Image")


class BuiltKernel:
    """One kernel."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.name = folder.name
        self.vmlinux = folder / "vmlinux"
        self.image = image

    @cached_property
    def _opened(self) -> KernelImage:
        return open_image(self.vmlinux)

    def with_words(self, changes: Sequence[tuple[str, int, int]]) -> bytes:
        """Return the Image with words changed.

        :param changes: symbol, offset from it, and the word that is put there.
        """
        data = bytearray(self.image.read_bytes())
        for symbol, offset, word in changes:
            address = self._opened.value_of(symbol)
            assert address is not None, symbol
            struct.pack_into("<I", data, address - self._opened.base + offset, word)
        return bytes(data)


def built_kernels(kind: str = "kernels") -> list[BuiltKernel]:
    """Return the kernels of a kind, in the order of their names."""
    named = os.environ.get(FOLDER)
    found = []
    for folder in sorted((Path(named) / kind).glob("*")) if named else ():
        images = [folder / name for name in _IMAGES if (folder / name).is_file()]
        if images and (folder / "vmlinux").is_file():
            found.append(BuiltKernel(folder, images[0]))
    return found
