"""Images named on the command line, opened once, and what each report gets from them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from whypanic.app.analysis import Explained, with_facts
from whypanic.app.guarded_debug_info import GuardedDebugInfo
from whypanic.app.inputs import display_name
from whypanic.model.errors import HostError, InputError

if TYPE_CHECKING:
    from whypanic.formats.kernel_image import KernelImage
    from whypanic.formats.modules import ModuleFolder
    from whypanic.symbolize.debug_info import DebugInfo

Say = Callable[[str], None]
MAX_OPEN_MODULES = 32


class Images:
    """The images of one run. Opening is lazy: a log without a report opens nothing."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        modules: str | None = None,
        source: str | None = None,
        allow_mismatch: bool = False,
        say: Say,
    ) -> None:
        self._paths = tuple(paths)
        self._modules = modules
        self.source = None if source is None else Path(source)
        self.allow_mismatch = allow_mismatch
        self._say = say
        self.errors: list[InputError] = []
        """Images that could not be opened."""
        self._debug: dict[int, DebugInfo | None] = {}
        self._opened: dict[tuple[str, str | None], KernelImage | None] = {}
        self._told: set[str] = set()

    @cached_property
    def kernels(self) -> "tuple[KernelImage, ...]":
        """The images that could be opened, in the order of the command line."""
        from whypanic.formats.images import open_image

        found = []
        for name in self._paths:
            try:
                found.append(open_image(Path(name), name=display_name(name)))
            except InputError as error:
                self.errors.append(error)
        return tuple(found)

    @cached_property
    def _folder(self) -> "ModuleFolder | None":
        from whypanic.formats.modules import ModuleFolder

        if self._modules is None:
            return None
        try:
            return ModuleFolder(Path(self._modules))
        except InputError as error:
            self.errors.append(error)
            return None

    def module(self, name: str, build_id: str | None = None) -> "KernelImage | None":
        """Return the image of a module, by build id where the log prints it; None where there is none."""
        key = (name.replace("-", "_"), build_id)
        if key not in self._opened:
            self._opened[key] = self._open_module(*key)
        return self._opened[key]

    def _open_module(self, name: str, build_id: str | None) -> "KernelImage | None":
        from whypanic.formats.kernel_image import ImageKind

        for image in self.kernels:
            if image.kind is ImageKind.MODULE and image.module == name:
                return image
        if self._folder is None or len(self._opened) >= MAX_OPEN_MODULES:
            return None
        return self._folder.open(name, build_id)

    def debug_info(self, image: "KernelImage") -> "DebugInfo | None":
        """Return what reads the debug information of an image; None where it has none, or nothing reads it."""
        from whypanic.host.symbolizers import find_symbolizer
        from whypanic.symbolize.open_debug_info import open_debug_info

        key = id(image)
        if key not in self._debug:
            found = None
            try:
                found = open_debug_info(image, find_symbolizer, roots=self._roots(image))
            except HostError as error:
                self.tell(f"warning: {image.name}: {error.message}")
                for hint in error.hints:
                    self.tell(f"hint: {hint}")
            self._debug[key] = (
                None if found is None else GuardedDebugInfo(found, image.name, self.tell)
            )
        return self._debug[key]

    def _roots(self, image: "KernelImage") -> tuple[str, ...]:
        """Return the paths of the tree that the kernel was built in, for a module of it."""
        if image.module is None:
            return ()
        kernel = next((k for k in self.kernels if k.module is None and k.has_debug_info), None)
        debug = None if kernel is None else self.debug_info(kernel)
        return () if debug is None else debug.roots

    def open_all(self) -> list[InputError]:
        """Return what could not be opened, of all that was named."""
        _ = self.kernels, self._folder
        return self.errors

    def tell(self, line: str) -> None:
        """Say a line once."""
        if line not in self._told:
            self._told.add(line)
            self._say(line)

    def refine(self, explained: Explained) -> Explained:
        """Return a report explained anew with what the images say."""
        from whypanic.app.image_facts import image_facts

        try:
            facts = tuple(image_facts(self, explained))
        except InputError as error:
            if all(error.message != other.message for other in self.errors):
                self.errors.append(error)
            return explained
        return with_facts(explained, facts) if facts else explained
