import pytest

from builders.stopped_kernel import RAM_PA, RUN, TCR, GuestRam
from whypanic.lab.page_tables import (
    PageTables,
    VirtualMemory,
    tables_at,
    tables_of_hyp,
    tables_of_kernel,
)

HYP_VA = 0x0000_F4A0_4046_B000


def _tables(ram: GuestRam) -> PageTables:
    return tables_at(ram, ram.root, size_bits=16, page_bits=12)


def test_a_page_is_found_through_four_levels() -> None:
    ram = GuestRam()
    ram.map(RUN, RAM_PA + 0x5000)
    assert _tables(ram).translate(RUN + 0x123) == RAM_PA + 0x5123
    assert _tables(ram).translate(RUN + 0x1000) is None


def test_a_block_of_2_mib_ends_the_walk_early() -> None:
    ram = GuestRam()
    ram.map(RUN, RAM_PA)
    level2 = RAM_PA + (1 << 20) + 0x2000
    entry = level2 + (RUN >> 21 & 0x1FF) * 8
    ram.put(entry, (0x40200000 | 0x401).to_bytes(8, "little"))
    assert _tables(ram).translate(RUN + 0x12345) == 0x40200000 + (RUN + 0x12345) % (2 << 20)


def test_a_last_level_without_its_second_bit_maps_nothing() -> None:
    ram = GuestRam()
    ram.map(RUN, RAM_PA)
    level3 = RAM_PA + (1 << 20) + 0x3000
    ram.put(level3 + (RUN >> 12 & 0x1FF) * 8, (RAM_PA | 0x401).to_bytes(8, "little"))
    assert _tables(ram).translate(RUN) is None


def test_an_address_of_the_other_half_is_none_of_theirs() -> None:
    ram = GuestRam()
    ram.map(RUN, RAM_PA)
    assert _tables(ram).translate(RUN & (1 << 48) - 1) is None
    assert _tables(ram).translate(RUN & ~(1 << 60)) is None


def test_tables_outside_ram_map_nothing() -> None:
    assert tables_at(GuestRam(), 0x80000000, size_bits=16, page_bits=12).translate(RUN) is None


@pytest.mark.parametrize(("page_bits", "size_bits"), [(14, 17), (16, 22), (14, 16), (12, 25)])
def test_other_pages_and_sizes_take_other_levels(page_bits: int, size_bits: int) -> None:
    ram = GuestRam()
    va = (1 << 64) - (1 << (64 - size_bits))
    stride = page_bits - 3
    n_levels = -(-(64 - size_bits - page_bits) // stride)
    tables = [RAM_PA + (2 << 20) + (i << page_bits) for i in range(n_levels)]
    for table, following in zip(tables, [*tables[1:], RAM_PA], strict=True):
        ram.put(table, (following | 3).to_bytes(8, "little"))
    walk = tables_at(ram, tables[0], size_bits=size_bits, page_bits=page_bits)
    assert walk.translate(va + 0x77) == RAM_PA + 0x77


def test_the_kernel_s_tables_are_those_of_el1() -> None:
    ram = GuestRam()
    ram.map(RUN, RAM_PA)
    asid = 0x3 << 48
    tables = tables_of_kernel(ram, {"TTBR1_EL1": ram.root | asid | 1, "TCR_EL1": TCR})
    assert tables is not None
    assert tables.translate(RUN) == RAM_PA


def test_with_vhe_they_are_those_of_el2() -> None:
    ram = GuestRam()
    ram.map(RUN, RAM_PA)
    registers = {
        "HCR_EL2": 1 << 34,
        "TTBR1_EL2": ram.root,
        "TCR_EL2": TCR,
        "TTBR1_EL1": 0x1000,
        "TCR_EL1": TCR,
    }
    tables = tables_of_kernel(ram, registers)
    assert tables is not None
    assert tables.translate(RUN) == RAM_PA


@pytest.mark.parametrize(
    "registers",
    [{}, {"TTBR1_EL1": 0, "TCR_EL1": TCR}, {"TTBR1_EL1": 0x1000, "TCR_EL1": 0}],
)
def test_there_are_none_before_the_mmu_is_on(registers: dict[str, int]) -> None:
    assert tables_of_kernel(GuestRam(), registers) is None
    assert tables_of_hyp(GuestRam(), registers) is None


def test_nvhe_code_lies_in_the_lower_half() -> None:
    ram = GuestRam()
    ram.map(HYP_VA, RAM_PA + 0x3000)
    tables = tables_of_hyp(ram, {"TTBR0_EL2": ram.root, "TCR_EL2": 16})
    assert tables is not None
    assert tables.translate(HYP_VA + 8) == RAM_PA + 0x3008


def test_memory_is_read_across_pages_that_lie_apart() -> None:
    ram = GuestRam()
    ram.map(RUN, RAM_PA + 0x5000)
    ram.map(RUN + 0x1000, RAM_PA + 0x2000)
    ram.put(RAM_PA + 0x5FFC, b"abcd")
    ram.put(RAM_PA + 0x2000, b"efgh")
    memory = VirtualMemory(ram, None, _tables(ram))
    assert memory.read(RUN + 0xFFC, 8) == b"abcdefgh"
    assert memory.read_u64(RUN + 0xFFC) == int.from_bytes(b"abcdefgh", "little")
    assert memory.read(RUN + 0x1FFC, 8) is None
    assert memory.physical(RUN + 0x1010) == RAM_PA + 0x2010
