"""Which Image a word stands for, and which vmlinux belongs to it."""

import struct
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from builders.fake_qemu import KVM, LINUX, raw_image
from whypanic.app.lab_kernel import Likeness, find_kernel, likeness
from whypanic.lab.applicability import read_boot_image
from whypanic.lab.build_cache import Record
from whypanic.model.errors import InputError
from whypanic.model.lab import BuildResult, BuildSpec, Toolchain

IMAGE = raw_image(KVM, LINUX)
CODE_AT = len(IMAGE)
CODE = struct.pack("<512I", *(0xD503201F + n for n in range(512)))


def image_in(folder: Path, name: str = "Image") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(IMAGE + CODE)
    return path


def no_words(line: str) -> None:
    pytest.fail(line)


def test_an_image_and_the_vmlinux_of_its_tree(tmp_path: Path) -> None:
    image = image_in(tmp_path, "arch/arm64/boot/Image")
    kernel = find_kernel(str(image), None, no_words)
    assert kernel.named_vmlinux is None
    (tmp_path / "vmlinux").write_bytes(b"anything")
    for name in (image, tmp_path):
        assert find_kernel(str(name), None, no_words).named_vmlinux == tmp_path / "vmlinux"
    assert kernel.tools == ("gcc 12.2.0", "GNU ld 2.40")
    assert len(kernel.sha256) == 64
    assert kernel.build is None


def test_a_folder_of_the_cache_knows_how_it_was_built(tmp_path: Path) -> None:
    image_in(tmp_path)
    record = Record(
        result=BuildResult(
            spec=BuildSpec(tree="linux", toolchain="clang-19", lto="thin"), ok=True, folder="k"
        ),
        toolchain=Toolchain(
            id="clang-19",
            family="clang",
            version="19.1.7",
            compiler="clang-19",
            compiler_text="clang 19",
            linker="ld.lld-19",
            linker_text="LLD 19",
            make_variables=(),
        ),
        version="6.1.7",
        tree_hash="00",
        n_objects=1,
    )
    (tmp_path / "build.json").write_bytes(msgspec.json.encode(record))
    spec = find_kernel(str(tmp_path), None, no_words).build
    assert spec is not None
    assert (spec.toolchain, spec.lto) == ("clang-19", "thin")


def test_what_is_no_kernel(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Image in") as caught:
        find_kernel(str(tmp_path), None, no_words)
    assert caught.value.hints
    with pytest.raises(InputError):
        find_kernel(str(tmp_path / "missing"), None, no_words)
    with pytest.raises(InputError, match="no vmlinux"):
        find_kernel(str(image_in(tmp_path)), str(tmp_path / "vmlinux"), no_words)


def test_a_vmlinux_that_cannot_be_read_is_said_and_left(tmp_path: Path) -> None:
    (tmp_path / "vmlinux").write_bytes(b"no image at all")
    said: list[str] = []
    kernel = find_kernel(str(image_in(tmp_path)), None, said.append)
    assert kernel.vmlinux is None
    assert len(said) == 1


class Section(NamedTuple):
    address: int
    size: int


class Vmlinux:
    """As much of an opened vmlinux as is compared."""

    base = 0xFFFF800008000000

    def __init__(self, code: bytes) -> None:
        self._code = code

    def executable_sections(self) -> list[Section]:
        return [Section(self.base + CODE_AT, len(self._code))]

    def raw(self, address: int, n_bytes: int) -> bytes:
        at = address - self.base - CODE_AT
        return self._code[at : at + n_bytes]


def like(code: bytes, tmp_path: Path) -> Likeness:
    opened: Any = Vmlinux(code)
    return likeness(opened, read_boot_image(image_in(tmp_path)))


def test_all_code_is_compared(tmp_path: Path) -> None:
    assert like(CODE, tmp_path) is Likeness.SAME
    patched = CODE[:40] + b"\0\0\0\x14" + CODE[44:]
    assert like(patched, tmp_path) is Likeness.PATCHED
    assert like(bytes(len(CODE)), tmp_path) is Likeness.OTHER
    assert like(b"", tmp_path) is Likeness.OTHER
    assert like(CODE + bytes(64), tmp_path) is Likeness.OTHER
