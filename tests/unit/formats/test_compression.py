"""Unpacking: every form, and files that lie or end early."""

import bz2
import gzip
import lzma
import struct
import zlib

import lz4.block
import lz4.frame
import pytest
import zstandard

from whypanic.formats.compression import (
    Compression,
    compression_of,
    decompress,
    first_bytes,
    inflate,
    unpack_zstd,
)
from whypanic.model.errors import InputError

CONTENT = bytes(range(256)) * 5000


def _legacy(content: bytes) -> bytes:
    packed = b"\x02\x21\x4c\x18"
    for i in range(0, len(content), 8 << 20):
        block = lz4.block.compress(content[i : i + (8 << 20)], store_size=False)
        packed += struct.pack("<I", len(block)) + block
    return packed


FORMS = {
    Compression.GZIP: gzip.compress(CONTENT),
    Compression.LZ4: lz4.frame.compress(CONTENT),
    Compression.LZ4_LEGACY: _legacy(CONTENT),
    Compression.ZSTD: zstandard.compress(CONTENT),
    Compression.XZ: lzma.compress(CONTENT),
    Compression.LZMA: lzma.compress(CONTENT, format=lzma.FORMAT_ALONE),
    Compression.BZIP2: bz2.compress(CONTENT),
}
BOMBS = {
    Compression.GZIP: gzip.compress(bytes(16 << 20)),
    Compression.LZ4: lz4.frame.compress(bytes(16 << 20)),
    Compression.LZ4_LEGACY: _legacy(bytes(16 << 20)),
    Compression.ZSTD: zstandard.compress(bytes(16 << 20)),
    Compression.XZ: lzma.compress(bytes(16 << 20)),
    Compression.LZMA: lzma.compress(bytes(16 << 20), format=lzma.FORMAT_ALONE),
    Compression.BZIP2: bz2.compress(bytes(16 << 20)),
}


@pytest.mark.parametrize("kind", list(Compression))
def test_what_was_packed_comes_out(kind: Compression) -> None:
    packed = memoryview(FORMS[kind])
    assert compression_of(packed) is kind
    assert decompress(packed, name="x") == CONTENT
    assert first_bytes(packed, 70) == CONTENT[:70]


@pytest.mark.parametrize("kind", list(Compression))
def test_size_behind_the_stream_is_left_alone(kind: Compression) -> None:
    packed = FORMS[kind] + struct.pack("<I", len(CONTENT))
    assert decompress(memoryview(packed), name="x") == CONTENT


@pytest.mark.parametrize("kind", list(Compression))
def test_more_than_the_limit_is_refused(kind: Compression) -> None:
    with pytest.raises(InputError, match=r"^x unpacks to more than 1 MiB$"):
        decompress(memoryview(BOMBS[kind]), name="x", limit=1 << 20)


@pytest.mark.parametrize("kind", list(Compression))
def test_stream_that_ends_early_is_refused(kind: Compression) -> None:
    packed = memoryview(FORMS[kind])
    with pytest.raises(
        InputError, match=rf"^x is packed with {kind.split()[0]}.* cannot be unpacked: "
    ):
        decompress(packed[: len(packed) // 2], name="x")


@pytest.mark.parametrize("kind", [k for k in Compression if k is not Compression.LZ4_LEGACY])
def test_damaged_stream_is_refused(kind: Compression) -> None:
    packed = bytearray(FORMS[kind])
    packed[10:200] = b"\xff" * 190
    with pytest.raises(InputError, match="cannot be unpacked"):
        decompress(memoryview(packed), name="x")
    assert first_bytes(memoryview(packed)) in (b"", CONTENT[:64])


def test_not_packed() -> None:
    assert compression_of(memoryview(b"\x7fELF")) is None
    assert compression_of(memoryview(b"")) is None
    assert first_bytes(memoryview(b"\x7fELF")) == b""
    with pytest.raises(InputError, match=r"^x is not packed in a known way$"):
        decompress(memoryview(b"\x7fELF"), name="x")


def test_window_of_zstd_is_bounded() -> None:
    frame = b"\x28\xb5\x2f\xfd" + bytes([0, 21 << 3]) + b"\x01\x00\x00"
    assert (
        decompress(memoryview(b"\x28\xb5\x2f\xfd" + bytes([0, 11 << 3, 1, 0, 0])), name="x") == b""
    )
    with pytest.raises(InputError, match="its window is larger than 256 MiB"):
        decompress(memoryview(frame), name="x")


def test_sections_have_the_size_they_claim() -> None:
    for packed, unpack in (
        (zlib.compress(CONTENT), inflate),
        (zstandard.compress(CONTENT), unpack_zstd),
    ):
        assert unpack(memoryview(packed), len(CONTENT)) == CONTENT
        assert unpack(memoryview(packed), len(CONTENT) - 1) is None
        assert unpack(memoryview(packed), len(CONTENT) + 1) is None
        assert unpack(memoryview(b"\0" * 9), 9) is None
