import struct

import numpy as np
import pytest

from builders.raw_images import rela, relr
from whypanic.formats.relocation_runs import RecoveredRelocations, recover_relocations

BASE = 0xFFFF_8000_0800_0000
RELA_AT = 0x8000


def image(records: bytes, *, at: int = RELA_AT, size: int = 0x10000) -> bytearray:
    data = bytearray(size)
    data[at : at + len(records)] = records
    return data


def recovered(data: bytes | bytearray, **options: int) -> RecoveredRelocations | None:
    return recover_relocations(memoryview(data), **options)


def records(n: int, *, base: int = BASE) -> tuple[list[int], list[int]]:
    return [base + 0x2000 + 16 * i for i in range(n)], [base + 4 * i for i in range(n)]


def test_run_gives_slots_values_and_base() -> None:
    slots, values = records(50)
    found = recovered(image(rela(slots, values)))
    assert found is not None
    assert found.base == BASE
    assert found.relative.slots.tolist() == slots
    assert found.relative.values.tolist() == values
    assert (found.n_rela, found.n_other, found.n_relr) == (50, 0, 0)
    assert found.rela == (RELA_AT, RELA_AT + 50 * 24)
    assert found.relr is None
    assert found.hyp_reloc is None


def test_records_of_other_types_are_passed_over() -> None:
    slots, values = records(40)
    none, symbolic = bytes(24), struct.pack("<QQQ", BASE + 0x3000, 7 << 32 | 257, 0)
    run = rela(slots[:20], values[:20]) + none * 3 + symbolic + rela(slots[20:], values[20:])
    found = recovered(image(run + none * 5))
    assert found is not None
    assert found.relative.slots.tolist() == slots
    assert found.n_other == 4
    assert found.rela == (RELA_AT, RELA_AT + 44 * 24)


def test_addends_of_nothing_are_kept() -> None:
    slots, values = records(10)
    values[4] = 0
    found = recovered(image(rela(slots, values)))
    assert found is not None
    assert found.relative.value_at(slots[4]) == 0


def test_longest_run_is_taken() -> None:
    slots, values = records(30)
    data = image(rela(slots, values))
    few = rela([BASE + 0x100] * 6, [BASE] * 6)
    data[0x1000 : 0x1000 + len(few)] = few
    found = recovered(data)
    assert found is not None
    assert found.relative.slots.tolist() == slots


@pytest.mark.parametrize("text_offset", [0, 0x80000])
def test_base_where_nothing_names_its_first_2_mib(text_offset: int) -> None:
    base = BASE + text_offset
    slots = [base + 0x60_0000 + 8 * i for i in range(20)]
    values = [base + 0x50_0000 + 4 * i for i in range(20)]
    data = image(rela(slots, values), size=0x70_0000)
    for i, value in enumerate(values):  # only here do the slots hold their addends
        data[0x60_0000 + 8 * i : 0x60_0008 + 8 * i] = struct.pack("<Q", value)
    data[:0x1000] = b"\x33" * 0x1000
    data[0x40_0000:0x40_1000] = data[0x20_0000:0x20_1000] = b"\x11" * 0x1000
    data[0x10_0000:0x10_1000] = data[0x30_0000:0x30_1000] = b"\x22" * 0x1000
    found = recovered(data, text_offset=text_offset)
    assert found is not None
    assert found.base == base


def test_known_base_is_kept() -> None:
    slots, values = records(8)
    found = recovered(image(rela(slots, values)), base=BASE)
    assert found is not None
    assert found.base == BASE


def test_slots_outside_the_file_are_left_out() -> None:
    slots, values = records(50)
    slots[-1] = BASE + 0x10_0000
    found = recovered(image(rela(slots, values)))
    assert found is not None
    assert found.relative.slots.tolist() == slots[:-1]


def test_relr_behind_rela() -> None:
    slots, values = records(5)
    packed = [BASE + 0x4000 + 8 * i for i in (*range(100), 150, 300, 301, 900)]
    words = relr(packed)
    data = image(rela(slots, values) + bytes(24) * 3 + words)
    for i, slot in enumerate(packed):
        data[slot - BASE : slot - BASE + 8] = struct.pack("<Q", BASE + 8 * i)
    found = recovered(data)
    assert found is not None
    assert (found.n_rela, found.n_relr) == (5, len(packed))
    assert found.relative.slots.tolist() == slots + packed
    assert found.relative.value_at(packed[-1]) == BASE + 8 * (len(packed) - 1)
    first = RELA_AT + 24 * 8
    assert found.relr == (first, first + len(words))


def test_relr_alone() -> None:
    packed = [BASE + 0x4000 + 8 * i for i in range(0, 1200, 7)] + [BASE + 0x7004]
    data = image(relr(packed))
    for i, slot in enumerate(packed):
        data[slot - BASE : slot - BASE + 8] = struct.pack("<Q", BASE + 0x40 + 8 * i)
    found = recovered(data)
    assert found is not None
    assert found.base == BASE
    assert found.rela is None
    assert found.relative.slots.tolist() == packed
    assert found.relative.values.tolist() == [BASE + 0x40 + 8 * i for i in range(len(packed))]


@pytest.mark.parametrize("pad", [0, 4])
def test_hyp_reloc_is_walked_backwards(pad: int) -> None:
    slots, values = records(30)
    data = image(rela(slots, values))
    listed = slots[3:20]
    first = RELA_AT - pad - 4 * len(listed)
    for i, slot in enumerate(listed):
        struct.pack_into("<i", data, first + 4 * i, slot - (BASE + first + 4 * i))
    struct.pack_into("<i", data, first - 4, 0x1234)
    found = recovered(data)
    assert found is not None
    assert found.hyp_reloc == (first, first + 4 * len(listed))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        b"\0" * 24,
        struct.pack("<QQQ", BASE, 0x403, BASE) * 3,
        b"\xff" * 5000,
        struct.pack("<Q", 0x403) * 5000,
        np.random.default_rng(3).bytes(1 << 16),
        rela(*records(20))[8:],
    ],
)
def test_no_relocations(data: bytes) -> None:
    assert recovered(data) is None


def test_maps_that_name_too_many_slots_are_none() -> None:
    words = struct.pack("<Q", BASE) + b"\xff" * 8 * 5000
    assert recovered(bytes(0x100) + words) is None
