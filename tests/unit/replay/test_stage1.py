"""Page tables, walked as the architecture walks them."""

import mmap
from collections.abc import Iterator

import pytest

from whypanic.replay.protocol import PAGE_BYTES, Permission
from whypanic.replay.qemu_wire import RAM_BASE
from whypanic.replay.stage1 import MAX_RAM_BYTES, Ram, Tables

CODE, TABLE, STACK = 0x8000_089E_6000, 0x8000_08F0_0000, 0x7000_0000_0000
TOP = 0xFFFF_FFFF_F000


@pytest.fixture
def ram() -> Iterator[Ram]:
    with mmap.mmap(-1, 4 << 20) as view:
        yield Ram(view, RAM_BASE)


def _walk(ram: Ram, root: int, va: int) -> int | None:
    """Return the page descriptor of an address; None: a translation fault."""
    table = root
    for shift in (39, 30, 21, 12):
        entry = ram.read_word(table + (va >> shift & 511) * 8)
        if entry & 3 != 3:
            return None
        table = entry & 0xFFFF_FFFF_F000
    return entry


def test_exactly_the_pages_asked_for_are_mapped(ram: Ram) -> None:
    pages = {
        CODE: (RAM_BASE + 0x10_0000, Permission.EXECUTE),
        TABLE: (RAM_BASE + 0x10_1000, Permission.READ),
        STACK: (RAM_BASE + 0x10_2000, Permission.READ_WRITE),
    }
    root = Tables(ram).build(pages, {TOP: RAM_BASE + 0x10_3000})
    for va, (pa, _) in pages.items():
        assert (_walk(ram, root, va) or 0) & 0xFFFF_FFFF_F000 == pa
        assert _walk(ram, root, va + PAGE_BYTES) is None
        assert _walk(ram, root, va - PAGE_BYTES) is None
    assert (_walk(ram, root, TOP) or 0) & 0xFFFF_FFFF_F000 == RAM_BASE + 0x10_3000


@pytest.mark.parametrize(
    ("permission", "read_only", "execute_never"),
    [
        (Permission.READ, True, True),
        (Permission.READ_WRITE, False, True),
        (Permission.EXECUTE, True, False),
    ],
)
def test_permissions(
    ram: Ram, permission: Permission, read_only: bool, execute_never: bool
) -> None:
    root = Tables(ram).build({CODE: (RAM_BASE, permission)}, {TOP: RAM_BASE})
    entry = _walk(ram, root, CODE)
    assert entry is not None
    # AP[2], XN, AF of DDI 0487, stage 1 block and page descriptors
    assert (bool(entry >> 7 & 1), bool(entry >> 54 & 1)) == (read_only, execute_never)
    assert entry >> 10 & 1


def test_jobs_share_the_tables_of_the_vectors_and_nothing_else(ram: Ram) -> None:
    tables = Tables(ram)
    first = tables.build({CODE: (RAM_BASE, Permission.READ)}, {TOP: RAM_BASE})
    before = ram.used_bytes
    second = tables.build({STACK: (RAM_BASE, Permission.READ)}, {TOP: RAM_BASE})
    assert ram.used_bytes - before == 4 * PAGE_BYTES
    assert _walk(ram, first, TOP) == _walk(ram, second, TOP) is not None
    assert _walk(ram, first, STACK) is None
    assert _walk(ram, second, CODE) is None


def test_a_job_beside_the_vectors_keeps_them_to_itself(ram: Ram) -> None:
    tables = Tables(ram)
    near = TOP - 8 * PAGE_BYTES
    first = tables.build({near: (RAM_BASE, Permission.READ)}, {TOP: RAM_BASE})
    second = tables.build({CODE: (RAM_BASE, Permission.READ)}, {TOP: RAM_BASE})
    assert _walk(ram, first, near) is not None
    assert _walk(ram, first, TOP) is not None
    assert _walk(ram, second, near) is None


def test_only_shared_pages_with_equal_bytes_are_one(ram: Ram) -> None:
    data = b"x" * PAGE_BYTES
    assert ram.page(data, shared=True) == ram.page(data, shared=True)
    assert ram.page(data, shared=False) != ram.page(data, shared=False)
    assert ram.page(b"y" * PAGE_BYTES, shared=True) != ram.page(data, shared=True)
    assert ram.read(ram.page(data, shared=True), 3) == b"xxx"


def test_memory_ends(ram: Ram) -> None:
    with pytest.raises(MemoryError):
        ram.allocate(MAX_RAM_BYTES + 1)
