"""llvm-symbolizer and addr2line: which of them is here, and how each is called."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from whypanic.host.process import run_program
from whypanic.model.errors import HostError

LLVM, GNU = "llvm-symbolizer", "addr2line"
_HINTS = {
    LLVM: ("install Debian's package llvm",),
    GNU: ("install Debian's package binutils-aarch64-linux-gnu",),
}
_OLDEST_LLVM = 13
"""The first that prints JSON."""
_NEWEST_LLVM = 40
_TIMEOUT_S = 60.0
_MAX_COPY_BYTES = 1 << 30

Change = tuple[int, bytes]


class Symbolizer(NamedTuple):
    """A program that finds functions and lines by address."""

    engine: str
    """LLVM or GNU: what it prints, JSON or lines."""
    program: str
    """Path, or name on PATH."""
    timeout_s: float = _TIMEOUT_S

    def __call__(
        self,
        image: Path,
        addresses: Sequence[int],
        *,
        linkage_names: bool = False,
        changes: Sequence[Change] = (),
    ) -> str:
        """Return what it prints for these addresses of an image.

        No debug information is fetched over the network.

        :param linkage_names: mangled names where there are any; addr2line prints no others.
        :param changes: bytes by offset that are put into a copy of the image, which is then read in its place.
        :raises HostError: if it cannot be started, fails, or runs longer than `timeout_s`; it is then ended.
        """
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DEBUGINFOD_")}
        with _changed(image.absolute(), changes) as path:
            argv = [self.program, *self._options(path, linkage_names), *map(hex, addresses)]
            done = run_program(argv, timeout_s=self.timeout_s, environment=kept | {"LC_ALL": "C"})
        if done.returncode:
            said = done.stderr.splitlines()[-1:] or [""]
            how = f"code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
            message = f"`{self.program}` ended with {how}{f': {said[0]}' if said[0] else ''}"
            raise HostError(message, hints=_HINTS.get(self.engine, ()))
        return done.stdout

    def _options(self, path: Path, linkage_names: bool) -> tuple[str, ...]:
        if self.engine == GNU:
            return ("--addresses", "--functions", "--inlines", f"--exe={path}")
        names = "linkage" if linkage_names else "short"
        return (
            f"--obj={path}",
            "--output-style=JSON",
            "--inlines",
            "--relativenames",
            "--no-demangle",
            f"--functions={names}",
        )


def find_symbolizer() -> Symbolizer:
    """Return the most exact of the programs on PATH.

    :raises HostError: if there is none.
    """
    found = _find(os.environ.get("PATH"))
    if found is None:
        message = "no llvm-symbolizer and no addr2line on this machine: nothing reads the lines"
        raise HostError(message, hints=(_HINTS[LLVM][0], *_HINTS[GNU]))
    return found


@cache
def _find(path: str | None) -> Symbolizer | None:
    versions = [f"-{n}" for n in range(_NEWEST_LLVM, _OLDEST_LLVM - 1, -1)]
    llvm = [f"{name}{v}" for name in (LLVM, "llvm-addr2line") for v in ("", *versions)]
    candidates = [(LLVM, name) for name in llvm]
    candidates += [(GNU, "aarch64-linux-gnu-addr2line"), (GNU, "addr2line")]
    for engine, name in candidates:
        if (program := shutil.which(name, path=path)) is not None:
            return Symbolizer(engine, program)
    return None


@contextmanager
def _changed(image: Path, changes: Sequence[Change]) -> Iterator[Path]:
    """Yield a path of the image with these changes, gone when the block ends."""
    if not changes:
        yield image
        return
    with tempfile.TemporaryDirectory(prefix="whypanic-") as folder:
        yield _copy(image, Path(folder, "image"), changes)


def _copy(image: Path, copy: Path, changes: Sequence[Change]) -> Path:
    try:
        if (size := image.stat().st_size) > _MAX_COPY_BYTES:
            message = f"{image.name} has {size} bytes: too many to copy for `{LLVM}`"
            raise HostError(message)
        shutil.copyfile(image, copy)
        with copy.open("r+b") as file:
            for offset, data in changes:
                file.seek(offset)
                file.write(data)
    except OSError as error:
        message = f"cannot copy {image.name}: {(error.strerror or str(error)).lower()}"
        raise HostError(message) from error
    return copy
