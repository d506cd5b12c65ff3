"""Tests over kernels that are built and QEMU: collected only where a folder of kernels is named."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.built_kernels import FOLDER, BuiltKernel, built_kernels
from whypanic.model.lab import BootSpec

collect_ignore_glob = [] if os.environ.get(FOLDER) else ["test_*.py"]


@pytest.fixture(scope="session", params=built_kernels(), ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest) -> BuiltKernel:
    found = request.param
    assert isinstance(found, BuiltKernel)
    return found


@pytest.fixture(scope="session")
def initramfs() -> str:
    from whypanic.lab.initramfs import initramfs_path

    return str(initramfs_path())


@pytest.fixture
def spec(kernel: BuiltKernel, initramfs: str, tmp_path: Path) -> BootSpec:
    return BootSpec(
        image=str(kernel.image),
        vmlinux=str(kernel.vmlinux),
        initramfs=initramfs,
        mode="nvhe",
        keep=str(tmp_path / "kept"),
    )


@pytest.fixture
def patched(kernel: BuiltKernel, tmp_path: Path) -> Callable[..., str]:
    """Return what writes a copy of the Image with words changed: `(symbol, offset, word)`."""

    def write(*changes: tuple[str, int, int]) -> str:
        path = tmp_path / "Image"
        path.write_bytes(kernel.with_words(changes))
        return str(path)

    return write
