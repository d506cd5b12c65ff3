"""One call for every form an image comes in: what a file is, its first bytes say and not its name."""

import mmap
import os
import re
import stat
from pathlib import Path

from whypanic.formats.compression import compression_of, decompress, first_bytes
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.errors import InputError

_ELF = b"\x7fELF"
_EFI = b"MZ"
_ARM64_IMAGE = (56, b"ARM\x64")
"""Linux Documentation/arm64/booting.rst, 4. Call the kernel image."""
_MAP_LINE = re.compile(rb"[0-9a-fA-F]{8,16} [A-Za-z?] [!-~]{1,512}(?:\t\[[!-~]+\])?\r?\n")
_MAX_MAP_LINE_BYTES = 600
_FOREIGN = {
    b"BC\xc0\xde": "LLVM bitcode, which an LTO build writes instead of objects",
    b"\xde\xc0\x17\x0b": "LLVM bitcode, which an LTO build writes instead of objects",
    b"!<arch>\n": "an ar archive",
    b"!<thin>\n": "a thin ar archive",
    b"\xd0\x0d\xfe\xed": "a device tree or a FIT image",
    b"\x27\x05\x19\x56": "a U-Boot image",
    b"ANDROID!": "an Android boot image",
    b"KDUMP   ": "a memory dump of makedumpfile",
    b"DISKDUMP": "a memory dump of makedumpfile",
    b"070701": "a cpio archive",
    b"!<ar": "an archive",
}
_BITCODE = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
"""LLVM bitcode, bare and in its wrapper. Source: LLVM docs/BitCodeFormat.rst, from memory."""
_HINT = "give vmlinux, Image, vmlinuz, System.map, a module or an object of arm64"


def open_image(path: Path | str, *, name: str | None = None) -> KernelImage:
    """Return the image that a file holds: vmlinux, raw Image, System.map, module or object, packed or not.

    The file is mapped, not read: it must stay as it is while the image is used.

    :param name: for messages; None: the path.
    :raises InputError: if it cannot be read, is of another machine, or is no image.
    """
    path = Path(path)
    shown = str(path) if name is None else name
    return image_from_bytes(_mapped(path, shown), name=shown, path=path)


def is_bitcode(path: Path) -> bool:
    """Tell whether a file holds LLVM bitcode, as the objects of an LTO build do; False where it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return os.read(handle, 4) in _BITCODE
        finally:
            os.close(handle)
    except (OSError, ValueError):
        return False


def image_from_bytes(data: memoryview, *, name: str, path: Path | None = None) -> KernelImage:
    """Return the image that bytes hold.

    :param path: the file they are of, if debuggers can read it.
    :raises InputError: like `open_image`.
    """
    head = bytes(data[:64])
    if head.startswith(_ELF):
        from whypanic.formats.elf_image import image_of_elf

        return image_of_elf(data, name=name, path=path)
    _reject_foreign(head, name)
    packed = compression_of(data)
    if packed is not None:
        inner = first_bytes(data)
        if inner.startswith(_ELF) or _is_map(inner):
            image = image_from_bytes(memoryview(decompress(data, name=name)), name=name)
            clause = f"no file that debuggers can read: it is packed with {packed}"
            image.missing = (*image.missing, clause)
            return image
        _reject_foreign(inner, name)
    if packed is not None or head.startswith(_EFI) or _is_raw(head):
        from whypanic.formats.raw_image import open_raw_image

        return open_raw_image(data, name=name)
    if _is_map(bytes(data[:_MAX_MAP_LINE_BYTES])):
        from whypanic.formats.system_map import read_system_map

        return read_system_map(bytes(data), name=name)
    message = f"{name} is no image of a kernel"
    raise InputError(message, path=name, hints=(_HINT,))


def _is_raw(head: bytes) -> bool:
    offset, magic = _ARM64_IMAGE
    return head[offset : offset + len(magic)] == magic


def _is_map(head: bytes) -> bool:
    return _MAP_LINE.match(head) is not None


def _reject_foreign(head: bytes, name: str) -> None:
    word = next((word for magic, word in _FOREIGN.items() if head.startswith(magic)), None)
    if word is not None:
        message = f"{name} is {word}, no image of a kernel"
        raise InputError(message, path=name, hints=(_HINT,))


def _mapped(path: Path, name: str) -> memoryview:
    """Return a file's bytes, mapped.

    :raises InputError: if it cannot be opened, is empty, or is no regular file.
    """
    try:
        # A FIFO would wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                what = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
                message = f"{name} is {what}, no image of a kernel"
                raise InputError(message, path=name)
            if not status.st_size:
                message = f"{name} is empty"
                raise InputError(message, path=name)
            return memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_READ))
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot read {name}: {reason}"
        raise InputError(message, path=name) from error
