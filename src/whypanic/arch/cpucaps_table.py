"""Names of the CPU capability bits, per kernel version, as edits from one version to the next.

Up to 5.12 the numbers are those of `arch/arm64/include/asm/cpucaps.h` (new capabilities are appended); from 5.13 on
(Linux kernel commit 0c6c2d3615ef ("arm64: Generate cpucaps.h")) the number is the position of the line in
`arch/arm64/tools/cpucaps` (gen-cpucaps.awk counts from 0, skipping comments), a sorted list, so that every addition
renumbers what follows. Names are without the ARM64_ prefix.

Each row says where its list was read; rows whose source begins with `derived` were put together from the lists of
neighbouring versions and are never called exact. Edits, in order, separated by blanks:
`+A` append, `^A` prepend, `B>A` insert A after B, `-A` remove (what follows moves down), `A=B` rename in place
(`.` is a number without a name). `n` is ARM64_NCAPS.
"""

from typing import NamedTuple

Key = tuple[int, int, int]
STABLE_TIP = 9999
"""Patch level of a list read from the newest known state of a stable series."""

FIRST_SORTED: Key = (5, 13, 0)
"""From here on the list is sorted: an unknown addition moves the numbers after it."""


class CapTable(NamedTuple):
    key: Key
    base: Key | None
    n: int
    edits: str
    source: str


# fmt: off
TABLES: tuple[CapTable, ...] = (
    CapTable((4, 9, 0), None, 16,
             "+WORKAROUND_CLEAN_CACHE +WORKAROUND_DEVICE_LOAD_ACQUIRE +WORKAROUND_845719 +HAS_SYSREG_GIC_CPUIF"
             " +HAS_PAN +HAS_LSE_ATOMICS +WORKAROUND_CAVIUM_23154 +WORKAROUND_834220 +HAS_NO_HW_PREFETCH +HAS_UAO"
             " +ALT_PAN_NOT_UAO +HAS_VIRT_HOST_EXTN +WORKAROUND_CAVIUM_27456 +HAS_32BIT_EL0 +HYP_OFFSET_LOW"
             " +MISMATCHED_CACHE_LINE_SIZE",
             "asm/cpufeature.h as quoted in three public copies; ARM64_NCAPS from memory"),
    CapTable((4, 12, 0), (4, 9, 0), 20,
             "+HAS_NO_FPSIMD +WORKAROUND_REPEAT_TLBI +WORKAROUND_QCOM_FALKOR_E1003 +WORKAROUND_858921",
             "asm/cpucaps.h with ARM64_NCAPS 20, read"),
    CapTable((4, 13, 0), (4, 12, 0), 21, "+WORKAROUND_CAVIUM_30115", "derived: 4.14's list without DCPOP"),
    CapTable((4, 14, 0), (4, 13, 0), 22, "+HAS_DCPOP",
             "asm/cpucaps.h of FabricAttachedMemory/linux 2f86002c6ef6 less its own number 22, read"),
    CapTable((4, 15, 0), (4, 14, 0), 23, "+SVE", "derived: 4.14 plus the number that every later list gives SVE"),
    CapTable((4, 17, 0), (4, 15, 0), 30,
             "HYP_OFFSET_LOW=HARDEN_EL2_VECTORS +UNMAP_KERNEL_AT_EL0 +HARDEN_BRANCH_PREDICTOR +HAS_RAS_EXTN"
             " +WORKAROUND_843419 +HAS_CACHE_IDC +HAS_CACHE_DIC +HW_DBM",
             "derived: 4.19's list cut where 4.18 began"),
    CapTable((4, 18, 0), (4, 17, 0), 31, "+SSBD", "derived: 4.19's list cut where 4.19 began"),
    CapTable((4, 19, 0), (4, 18, 0), 33, "+MISMATCHED_CACHE_TYPE +HAS_STAGE2_FWB",
             "asm/cpucaps.h with ARM64_NCAPS 33, nojick/test419 115e53cacd02, read"),
    CapTable((4, 20, 0), (4, 19, 0), 36,
             "MISMATCHED_CACHE_LINE_SIZE=HAS_CNP +HAS_CRC32 +SSBS +WORKAROUND_1188873",
             "derived: 5.1's list cut where 5.0 began"),
    CapTable((5, 0, 0), (4, 20, 0), 42,
             "+HAS_SB +WORKAROUND_1165522 +HAS_ADDRESS_AUTH_ARCH +HAS_ADDRESS_AUTH_IMP_DEF +HAS_GENERIC_AUTH_ARCH"
             " +HAS_GENERIC_AUTH_IMP_DEF",
             "derived: 5.1's list cut where 5.1 began"),
    CapTable((5, 1, 0), (5, 0, 0), 43, "+HAS_IRQ_PRIO_MASKING",
             "asm/cpucaps.h of raspberrypi/linux 2f71a4e3efa2 (5.1.y) less its backported number 43, read"),
    CapTable((5, 2, 0), (5, 1, 0), 45, "WORKAROUND_1188873=WORKAROUND_1418040 +HAS_DCPODP +WORKAROUND_1463225",
             "asm/cpucaps.h with ARM64_NCAPS 45, read"),
    CapTable((5, 4, 0), (5, 2, 0), 47, "+WORKAROUND_CAVIUM_TX2_219_TVM +WORKAROUND_CAVIUM_TX2_219_PRFM",
             "patch that raises ARM64_NCAPS from 46 to 47 (ThunderX2 erratum 219, PRFM removal), read"),
    CapTable((5, 5, 0), (5, 4, 0), 49, "+WORKAROUND_1542419 +WORKAROUND_1319367",
             "patches on top of ARM64_NCAPS 47 and 49 (errata 1542419, 1319367), read"),
    CapTable((5, 6, 0), (5, 5, 0), 51,
             "WORKAROUND_1165522=WORKAROUND_SPECULATIVE_AT_VHE WORKAROUND_1319367=WORKAROUND_SPECULATIVE_AT_NVHE"
             " +HAS_E0PD +HAS_RNG",
             "pre-image of the patch that merges the two SPECULATIVE_AT numbers (ARM64_NCAPS 51), read"),
    CapTable((5, 7, 0), (5, 6, 0), 54, "+HAS_AMU_EXTN +HAS_ADDRESS_AUTH +HAS_GENERIC_AUTH",
             "asm/cpucaps.h of 2005songliwei/linux-yocto 04e3aa87c706 less its own numbers 54 and 55, read"),
    CapTable((5, 8, 0), (5, 7, 0), 55,
             "WORKAROUND_SPECULATIVE_AT_VHE=WORKAROUND_SPECULATIVE_AT -WORKAROUND_SPECULATIVE_AT_NVHE"
             " +HAS_32BIT_EL1 +BTI",
             "asm/cpucaps.h of torvalds/linux 02ab1f5018c3 (numbers 0..52), read; 53 from memory, BTI 54 in a patch"),
    CapTable((5, 9, 0), (5, 8, 0), 57, "+HAS_ARMv8_4_TTL +HAS_TLB_RANGE",
             "pre-image of the patch that adds MTE 57, read"),
    CapTable((5, 10, 0), (5, 9, 0), 59,
             "HARDEN_BRANCH_PREDICTOR=SPECTRE_V2 SSBD=SPECTRE_V4 +MTE +WORKAROUND_1508412",
             "pre-image of the patch that adds LDAPR 59, read; the two Spectre names from memory"),
    CapTable((5, 11, 0), (5, 10, 0), 61,
             "HARDEN_EL2_VECTORS=SPECTRE_V3A HAS_UAO=. ALT_PAN_NOT_UAO=. +HAS_LDAPR +KVM_PROTECTED_MODE",
             "pre-image of patches on ARM64_NCAPS 61, read; that 9 and 10 stayed free: from memory and line numbers"),
    CapTable((5, 12, 0), (5, 11, 0), 62, "+WORKAROUND_NVIDIA_CARMEL_CNP",
             "merge of ARM64_NCAPS 62 with EPAN (linux-next, 2021), read"),
    CapTable((5, 13, 0), None, 61,
             "+BTI +HAS_32BIT_EL0 +HAS_32BIT_EL1 +HAS_ADDRESS_AUTH +HAS_ADDRESS_AUTH_ARCH +HAS_ADDRESS_AUTH_IMP_DEF"
             " +HAS_AMU_EXTN +HAS_ARMv8_4_TTL +HAS_CACHE_DIC +HAS_CACHE_IDC +HAS_CNP +HAS_CRC32 +HAS_DCPODP"
             " +HAS_DCPOP +HAS_E0PD +HAS_EPAN +HAS_GENERIC_AUTH +HAS_GENERIC_AUTH_ARCH +HAS_GENERIC_AUTH_IMP_DEF"
             " +HAS_IRQ_PRIO_MASKING +HAS_LDAPR +HAS_LSE_ATOMICS +HAS_NO_FPSIMD +HAS_NO_HW_PREFETCH +HAS_PAN"
             " +HAS_RAS_EXTN +HAS_RNG +HAS_SB +HAS_STAGE2_FWB +HAS_SYSREG_GIC_CPUIF +HAS_TLB_RANGE"
             " +HAS_VIRT_HOST_EXTN +HW_DBM +KVM_PROTECTED_MODE +MISMATCHED_CACHE_TYPE +MTE +SPECTRE_V2 +SPECTRE_V3A"
             " +SPECTRE_V4 +SSBS +SVE +UNMAP_KERNEL_AT_EL0 +WORKAROUND_834220 +WORKAROUND_843419 +WORKAROUND_845719"
             " +WORKAROUND_858921 +WORKAROUND_1418040 +WORKAROUND_1463225 +WORKAROUND_1508412 +WORKAROUND_1542419"
             " +WORKAROUND_CAVIUM_23154 +WORKAROUND_CAVIUM_27456 +WORKAROUND_CAVIUM_30115"
             " +WORKAROUND_CAVIUM_TX2_219_PRFM +WORKAROUND_CAVIUM_TX2_219_TVM +WORKAROUND_CLEAN_CACHE"
             " +WORKAROUND_DEVICE_LOAD_ACQUIRE +WORKAROUND_NVIDIA_CARMEL_CNP +WORKAROUND_QCOM_FALKOR_E1003"
             " +WORKAROUND_REPEAT_TLBI +WORKAROUND_SPECULATIVE_AT",
             "tools/cpucaps of torvalds/linux 0c6c2d3615ef, read"),
    CapTable((5, 14, 0), (5, 13, 0), 61, "HAS_32BIT_EL0=HAS_32BIT_EL0_DO_NOT_USE",
             "tools/cpucaps of joelagnel/linux-kernel d856deb54644 less its own last line, read"),
    CapTable((5, 15, 0), (5, 14, 0), 61, "", "the same list as 5.14"),
    CapTable((5, 15, STABLE_TIP), (5, 15, 0), 68,
             "HAS_ADDRESS_AUTH_ARCH=HAS_ADDRESS_AUTH_ARCH_QARMA5 HAS_GENERIC_AUTH_ARCH=HAS_GENERIC_AUTH_ARCH_QARMA5"
             " SPECTRE_V4>SPECTRE_BHB WORKAROUND_1542419>WORKAROUND_1742098 WORKAROUND_1742098>WORKAROUND_2457168"
             " WORKAROUND_2457168>WORKAROUND_TRBE_OVERWRITE_FILL_MODE"
             " WORKAROUND_TRBE_OVERWRITE_FILL_MODE>WORKAROUND_TSB_FLUSH_FAILURE"
             " WORKAROUND_TSB_FLUSH_FAILURE>WORKAROUND_TRBE_WRITE_OUT_OF_RANGE +WORKAROUND_SPECULATIVE_SSBS",
             "tools/cpucaps of amazonlinux/linux 47b7623a6bab (5.15.y), read"),
    CapTable((5, 16, 0), (5, 15, 0), 66,
             "HAS_E0PD>HAS_ECV MTE>MTE_ASYMM WORKAROUND_1542419>WORKAROUND_TRBE_OVERWRITE_FILL_MODE"
             " WORKAROUND_TRBE_OVERWRITE_FILL_MODE>WORKAROUND_TSB_FLUSH_FAILURE"
             " WORKAROUND_TSB_FLUSH_FAILURE>WORKAROUND_TRBE_WRITE_OUT_OF_RANGE",
             "derived: the list at torvalds/linux 006df0173821 (5.17 cycle) less three errata"),
    CapTable((6, 0, 0), (5, 16, 0), 79,
             "HAS_ADDRESS_AUTH_ARCH=HAS_ADDRESS_AUTH_ARCH_QARMA3"
             " HAS_ADDRESS_AUTH_ARCH_QARMA3>HAS_ADDRESS_AUTH_ARCH_QARMA5"
             " HAS_GENERIC_AUTH_ARCH=HAS_GENERIC_AUTH_ARCH_QARMA3"
             " HAS_GENERIC_AUTH_ARCH_QARMA3>HAS_GENERIC_AUTH_ARCH_QARMA5"
             " HAS_SYSREG_GIC_CPUIF>HAS_TIDCP1 HAS_VIRT_HOST_EXTN>HAS_WFXT MTE_ASYMM>SME SME>SME_FA64"
             " SPECTRE_V4>SPECTRE_BHB WORKAROUND_1542419>WORKAROUND_1742098 WORKAROUND_1742098>WORKAROUND_1902691"
             " WORKAROUND_1902691>WORKAROUND_2038923 WORKAROUND_2038923>WORKAROUND_2064142"
             " WORKAROUND_2064142>WORKAROUND_2077057 WORKAROUND_2077057>WORKAROUND_2457168",
             "tools/cpucaps of nicolinc/iommufd 446279ef01c9 less its own MPAM, read"),
    CapTable((6, 1, 0), (6, 0, 0), 82, "^ALWAYS_SYSTEM ^ALWAYS_BOOT WORKAROUND_2457168>WORKAROUND_2658417",
             "tools/cpucaps of bm16ton/yoga-c630-linux-kernel 9ffc50dd93ff, newer side, read"),
    CapTable((6, 1, 192), (6, 1, 0), 85,
             "-WORKAROUND_2457168 WORKAROUND_2658417>WORKAROUND_AMPERE_AC03_CPU_38 +WORKAROUND_SPECULATIVE_SSBS"
             " +WORKAROUND_SPECULATIVE_UNPRIV_LOAD +WORKAROUND_BROKEN_AMU_CONSTCNT",
             "tools/cpucaps of Debian linux-source-6.1 6.1.192-2, read"),
    CapTable((6, 2, 0), (6, 1, 0), 84, "HAS_DCPOP>HAS_DIT WORKAROUND_2457168>WORKAROUND_2645198",
             "derived: 6.3's list less its changes"),
    CapTable((6, 3, 0), (6, 2, 0), 87,
             "HAS_IRQ_PRIO_MASKING=HAS_GIC_CPUIF_SYSREGS HAS_GIC_CPUIF_SYSREGS>HAS_GIC_PRIO_MASKING"
             " HAS_GIC_PRIO_MASKING>HAS_GIC_PRIO_RELAXED_SYNC HAS_LSE_ATOMICS>HAS_NESTED_VIRT"
             " -HAS_SYSREG_GIC_CPUIF SME_FA64>SME2",
             "tools/cpucaps of delta-one/linux ffe1311c638b, newer side, read"),
    CapTable((6, 4, 0), (6, 3, 0), 88, "HAS_ECV>HAS_ECV_CNTPOFF",
             "tools/cpucaps of ah-/kernel-asahi 0420c83f3f97 less TSO and AC03_CPU_38, read"),
    CapTable((6, 5, 0), (6, 4, 0), 95,
             "HAS_EPAN>HAS_EVT HAS_GIC_PRIO_RELAXED_SYNC>HAS_HCX HAS_LSE_ATOMICS>HAS_MOPS HAS_PAN>HAS_S1PIE"
             " HAS_STAGE2_FWB>HAS_TCR2 HW_DBM>KVM_HVHE WORKAROUND_2658417>WORKAROUND_AMPERE_AC03_CPU_38",
             "derived: koverstreet/bcachefs 4a607c9fcc0c (6.5 cycle) plus AC03_CPU_38"),
    CapTable((6, 6, 0), (6, 5, 0), 97, "HAS_EVT>HAS_FGT WORKAROUND_2658417>WORKAROUND_2966298",
             "tools/cpucaps of linux_kernel_git_maz_arm-platforms 0856d1dbf00d less its own line; 2966298's place from"
             " the 6.7 list, read"),
    CapTable((6, 6, STABLE_TIP), (6, 6, 0), 98,
             "-WORKAROUND_2966298 +WORKAROUND_SPECULATIVE_SSBS +WORKAROUND_SPECULATIVE_UNPRIV_LOAD",
             "tools/cpucaps of multiarchstore/linux f5eaf8652b80 (6.6.y) less its own MPAM, read"),
    CapTable((6, 7, 0), (6, 6, 0), 97, "HAS_FGT>HAS_FPSIMD -HAS_NO_FPSIMD",
             "tools/cpucaps of bluebandit21/morello_ebpf eee0878b1d14 less MORELLO, read"),
    CapTable((6, 9, 0), (6, 7, 0), 100,
             "-WORKAROUND_2966298 +WORKAROUND_SPECULATIVE_UNPRIV_LOAD -HAS_NO_HW_PREFETCH HAS_EVT>HAS_FPMR"
             " HAS_GIC_PRIO_RELAXED_SYNC>HAS_HCR_NV1 HAS_LDAPR>HAS_LPA2 HAS_TLB_RANGE>HAS_VA52",
             "derived: frank-w/BPI-Router-Linux 66e81e196791 (6.9 cycle) plus FPMR"),
    CapTable((6, 10, 0), (6, 9, 0), 101, "WORKAROUND_SPECULATIVE_AT>WORKAROUND_SPECULATIVE_SSBS",
             "derived: 6.12's list less S1POE; seventeen numbers agree with a preprocessed header of 6.9..6.11"),
    CapTable((6, 12, 0), (6, 10, 0), 102, "HAS_S1PIE>HAS_S1POE",
             "the 6.12.y list below with its one replaced line put back, and ming1/linux 8510e44aae6e, read"),
    CapTable((6, 12, STABLE_TIP), (6, 12, 0), 102, "-WORKAROUND_2457168 +WORKAROUND_BROKEN_AMU_CONSTCNT",
             "tools/cpucaps of linux_kernel_git_stable_linux-stable-rc 5b2118436e9b (6.12.y), read"),
    CapTable((6, 13, 0), (6, 12, 0), 106,
             "HAS_FPSIMD>HAS_GCS MISMATCHED_CACHE_TYPE>MPAM MPAM>MPAM_HCR HAS_WFXT>HAFT",
             "tools/cpucaps of ming1/linux 8510e44aae6e plus HAFT, which AOSC-Tracking/linux 262e23954bb8 has, read"),
    CapTable((6, 14, 0), (6, 13, 0), 107, "WORKAROUND_QCOM_FALKOR_E1003>WORKAROUND_QCOM_ORYON_CNTVOFF",
             "tools/cpucaps of AOSC-Tracking/linux 262e23954bb8 less the Apple lines, read"),
    CapTable((6, 15, 0), (6, 14, 0), 109,
             "HAS_PAN>HAS_PMUV3 WORKAROUND_NVIDIA_CARMEL_CNP>WORKAROUND_PMUV3_IMPDEF_TRAPS",
             "tools/cpucaps of jannau/linux f54c63db4057 less the Apple lines, read"),
    CapTable((6, 16, 0), (6, 15, 0), 111,
             "HAS_FGT>HAS_FGT2 WORKAROUND_AMPERE_AC03_CPU_38>WORKAROUND_AMPERE_AC04_CPU_23",
             "tools/cpucaps of neuschaefer/linux e6b40d1781d2 less BIGEND, read"),
    CapTable((6, 18, 0), (6, 16, 0), 118,
             "HAS_GIC_CPUIF_SYSREGS=HAS_GICV3_CPUIF HAS_GICV3_CPUIF>HAS_GICV5_CPUIF HAS_GICV5_CPUIF>HAS_GICV5_LEGACY"
             " HAS_NESTED_VIRT>HAS_BBML2_NOABORT HAS_S1POE>HAS_SCTLR2 HAS_RAS_EXTN>HAS_RASV1P1_EXTN"
             " MTE_ASYMM>MTE_FAR MTE_FAR>MTE_STORE_ONLY",
             "tools/cpucaps of CHERI-Alliance/linux 25eefa38b902 less MORELLO; android17-6.18 (nxp-imx/linux-imx"
             " 2f1043773cae) agrees but for two later errata, read"),
    CapTable((7, 0, 0), (6, 18, 0), 124,
             "HAS_GIC_PRIO_RELAXED_SYNC>HAS_ICH_HCR_EL2_TDIR HAS_LSE_ATOMICS>HAS_LS64 HAS_LS64>HAS_LS64_V"
             " HAS_WFXT>HAS_XNX WORKAROUND_2658417>WORKAROUND_4193714 WORKAROUND_4193714>WORKAROUND_4311569",
             "derived: analogdevicesinc/linux 0baba94a9779 (7.0 cycle)"),
)
# fmt: on


def expand(key: Key) -> tuple[str | None, ...]:
    """Return the names of one table in bit order; None for a number that has no name.

    :raises KeyError: if there is no row with that key.
    """
    row = next((row for row in TABLES if row.key == key), None)
    if row is None:
        raise KeyError(key)
    names = [] if row.base is None else [name or "." for name in expand(row.base)]
    for edit in row.edits.split():
        _apply(names, edit)
    return tuple(None if name == "." else name for name in names)


def _apply(names: list[str], edit: str) -> None:
    if edit[0] == "+":
        names.append(edit[1:])
    elif edit[0] == "^":
        names.insert(0, edit[1:])
    elif edit[0] == "-":
        names.remove(edit[1:])
    elif "=" in edit:
        old, new = edit.split("=")
        names[names.index(old)] = new
    else:
        after, new = edit.split(">")
        names.insert(names.index(after) + 1, new)
