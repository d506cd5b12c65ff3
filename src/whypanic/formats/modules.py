"""A folder of modules: the file of a module found by its name, or by build id, without opening the others.

Layouts: /lib/modules/VERSION (kernel/..., also packed), files of debug information beside or apart (x.ko.debug, or x.ko
below /usr/lib/debug), and .build-id/xx/yyyy.debug as GDB documents it ("Debugging Information in Separate Files").
"""

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from whypanic.formats.kernel_image import KernelImage
from whypanic.model.errors import InputError

_SUFFIXES = (".ko", ".ko.debug", ".ko.xz", ".ko.zst", ".ko.gz")
_BUILD_ID_FOLDER = ".build-id"
_SKIPPED_LINKS = ("build", "source")
"""Links of /lib/modules/VERSION to whole kernel trees."""
_MAX_DEPTH = 24
_MAX_ENTRIES = 500_000
_MAX_CANDIDATES = 32
_BUILD_ID = re.compile(r"[0-9a-f]{4,128}")


class _Found(NamedTuple):
    """What the walk over a folder yields."""

    by_name: dict[str, list[Path]]
    build_id_folders: list[Path]


class ModuleFolder:
    """A folder given with --modules. Names are read at the first question, files when they are asked for."""

    def __init__(self, path: Path | str) -> None:
        """Take a folder.

        :raises InputError: if it is none.
        """
        self.path = Path(path)
        if not self.path.is_dir():
            message = f"{path} is not a folder of modules"
            raise InputError(message, path=str(path))
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be used, one clause each: files that are none, and modules of another build."""
        return tuple(self._notes)

    def find(self, name: str, build_id: str | None = None) -> Iterator[Path]:
        """Yield the files of a module, those with debug information first.

        :param name: `-` and `_` are the same.
        :param build_id: hexadecimal; only files that have it are yielded. None: all of that name.
        """
        for image in self._matching(name, build_id):
            yield Path(image.name)

    def open(self, name: str, build_id: str | None = None) -> KernelImage | None:
        """Return the module, from the file with debug information if there is one; None where there is none."""
        return next(self._matching(name, build_id), None)

    def _matching(self, name: str, build_id: str | None) -> Iterator[KernelImage]:
        wanted = None if build_id is None else build_id.lower()
        images = []
        for path in self._candidates(name, wanted):
            image = self._open(path)
            if image is None:
                continue
            if wanted is not None and image.build_id != wanted:
                had = image.build_id or "none"
                self._notes[f"{path} has another build id ({had}), not {wanted}"] = None
                continue
            images.append(image)
        images.sort(key=_usefulness, reverse=True)
        yield from images

    def _open(self, path: Path) -> KernelImage | None:
        from whypanic.formats.images import open_image

        try:
            return open_image(path)
        except InputError as error:
            self._notes[error.message] = None
            return None

    def _candidates(self, name: str, build_id: str | None) -> list[Path]:
        found = self._found
        paths: list[Path] = []
        if build_id is not None and _BUILD_ID.fullmatch(build_id):
            for folder in found.build_id_folders:
                below = folder / build_id[:2]
                paths += [below / f"{build_id[2:]}.debug", below / build_id[2:]]
        paths = [path for path in paths if path.is_file()]
        paths += found.by_name.get(_plain(name), [])
        if len(paths) > _MAX_CANDIDATES:
            clause = f"{self.path}: more than {_MAX_CANDIDATES} files are named {name}"
            self._notes[clause] = None
        unique = {path.resolve(): path for path in reversed(paths[:_MAX_CANDIDATES])}
        return list(reversed(unique.values()))

    @cached_property
    def _found(self) -> _Found:
        found = _Found({}, [])
        seen: set[tuple[int, int]] = set()
        stack = [(self.path, 0)]
        n_entries = 0
        while stack:
            folder, depth = stack.pop()
            for entry in self._entries(folder, seen):
                n_entries += 1
                if n_entries > _MAX_ENTRIES:
                    self._notes[f"{self.path}: more than {_MAX_ENTRIES} names, not all read"] = None
                    return found
                if entry.name == _BUILD_ID_FOLDER:
                    found.build_id_folders.append(Path(entry.path))
                elif entry.name.endswith(_SUFFIXES):
                    name = _plain(entry.name.partition(".ko")[0])
                    found.by_name.setdefault(name, []).append(Path(entry.path))
                elif depth < _MAX_DEPTH and _is_folder(entry):
                    stack.append((Path(entry.path), depth + 1))
        for paths in found.by_name.values():
            paths.sort()
        return found

    def _entries(self, folder: Path, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
        """Return what is in a folder; nothing where it was looked at before: links may lead in circles."""
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                return []
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError as error:
            self._notes[f"cannot read {folder}: {error.strerror}"] = None
            return []


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() and not (entry.is_symlink() and entry.name in _SKIPPED_LINKS)
    except OSError:
        return False


def _usefulness(image: KernelImage) -> tuple[bool, bool]:
    return image.has_debug_info, any(image.executable_sections())
