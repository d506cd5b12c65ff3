import pytest

from builders.el2 import RET, STACK, run
from whypanic.replay.protocol import Outcome

MRS_X0_VBAR, MSR_VBAR_X0 = 0xD53CC000, 0xD51CC000
MSR_TPIDR_X0, MRS_X1_TPIDR = 0xD51CD040, 0xD53CD041


def test_reads_are_answered_for_the_core() -> None:
    seen = run([0xD5380700, RET])  # mrs x0, id_aa64mmfr0_el1
    assert seen.registers["x0"] == 0x1122
    assert run([0xD5384240, RET]).registers["x0"] == 8  # mrs x0, currentel


def test_what_no_table_has_is_unknown() -> None:
    seen = run([MRS_X0_VBAR, RET])
    assert (seen.outcome, seen.registers["x0"]) == (Outcome.RETURNED, None)


def test_writes_are_recorded() -> None:
    seen = run([MSR_VBAR_X0, RET], {"x0": 0x8000_0800})
    assert seen.system == {"vbar_el2": 0x8000_0800}
    assert run([MSR_VBAR_X0, RET]).system == {"vbar_el2": None}


def test_only_plain_registers_read_back() -> None:
    assert run([MSR_TPIDR_X0, MRS_X1_TPIDR, RET], {"x0": 5}).registers["x1"] == 5
    assert run([MSR_VBAR_X0, MRS_X0_VBAR, RET], {"x0": 5}).registers["x0"] is None


def test_daif_is_followed() -> None:
    seen = run([0xD50342FF, 0xD53B4220, RET], daif=0b1111)  # msr daifclr, #2; mrs x0, daif
    assert (seen.registers["x0"], (seen.pstate or 0) & 0x3C0) == (0x340, 0x340)


def test_nzcv_moves_both_ways() -> None:
    seen = run([0xD51B4200, 0xD53B4201, RET], {"x0": 0xA000_0000})  # msr nzcv, x0; mrs x1, nzcv
    assert (seen.registers["x1"], (seen.pstate or 0) >> 28) == (0xA000_0000, 0xA)
    assert not run([0xD51B4200, RET]).pstate_known >> 28


@pytest.mark.parametrize("word", [0xD51C2000, 0xD50040BF])  # msr ttbr0_el2, x0; msr spsel, #0
def test_what_changes_the_regime_ends_the_run(word: int) -> None:
    assert run([word], {"x0": 0}).outcome is Outcome.UNKNOWN


def test_nameless_registers_are_not_guessed() -> None:
    assert run([0xD530C960, RET]).outcome is Outcome.UNKNOWN  # mrs x0, s2_0_c12_c9_3
    assert run([0xD538F000, RET]).outcome is Outcome.RETURNED  # mrs x0, s3_0_c15_c0_0


def test_a_register_of_a_missing_feature_is_undefined() -> None:
    assert run([0xD5381200, RET]).esr == 0x0200_0000  # mrs x0, zcr_el1
    assert run([0xD5381200, RET], cpu="A64FX").outcome is Outcome.RETURNED
    assert run([0xD500419F, RET]).esr == 0x0200_0000  # msr pan, #1 without FEAT_PAN


def test_hints_barriers_and_invalidation_do_nothing() -> None:
    words = [0xD503207F, 0xD5033F9F, 0xD50C871F, RET]  # wfi; dsb sy; tlbi alle2
    seen = run(words)
    assert (seen.outcome, seen.system) == (Outcome.RETURNED, {})


def test_address_translation_makes_par_unknown() -> None:
    words = [0xD50C7800, 0xD5387400, RET]  # at s1e2r, x0; mrs x0, par_el1
    assert run(words[1:], system={"par_el1": 1}).registers["x0"] == 1
    assert run(words, {"x0": 0}, system={"par_el1": 1}).registers["x0"] is None


def test_dc_zva_clears_the_block_around() -> None:
    store, zva, load = 0xF9000020, 0xD50B7421, 0xF9400022  # str x0, [x1]; dc zva; ldr x2
    seen = run([store, zva, load, RET], {"x0": 7, "x1": STACK - 8})
    assert seen.registers["x2"] == 0
    (cleared,) = seen.trace[1].memory
    assert (cleared.va, cleared.n_bytes) == (STACK - 64, 64)
    assert run([zva], {"x1": STACK - 8}, system={"dczid_el0": 0x14}).outcome is Outcome.UNKNOWN
    (wide,) = run([zva, RET], {"x1": STACK - 8}, cpu="A64FX").trace[0].memory
    assert wide.n_bytes == 256


def test_cptr_decides_over_fp() -> None:
    movi, msr = 0x6F00E400, 0xD51C1140  # msr cptr_el2, x0
    assert run([movi, RET]).esr == 0x1FE0_0000
    assert run([movi, RET], system={"cptr_el2": 0x400}).esr == 0x1FE0_0000
    assert run([movi, RET], system={"cptr_el2": 0}).outcome is Outcome.RETURNED
    assert run([msr, movi, RET], {"x0": 0x33FF}).outcome is Outcome.RETURNED
    assert run([msr, movi, RET]).outcome is Outcome.UNKNOWN
