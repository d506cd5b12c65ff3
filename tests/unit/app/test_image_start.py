from pathlib import Path

import pytest

from builders.hyp_images import link_4_14
from builders.raw_images import raw_image
from builders.repository import ROOT
from builders.stage2 import stage2
from whypanic.app.image_start import IMAGE_START_BYTES, is_image


def test_images_are_known_by_their_first_bytes() -> None:
    elf = link_4_14(stage2()).read_bytes()
    assert is_image(elf[:IMAGE_START_BYTES])
    assert is_image(raw_image().data[:IMAGE_START_BYTES])
    without_efi = b"\0\0" + raw_image().data[2:IMAGE_START_BYTES]
    assert is_image(without_efi)
    assert is_image(b"MZ\0\0zimg" + bytes(56))


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.txt")), ids=lambda p: p.name)
def test_logs_are_none(path: Path) -> None:
    assert not is_image(path.read_bytes()[:IMAGE_START_BYTES])


@pytest.mark.parametrize("start", [b"", b"\x7fEL", b"M", b"[    0.0] Linux version", bytes(64)])
def test_what_is_short_or_text_is_none(start: bytes) -> None:
    assert not is_image(start)
