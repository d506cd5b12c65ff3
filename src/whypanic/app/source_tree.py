"""Lines of a kernel's source tree, for `--source`: read, bounded, and never outside the tree."""

from pathlib import Path

from whypanic.model.image import SourcePosition

_MAX_FILE_BYTES = 8 << 20
_MAX_FILES = 64
_WIDTH = 200


class SourceTree:
    """A folder that file names of debug information are relative to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, list[str]] = {}

    def statement(self, position: SourcePosition) -> str:
        """Return the line of source text at a position; empty where the tree does not have it."""
        if position.file is None or position.line is None:
            return ""
        lines = self._lines(position.file)
        if not 0 < position.line <= len(lines):
            return ""
        return lines[position.line - 1].strip()[:_WIDTH]

    def _lines(self, name: str) -> list[str]:
        if name not in self._files:
            if len(self._files) >= _MAX_FILES:
                return []
            self._files[name] = self._read(name)
        return self._files[name]

    def _read(self, name: str) -> list[str]:
        try:
            folder = self._folder.resolve()
            path = (folder / name).resolve()
            if not path.is_relative_to(folder) or not path.is_file():
                return []
            if path.stat().st_size > _MAX_FILE_BYTES:
                return []
            # Compilers count newlines alone, and kernel sources have form feeds.
            return path.read_text("utf-8", "backslashreplace").split("\n")
        except (OSError, ValueError):
            return []
