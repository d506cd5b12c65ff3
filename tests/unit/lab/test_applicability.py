import gzip
from pathlib import Path

import pytest

from builders.fake_qemu import KVM, LINUX, boot_spec, raw_image
from whypanic.lab.applicability import (
    BootImage,
    applicable,
    not_applicable,
    read_boot_image,
)
from whypanic.lab.modes import all_modes, cpu_for, find_mode
from whypanic.model.errors import InputError


def _image(folder: Path, data: bytes) -> BootImage:
    (folder / "Image").write_bytes(data)
    return read_boot_image(folder / "Image")


def test_what_an_image_tells(tmp_path: Path) -> None:
    image = _image(tmp_path, raw_image(KVM, "Linux version %s (me@here)", LINUX, page=3))
    assert image.release == "6.1.7"
    assert image.banner == LINUX
    assert image.page == "64k"
    assert image.has_kvm
    assert not image.packed
    assert not image.big_endian


def test_a_packed_image_is_unpacked(tmp_path: Path) -> None:
    raw = raw_image(LINUX)
    image = _image(tmp_path, gzip.compress(raw))
    assert image.packed
    assert bytes(image.data) == raw
    assert not image.has_kvm


@pytest.mark.parametrize("data", [b"", b"\x7fELF" + bytes(100), b"no image"])
def test_what_is_no_image(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError):
        _image(tmp_path, data)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_boot_image(tmp_path / "nothing")


def test_reasons(tmp_path: Path) -> None:
    image = _image(tmp_path, raw_image(LINUX, KVM, page=2))
    for mode, cpu, reason in (
        ("nvhe", "cortex-a57", "cortex-a57 has no pages of 16k"),
        ("nvhe", "cortex-a35", None),
        ("vhe", "cortex-a35", "cortex-a35 has no VHE"),
        ("nvhe", "max,pauth-impdef=on", "max has VHE"),
        ("hvhe", "max", "this kernel has no hVHE (it came with 6.5)"),
        ("vhe", "not-in-the-table", None),
        ("el1", "max", None),
    ):
        assert applicable(image, find_mode(mode), cpu) == reason


def _reasons(image: BootImage) -> dict[str, str | None]:
    return {mode.id: applicable(image, mode, cpu_for(mode, "4k")) for mode in all_modes()}


def test_without_kvm_only_el1_is_left(tmp_path: Path) -> None:
    image = _image(tmp_path, raw_image(LINUX))
    assert [mode for mode, why in _reasons(image).items() if why is None] == ["el1"]


def test_a_newer_kernel_has_more_modes(tmp_path: Path) -> None:
    texts = ("kvm_arm.mode=nvhe", "VHE for hypervisor only", "Protected KVM")
    image = _image(tmp_path, raw_image(LINUX, KVM, "KVM disabled from command line", *texts))
    assert set(_reasons(image).values()) == {None}


def test_a_big_endian_image(tmp_path: Path) -> None:
    image = _image(tmp_path, raw_image(LINUX, KVM, big_endian=True))
    assert "big-endian" in (applicable(image, find_mode("el1"), "max") or "")


def test_the_page_size_is_the_images(tmp_path: Path) -> None:
    spec = boot_spec(tmp_path, image=raw_image(LINUX, KVM, page=3))
    image = read_boot_image(Path(spec.image))
    reason = not_applicable(image, spec, find_mode("nvhe"))
    assert reason == "the image has pages of 64k, not of 4k"
