"""Any bytes in, an image or an InputError out: damaged ELF files cost neither time nor memory."""

import struct
import time
import tracemalloc
from collections.abc import Iterator
from functools import cache
from itertools import islice

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.elf_files import EHDR, PHDR, SHDR, header, kernel, module, with_header
from whypanic.formats.images import image_from_bytes
from whypanic.model.errors import InputError

_MAX_SECONDS = 2.0
_MAX_BYTES = 64 << 20
_EXTREMES = (
    0,
    1,
    3,
    0x7F,
    0xFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    1 << 40,
    (1 << 63) - 1,
    (1 << 64) - 1,
)


@cache
def _file(name: str) -> bytes:
    return {"kernel": kernel, "pie": lambda: kernel("-pie"), "module": module}[name]().read_bytes()


def _use(data: bytes) -> None:
    """Open an image and ask it what a report asks."""
    try:
        image = image_from_bytes(memoryview(data), name="image")
    except InputError as error:
        assert error.message
        assert "\n" not in error.message
        return
    ends = [image.base, max(image.end - 8, 0)]
    for address in (*ends, *(e.address for e in image.extents[:20])):
        image.read(address, 16)
        image.read_u64(address)
        image.words(address, address + 64)
        image.string_at(address)
        image.section_at(address)
        image.symbol_at(address)
        image.symbols.is_data(address)
    for name in ("first", "state", "linux_banner", ""):
        image.symbols.find(name)
    assert all(symbol.name for symbol in islice(image.symbols, 200))
    assert all(0 <= relocation.place < 1 << 64 for relocation in islice(image.relocations, 200))
    assert sum(len(e.data) for e in image.extents) <= len(data) * max(len(image.sections), 1)
    assert all(clause.isprintable() and len(clause) < 300 for clause in image.missing)
    assert len(image.missing) < 100


FILES = st.sampled_from(["kernel", "pie", "module"])
CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12
)
QUICK = settings(deadline=1000, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(FILES, CHANGES, st.booleans())
def test_changed_bytes(name: str, changes: list[tuple[float, int]], at_the_tables: bool) -> None:
    data = bytearray(_file(name))
    first = header(data, "shoff") if at_the_tables else 0
    for where, value in changes:
        data[first + int(where * (len(data) - first))] = value
    _use(bytes(data))


@QUICK
@given(FILES, st.integers(0, 1 << 14))
def test_files_cut_off(name: str, end: int) -> None:
    _use(_file(name)[:end])


@QUICK
@given(st.binary(max_size=600), FILES)
def test_bytes_behind_a_good_header(tail: bytes, name: str) -> None:
    _use(_file(name)[:64] + tail)


def _with_each_field() -> Iterator[tuple[str, bytes]]:
    """Yield files with one number of a header set to an extreme, and one with it in all headers of a table."""
    for name in ("kernel", "pie", "module"):
        data = _file(name)
        for field, (_, code) in EHDR.items():
            for value in _EXTREMES:
                if value < 1 << 8 * struct.calcsize(code):
                    yield f"{name} {field}={value:#x}", with_header(data, **{field: value})
        tables = [("shoff", "shnum", 64, SHDR), ("phoff", "phnum", 56, PHDR)]
        for where, count, size, fields in tables:
            for field, (offset, code) in fields.items():
                for value in _EXTREMES:
                    if value >= 1 << 8 * struct.calcsize(code):
                        continue
                    changed = bytearray(data)
                    for i in range(header(data, count)):
                        at = header(data, where) + i * size + offset
                        struct.pack_into(f"<{code}", changed, at, value)
                    yield f"{name} {where} {field}={value:#x}", bytes(changed)


def test_extremes_in_every_field() -> None:
    slow = []
    for what, data in _with_each_field():
        start = time.perf_counter()
        _use(data)
        if time.perf_counter() - start > _MAX_SECONDS:
            slow.append(what)
    assert slow == []


def test_memory_for_extremes() -> None:
    tracemalloc.start()
    try:
        for _, data in islice(_with_each_field(), 0, None, 7):
            _use(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < _MAX_BYTES
