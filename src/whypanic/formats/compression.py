"""Bytes of files packed as kernels and modules are: gzip, lz4, zstd, xz, lzma, bzip2; none comes out beyond a limit.

Source: RFC 1952, RFC 8878, the xz format, lz4's block and frame formats; the legacy form that `lz4 -l` writes and
Linux's scripts/Makefile.lib (cmd_lz4, size_append) and lib/decompress_unlz4.c read.
"""

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

from whypanic.model.errors import InputError

MAX_BYTES = 2 << 30
"""No kernel is larger than this when it is unpacked."""
_PIECE_BYTES = 1 << 20
_MAX_PREFIX_INPUT = 16 << 20
"""Packed bytes read at most for the first bytes of the content: a block of lz4's has 8 MiB."""
_LEGACY_BLOCK_BYTES = 8 << 20
"""The legacy form of lz4 packs blocks of this size."""
_XZ_MEMORY_BYTES = 256 << 20
_ZSTD_WINDOW_BYTES = 1 << 28
_ZSTD_PIECE_BYTES = 1024
"""Four packed bytes may stand for 128 KiB: a piece of this size for 32 MiB."""
_ZSTD_HEADER_BYTES = 18
_SIZE_BYTES = 4
"""Kbuild writes the unpacked size behind some forms, little-endian."""


class Compression(StrEnum):
    GZIP = "gzip"
    LZ4 = "lz4"
    LZ4_LEGACY = "lz4 (legacy)"
    ZSTD = "zstd"
    XZ = "xz"
    LZMA = "lzma"
    BZIP2 = "bzip2"


_LEGACY_MAGIC = 0x184C2102

_MAGIC = {
    b"\x1f\x8b\x08": Compression.GZIP,
    b"\x04\x22\x4d\x18": Compression.LZ4,
    b"\x02\x21\x4c\x18": Compression.LZ4_LEGACY,
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,
    b"\xfd7zXZ\0": Compression.XZ,
    b"\x5d\x00\x00": Compression.LZMA,
    b"BZh": Compression.BZIP2,
}


def compression_of(data: memoryview) -> Compression | None:
    """Return how these bytes are packed, by their magic number; None: in no known way."""
    head = bytes(data[:6])
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def decompress(data: memoryview, *, name: str, limit: int = MAX_BYTES) -> bytearray:
    """Return the unpacked bytes of a packed file; what follows the first stream is left alone.

    :param name: of the file, for errors.
    :raises InputError: if it is not packed, damaged, ends early, or unpacks to more than `limit` bytes.
    """
    unpacked = bytearray()
    for piece in _pieces(data, name):
        unpacked += piece
        if len(unpacked) > limit:
            message = f"{name} unpacks to more than {limit >> 20} MiB"
            raise InputError(message, path=name)
    return unpacked


def first_bytes(data: memoryview, n_bytes: int = 64) -> bytes:
    """Return the first unpacked bytes of a packed file; empty where they cannot be had."""
    found = b""
    try:
        for piece in _pieces(data[:_MAX_PREFIX_INPUT], ""):
            found += bytes(piece[: n_bytes - len(found)])
            if len(found) >= n_bytes:
                break
    except InputError:
        pass
    return found


def inflate(data: memoryview, size: int) -> bytes | None:
    """Return `size` bytes of a zlib stream; None where it is damaged or of another size."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, size + 1)
    except zlib.error:
        return None
    return found if len(found) == size else None


def unpack_zstd(data: memoryview, size: int) -> bytes | None:
    """Return `size` bytes of a zstd frame; None where it is damaged or of another size."""
    found = bytearray()
    try:
        for piece in _zstd(data):
            found += piece
            if len(found) > size:
                return None
    except _DamagedError:
        return None
    return bytes(found) if len(found) == size else None


class _DamagedError(Exception):
    """A packed stream cannot be read on."""


def _pieces(data: memoryview, name: str) -> Iterator[bytes]:
    kind = compression_of(data)
    readers = {
        Compression.GZIP: _gzip,
        Compression.LZ4: _lz4,
        Compression.LZ4_LEGACY: _lz4_legacy,
        Compression.ZSTD: _zstd,
        Compression.XZ: _xz,
        Compression.LZMA: _lzma,
        Compression.BZIP2: _bzip2,
    }
    if kind is None:
        message = f"{name} is not packed in a known way"
        raise InputError(message, path=name)
    try:
        yield from readers[kind](data)
    except _DamagedError as error:
        message = f"{name} is packed with {kind} and cannot be unpacked: {error}"
        raise InputError(message, path=name) from error


def _inputs(data: memoryview) -> Iterator[memoryview]:
    return (data[i : i + _PIECE_BYTES] for i in range(0, len(data), _PIECE_BYTES))


def _gzip(data: memoryview) -> Iterator[bytes]:
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        for piece in _inputs(data):
            left: bytes | memoryview = piece
            while len(left) and not stream.eof:
                yield stream.decompress(left, _PIECE_BYTES)
                left = stream.unconsumed_tail
            if stream.eof:
                return
    except zlib.error as error:
        raise _DamagedError(str(error)) from error
    message = "it ends early"
    raise _DamagedError(message)


def _xz(data: memoryview) -> Iterator[bytes]:
    return _bounded(data, lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES))


def _lzma(data: memoryview) -> Iterator[bytes]:
    return _bounded(
        data, lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=_XZ_MEMORY_BYTES)
    )


def _bzip2(data: memoryview) -> Iterator[bytes]:
    return _bounded(data, bz2.BZ2Decompressor())


class _Stream(Protocol):
    """What decompressors of the standard library and of lz4 have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes: ...


def _bounded(data: memoryview, stream: _Stream) -> Iterator[bytes]:
    """Yield what comes out, in pieces of bounded size."""
    try:
        for piece in _inputs(data):
            yield stream.decompress(piece, _PIECE_BYTES)
            while not stream.eof and not stream.needs_input:
                yield stream.decompress(b"", _PIECE_BYTES)
            if stream.eof:
                return
    except (lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError, MemoryError) as error:
        raise _DamagedError(str(error)) from error
    message = "it ends early"
    raise _DamagedError(message)


def _zstd(data: memoryview) -> Iterator[bytes]:
    import zstandard

    try:
        if (
            zstandard.get_frame_parameters(data[:_ZSTD_HEADER_BYTES]).window_size
            > _ZSTD_WINDOW_BYTES
        ):
            message = f"its window is larger than {_ZSTD_WINDOW_BYTES >> 20} MiB"
            raise _DamagedError(message)
        stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
        for i in range(0, len(data), _ZSTD_PIECE_BYTES):
            yield stream.decompress(data[i : i + _ZSTD_PIECE_BYTES])
            if stream.eof:
                return
    except (zstandard.ZstdError, MemoryError) as error:
        raise _DamagedError(str(error)) from error
    message = "it ends early"
    raise _DamagedError(message)


def _lz4(data: memoryview) -> Iterator[bytes]:
    import lz4.frame

    return _bounded(data, lz4.frame.LZ4FrameDecompressor())


def _lz4_legacy(data: memoryview) -> Iterator[bytes]:
    import lz4.block

    at = _SIZE_BYTES
    while at + _SIZE_BYTES <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        if size == _LEGACY_MAGIC:
            at += _SIZE_BYTES
            continue
        if size == 0 or at + 2 * _SIZE_BYTES > len(data):
            return  # the size that Kbuild writes behind the last block
        block = data[at + _SIZE_BYTES : at + _SIZE_BYTES + size]
        if len(block) < size:
            message = "it ends early"
            raise _DamagedError(message)
        try:
            yield lz4.block.decompress(bytes(block), uncompressed_size=_LEGACY_BLOCK_BYTES)
        except (lz4.block.LZ4BlockError, MemoryError, ValueError) as error:
            raise _DamagedError(str(error)) from error
        at += _SIZE_BYTES + size
