"""The image that was booted, where QEMU put it in RAM, with what names its places."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from whypanic.lab.applicability import read_boot_image
from whypanic.lab.places import name_in, with_symbols
from whypanic.lab.qemu_command import load_address
from whypanic.lab.sampling import image_offset

if TYPE_CHECKING:
    from whypanic.formats.kernel_image import KernelImage


class LoadedImage:
    """An Image at its physical address. Symbols are read at first need."""

    def __init__(self, image: Path, vmlinux: Path | None = None) -> None:
        """Take the file that was booted.

        :raises InputError: if it cannot be read.
        """
        self._booted = read_boot_image(image)
        self._vmlinux = vmlinux
        self.data = self._booted.data
        """Its bytes before it ran."""
        self.pa = load_address(self._booted.text_offset)
        """Physical address of the first one."""
        self.page = self._booted.page or "4k"

    @cached_property
    def symbols(self) -> "KernelImage | None":
        """vmlinux, or the Image with its kallsyms; None where neither has symbols."""
        return with_symbols(self._vmlinux) or with_symbols(self._booted.path)

    def name(self, pa: int) -> str | None:
        """Return `symbol+0x4` for a physical address."""
        offset = self._offset(pa)
        return None if offset is None or self.symbols is None else name_in(self.symbols, offset)

    def link_va(self, pa: int | None) -> int | None:
        """Return the link VA of a physical address in the image."""
        offset = self._offset(pa)
        return None if offset is None or self.symbols is None else self.symbols.base + offset

    def pa_of(self, name: str) -> int | None:
        """Return the physical address of a symbol, one in .bss too."""
        if self.symbols is None:
            return None
        link_va = self.symbols.value_of(name)
        return None if link_va is None else self.pa + link_va - self.symbols.base

    def _offset(self, pa: int | None) -> int | None:
        return image_offset(pa, self._booted.text_offset, len(self.data))
