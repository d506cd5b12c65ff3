import pytest

from whypanic.arch.cpucaps_table import TABLES, CapTable, expand


@pytest.mark.parametrize("row", TABLES, ids=lambda row: "-".join(map(str, row.key)))
def test_row_expands_to_its_length(row: CapTable) -> None:
    names = expand(row.key)
    assert len(names) == row.n


@pytest.mark.parametrize("row", TABLES, ids=lambda row: "-".join(map(str, row.key)))
def test_names_are_unique(row: CapTable) -> None:
    named = [name for name in expand(row.key) if name]
    assert len(set(named)) == len(named)


def test_keys_are_sorted_and_bases_come_earlier() -> None:
    keys = [row.key for row in TABLES]
    assert keys == sorted(set(keys))
    assert all(row.base is None or row.base in keys[:at] for at, row in enumerate(TABLES))


def test_unknown_key() -> None:
    with pytest.raises(KeyError):
        expand((3, 2, 1))


@pytest.mark.parametrize(
    ("key", "bit", "name"),
    [
        ((4, 14, 0), 14, "HYP_OFFSET_LOW"),
        ((4, 19, 0), 32, "HAS_STAGE2_FWB"),
        ((5, 1, 0), 42, "HAS_IRQ_PRIO_MASKING"),
        ((5, 2, 0), 44, "WORKAROUND_1463225"),
        ((5, 8, 0), 52, "HAS_GENERIC_AUTH"),
        ((5, 10, 0), 58, "WORKAROUND_1508412"),
        ((5, 11, 0), 9, None),
        ((5, 13, 0), 60, "WORKAROUND_SPECULATIVE_AT"),
        ((6, 1, 192), 84, "WORKAROUND_BROKEN_AMU_CONSTCNT"),
        ((6, 10, 0), 31, "HAS_GIC_PRIO_MASKING"),
        ((6, 10, 0), 48, "HAS_TLB_RANGE"),
        ((6, 10, 0), 67, "UNMAP_KERNEL_AT_EL0"),
        ((6, 10, 0), 76, "WORKAROUND_1742098"),
        ((6, 10, 0), 83, "WORKAROUND_2658417"),
        ((6, 10, 0), 88, "WORKAROUND_CAVIUM_23154"),
        ((6, 10, 0), 95, "WORKAROUND_NVIDIA_CARMEL_CNP"),
        ((6, 18, 0), 0, "ALWAYS_BOOT"),
    ],
)
def test_number_of_a_capability(key: tuple[int, int, int], bit: int, name: str | None) -> None:
    assert expand(key)[bit] == name


def test_numbers_before_5_13_do_not_move() -> None:
    for key in ((4, 14, 0), (4, 19, 0), (5, 4, 0), (5, 10, 0)):
        assert expand(key)[11] == "HAS_VIRT_HOST_EXTN"
