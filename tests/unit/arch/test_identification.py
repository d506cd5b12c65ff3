from whypanic.arch.cores import core_of_midr
from whypanic.arch.identification import identification, qemu_model, replay_cores
from whypanic.arch.insn.system_registers import name_register

REGISTERS = {
    "midr_el1",
    "revidr_el1",
    "id_aa64pfr0_el1",
    "id_aa64pfr1_el1",
    "id_aa64isar0_el1",
    "id_aa64isar1_el1",
    "id_aa64isar2_el1",
    "id_aa64mmfr0_el1",
    "id_aa64mmfr1_el1",
    "id_aa64mmfr2_el1",
    "id_aa64dfr0_el1",
    "ctr_el0",
    "clidr_el1",
    "dczid_el0",
}


def _field(core: str, register: str, shift: int) -> int:
    return identification(core)[register] >> shift & 0xF


def test_every_core_has_every_register() -> None:
    cores = replay_cores()
    assert len(cores) == len(set(cores)) == 10
    for core in cores:
        assert set(identification(core)) == REGISTERS
        assert all(0 <= value < 1 << 64 for value in identification(core).values())


def test_midr_names_the_core() -> None:
    for core in replay_cores():
        assert core_of_midr(identification(core)["midr_el1"]) == core


def test_the_reference_cores() -> None:
    assert _field("Cortex-A53", "id_aa64mmfr0_el1", 0) == 2
    assert _field("Cortex-A57", "id_aa64mmfr0_el1", 0) == 4
    assert _field("Cortex-A53", "id_aa64mmfr1_el1", 4) == 0  # VMIDBits: 8


def test_features_by_generation() -> None:
    # VH of ID_AA64MMFR1_EL1: from Armv8.1 on; Atomic of ID_AA64ISAR0_EL1 likewise.
    without = {"Cortex-A35", "Cortex-A53", "Cortex-A57", "Cortex-A72"}
    for core in replay_cores():
        assert _field(core, "id_aa64mmfr1_el1", 8) == (core not in without)
        assert _field(core, "id_aa64isar0_el1", 20) == (0 if core in without else 2)
    # SVE of ID_AA64PFR0_EL1; BT of ID_AA64PFR1_EL1; BF16 and XS of ID_AA64ISAR1_EL1.
    assert {c for c in replay_cores() if _field(c, "id_aa64pfr0_el1", 32)} == {
        "Neoverse-V1",
        "Neoverse-N2",
        "A64FX",
    }
    assert [c for c in replay_cores() if _field(c, "id_aa64pfr1_el1", 0)] == ["Neoverse-N2"]
    assert _field("Neoverse-V1", "id_aa64isar1_el1", 44) == 1
    assert _field("Neoverse-V1", "id_aa64isar1_el1", 56) == 0


def test_cache_lines_and_zeroing_agree() -> None:
    for core in replay_cores():
        registers = identification(core)
        # CTR_EL0.DminLine and DCZID_EL0.BS are log2 of words.
        line = registers["ctr_el0"] >> 16 & 0xF
        assert registers["dczid_el0"] == line == (6 if core == "A64FX" else 4)
        assert registers["ctr_el0"] >> 31 & 1 == 1


def test_names_are_those_of_the_decoder() -> None:
    encodings = [(3, 0, 0, m, op2) for m in (0, 4, 5, 6, 7) for op2 in range(8)]
    encodings += [(3, 3, 0, 0, 1), (3, 1, 0, 0, 1), (3, 3, 0, 0, 7)]
    packed = [a << 14 | b << 11 | n << 7 | m << 3 | c for a, b, n, m, c in encodings]
    assert {name_register(encoding) for encoding in packed} >= REGISTERS


def test_models_of_qemu() -> None:
    assert {core for core in replay_cores() if qemu_model(core) is None} == {
        "Cortex-A55",
        "Neoverse-V1",
        "Neoverse-N2",
    }
    assert qemu_model("Neoverse-N1") == "neoverse-n1"


def test_unknown_core() -> None:
    assert identification("Cortex-Z9") == {}
    assert qemu_model("Cortex-Z9") is None
