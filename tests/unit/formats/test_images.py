"""What a file is, by its bytes."""

import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from builders.elf_files import kernel, module
from whypanic.formats.images import image_from_bytes, open_image
from whypanic.formats.kernel_image import ImageKind
from whypanic.model.errors import InputError

MAP = b"ffff800008000000 T _text\nffff800008000000 t frob\nffff800008001000 D _end\n"


def _rejection(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        image_from_bytes(memoryview(data), name="f")
    return caught.value.message


def test_elf_file_is_mapped_and_named() -> None:
    image = open_image(kernel(), name="the kernel")
    assert (image.kind, image.name, image.path) == (ImageKind.VMLINUX, "the kernel", kernel())
    assert open_image(str(kernel())).name == str(kernel())


def test_name_of_a_file_does_not_say_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "System.map"
    path.write_bytes(module().read_bytes())
    assert open_image(path).kind is ImageKind.MODULE


@pytest.mark.parametrize(
    ("pack", "word"),
    [(gzip.compress, "gzip"), (lzma.compress, "xz"), (zstandard.compress, "zstd")],
    ids=["gzip", "xz", "zstd"],
)
def test_packed_elf_file(pack: Callable[[bytes], bytes], word: str, tmp_path: Path) -> None:
    path = tmp_path / "frob.ko.packed"
    path.write_bytes(pack(module().read_bytes()))
    image = open_image(path)
    assert (image.kind, image.module, image.path) == (ImageKind.MODULE, "frob_nic", None)
    assert image.build_id == "1122334455667788"
    assert image.missing == (f"no file that debuggers can read: it is packed with {word}",)


def test_system_map_packed_or_not() -> None:
    for data in (MAP, gzip.compress(MAP)):
        image = image_from_bytes(memoryview(data), name="f")
        assert image.kind is ImageKind.SYSTEM_MAP
        assert image.value_of("_text") == 0xFFFF800008000000


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"BC\xc0\xde" + bytes(80), "LLVM bitcode, which an LTO build writes instead of objects"),
        (
            b"\xde\xc0\x17\x0b" + bytes(80),
            "LLVM bitcode, which an LTO build writes instead of objects",
        ),
        (b"!<arch>\nfoo", "an ar archive"),
        (b"!<thin>\nfoo", "a thin ar archive"),
        (b"\xd0\x0d\xfe\xed" + bytes(80), "a device tree or a FIT image"),
        (b"ANDROID!" + bytes(80), "an Android boot image"),
    ],
    ids=str,
)
def test_files_of_another_kind_are_named_packed_or_not(data: bytes, what: str) -> None:
    assert _rejection(data) == f"f is {what}, no image of a kernel"
    assert _rejection(gzip.compress(data)) == f"f is {what}, no image of a kernel"


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"hello world\n",
        bytes(4096),
        b"ffff800008000000 T\n",
        b"\x89PNG\r\n\x1a\n" + bytes(90),
    ],
    ids=str,
)
def test_no_image_at_all(data: bytes) -> None:
    assert _rejection(data) == "f is no image of a kernel"


@pytest.mark.parametrize(
    "data", [b"MZ" + bytes(100), b"MZ\0\0zimg" + bytes(60), bytes(56) + b"ARM\x64"]
)
def test_raw_forms_are_judged_by_their_reader(data: bytes) -> None:
    try:
        image = image_from_bytes(memoryview(data), name="f")
    except InputError as error:
        assert error.message.startswith("f is ")
    else:
        assert image.kind is ImageKind.RAW


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*: No such file or directory"):
        open_image(tmp_path / "absent")
    with pytest.raises(InputError, match="is a folder, no image of a kernel"):
        open_image(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(InputError, match="is empty"):
        open_image(tmp_path / "empty")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="is no regular file"):
        open_image(tmp_path / "fifo")
    with pytest.raises(InputError, match="cannot read"):
        open_image("a\0b")


def test_packed_file_that_ends_early() -> None:
    packed = gzip.compress(kernel().read_bytes())
    assert "it ends early" in _rejection(packed[: len(packed) - 20])
