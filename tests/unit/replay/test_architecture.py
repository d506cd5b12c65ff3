"""Every class of fault with the ESR that the manual gives it (DDI 0487 L, ESR_EL2)."""

import pytest

from builders.el2 import DATA, HOME, RET, STACK, TEXT, job, observe, run
from whypanic.replay.address_space import AddressSpace
from whypanic.replay.architecture import Pstate, access_fault, fetch_fault
from whypanic.replay.protocol import Outcome, Permission, Region

LDR, STR = 0xF9400020, 0xF9000020  # ldr x0, [x1]; str x0, [x1]
LDXR, STXR, LDAR = 0xC85F7C20, 0xC8027C23, 0xC8DFFC20
LDADD = 0xF8220020  # ldadd x2, x0, [x1]
BR_X1 = 0xD61F0020


@pytest.mark.parametrize(
    ("target", "esr"),
    [
        (0xFFFF_0000_089E_6FD8, 0x8600_0004),  # above what TTBR0_EL2 translates
        (0x0001_0000_0000_0000, 0x8600_0004),  # the first address above
        (0x0000_8000_0000_0000, 0x8600_0004),  # in range: no entry at level 0
        (0x0000_0040_0000_0000, 0x8600_0005),  # shares 512 GB with the text
        (0x0000_0000_3000_0000, 0x8600_0006),  # and 1 GB
        (0x0000_0000_0040_1000, 0x8600_0007),  # and 2 MB
        (DATA, 0x8600_000F),  # read-only data: permission, level 3
        (STACK - 16, 0x8600_000F),
        (TEXT + 2, 0x8A00_0000),  # PC alignment
    ],
)
def test_fetches(target: int, esr: int) -> None:
    seen = run([BR_X1], {"x1": target})
    assert (seen.outcome, seen.pc, seen.far, seen.esr) == (Outcome.FAULT, target, target, esr)


def test_a_misaligned_pc_comes_before_its_translation() -> None:
    assert run([BR_X1], {"x1": 0xFFFF_0000_0000_0001}).esr == 0x8A00_0000


@pytest.mark.parametrize(
    ("word", "address", "esr"),
    [
        (LDR, 0xFFFF_0000_0840_1000, 0x9600_0004),
        (STR, 0xFFFF_0000_0840_1000, 0x9600_0044),
        (LDR, 0x0000_0040_0000_0000, 0x9600_0005),
        (STR, 0x0000_0040_0000_0000, 0x9600_0045),
        (LDR, 0x3000_0000, 0x9600_0006),
        (STR, 0x3000_0000, 0x9600_0046),
        (LDR, TEXT + 0x1000, 0x9600_0007),
        (STR, TEXT + 0x1000, 0x9600_0047),
        (STR, DATA, 0x9600_004F),  # read-only
        (STR, TEXT + 8, 0x9600_004F),  # executable, hence read-only
        (LDXR, STACK - 12, 0x9600_0021),  # alignment
        (STXR, STACK - 12, 0x9600_0061),
        (LDAR, STACK - 12, 0x9600_0021),
    ],
)
def test_data_aborts(word: int, address: int, esr: int) -> None:
    # ldxr x0, [x3] first: the monitor is marked, so that the store-exclusive is held against the pages.
    armed = [0xC85F7C60, word] if word == STXR else [word]
    seen = run(armed, {"x0": 0, "x1": address, "x3": STACK - 64})
    assert (seen.outcome, seen.far, seen.esr) == (Outcome.FAULT, address, esr)
    assert seen.pc == TEXT + 4 * (len(armed) - 1)


@pytest.mark.parametrize(
    ("address", "esr"),
    [
        (TEXT + 0x1000, 0x9600_0007),  # as the read faults: WnR is 0
        (DATA, 0x9600_004F),  # the read would not have
        (STACK - 12, 0x9600_0021),
    ],
)
def test_an_atomic_faults_as_a_read_where_the_read_would(address: int, esr: int) -> None:
    seen = run([LDADD], {"x1": address, "x2": 1}, cpu="Cortex-A76")
    assert (seen.outcome, seen.esr, seen.far) == (Outcome.FAULT, esr, address)


def test_far_is_the_first_byte_that_faults() -> None:
    seen = run([LDR], {"x1": DATA + 4092})
    assert (seen.esr, seen.far) == (0x9600_0007, DATA + 4096)


@pytest.mark.parametrize(
    ("words", "esr", "elr"),
    [
        ([0x0000_002A], 0x0200_0000, TEXT),  # udf #42
        ([0xD420_0020], 0xF200_0001, TEXT),  # brk #1
        ([0xD430_0000], 0xF200_8000, TEXT),  # brk #0x8000
        ([0xD400_00A1], 0x5600_0005, TEXT + 4),  # svc #5: the preferred return is behind it
        ([0xD400_00E2], 0x5A00_0007, TEXT + 4),  # hvc #7
        ([0xD440_0020], 0x0200_0000, TEXT),  # hlt #1
        ([0x9E67_0000], 0x1FE0_0000, TEXT),  # fmov d0, x0
        ([0x3DC0_0020], 0x1FE0_0000, TEXT),  # ldr q0, [x1]: trapped before its address is looked at
        ([0xD53E_1100], 0x0200_0000, TEXT),  # mrs x0, scr_el3
        ([0xD53D_1000], 0x0200_0000, TEXT),  # mrs x0, sctlr_el12 without E2H
        ([0xD518_0000], 0x0200_0000, TEXT),  # msr midr_el1, x0
        ([LDADD], 0x0200_0000, TEXT),  # the Cortex-A53 has no FEAT_LSE
    ],
)
def test_exceptions_without_far(words: list[int], esr: int, elr: int) -> None:
    seen = run([*words, RET], {"x0": 0, "x1": 0x10, "x2": 0})
    assert (seen.outcome, seen.esr, seen.pc, seen.far) == (Outcome.FAULT, esr, elr, None)


def test_sp_alignment() -> None:
    seen = run([0xA9BF_7BFD], {"sp": STACK - 8, "x29": 0})  # stp x29, x30, [sp, #-16]!
    assert (seen.esr, seen.pc, seen.far) == (0x9A00_0000, TEXT, None)
    assert seen.registers["sp"] == STACK - 8


def test_sp_alignment_is_not_checked_without_sa() -> None:
    words = [0xA9BF_7BFD, RET]
    seen = run(words, {"sp": STACK - 8, "x29": 0}, system={"sctlr_el2": 0x30C5_1835})
    assert seen.outcome is Outcome.RETURNED


def test_sctlr_a_checks_every_access() -> None:
    seen = run([LDR], {"x1": DATA + 4}, system={"sctlr_el2": 0x30C5_183F})
    assert (seen.esr, seen.far) == (0x9600_0021, DATA + 4)
    assert run([LDR, RET], {"x1": DATA + 4}).outcome is Outcome.RETURNED


def test_lse2_permits_what_stays_within_16_bytes() -> None:
    registers = {"x1": STACK - 12, "x2": 1}
    # Unicorn itself refuses it: no fault is made up.
    assert run([LDADD, RET], registers, cpu="Neoverse-V1").outcome is Outcome.UNKNOWN
    crossing = {"x1": STACK - 20, "x2": 1}
    assert run([LDADD, RET], crossing, cpu="Neoverse-V1").esr == 0x9600_0021


@pytest.mark.parametrize(("word", "esr"), [(0xD50B_7E21, 0x9600_0147), (0xD50B_7521, 0x9600_0147)])
def test_cache_operations_set_cm_and_wnr(word: int, esr: int) -> None:
    seen = run([word], {"x1": TEXT + 0x1000})
    assert (seen.esr, seen.far) == (esr, TEXT + 0x1000)


def test_dc_zva_faults_as_a_store() -> None:
    seen = run([0xD50B_7421], {"x1": DATA + 8})
    assert (seen.esr, seen.far) == (0x9600_004F, DATA + 8)


def test_sve_is_undefined_without_it() -> None:
    incd = 0x04F0_E3E0
    assert run([incd], {"x0": 0}).esr == 0x0200_0000
    assert run([incd], {"x0": 0}, cpu="A64FX").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("address", "level"),
    [(1 << 39, 0), (1 << 38, 1), (0x3000_0000, 2), (0x40_1000, 3)],
)
def test_a_39_bit_regime_starts_at_level_1(address: int, level: int) -> None:
    # T0SZ 25; return_va must be apart
    seen = run([BR_X1], {"x1": address}, system={"tcr_el2": 25}, return_va=HOME)
    assert seen.esr == 0x8600_0004 | level


def test_the_functions_alone() -> None:
    space = AddressSpace((Region(0x1000, bytes(4), Permission.EXECUTE, "t"),))
    assert fetch_fault(space, 0x1000) is None
    assert access_fault(space, 0, 0x1FFC, 4, load=True, store=False) is None
    fault = access_fault(space, 0x1000, (1 << 64) - 4, 8, load=True, store=False)
    assert fault is not None
    assert fault.far == (1 << 64) - 4


def test_the_pstate_of_a_core_without_optional_bits_is_known() -> None:
    seen = run([BR_X1], {"x1": 0}, nzcv=0b1010, daif=0b1111)
    assert (seen.pstate, seen.pstate_known) == (0xA000_03C9, 0xFFFF_FFFF)


def test_bits_of_features_are_not_known_until_written() -> None:
    seen = run([BR_X1], {"x1": 0}, cpu="Cortex-A76")
    assert seen.pstate_known == 0xFFFF_FFFF & ~(1 << 23 | 1 << 22 | 1 << 12)  # UAO, PAN, SSBS
    written = run([0xD500_419F, BR_X1], {"x1": 0}, cpu="Cortex-A76")  # msr pan, #1
    assert written.pstate == 0x0040_03C9
    assert written.pstate_known >> 22 & 1


def test_btype_is_not_known_behind_an_indirect_branch_with_bti() -> None:
    assert not run([BR_X1], {"x1": 0}, cpu="Neoverse-N2").pstate_known & 0xC00
    assert run([0xD420_0020], cpu="Neoverse-N2").pstate_known & 0xC00 == 0xC00


def test_unknown_flags_are_not_part_of_pstate() -> None:
    seen = observe(job([0xD420_0020], nzcv=None))
    assert seen.pstate_known == 0x0FFF_FFFF


def test_daif_may_become_unknown() -> None:
    pstate = Pstate(0, {})
    pstate.daif = None
    assert not pstate.saved(0)[1] & 0x3C0
