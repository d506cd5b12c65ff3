"""A folder of kernel source: what version it is, and a hash of all that can reach an arm64 image.

The hash is of contents, not of times or places: two copies of a tree, or a tree after a patch was applied and taken
back, share what was built from them. So that it takes a fraction of a second, a digest is kept for each file with the
size, times and inode it had; git keeps its index so, and for the same reason a file that was written within the last
two seconds is read again the next time.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from whypanic.host.cache import write_whole
from whypanic.host.clock import now_ns
from whypanic.model.errors import InputError

_MAX_FILES = 400_000
_RACY_NS = 2_000_000_000
_CHUNK_BYTES = 1 << 20
# Folders of no build for arm64: arch/arm holds device trees and Xen code that arm64 shares. Of Documentation only its
# Kconfig is read.
_SKIPPED = {".git", "LICENSES", "tools/testing"}
_KEPT_ARCHES = {"arm", "arm64"}
_SKIPPED_ENDINGS = ("~", ".orig", ".rej", ".swp")

Entry = tuple[int, int, int, int, str]
"""Size, mtime in ns, ctime in ns, inode, digest."""


class KernelTree(NamedTuple):
    folder: Path
    version: str
    """VERSION.PATCHLEVEL.SUBLEVEL and EXTRAVERSION of its Makefile."""
    knows_llvm_suffix: bool
    """`LLVM=-19` and `LLVM=/folder/` mean something to it: Linux kernel commit e9c281928c24 ("kbuild: Make $(LLVM) more
    flexible") (in v5.18)."""


def open_tree(folder: Path) -> KernelTree:
    """Return the kernel tree in a folder.

    :raises InputError: if it is none, or one that was built in place, which kbuild refuses to build elsewhere.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        message = f"`{folder}` is no folder"
        raise InputError(message, path=str(folder))
    try:
        text = (folder / "Makefile").read_text(errors="replace")
    except OSError:
        text = ""
    numbers = {
        name: value.strip()
        for name, value in re.findall(
            r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=(.*)$", text[:4000], re.MULTILINE
        )
    }
    if not (numbers.get("VERSION", "").isdigit() and numbers.get("PATCHLEVEL", "").isdigit()):
        message = f"`{folder}` is no kernel tree: its Makefile has no VERSION and PATCHLEVEL"
        raise InputError(
            message, path=str(folder), hints=("name the top folder of a Linux source",)
        )
    if (folder / ".config").exists() or (folder / "include" / "config").is_dir():
        message = f"`{folder}` was built or configured in place, and kbuild refuses such a tree"
        raise InputError(
            message,
            path=str(folder),
            hints=(f"clean it: make -C {folder} mrproper", "keep its .config elsewhere before"),
        )
    version = ".".join(
        filter(None, (numbers.get(n) for n in ("VERSION", "PATCHLEVEL", "SUBLEVEL")))
    )
    return KernelTree(folder, version + numbers.get("EXTRAVERSION", ""), "LLVM_SUFFIX" in text)


def hash_tree(folder: Path, memory: Path, *, say: Callable[[str], None]) -> str:
    """Return the SHA-256 of the contents and names of all files that an arm64 build may read.

    :param memory: file with the digests of the last time; written anew when something changed.
    :raises InputError: if the tree cannot be read or has too many files.
    """
    known = _read_memory(memory)
    started_ns = now_ns()
    fresh: dict[str, Entry] = {}
    total = hashlib.sha256()
    changed = not known
    if changed:
        say(f"reading {folder} once, to know it by its content")
    try:
        for name, path, state in _files(folder):
            entry = known.get(name)
            seen = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
            if entry is None or entry[:4] != seen:
                entry = (*seen, _digest(path, state))
                changed = True
            if started_ns - max(state.st_mtime_ns, state.st_ctime_ns) > _RACY_NS:
                fresh[name] = entry
            total.update(f"{name}\0{entry[4]}\n".encode(errors="surrogateescape"))
            if len(fresh) > _MAX_FILES:
                message = f"`{folder}` has more than {_MAX_FILES} files"
                raise InputError(message, path=str(folder))
    except OSError as error:
        message = (
            f"cannot read `{error.filename or folder}`: {(error.strerror or str(error)).lower()}"
        )
        raise InputError(message, path=str(folder)) from error
    if changed or len(fresh) != len(known):
        write_whole(memory, msgspec.msgpack.encode(fresh))
    return total.hexdigest()


def _read_memory(memory: Path) -> dict[str, Entry]:
    try:
        return msgspec.msgpack.decode(memory.read_bytes(), type=dict[str, Entry])
    except (OSError, msgspec.MsgspecError):
        return {}


def _files(folder: Path) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield name, path and state of every file that counts, in a fixed order."""
    pending = [""]
    while pending:
        below = pending.pop()
        with os.scandir(folder / below) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            name = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not _skips(name):
                    pending.append(name + "/")
            elif not name.endswith(_SKIPPED_ENDINGS) and (
                not below.startswith("Documentation/") or entry.name == "Kconfig"
            ):
                yield _encodable(name), entry.path, entry.stat(follow_symlinks=False)


def _encodable(name: str) -> str:
    """Return a name of any bytes as a text that can be kept; others stay as they are."""
    return name.encode(errors="backslashreplace").decode()


def _skips(name: str) -> bool:
    parent, _, last = name.rpartition("/")
    if parent == "arch":
        return last not in _KEPT_ARCHES
    return name in _SKIPPED or parent == "Documentation"


def _digest(path: str, state: os.stat_result) -> str:
    if stat.S_ISLNK(state.st_mode):
        return "link:" + _encodable(str(Path(path).readlink()))
    if not stat.S_ISREG(state.st_mode):
        return "special"
    kind = "x:" if state.st_mode & 0o100 else ""
    total = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path for each of 60,000 files costs more than the hash
        while chunk := file.read(_CHUNK_BYTES):
            total.update(chunk)
    return kind + total.hexdigest()
