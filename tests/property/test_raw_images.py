"""Damaged raw kernels and maps: an image or an `InputError`, never another exception, in bounded time."""

import gzip
import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from builders.kallsyms import Era
from builders.raw_images import raw_image
from whypanic.formats.raw_image import open_raw_image
from whypanic.formats.system_map import read_system_map
from whypanic.model.errors import InputError

LIMIT_S = 2.0
IMAGES = [
    raw_image(era, relocatable=relocatable, packed_slots=packed).data
    for era in Era
    for relocatable, packed in ((True, False), (True, True), (False, False))
]
MAP = b"".join(b"ffff8000100%05x t name_%d\n" % (i * 64, i) for i in range(200))

edits = st.lists(
    st.tuples(
        st.sampled_from(["bytes", "cut", "copy", "insert"]),
        st.integers(0, 1 << 16),
        st.integers(0, 1 << 16),
        st.binary(min_size=1, max_size=24),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    out = bytearray(data)
    for kind, first, second, junk in changes:
        at, other = first % (len(out) + 1), second % (len(out) + 1)
        if kind == "bytes":
            out[at : at + len(junk)] = junk
        elif kind == "cut":
            del out[at:]
        elif kind == "copy":
            out[at : at + 0x200] = out[other : other + 0x200]
        else:
            out[at:at] = junk
    return bytes(out)


def bounded(read: Callable[[], object]) -> None:
    start = time.process_time()
    try:
        read()
    except InputError as error:
        assert error.message
    assert time.process_time() - start < LIMIT_S


@given(st.sampled_from(IMAGES), edits)
def test_damaged_images(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> None:
    broken = damaged(data, changes)
    bounded(lambda: list(open_raw_image(memoryview(broken), name="Image").symbols))


@given(st.sampled_from(IMAGES[:3]), edits)
def test_damaged_packed_images(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> None:
    broken = damaged(gzip.compress(data, 1), changes)
    bounded(lambda: open_raw_image(memoryview(broken), name="Image.gz"))


@given(edits)
def test_damaged_maps(changes: list[tuple[str, int, int, bytes]]) -> None:
    bounded(lambda: list(read_system_map(damaged(MAP, changes), name="System.map").symbols))


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    header = bytearray(raw_image().data[:0x40]) + data
    bounded(lambda: open_raw_image(memoryview(header), name="x"))
    bounded(lambda: read_system_map(data, name="x"))
