"""What cores have."""

import pytest

from whypanic.code.core_capabilities import Core, capabilities_of, find_core


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("cortex-a57", Core("Cortex-A57")),
        (" Cortex-A57 r1p2 ", Core("Cortex-A57", 1, 2)),
        ("Neoverse-N1,r3p1", Core("Neoverse-N1", 3, 1)),
        ("A64FX", Core("A64FX")),
        ("Cortex-A999", None),
        ("HAS_PAN", None),
        ("", None),
    ],
)
def test_names(text: str, core: Core | None) -> None:
    assert find_core(text) == core


def test_a_core_of_the_first_architecture() -> None:
    found = capabilities_of(Core("Cortex-A53"))
    assert found["HAS_32BIT_EL0"]
    assert found["HAS_32BIT_EL0_DO_NOT_USE"]
    assert found["HAS_CRC32"]
    absent = ("HAS_PAN", "HAS_LSE_ATOMICS", "HAS_VIRT_HOST_EXTN", "BTI", "MTE", "SVE", "SSBS")
    assert not any(found[name] for name in absent)
    assert found["ALWAYS_SYSTEM"]


def test_later_cores_have_more() -> None:
    n1, v1, n2 = (capabilities_of(Core(f"Neoverse-{n}")) for n in ("N1", "V1", "N2"))
    assert n1["HAS_LSE_ATOMICS"]
    assert n1["HAS_PAN"]
    assert not n1["HAS_32BIT_EL1"]
    assert not n1["SVE"]
    assert v1["SVE"]
    assert v1["HAS_RNG"]
    assert v1["HAS_ADDRESS_AUTH"]
    assert n2["BTI"]
    assert n2["MTE"]


def test_what_registers_do_not_decide_is_left_out() -> None:
    found = capabilities_of(Core("Neoverse-N1"))
    for name in ("HAS_VIRT_HOST_EXTN", "UNMAP_KERNEL_AT_EL0", "SPECTRE_V2", "HAS_CNP", "HW_DBM"):
        assert name not in found


def test_errata_follow_revisions() -> None:
    name = "WORKAROUND_834220"
    assert name not in capabilities_of(Core("Cortex-A57"))
    assert capabilities_of(Core("Cortex-A57", 1, 2))[name] is True
    assert capabilities_of(Core("Cortex-A57", 1, 3))[name] is False
    assert capabilities_of(Core("Cortex-A53", 0, 4))[name] is False
    assert capabilities_of(Core("Cortex-A57", 0, 0))["WORKAROUND_1742098"] is False
    assert capabilities_of(Core("Cortex-A57", 1, 0))["WORKAROUND_1742098"] is True
    assert capabilities_of(Core("Cortex-A72"))["SPECTRE_V3A"]


def test_a_core_without_known_registers_has_errata_only() -> None:
    found = capabilities_of(Core("Cortex-A77", 1, 0))
    assert found["WORKAROUND_1508412"] is True
    assert "HAS_PAN" not in found
