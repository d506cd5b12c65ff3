import pytest

from whypanic.arch.identification import identification
from whypanic.replay.address_space import UnfitJobError
from whypanic.replay.el2_registers import El2Registers


def test_the_cores_of_the_table_are_known() -> None:
    assert identification("Cortex-A53")["id_aa64mmfr0_el1"] == 0x1122
    assert identification("Neoverse-N2")["id_aa64isar1_el1"] == 0x0011_1111_0121_1052
    assert identification("no such core") == {}


def test_overrides_come_first_and_decide_over_features() -> None:
    registers = El2Registers("Cortex-A53", {"ID_AA64ISAR0_EL1": 1 << 64 | 0x20_0000})
    assert registers.read("id_aa64isar0_el1") == 0x20_0000
    assert registers.identification["id_aa64isar0_el1"] == 0x20_0000


@pytest.mark.parametrize(
    ("name", "write", "undefined"),
    [
        ("scr_el3", False, True),
        ("vbar_el12", False, True),
        ("cntp_ctl_el02", True, True),
        ("vbar_el1", True, False),
        ("midr_el1", False, False),
        ("midr_el1", True, True),
        ("id_aa64pfr0_el1", True, True),
        ("ctr_el0", True, True),
    ],
)
def test_accessibility(name: str, write: bool, undefined: bool) -> None:
    assert El2Registers("Cortex-A53", {}).is_undefined(name, write=write) is undefined


def test_with_e2h_the_el12_names_exist() -> None:
    vhe = El2Registers("Cortex-A76", {"hcr_el2": 1 << 34, "cptr_el2": 0})
    assert not vhe.is_undefined("vbar_el12", write=False)
    assert vhe.traps_fp() is True
    assert El2Registers("Cortex-A76", {"hcr_el2": 1 << 34, "cptr_el2": 3 << 20}).traps_fp() is False


def test_the_translation_follows_tcr() -> None:
    assert El2Registers("Cortex-A53", {}).va_bits() == 48
    assert El2Registers("Cortex-A53", {"tcr_el2": 25}).va_bits() == 39
    for tcr in (10, 45, 1 << 14 | 25):
        with pytest.raises(UnfitJobError):
            El2Registers("Cortex-A53", {"tcr_el2": tcr}).va_bits()


def test_a_written_register_is_forgotten_or_kept() -> None:
    registers = El2Registers("Cortex-A53", {"vtcr_el2": 1})
    registers.write("vtcr_el2", 2)
    registers.write("tpidr_el2", 3)
    assert (registers.read("vtcr_el2"), registers.read("tpidr_el2")) == (None, 3)
    assert registers.written == {"vtcr_el2": 2, "tpidr_el2": 3}
    registers.forget("tpidr_el2")
    assert registers.read("tpidr_el2") is None


def test_alignment_is_checked_as_sctlr_says() -> None:
    usual = El2Registers("Cortex-A53", {})
    assert (usual.checks_alignment, usual.checks_sp, usual.unaligned_within) == (False, True, 0)
    other = El2Registers("Neoverse-V1", {"sctlr_el2": 2})
    assert (other.checks_alignment, other.checks_sp, other.unaligned_within) == (True, False, 16)
