from pathlib import Path

import pytest

from builders.fake_qemu import KVM, LINUX, raw_image
from builders.stopped_kernel import IMAGE_PA, LINK
from whypanic.lab.loaded_image import LoadedImage
from whypanic.model.errors import InputError

MAP = """\
ffff800008000000 T _text
ffff800008010000 T do_call
ffff800008010100 T first
ffff800008400000 B prb
"""


def _image(tmp_path: Path, symbols: str | None = MAP) -> LoadedImage:
    (tmp_path / "Image").write_bytes(raw_image(LINUX, KVM, page=2))
    (tmp_path / "System.map").write_text(symbols or "", encoding="ascii")
    return LoadedImage(tmp_path / "Image", tmp_path / "System.map" if symbols else None)


def test_places_are_named_by_physical_address(tmp_path: Path) -> None:
    image = _image(tmp_path)
    assert image.pa == IMAGE_PA
    assert image.page == "16k"
    assert image.name(IMAGE_PA + 0x10004) == "do_call+0x4"
    assert image.name(IMAGE_PA + 0x10100) == "first"
    assert image.link_va(IMAGE_PA + 0x10004) == LINK + 0x10004


def test_places_outside_the_image_have_no_name(tmp_path: Path) -> None:
    image = _image(tmp_path)
    assert image.name(IMAGE_PA - 4) is None
    assert image.name(IMAGE_PA + (1 << 20)) is None
    assert image.link_va(None) is None


def test_symbols_may_lie_behind_the_bytes_of_the_image(tmp_path: Path) -> None:
    image = _image(tmp_path)
    assert image.pa_of("prb") == IMAGE_PA + 0x400000
    assert image.pa_of("log_buf") is None


def test_an_image_without_symbols_names_nothing(tmp_path: Path) -> None:
    image = _image(tmp_path, None)
    assert image.symbols is None
    assert image.name(IMAGE_PA + 0x10004) is None
    assert image.link_va(IMAGE_PA + 0x10004) is None
    assert image.pa_of("prb") is None


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Image").write_bytes(b"no kernel")
    with pytest.raises(InputError):
        LoadedImage(tmp_path / "Image")
