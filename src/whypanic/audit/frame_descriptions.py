"""Frame descriptions of .eh_frame that cover given code, found without walking all of it.

A kernel has one for every function: the places where the first address of one may stand are found as arrays, and only
what leads into the code asked for is decoded.

Source: Linux Standard Base 5.0, Exception Frames; from memory.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from whypanic.formats.kernel_image import KernelImage

_SECTION = ".eh_frame"
_BOUNDS = ("__eh_frame_start", "__eh_frame_end")
_MAX_BYTES = 1 << 26
_MAX_FRAMES = 10_000
_PREL32 = 261
_MAX_AUGMENTATION = 8
_SDATA4_PCREL, _SDATA8_PCREL, _ABSOLUTE = 0x1B, 0x1C, 0x00
_SIZES = {_SDATA4_PCREL: 4, _SDATA8_PCREL: 8, _ABSOLUTE: 8}


class FrameDescription(NamedTuple):
    """One FDE."""

    place: int
    """Link VA of its length field."""
    first: int
    end: int
    """Code that it describes."""


def frames_over(
    image: KernelImage, ranges: Sequence[tuple[int, int]]
) -> Iterator[FrameDescription]:
    """Yield the frame descriptions whose code begins in one of some ranges, by place, at most 10,000."""
    bounds = _bounds(image)
    if bounds is None or not ranges:
        return
    first, end = bounds
    data = image.read(first, min(end - first, _MAX_BYTES) & ~3)
    if not data:
        return
    seen: set[int] = set()
    for place, target in _candidates(image, first, data, ranges):
        frame = _decoded(data, first, place, target)
        if frame is not None and frame.place not in seen and len(seen) < _MAX_FRAMES:
            seen.add(frame.place)
            yield frame


def _bounds(image: KernelImage) -> tuple[int, int] | None:
    section = image.section(_SECTION)
    if section is not None and section.has_bytes:
        return section.address, section.end
    first, end = (image.value_of(name) for name in _BOUNDS)
    return (first, end) if first is not None and end is not None and first < end else None


def _candidates(
    image: KernelImage, first: int, data: bytes, ranges: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield where the first address of a frame description may stand, and that address."""
    if image.is_object:
        for entry in image.relocations_within(first, first + len(data)):
            if entry.type == _PREL32 and entry.target is not None and _within(entry.target, ranges):
                yield entry.place, entry.target
        return
    words = np.frombuffer(data, "<i4")
    places = np.uint64(first) + np.arange(len(words), dtype=np.uint64) * np.uint64(4)
    near = words.astype(np.int64).astype(np.uint64) + places
    low = words.view("<u4").astype(np.uint64)
    wide = np.zeros(len(words), np.uint64)
    wide[:-1] = low[:-1] | low[1:] << np.uint64(32)
    for targets in (near, wide + places, wide):
        for start, stop in ranges:
            hits = np.flatnonzero(targets - np.uint64(start) < np.uint64(stop - start))
            yield from zip(places[hits].tolist(), targets[hits].tolist(), strict=True)


def _within(address: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= address < end for first, end in ranges)


def _decoded(data: bytes, base: int, place: int, target: int) -> FrameDescription | None:
    """Return the frame description whose first address stands at a place; None where none does."""
    at = place - base - 8
    if at < 0:
        return None
    length, back = _u32(data, at), _u32(data, at + 4)
    cie = at + 4 - back
    if not 12 <= length <= len(data) - at - 4 or not 0 <= cie < at or not back:
        return None
    encoding = _encoding(data, cie)
    if encoding not in _SIZES:
        return None
    size = _SIZES[encoding]
    field = int.from_bytes(data[at + 8 : at + 8 + size], "little", signed=encoding != _ABSOLUTE)
    span = int.from_bytes(data[at + 8 + size : at + 8 + 2 * size], "little")
    expected = field if encoding == _ABSOLUTE else field + place
    if field and expected & ((1 << 64) - 1) != target:
        return None
    return FrameDescription(base + at, target, target + span)


def _encoding(data: bytes, cie: int) -> int | None:
    """Return how a CIE says that addresses are written; None where it is none."""
    if cie + 17 > len(data) or _u32(data, cie + 4) != 0 or data[cie + 8] not in (1, 3, 4):
        return None
    stop = data.find(b"\0", cie + 9, cie + 9 + _MAX_AUGMENTATION)
    if stop < 0:
        return None
    augmentation = data[cie + 9 : stop]
    if not augmentation.startswith(b"z"):
        return _ABSOLUTE if not augmentation else None
    at = stop + 1
    for _ in range(4):  # code and data alignment, return register, length of the augmentation
        while at < len(data) and data[at] & 0x80:
            at += 1
        at += 1
    for letter in augmentation[1:].decode("latin-1"):
        if at >= len(data):
            return None
        if letter == "R":
            return data[at]
        if letter == "L":
            at += 1
        elif letter not in "SB":
            return None
    return _ABSOLUTE


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")
