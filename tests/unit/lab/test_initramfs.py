import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from whypanic.lab import initramfs
from whypanic.lab.initramfs import Entry, entries, initramfs_path, write_cpio


class Member(NamedTuple):
    name: str
    mode: int
    data: bytes
    device: tuple[int, int]
    inode: int
    links: int
    owner: tuple[int, int]
    mtime: int


def read_cpio(archive: bytes) -> list[Member]:
    """A reader of the format as its description has it: 13 numbers of 8 hex digits, name, data, each padded to 4."""
    members = []
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        inode, mode, uid, gid, links, mtime, size, _, _, major, minor, name_bytes, checksum = fields
        name = archive[at + 110 : at + 110 + name_bytes]
        assert name.endswith(b"\0")
        assert checksum == 0
        start = (at + 110 + name_bytes + 3) & ~3
        at = (start + size + 3) & ~3
        if name == b"TRAILER!!!\0":
            assert archive[at:].strip(b"\0") == b""
            return members
        members.append(
            Member(
                name[:-1].decode(),
                mode,
                archive[start : start + size],
                (major, minor),
                inode,
                links,
                (uid, gid),
                mtime,
            )
        )


@pytest.mark.parametrize("size", range(5))
def test_members_come_back(size: int) -> None:
    files = (Entry("a" * (size + 1), 0o100644, b"x" * size), Entry("n", 0o020600, device=(10, 232)))
    archive = write_cpio(files)
    assert len(archive) % 512 == 0
    assert [(m.name, m.mode, m.data, m.device) for m in read_cpio(archive)] == [
        ("a" * (size + 1), 0o100644, b"x" * size, (0, 0)),
        ("n", 0o020600, b"", (10, 232)),
    ]


def test_nothing_of_this_machine_is_in_it() -> None:
    members = read_cpio(write_cpio(entries(b"init")))
    assert {(m.owner, m.mtime) for m in members} == {((0, 0), 0)}
    assert [m.inode for m in members] == list(range(1, len(members) + 1))
    assert write_cpio(entries(b"init")) == write_cpio(entries(b"init"))


def test_what_the_kernel_needs_is_in_it() -> None:
    members = {m.name: m for m in read_cpio(write_cpio(entries(b"\x7fELF")))}
    assert members["init"].mode == 0o100755
    assert members["init"].data == b"\x7fELF"
    assert (members["dev/console"].mode, members["dev/console"].device) == (0o020600, (5, 1))
    assert (members["dev/kvm"].mode, members["dev/kvm"].device) == (0o020600, (10, 232))
    assert {name for name, m in members.items() if m.links == 2} == {"dev", "proc", "sys"}
    assert list(members).index("dev") < list(members).index("dev/kvm")


def test_cpio_reads_it(tmp_path: Path) -> None:
    cpio = shutil.which("cpio")
    if cpio is None:
        pytest.skip("no cpio: `bash scripts/setup.sh dev` installs it")
    done = subprocess.run(
        [cpio, "-t"], input=write_cpio(entries(b"init")), capture_output=True, check=True
    )
    assert done.stdout.split() == [e.name.encode() for e in entries(b"")]


def test_the_archive_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def build(target: Path) -> None:
        built.append(target)
        target.write_bytes(b"init %d" % len(built))

    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path))
    monkeypatch.setattr(initramfs, "build_init", build)
    first = initramfs_path()
    assert initramfs_path() == first
    assert len(built) == 1
    assert read_cpio(first.read_bytes())[-1].data == b"init 1"
    monkeypatch.setattr(initramfs, "source_key", lambda: "another")
    assert initramfs_path() != first
    assert len(built) == 2


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(target: Path) -> None:
        target.write_bytes(b"half")
        raise RuntimeError

    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path))
    monkeypatch.setattr(initramfs, "build_init", build)
    with pytest.raises(RuntimeError):
        initramfs_path()
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
