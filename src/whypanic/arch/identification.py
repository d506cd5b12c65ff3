"""Identification registers of the cores that a replay knows: what the core itself answers to `MRS`.

Source of every value: the function that sets up the core in QEMU, target/arm/tcg/cpu64.c (stored commit 00936783abf7)
or, for Cortex-A53 and Cortex-A57, target/arm/cpu64.c (stored commit 00a8c5bbb609); that file cites the section of the
core's technical reference manual beside the values, repeated here. A register that is not set there reads as 0: it is
allocated later than the core and lies in the space of identification registers, which read as zero (DDI 0487 L,
"AArch64 System register encodings", op0 3, op1 0, CRn 0). DCZID_EL0 is `dcz_blocksize` there: BS, with DZP 0.

Measured: `MRS` at EL2 on QEMU 7.2 gives these values for the seven cores it models, but for three fields that depend on
the machine and not on the core: ID_AA64PFR0_EL1.EL3 is 0 without a secure world, ID_AA64PFR0_EL1.GIC is 1 where a GICv3
is connected (0 in the table), ID_AA64DFR0_EL1.PMSVer is always 0 (no statistical profiling).
"""

from collections.abc import Mapping
from typing import NamedTuple


class _Row(NamedTuple):
    core: str
    qemu_model: str | None
    """Name after `-cpu` in QEMU 7.2; None: that release does not model the core."""
    midr_el1: int
    id_aa64pfr0_el1: int
    id_aa64pfr1_el1: int
    id_aa64isar0_el1: int
    id_aa64isar1_el1: int
    id_aa64mmfr0_el1: int
    id_aa64mmfr1_el1: int
    id_aa64mmfr2_el1: int
    id_aa64dfr0_el1: int
    ctr_el0: int
    clidr_el1: int
    dczid_el0: int
    id_aa64isar2_el1: int = 0
    revidr_el1: int = 0


# fmt: off
_ROWS: tuple[_Row, ...] = (
    # aarch64_a35_initfn: manual B2.2
    _Row("Cortex-A35", "cortex-a35", midr_el1=0x411F_D040,
         id_aa64pfr0_el1=0x0000_0000_0000_2222,  id_aa64pfr1_el1=0x0000_0000_0000_0000,
         id_aa64isar0_el1=0x0000_0000_0001_1120, id_aa64isar1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr0_el1=0x0000_0000_0010_1122, id_aa64mmfr1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr2_el1=0x0000_0000_0000_0000, id_aa64dfr0_el1=0x0000_0000_1030_5106,
         ctr_el0=0x8444_8004, clidr_el1=0x0A20_0023, dczid_el0=4),
    # aarch64_a53_initfn
    _Row("Cortex-A53", "cortex-a53", midr_el1=0x410F_D034,
         id_aa64pfr0_el1=0x0000_0000_0000_2222,  id_aa64pfr1_el1=0x0000_0000_0000_0000,
         id_aa64isar0_el1=0x0000_0000_0001_1120, id_aa64isar1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr0_el1=0x0000_0000_0000_1122, id_aa64mmfr1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr2_el1=0x0000_0000_0000_0000, id_aa64dfr0_el1=0x0000_0000_1030_5106,
         ctr_el0=0x8444_8004, clidr_el1=0x0A20_0023, dczid_el0=4),
    # aarch64_a55_initfn: manual B2.4
    _Row("Cortex-A55", None, midr_el1=0x412F_D050,
         id_aa64pfr0_el1=0x0000_0000_1011_2222,  id_aa64pfr1_el1=0x0000_0000_0000_0010,
         id_aa64isar0_el1=0x0000_1000_1021_1120, id_aa64isar1_el1=0x0000_0000_0010_0001,
         id_aa64mmfr0_el1=0x0000_0000_0010_1122, id_aa64mmfr1_el1=0x0000_0000_1021_2122,
         id_aa64mmfr2_el1=0x0000_0000_0000_1011, id_aa64dfr0_el1=0x0000_0000_1030_5408,
         ctr_el0=0x8444_8004, clidr_el1=0x8200_0023, dczid_el0=4),
    # aarch64_a57_initfn
    _Row("Cortex-A57", "cortex-a57", midr_el1=0x411F_D070,
         id_aa64pfr0_el1=0x0000_0000_0000_2222,  id_aa64pfr1_el1=0x0000_0000_0000_0000,
         id_aa64isar0_el1=0x0000_0000_0001_1120, id_aa64isar1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr0_el1=0x0000_0000_0000_1124, id_aa64mmfr1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr2_el1=0x0000_0000_0000_0000, id_aa64dfr0_el1=0x0000_0000_1030_5106,
         ctr_el0=0x8444_C004, clidr_el1=0x0A20_0023, dczid_el0=4),
    # aarch64_a72_initfn
    _Row("Cortex-A72", "cortex-a72", midr_el1=0x410F_D083,
         id_aa64pfr0_el1=0x0000_0000_0000_2222,  id_aa64pfr1_el1=0x0000_0000_0000_0000,
         id_aa64isar0_el1=0x0000_0000_0001_1120, id_aa64isar1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr0_el1=0x0000_0000_0000_1124, id_aa64mmfr1_el1=0x0000_0000_0000_0000,
         id_aa64mmfr2_el1=0x0000_0000_0000_0000, id_aa64dfr0_el1=0x0000_0000_1030_5106,
         ctr_el0=0x8444_C004, clidr_el1=0x0A20_0023, dczid_el0=4),
    # aarch64_a76_initfn: manual B2.4
    _Row("Cortex-A76", "cortex-a76", midr_el1=0x414F_D0B1,
         id_aa64pfr0_el1=0x1100_0000_1011_1112,  id_aa64pfr1_el1=0x0000_0000_0000_0010,
         id_aa64isar0_el1=0x0000_1000_1021_1120, id_aa64isar1_el1=0x0000_0000_0010_0001,
         id_aa64mmfr0_el1=0x0000_0000_0010_1122, id_aa64mmfr1_el1=0x0000_0000_1021_2122,
         id_aa64mmfr2_el1=0x0000_0000_0000_1011, id_aa64dfr0_el1=0x0000_0000_1030_5408,
         ctr_el0=0x8444_C004, clidr_el1=0x8200_0023, dczid_el0=4),
    # aarch64_neoverse_n1_initfn: manual B2.4
    _Row("Neoverse-N1", "neoverse-n1", midr_el1=0x414F_D0C1,
         id_aa64pfr0_el1=0x1100_0000_1011_1112,  id_aa64pfr1_el1=0x0000_0000_0000_0020,
         id_aa64isar0_el1=0x0000_1000_1021_1120, id_aa64isar1_el1=0x0000_0000_0010_0001,
         id_aa64mmfr0_el1=0x0000_0000_0010_1125, id_aa64mmfr1_el1=0x0000_0000_1021_2122,
         id_aa64mmfr2_el1=0x0000_0000_0000_1011, id_aa64dfr0_el1=0x0000_0001_1030_5408,
         ctr_el0=0x8444_C004, clidr_el1=0x8200_0023, dczid_el0=4),
    # aarch64_neoverse_v1_initfn: manual 3.2.4. ID_AA64ISAR1_EL1 after QEMU commit 8676007eff04 ("target/arm: Correct
    # ID_AA64ISAR1_EL1 value for neoverse-v1"; the manual's table is wrong, its section 3.2.74 right: BF16, not XS);
    # the stored commit above has lost that correction.
    _Row("Neoverse-V1", None, midr_el1=0x411F_D402,
         id_aa64pfr0_el1=0x1101_1101_2011_1112,  id_aa64pfr1_el1=0x0000_0000_0000_0020,
         id_aa64isar0_el1=0x1011_1111_1021_2120, id_aa64isar1_el1=0x0011_1000_0121_1032,
         id_aa64mmfr0_el1=0x0000_0000_0010_1125, id_aa64mmfr1_el1=0x0000_0000_1021_2122,
         id_aa64mmfr2_el1=0x0220_0111_0210_1011, id_aa64dfr0_el1=0x0000_01F2_1030_5519,
         ctr_el0=0xB444_C004, clidr_el1=0x8200_0023, dczid_el0=4),
    # aarch64_neoverse_n2_initfn: manual B.5
    _Row("Neoverse-N2", None, midr_el1=0x410F_D493,
         id_aa64pfr0_el1=0x1201_1111_2011_1112,  id_aa64pfr1_el1=0x0000_0000_0000_0221,
         id_aa64isar0_el1=0x1221_1111_1021_2120, id_aa64isar1_el1=0x0011_1111_0121_1052,
         id_aa64mmfr0_el1=0x0000_0222_0010_1125, id_aa64mmfr1_el1=0x0000_0000_1021_2122,
         id_aa64mmfr2_el1=0x1221_0111_1210_1011, id_aa64dfr0_el1=0x0000_11F2_1030_5619,
         ctr_el0=0x4_B444_C004, clidr_el1=0x14_8200_0023, dczid_el0=4),
    # aarch64_a64fx_initfn
    _Row("A64FX", "a64fx", midr_el1=0x461F_0010,
         id_aa64pfr0_el1=0x0000_0001_0111_1111,  id_aa64pfr1_el1=0x0000_0000_0000_0000,
         id_aa64isar0_el1=0x0000_0000_1021_1120, id_aa64isar1_el1=0x0000_0000_0001_0001,
         id_aa64mmfr0_el1=0x0000_0000_0000_1122, id_aa64mmfr1_el1=0x0000_0000_1121_2100,
         id_aa64mmfr2_el1=0x0000_0000_0000_1011, id_aa64dfr0_el1=0x0000_0000_1030_5408,
         ctr_el0=0x8666_8006, clidr_el1=0x8000_0023, dczid_el0=6),
)
# fmt: on

_NOT_REGISTERS = frozenset({"core", "qemu_model"})


def replay_cores() -> tuple[str, ...]:
    """Return the names of the cores in the table, as in `arch/cores.py`."""
    return tuple(row.core for row in _ROWS)


def _row(core: str) -> _Row | None:
    return next((row for row in _ROWS if row.core == core), None)


def identification(core: str) -> Mapping[str, int]:
    """Return the identification registers of a core, by lower-case name; empty if the table lacks the core."""
    row = _row(core)
    if row is None:
        return {}
    return {name: value for name, value in row._asdict().items() if name not in _NOT_REGISTERS}


def qemu_model(core: str) -> str | None:
    """Return what QEMU 7.2 calls the core after `-cpu`, or None if it does not model it."""
    row = _row(core)
    return row.qemu_model if row else None
