"""Which engine reads the debug information of an image."""

from collections.abc import Callable, Sequence
from functools import cache

from whypanic.formats.kernel_image import KernelImage
from whypanic.symbolize.debug_info import DebugInfo
from whypanic.symbolize.drgn_info import open_drgn
from whypanic.symbolize.external_info import ExternalInfo, SymbolizerProgram

FindProgram = Callable[[], SymbolizerProgram]


def open_debug_info(
    image: KernelImage, find_program: FindProgram | None = None, *, roots: Sequence[str] = ()
) -> DebugInfo | None:
    """Return drgn's reading where drgn is installed, else that of the program found; None where there is none to read.

    :param find_program: called where drgn does not do, only then.
    :param roots: paths that names of files of a module may begin with: `roots` of the kernel's own.
    :raises HostError: if `find_program` does.
    """
    if image.path is None or not image.has_debug_info:
        return None

    @cache
    def other() -> ExternalInfo | None:
        if find_program is None or image.path is None:
            return None
        return ExternalInfo(image, image.path, find_program(), roots=roots)

    return open_drgn(image, roots=roots, other=other) or other()
