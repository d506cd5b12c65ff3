"""Modules found in a folder."""

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.elf_files import MODULE, kernel
from builders.images import assemble
from whypanic.formats.modules import ModuleFolder
from whypanic.model.errors import InputError

ID, OTHER_ID = "1122334455667788", "1122334455667799"


def _module(*, debug: bool = False, other: bool = False) -> bytes:
    source = MODULE + ('\n.section .debug_info,"",%progbits\n.byte 1\n' if debug else "")
    if other:
        source = source.replace("0x8877665544332211", "0x9977665544332211")
    return assemble(source).read_bytes()


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_module_by_name_with_dashes_or_not(tmp_path: Path) -> None:
    path = _put(tmp_path / "kernel" / "drivers" / "frob-nic.ko", _module())
    _put(tmp_path / "kernel" / "other.ko", b"not opened")
    folder = ModuleFolder(tmp_path)
    for name in ("frob_nic", "frob-nic"):
        assert list(folder.find(name)) == [path]
        image = folder.open(name)
        assert image is not None
        assert (image.module, image.path) == ("frob_nic", path)
    assert list(folder.find("frob")) == []
    assert folder.open("absent") is None
    assert folder.notes == ()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".ko.xz", lzma.compress), (".ko.gz", gzip.compress), (".ko.debug", bytes)],
)
def test_packed_modules(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    path = _put(tmp_path / f"frob_nic{suffix}", pack(_module()))
    assert list(ModuleFolder(tmp_path).find("frob_nic", ID)) == [path]


def test_file_with_debug_information_comes_first(tmp_path: Path) -> None:
    plain = _put(tmp_path / "a" / "frob_nic.ko", _module())
    debug = _put(tmp_path / "b" / "frob_nic.ko.debug", _module(debug=True))
    assert list(ModuleFolder(tmp_path).find("frob_nic")) == [debug, plain]


def test_only_the_build_that_is_asked_for(tmp_path: Path) -> None:
    ours = _put(tmp_path / "6.1" / "frob_nic.ko", _module())
    other = _put(tmp_path / "6.2" / "frob_nic.ko", _module(other=True))
    folder = ModuleFolder(tmp_path)
    assert list(folder.find("frob_nic", ID.upper())) == [ours]
    assert list(folder.find("frob_nic", OTHER_ID)) == [other]
    assert folder.open("frob_nic", "ffff") is None
    assert f"{ours} has another build id ({ID}), not ffff" in folder.notes


def test_module_by_its_build_id_alone(tmp_path: Path) -> None:
    path = _put(tmp_path / "usr" / ".build-id" / ID[:2] / f"{ID[2:]}.debug", _module(debug=True))
    folder = ModuleFolder(tmp_path)
    assert list(folder.find("frob_nic", ID)) == [path]
    assert list(folder.find("frob_nic", OTHER_ID)) == []
    assert list(folder.find("frob_nic", "../../" + ID)) == []
    assert list(folder.find("frob_nic")) == []


def test_link_of_a_build_id_is_the_same_file(tmp_path: Path) -> None:
    path = _put(tmp_path / "frob_nic.ko", _module())
    link = tmp_path / ".build-id" / ID[:2] / ID[2:]
    link.parent.mkdir(parents=True)
    link.symlink_to(path)
    assert len(list(ModuleFolder(tmp_path).find("frob_nic", ID))) == 1


def test_file_that_is_no_module_is_noted(tmp_path: Path) -> None:
    good = _put(tmp_path / "b" / "frob_nic.ko", _module())
    _put(tmp_path / "a" / "frob_nic.ko", b"garbage")
    folder = ModuleFolder(tmp_path)
    assert list(folder.find("frob_nic")) == [good]
    assert any("is no image of a kernel" in note for note in folder.notes)


def test_links_in_circles_and_to_kernel_trees(tmp_path: Path) -> None:
    path = _put(tmp_path / "lib" / "frob_nic.ko", _module())
    _put(tmp_path.parent / f"{tmp_path.name}-tree" / "frob_nic.ko", _module())
    (tmp_path / "lib" / "again").symlink_to(tmp_path)
    (tmp_path / "lib" / "itself").symlink_to("itself")
    (tmp_path / "build").symlink_to(tmp_path.parent / f"{tmp_path.name}-tree")
    assert list(ModuleFolder(tmp_path).find("frob_nic")) == [path]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder of modules"):
        ModuleFolder(tmp_path / "absent")
    with pytest.raises(InputError, match="is not a folder of modules"):
        ModuleFolder(kernel())
