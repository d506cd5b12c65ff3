import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whypanic.audit.frame_descriptions import frames_over
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import symbol_table

BASE = 0xFFFF800009000000
CODE = 0xFFFF800008000100
RANGE = ((CODE, CODE + 0x100),)


def cie(augmentation: bytes = b"zR\0", data: bytes = b"\x01\x1b") -> bytes:
    body = struct.pack("<IB", 0, 1) + augmentation + b"\x04\x78\x1e" + data
    return padded(body)


def padded(body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<I", len(body)) + body


def fde(at: int, first: int, size: int, *, encoding: int = 0x1B) -> bytes:
    """Return a frame description that is to stand `at` bytes behind its CIE."""
    place = BASE + at + 8
    form = {0x1B: "<iI", 0x1C: "<qQ", 0x00: "<QQ"}[encoding]
    value = first if encoding == 0x00 else first - place
    return padded(struct.pack("<I", at + 4) + struct.pack(form, value, size) + b"\0")


def image(data: bytes) -> KernelImage:
    section = Section(".eh_frame", BASE, len(data), executable=False, writable=False)
    return KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table([]),
        sections=[section],
        extents=[Extent(BASE, memoryview(data))],
    )


@pytest.mark.parametrize("encoding", [0x1B, 0x1C, 0x00])
def test_frame_over_the_code(encoding: int) -> None:
    if encoding == 0x1B:
        data = cie()
    elif encoding == 0x1C:
        data = cie(data=b"\x01\x1c")
    else:
        data = cie(augmentation=b"\0", data=b"")
    data += fde(len(data), CODE - 0x1000, 0x40, encoding=encoding)
    at = len(data)
    data += fde(at, CODE + 0x10, 0x24, encoding=encoding) + bytes(4)
    (frame,) = frames_over(image(data), RANGE)
    assert frame == (BASE + at, CODE + 0x10, CODE + 0x34)


@pytest.mark.parametrize("other", [b"zPR\0", b"eh\0", b"z" * 20])
def test_augmentation_that_is_not_known_is_passed_over(other: bytes) -> None:
    data = cie(augmentation=other)
    data += fde(len(data), CODE, 0x24)
    assert list(frames_over(image(data), RANGE)) == []


def test_distance_that_only_looks_like_one() -> None:
    data = cie() + bytes(16) + struct.pack("<iI", CODE - (BASE + len(cie()) + 16), 8)
    assert list(frames_over(image(data), RANGE)) == []


def test_no_section_no_frames() -> None:
    assert list(frames_over(image(b""), RANGE)) == []


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    whole = cie() + data
    whole += fde(len(whole), CODE, 0x24)
    for frame in frames_over(image(whole), ((0, (1 << 64) - 1),)):
        assert BASE <= frame.place < BASE + len(whole)
