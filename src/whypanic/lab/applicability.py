"""Whether an image can be booted in a mode on a CPU; what an image is, is read off its bytes."""

import mmap
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from whypanic.formats.image_header import read_image_header
from whypanic.lab.modes import cpu_for, find_cpu
from whypanic.model.errors import InputError
from whypanic.model.lab import BootSpec, Mode

_PAGES = {4096: "4k", 16384: "16k", 65536: "64k"}
_KVM_TEXT = "HYP mode not available"
_BANNER = re.compile(rb"Linux version (\d[!-~]{0,100}) [ -~]{1,600}")
_HINT = "give arch/arm64/boot/Image, or a vmlinuz"


class BootImage(NamedTuple):
    """What is to be known of an Image before it is booted."""

    path: Path
    data: memoryview
    """The raw Image, unpacked."""
    packed: bool
    """The file is not that Image: it must be unpacked for QEMU."""
    release: str | None
    """6.1.192"""
    banner: str | None
    page: str | None
    """4k, 16k, 64k; None: the header does not tell."""
    big_endian: bool
    text_offset: int
    """Bytes from a boundary of 2 MiB to where it is put."""
    has_kvm: bool

    def holds(self, texts: Iterable[str]) -> bool:
        """Return whether one of these texts is in the image."""
        return any(_holds(self.data, text) for text in texts)


def read_boot_image(path: Path) -> BootImage:
    """Return what an Image tells of itself, packed or not; its symbols are not read.

    The file is mapped: it must stay as it is.

    :raises InputError: if it cannot be read, or is no Image: a vmlinux is none.
    """
    try:
        with path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is empty"
        message = f"cannot read `{path}`: {why.lower()}"
        raise InputError(message, path=str(path)) from error
    data, header = mapped, read_image_header(mapped)
    if header is None:
        # It brings numpy with it, which a plain Image does not need.
        from whypanic.formats.raw_image import unwrap

        data = unwrap(mapped, name=str(path))
        header = read_image_header(data)
    if header is None:
        message = f"`{path}` is no Image that can be booted"
        raise InputError(message, path=str(path), hints=(_HINT,))
    # Later kernels hold the text twice, once with a `%s` or a shorter end.
    banner = max(_BANNER.finditer(data), key=lambda m: len(m[0]), default=None)
    return BootImage(
        path=path,
        data=data,
        packed=len(data) != len(mapped),
        release=banner[1].decode() if banner else None,
        banner=banner[0].decode() if banner else None,
        page=_PAGES.get(header.page_bytes or 0),
        big_endian=header.big_endian,
        text_offset=header.text_offset,
        has_kvm=_holds(data, _KVM_TEXT),
    )


def _holds(data: memoryview, text: str) -> bool:
    return re.search(re.escape(text.encode()), data) is not None


def applicable(image: BootImage, mode: Mode, cpu: str) -> str | None:
    """Return why an image cannot be booted in a mode on a CPU, None where it can.

    :param cpu: argument of `-cpu`.
    """
    if image.big_endian:
        return "the image is big-endian, and our init is not"
    if mode.id != "el1" and not image.has_kvm:
        return "this kernel was built without KVM"
    if mode.image_texts and not image.holds(mode.image_texts):
        return mode.absent
    known = find_cpu(cpu)
    if known is None:
        return None
    if image.page is not None and image.page not in known.pages:
        return f"{known.model} has no pages of {image.page}"
    if mode.vhe is not None and mode.vhe is not known.vhe:
        return f"{known.model} has {'no VHE' if mode.vhe else 'VHE'}"
    return None


def not_applicable(image: BootImage, spec: BootSpec, mode: Mode) -> str | None:
    """Return why a boot makes no sense, None where it does."""
    if image.page is not None and spec.page != image.page:
        return f"the image has pages of {image.page}, not of {spec.page}"
    return applicable(image, mode, spec.cpu or cpu_for(mode, spec.page))
