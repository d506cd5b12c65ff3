"""The kernel of a run: its Image, the vmlinux that belongs to it, and how it was built, as far as that is known."""

from collections.abc import Callable
from enum import Enum, auto
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from whypanic.lab.applicability import BootImage, read_boot_image
from whypanic.lab.build_cache import Record
from whypanic.lab.places import image_namer, name_in
from whypanic.lab.qemu_command import load_address
from whypanic.model.errors import InputError
from whypanic.model.lab import BuildSpec

if TYPE_CHECKING:
    from whypanic.app.images import Images
    from whypanic.formats.kernel_image import KernelImage

Say = Callable[[str], None]
_IN_TREE = ("arch", "arm64", "boot")
_IMAGES = ("Image", "arch/arm64/boot/Image", "arch/arm64/boot/Image.gz")
_VMLINUX = "vmlinux"
_RECORD = "build.json"
_MAX_COMPARED = 64 << 20
_WORD_BYTES = 4
_MAX_PATCHED = 1024
"""Words: who tries something out changes fewer, and another build differs everywhere."""


class BootedKernel:
    """What is booted in every cell of a run. The vmlinux is opened when a failure is looked at, not before."""

    def __init__(
        self, image: BootImage, vmlinux: Path | None, record: Record | None, say: Say
    ) -> None:
        self.image = image
        self.named_vmlinux = vmlinux
        self._record = record
        self._say = say

    @property
    def build(self) -> BuildSpec | None:
        """How the lab built it; None for an Image from elsewhere."""
        return None if self._record is None else self._record.result.spec

    @cached_property
    def sha256(self) -> str:
        """Of the file that was named."""
        from whypanic.app.inputs import describe_file

        return describe_file(str(self.image.path)).sha256

    @property
    def tools(self) -> tuple[str | None, str | None]:
        """Compiler and linker as the Image's own banner has them."""
        from whypanic.symbolize.identity import tools_of

        return tools_of(self.image.banner)

    @cached_property
    def vmlinux(self) -> Path | None:
        """The vmlinux, if there is one and it is that of the Image; a few words of code may differ."""
        return self.named_vmlinux if self._likeness is not Likeness.OTHER else None

    @cached_property
    def _likeness(self) -> "Likeness":
        path = self.named_vmlinux
        if path is None or self._opened is None:
            return Likeness.OTHER
        found = likeness(self._opened, self.image)
        if found is Likeness.OTHER:
            self._say(f"warning: `{path}` is not the vmlinux of `{self.image.path}`: not used")
        elif found is Likeness.PATCHED:
            self._say(f"warning: `{self.image.path}` has other code than `{path}` in a few places")
        return found

    @cached_property
    def _opened(self) -> "KernelImage | None":
        from whypanic.formats.images import open_image

        if self.named_vmlinux is None:
            return None
        try:
            return open_image(self.named_vmlinux)
        except InputError as error:
            self._say(f"warning: {error.message}")
            return None

    @cached_property
    def images(self) -> "Images":
        """What refines a diagnosis: the vmlinux if its code is what ran, else the Image itself with its kallsyms."""
        from whypanic.app.images import Images

        path = self.image.path
        if self.vmlinux is not None and self._likeness is Likeness.SAME:
            path = self.vmlinux
        modules = path.parent / "modules"
        return Images(
            [str(path)], modules=str(modules) if modules.is_dir() else None, say=self._say
        )

    @cached_property
    def build_id(self) -> str | None:
        """The build id that stands in the Image; None where no vmlinux tells which bytes those are."""
        kernel = next(iter(self.images.kernels), None)
        if kernel is None or kernel.build_id is None:
            return None
        raw = bytes.fromhex(kernel.build_id)
        return kernel.build_id if _holds(self.image, raw) else None

    @cached_property
    def name_of(self) -> Callable[[int], str | None]:
        """What names offsets in the Image; nothing is opened before the first."""
        names: list[Callable[[int], str | None]] = []

        def name(offset: int) -> str | None:
            if not names:
                opened = self._opened if self.vmlinux is not None else None
                if opened is not None and len(opened.symbols):
                    names.append(lambda at: name_in(opened, at))
                else:
                    names.append(image_namer(self.image.path, None))
            return names[0](offset)

        return name

    def link_address(self, pa: int) -> int | None:
        """Return where the byte at a physical address was linked; None outside the Image."""
        kernel = next(iter(self.images.kernels), None)
        offset = pa - load_address(self.image.text_offset)
        if kernel is None or not 0 <= offset < len(self.image.data):
            return None
        return kernel.base + offset


def find_kernel(name: str, vmlinux: str | None, say: Say) -> BootedKernel:
    """Return the kernel that a file or folder stands for.

    :param name: an Image, a folder of the cache, or one in which a kernel was built.
    :param vmlinux: as it was named; None: the one that belongs to the place of the Image is taken if it is there.
    :raises InputError: if there is no Image, or it cannot be read, or the named vmlinux is not there.
    """
    path = Path(name)
    if path.is_dir():
        found = next((path / each for each in _IMAGES if (path / each).is_file()), None)
        if found is None:
            message = f"no Image in `{name}`"
            hint = "give arch/arm64/boot/Image, or a folder that `whypanic lab build` named"
            raise InputError(message, path=name, hints=(hint,))
        path = found
    if vmlinux is not None and not Path(vmlinux).is_file():
        message = f"no vmlinux `{vmlinux}`"
        raise InputError(message, path=vmlinux)
    image = read_boot_image(path)
    beside = Path(vmlinux) if vmlinux is not None else _beside(path)
    return BootedKernel(image, beside, _record_of(path), say)


def _beside(image: Path) -> Path | None:
    whole = image.absolute()
    folders = [whole.parent]
    if whole.parent.parts[-len(_IN_TREE) :] == _IN_TREE:
        folders.append(whole.parents[len(_IN_TREE)])
    return next((f / _VMLINUX for f in folders if (f / _VMLINUX).is_file()), None)


def _record_of(image: Path) -> Record | None:
    try:
        return msgspec.json.decode((image.parent / _RECORD).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return None


class Likeness(Enum):
    """How the code of a vmlinux and of an Image compare."""

    SAME = auto()
    PATCHED = auto()
    """A few words differ."""
    OTHER = auto()


def likeness(vmlinux: "KernelImage", image: BootImage) -> Likeness:
    """Return whether a vmlinux is that of an Image, by all of its code."""
    n_words = n_different = 0
    for section in vmlinux.executable_sections():
        offset, n_bytes = section.address - vmlinux.base, min(section.size, _MAX_COMPARED) & ~3
        if not 0 <= offset <= len(image.data) - n_bytes or not n_bytes:
            continue
        ours = vmlinux.raw(section.address, n_bytes)
        if ours is None:
            continue
        theirs = bytes(image.data[offset : offset + n_bytes])
        n_words += n_bytes // _WORD_BYTES
        if ours != theirs:
            pairs = zip(memoryview(ours).cast("I"), memoryview(theirs).cast("I"), strict=True)
            n_different += sum(a != b for a, b in pairs)
    if not n_words or n_different > _MAX_PATCHED or n_different * 2 > n_words:
        return Likeness.OTHER
    return Likeness.PATCHED if n_different else Likeness.SAME


def _holds(image: BootImage, raw: bytes) -> bool:
    import re

    return re.search(re.escape(raw), image.data) is not None
