"""Kernels that were built, kept by content: the same tree, options and tools find what is there.

    lab/builds/<key>/     Image, vmlinux, .config, kvm_nvhe.o, modules/, make.log, build.json; whole or not there; the
                          oldest go first
    lab/requests/<key>    which build a request came to, so that nothing has to be configured to know it
    lab/work/<name>/      folders of objects, for the next build of nearly the same; the oldest go first
    lab/failures/<name>/  make.log of builds that failed
    lab/trees/<name>      digests of a tree's files

The key of a build is the SHA-256 of the tree's content, the final .config, the first lines of `--version` of compiler
and linker, make's variables, and the version of this driver. Folders take no part: paths are mapped away.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from whypanic.host.cache import (
    cache_folder,
    cannot_write,
    folder_in_making,
    oldest_folders,
    remove_oldest_folders,
    try_locked,
    write_whole,
)
from whypanic.model.lab import BuildResult, BuildSpec, OptionCheck, Toolchain

_T = TypeVar("_T")
DRIVER = 1
"""To be raised when the same inputs make another Image."""
_MAX_WORK_FOLDERS = 6
_MAX_FAILURES = 20
_MAX_BUILDS = 60
"""Those found or made last; each takes 60 MB with our config."""
_KEPT = {
    # What is kept under which name, and whether a build without it is none.
    "Image": ("arch/arm64/boot/Image", True),
    "vmlinux": ("vmlinux", False),
    ".config": (".config", True),
    "System.map": ("System.map", False),
    "kvm_nvhe.o": ("arch/arm64/kvm/hyp/nvhe/kvm_nvhe.o", False),
    "make.log": ("make.log", False),
}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """build.json."""

    result: BuildResult
    """With names of files below the folder in the place of paths."""
    toolchain: Toolchain
    version: str
    """Of the kernel."""
    tree_hash: str
    n_objects: int


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a request came to."""

    key: str
    options: tuple[OptionCheck, ...]


def lab_folder() -> Path:
    """Return the lab's part of the cache."""
    return cache_folder().absolute() / "lab"


def key_of(*parts: str | Iterable[str]) -> str:
    """Return the SHA-256 of these texts, in which no text runs into the next."""
    flat = [[part] if isinstance(part, str) else list(part) for part in parts]
    return hashlib.sha256(msgspec.json.encode([DRIVER, *flat])).hexdigest()


def build_folder(key: str) -> Path:
    """Return where a build of that key is or will be."""
    return lab_folder() / "builds" / key


def read_request(key: str) -> Request | None:
    """Return what a request came to the last time; None if it was never asked or cannot be read."""
    return _read(lab_folder() / "requests" / key, Request)


def write_request(key: str, request: Request) -> None:
    """Remember what a request came to."""
    write_whole(lab_folder() / "requests" / key, msgspec.json.encode(request))


def find_build(key: str, spec: BuildSpec, options: tuple[OptionCheck, ...]) -> BuildResult | None:
    """Return the kept build of that key, as the answer to `spec`; None if there is none."""
    folder = build_folder(key)
    record = _read(folder / "build.json", Record)
    if record is None or not (folder / "Image").is_file():
        return None
    with contextlib.suppress(OSError):
        folder.touch()
    return _with_paths(record.result, folder, spec=spec, options=options, cached=True)


def keep_build(key: str, record: Record, out: Path) -> BuildResult:
    """Copy what a build made from its folder of objects into the cache, and return it with its paths.

    :raises HostError: if it cannot be written.
    """
    final = build_folder(key)
    with folder_in_making(final) as new:
        for name, (path, needed) in _KEPT.items():
            if needed or (out / path).is_file():
                shutil.copyfile(out / path, new / name)
        for module in _modules(out):
            (new / "modules" / module).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(out / module, new / "modules" / module)
        there = {name: name for name in _KEPT if (new / name).is_file()}
        with (new / "Image").open("rb") as file:
            image_hash = hashlib.file_digest(file, "sha256").hexdigest()
        record = msgspec.structs.replace(
            record,
            result=msgspec.structs.replace(
                record.result,
                folder=key,
                image="Image",
                vmlinux=there.get("vmlinux"),
                kvm_nvhe=there.get("kvm_nvhe.o"),
                log=there.get("make.log"),
                image_hash=image_hash,
            ),
        )
        (new / "build.json").write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
    remove_oldest_folders(final.parent, _MAX_BUILDS)
    return _with_paths(
        record.result, final, spec=record.result.spec, options=record.result.options, cached=False
    )


def keep_failure(name: str, log: Path) -> Path:
    """Keep the log of a build that failed, and return its folder."""
    folder = lab_folder() / "failures" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if log.is_file():
            shutil.copyfile(log, folder / "make.log")
    except OSError as error:
        raise cannot_write(folder, error) from error
    remove_oldest_folders(folder.parent, _MAX_FAILURES)
    return folder


def work_folder(name: str) -> Path:
    """Return the folder of objects of that name, made if it is not there; old ones of others are removed.

    The caller holds its lock, and those whose lock is held are left alone.
    """
    folder = lab_folder() / "work" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.touch()
    except OSError as error:
        raise cannot_write(folder, error) from error
    for old in oldest_folders(folder.parent, _MAX_WORK_FOLDERS):
        with try_locked(old.with_suffix(".lock")) as had:
            if had:
                shutil.rmtree(old, ignore_errors=True)
    return folder


def read_count(config_key: str) -> int | None:
    """Return how many objects a build of this .config had."""
    return _read(lab_folder() / "counts" / config_key, int)


def write_count(config_key: str, n_objects: int) -> None:
    """Remember how many objects a whole build of this .config had."""
    write_whole(lab_folder() / "counts" / config_key, msgspec.json.encode(n_objects))


def _modules(out: Path) -> list[str]:
    """Return the modules of a build, as modules.order has them: `.ko`, since 6.2 `.o`."""
    try:
        lines = (out / "modules.order").read_text(errors="replace").split()
    except OSError:
        return []
    names = [
        str(Path(line).with_suffix(".ko")) for line in lines if not line.startswith(("/", "."))
    ]
    return [name for name in names if ".." not in Path(name).parts and (out / name).is_file()]


def _read(path: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _with_paths(
    result: BuildResult,
    folder: Path,
    *,
    spec: BuildSpec,
    options: tuple[OptionCheck, ...],
    cached: bool,
) -> BuildResult:
    def path(name: str | None) -> str | None:
        return str(folder / name) if name else None

    return msgspec.structs.replace(
        result,
        spec=spec,
        options=options,
        folder=str(folder),
        image=path(result.image),
        vmlinux=path(result.vmlinux),
        kvm_nvhe=path(result.kvm_nvhe),
        log=path(result.log),
        cached=cached,
    )
