"""The initramfs of the lab: our init and the few nodes it needs, as a cpio archive that is the same everywhere.

Source of the format: Linux Documentation/driver-api/early-userspace/buffer-format.rst ("newc", magic 070701).
"""

from collections.abc import Iterable
from pathlib import Path
from stat import S_IFCHR, S_IFDIR, S_IFREG
from typing import NamedTuple

from whypanic.host.cache import cache_folder, folder_in_making
from whypanic.lab.guest_build import build_init, source_key

_NAME = "initramfs.cpio"
_TRAILER = "TRAILER!!!"


class Entry(NamedTuple):
    """One file of the archive, owned by root, of the first second of 1970."""

    name: str
    mode: int
    """Kind and permissions, as in `st_mode`."""
    data: bytes = b""
    device: tuple[int, int] = (0, 0)
    """Major and minor of a device node."""


def entries(init: bytes) -> tuple[Entry, ...]:
    """Return what the archive holds.

    devtmpfs may be compiled out: so /dev/kvm is there always, misc device 10:232 (KVM_MINOR in Linux
    include/linux/miscdevice.h), and opening it fails where there is no KVM.
    """
    return (
        Entry("dev", S_IFDIR | 0o755),
        Entry("dev/console", S_IFCHR | 0o600, device=(5, 1)),
        Entry("dev/kvm", S_IFCHR | 0o600, device=(10, 232)),
        Entry("proc", S_IFDIR | 0o555),
        Entry("sys", S_IFDIR | 0o555),
        Entry("init", S_IFREG | 0o755, init),
    )


def write_cpio(files: Iterable[Entry]) -> bytes:
    """Return a newc archive of the files in their order, ended by the trailer and padded to 512 bytes.

    :raises ValueError: if a file is larger than the format can say.
    """
    archive = bytearray()
    for number, entry in enumerate((*files, Entry(_TRAILER, 0)), start=1):
        archive += _header(entry, number)
        archive += entry.name.encode() + b"\0"
        archive += bytes(-len(archive) % 4)
        archive += entry.data
        archive += bytes(-len(archive) % 4)
    archive += bytes(-len(archive) % 512)
    return bytes(archive)


def _header(entry: Entry, number: int) -> bytes:
    if len(entry.data) >= 1 << 32:
        message = f"{entry.name}: too large for a cpio archive"
        raise ValueError(message)
    is_folder = entry.mode & 0o170000 == S_IFDIR
    fields = (
        0 if entry.name == _TRAILER else number,  # inode
        entry.mode,
        0,  # uid
        0,  # gid
        2 if is_folder else 1,  # links
        0,  # mtime
        len(entry.data),
        0,  # device that the file lies on
        0,
        *entry.device,
        len(entry.name.encode()) + 1,
        0,  # checksum: not of this format
    )
    return b"070701" + b"".join(b"%08X" % field for field in fields)


def initramfs_path() -> Path:
    """Return the archive with our init in it; it is built when it is missing or our sources have changed.

    :raises HostError: if no compiler for AArch64 is there, it refuses the sources, or the cache cannot be written.
    """
    folder = cache_folder() / "guest" / source_key()
    if not (folder / _NAME).is_file():
        with folder_in_making(folder) as new:
            build_init(new / "init")
            (new / _NAME).write_bytes(write_cpio(entries((new / "init").read_bytes())))
    return folder / _NAME
