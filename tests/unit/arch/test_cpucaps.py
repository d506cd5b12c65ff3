import pytest
from hypothesis import given
from hypothesis import strategies as st

from whypanic.arch.cpucaps import (
    ERRATUM_CORES,
    cores_named_by,
    decode_features,
    parse_bitmap,
)


def test_big_little_bitmap_of_4_14() -> None:
    features = decode_features("0x002086", "4.14.3")
    assert features.names == (
        (1, "WORKAROUND_DEVICE_LOAD_ACQUIRE"),
        (2, "WORKAROUND_845719"),
        (7, "WORKAROUND_834220"),
        (13, "HAS_32BIT_EL0"),
    )
    assert features.table == "4.14"
    assert features.exact
    assert features.has("ARM64_HAS_VIRT_HOST_EXTN") is False


def test_groups_are_most_significant_first() -> None:
    assert parse_bitmap("0x3,00000001") == (0x3_0000_0001, 33, 36)
    features = decode_features("0x0002,00000001", "5.4.0")
    assert features.names == ((0, "WORKAROUND_CLEAN_CACHE"), (33, "HAS_CRC32"))
    assert features.exact


def test_appended_numbers_of_a_stable_tree_stay_unnamed() -> None:
    features = decode_features("0x22,00000008", "4.19.200")
    assert features.names == ((3, "HAS_SYSREG_GIC_CPUIF"), (33, None), (37, None))
    assert not features.exact
    assert "37..40" in features.note


def test_sorted_list_of_another_length_gives_no_names() -> None:
    features = decode_features("0x00000000,00000000,00000001", "6.4.0")
    assert features.names == ((0, None),)
    assert features.table is None
    assert features.has("ALWAYS_BOOT") is None
    assert "93..96" in features.note


def test_between_two_states_of_a_series_only_agreed_bits_are_named() -> None:
    mainline = decode_features("0x02000,00000000,00000001", "6.1.0")
    between = decode_features("0x02000,00000000,00000001", "6.1.60")
    assert mainline.names == ((0, "ALWAYS_BOOT"), (77, "WORKAROUND_DEVICE_LOAD_ACQUIRE"))
    assert between.names == ((0, "ALWAYS_BOOT"), (77, None))
    assert mainline.exact
    assert not between.exact


def test_distribution_patch_level_is_not_trusted() -> None:
    assert not decode_features("0x00000,00000000,00000001", "6.1.0-18-arm64").exact


def test_missing_version_falls_to_the_nearest_lower_list() -> None:
    features = decode_features("0x0000,00000001", "5.3.2")
    assert features.table == "5.2"
    assert not features.exact
    assert "nearest lower" in features.note


def test_linux_next_of_a_sorted_list_is_not_named() -> None:
    features = decode_features("0x000000,00000000,00000000,00000001", "6.18.0-rc7-next-20251125")
    assert features.names == ((0, None),)
    assert not features.exact


def test_renaming_in_place_does_not_end_the_agreement() -> None:
    features = decode_features("0x0,80000000,80000000", "5.15.90")
    assert features.names == ((31, "HAS_VIRT_HOST_EXTN"), (63, None))


def test_derived_lists_are_never_exact() -> None:
    assert not decode_features("0x000000", "4.15.0").exact


@pytest.mark.parametrize("version", [None, "", "unknown", "3.18.0"])
def test_no_version_no_names(version: str | None) -> None:
    features = decode_features("0x002086", version)
    assert [name for _, name in features.names] == [None] * 4
    assert features.table is None
    assert features.note


@pytest.mark.parametrize("raw", ["", "0x", "0x12g4", "0x1,2", "0x123456789", "0x1,,00000000"])
def test_text_that_is_no_bitmap(raw: str) -> None:
    features = decode_features(raw, "4.14.0")
    assert features.names == ()
    assert features.note == "not a capability bitmap"


def test_renamed_capability_answers_to_both_names() -> None:
    features = decode_features("0x0,00000000,00000002", "5.16.0")
    assert features.has("HAS_32BIT_EL0") is True
    assert features.has("ARM64_HAS_32BIT_EL0_DO_NOT_USE") is True


def test_errata_name_the_cores_of_a_big_little_machine() -> None:
    features = decode_features("0x000086", "4.14.0")
    evidence = cores_named_by(features.set_names, "4.14.0")
    assert [(item.core, item.erratum, item.sole) for item in evidence] == [
        ("Cortex-A57", "832075", True),
        ("Cortex-A53", "845719", True),
        ("Cortex-A57", "834220", True),
    ]


def test_erratum_of_several_cores_is_not_sole() -> None:
    evidence = cores_named_by(["ARM64_WORKAROUND_845719"], "6.6.1")
    assert [item.core for item in evidence] == ["Cortex-A53", "Brahma-B53", "Kryo-2xx-Silver"]
    assert not any(item.sole for item in evidence)


def test_features_name_no_core() -> None:
    assert cores_named_by(["HAS_PAN", "nonsense", ""]) == ()


def test_erratum_rows_are_unique() -> None:
    keys = [(row.capability, row.core) for row in ERRATUM_CORES]
    assert len(set(keys)) == len(keys)


@given(st.text(max_size=60), st.none() | st.text(max_size=30))
def test_any_text_decodes(raw: str, version: str | None) -> None:
    features = decode_features(raw, version)
    assert len(features.names) == features.bitmap.bit_count()


@given(
    st.integers(0, 2**130 - 1), st.sampled_from(["4.14", "5.10.9", "5.15.80", "6.1.7", "6.18.2"])
)
def test_every_set_bit_is_listed(bitmap: int, version: str) -> None:
    digits = f"{bitmap:040x}"
    raw = "0x" + ",".join(digits[at : at + 8] for at in range(0, 40, 8))
    features = decode_features(raw, version)
    assert sum(1 << bit for bit, _ in features.names) == bitmap
