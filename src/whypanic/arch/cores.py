"""Core types: the MIDR's name, ID register values of known cores, and the cores of known machines."""

from typing import NamedTuple

from whypanic.arch.identification import identification

PARANGE_BITS: dict[int, int] = {0: 32, 1: 36, 2: 40, 3: 42, 4: 44, 5: 48, 6: 52, 7: 56}
"""ID_AA64MMFR0_EL1.PARange [3:0] to physical address bits (DDI 0487 L, ID_AA64MMFR0_EL1)."""

IMPLEMENTERS: dict[int, str] = {
    0x41: "Arm", 0x42: "Broadcom", 0x43: "Cavium", 0x46: "Fujitsu", 0x48: "HiSilicon", 0x4E: "NVIDIA", 0x50: "APM",
    0x51: "Qualcomm", 0x53: "Samsung", 0x61: "Apple", 0x6D: "Microsoft", 0xC0: "Ampere",
}  # fmt: skip
"""MIDR_EL1.Implementer [31:24]: arch/arm64/include/asm/cputype.h of Debian 6.1.192-2, read; 0x53 from memory."""

# MIDR_EL1 implementer and part number. Rows without a remark: arch/arm64/include/asm/cputype.h of Debian
# linux-source-6.1 6.1.192-2, read. `memory`: not in that file, from memory.
# fmt: off
CORE_NAMES: dict[tuple[int, int], str] = {
    (0x41, 0xD00): "Foundation-Model",
    (0x41, 0xD02): "Cortex-A34",         # memory
    (0x41, 0xD03): "Cortex-A53",
    (0x41, 0xD04): "Cortex-A35",
    (0x41, 0xD05): "Cortex-A55",
    (0x41, 0xD06): "Cortex-A65",         # memory
    (0x41, 0xD07): "Cortex-A57",
    (0x41, 0xD08): "Cortex-A72",
    (0x41, 0xD09): "Cortex-A73",
    (0x41, 0xD0A): "Cortex-A75",
    (0x41, 0xD0B): "Cortex-A76",
    (0x41, 0xD0C): "Neoverse-N1",
    (0x41, 0xD0D): "Cortex-A77",
    (0x41, 0xD0E): "Cortex-A76AE",
    (0x41, 0xD0F): "AEM-v8",
    (0x41, 0xD40): "Neoverse-V1",
    (0x41, 0xD41): "Cortex-A78",
    (0x41, 0xD42): "Cortex-A78AE",
    (0x41, 0xD43): "Cortex-A65AE",       # memory
    (0x41, 0xD44): "Cortex-X1",
    (0x41, 0xD46): "Cortex-A510",
    (0x41, 0xD47): "Cortex-A710",
    (0x41, 0xD48): "Cortex-X2",
    (0x41, 0xD49): "Neoverse-N2",
    (0x41, 0xD4A): "Neoverse-E1",        # memory
    (0x41, 0xD4B): "Cortex-A78C",
    (0x41, 0xD4C): "Cortex-X1C",
    (0x41, 0xD4D): "Cortex-A715",
    (0x41, 0xD4E): "Cortex-X3",
    (0x41, 0xD4F): "Neoverse-V2",
    (0x41, 0xD80): "Cortex-A520",
    (0x41, 0xD81): "Cortex-A720",
    (0x41, 0xD82): "Cortex-X4",
    (0x41, 0xD83): "Neoverse-V3AE",
    (0x41, 0xD84): "Neoverse-V3",
    (0x41, 0xD85): "Cortex-X925",
    (0x41, 0xD87): "Cortex-A725",
    (0x41, 0xD8C): "C1-Ultra",
    (0x41, 0xD8E): "Neoverse-N3",
    (0x41, 0xD90): "C1-Premium",
    (0x42, 0x100): "Brahma-B53",
    (0x42, 0x516): "Vulcan",
    (0x43, 0x0A1): "ThunderX",
    (0x43, 0x0A2): "ThunderX-81XX",
    (0x43, 0x0A3): "ThunderX-83XX",
    (0x43, 0x0AF): "ThunderX2",
    (0x43, 0x0B1): "OcteonTX2-98XX",
    (0x43, 0x0B2): "OcteonTX2-96XX",
    (0x43, 0x0B3): "OcteonTX2-95XX",
    (0x43, 0x0B4): "OcteonTX2-95XXN",
    (0x43, 0x0B5): "OcteonTX2-95XXMM",
    (0x43, 0x0B6): "OcteonTX2-95XXO",
    (0x46, 0x001): "A64FX",
    (0x48, 0xD01): "TSV110",
    (0x48, 0xD02): "HIP09",
    (0x4E, 0x003): "Denver",
    (0x4E, 0x004): "Carmel",
    (0x4E, 0x010): "Olympus",
    (0x50, 0x000): "X-Gene",
    (0x51, 0x200): "Kryo",
    (0x51, 0x800): "Kryo-2xx-Gold",      # Falkor v1 has the same number: QCOM_CPU_PART_FALKOR_V1
    (0x51, 0x801): "Kryo-2xx-Silver",
    (0x51, 0x802): "Kryo-3xx-Gold",
    (0x51, 0x803): "Kryo-3xx-Silver",
    (0x51, 0x804): "Kryo-4xx-Gold",
    (0x51, 0x805): "Kryo-4xx-Silver",
    (0x51, 0xC00): "Falkor",
    (0x53, 0x001): "Mongoose-M1",        # memory
    (0x61, 0x022): "M1-Icestorm",
    (0x61, 0x023): "M1-Firestorm",
    (0x61, 0x024): "M1-Icestorm-Pro",
    (0x61, 0x025): "M1-Firestorm-Pro",
    (0x61, 0x028): "M1-Icestorm-Max",
    (0x61, 0x029): "M1-Firestorm-Max",
    (0x61, 0x032): "M2-Blizzard",        # memory
    (0x61, 0x033): "M2-Avalanche",       # memory
    (0xC0, 0xAC3): "Ampere-1",
    (0xC0, 0xAC4): "Ampere-1A",          # memory
}
# fmt: on


MMFR0_ALONE: dict[str, int] = {"Cortex-A78AE": 0x10_1125, "Cortex-A710": 0x222_0010_1122}
"""ID_AA64MMFR0_EL1 of cores that identification.py has no row for: QEMU target/arm/tcg/cpu64.c (stored commit
00936783abf7)."""


class MachineCores(NamedTuple):
    """A piece of a machine's name, in lower case, and the core types of the machine."""

    needle: str
    cores: tuple[str, ...]


_A53_A57 = ("Cortex-A53", "Cortex-A57")
_A53_A72 = ("Cortex-A53", "Cortex-A72")
_A53_A73 = ("Cortex-A53", "Cortex-A73")
_KRYO_3XX = ("Kryo-3xx-Silver", "Kryo-3xx-Gold")

# `cpus` nodes of arch/arm64/boot/dts (and arch/arm/boot/dts for the Raspberry Pi) in Debian linux-source-6.1
# 6.1.192-2, read, where there is no remark. The first row that matches wins: longer names first.
# fmt: off
MACHINES: tuple[MachineCores, ...] = (
    MachineCores("juno development board (r0)",     _A53_A57),                          # arm/juno.dts
    MachineCores("juno development board (r1)",     _A53_A57),                          # arm/juno-r1.dts
    MachineCores("juno development board (r2)",     _A53_A72),                          # arm/juno-r2.dts
    MachineCores("hikey960",                        _A53_A73),                          # hisilicon/hi3660.dtsi
    MachineCores("hikey development board",         ("Cortex-A53",)),                   # hisilicon/hi6220.dtsi
    MachineCores("raspberry pi 3",                  ("Cortex-A53",)),                   # bcm2837.dtsi
    MachineCores("raspberry pi 4",                  ("Cortex-A72",)),                   # bcm2711.dtsi
    MachineCores("raspberry pi compute module 4",   ("Cortex-A72",)),                   # bcm2711.dtsi
    MachineCores("raspberry pi 5",                  ("Cortex-A76",)),                   # memory: BCM2712
    MachineCores("rk3399",                          _A53_A72),                          # rockchip/rk3399.dtsi
    MachineCores("rockpro64",                       _A53_A72),                          # rockchip/rk3399.dtsi
    MachineCores("google kevin",                    _A53_A72),                          # rockchip/rk3399.dtsi
    MachineCores("rk3328",                          ("Cortex-A53",)),                   # rockchip/rk3328.dtsi
    MachineCores("rock64",                          ("Cortex-A53",)),                   # rockchip/rk3328.dtsi
    MachineCores("rk3568",                          ("Cortex-A55",)),                   # rockchip/rk356x.dtsi
    MachineCores("odroid-m1",                       ("Cortex-A55",)),                   # rockchip/rk356x.dtsi
    MachineCores("rk3588",                          ("Cortex-A55", "Cortex-A76")),      # memory
    MachineCores("odroid-c4",                       ("Cortex-A55",)),                   # amlogic/meson-sm1.dtsi
    MachineCores("aml-s905x-cc",                    ("Cortex-A53",)),                   # amlogic/meson-gx.dtsi
    MachineCores("r8a77951",                        _A53_A57),                          # renesas/r8a77951.dtsi
    MachineCores("r8a77960",                        _A53_A57),                          # renesas/r8a77960.dtsi
    MachineCores("i.mx8mq",                         ("Cortex-A53",)),                   # freescale/imx8mq.dtsi
    MachineCores("i.mx8mm",                         ("Cortex-A53",)),                   # freescale/imx8mm.dtsi
    MachineCores("i.mx8mp",                         ("Cortex-A53",)),                   # freescale/imx8mp.dtsi
    MachineCores("i.mx8qm",                         _A53_A72),                          # freescale/imx8qm.dtsi
    MachineCores("i.mx8dxl",                        ("Cortex-A35",)),                   # freescale/imx8dxl.dtsi
    MachineCores("ls1012a",                         ("Cortex-A53",)),                   # freescale/fsl-ls1012a.dtsi
    MachineCores("2088a",                           ("Cortex-A72",)),                   # freescale/fsl-ls2088a.dtsi
    MachineCores("lx2160a",                         ("Cortex-A72",)),                   # freescale/fsl-lx2160a.dtsi
    MachineCores("espressobin",                     ("Cortex-A53",)),                   # marvell/armada-37xx.dtsi
    MachineCores("mt7622",                          ("Cortex-A53",)),                   # mediatek/mt7622.dtsi
    MachineCores("mt8173",                          _A53_A72),                          # mediatek/mt8173.dtsi
    MachineCores("mt8183",                          _A53_A73),                          # mediatek/mt8183.dtsi
    MachineCores("samsung tm2",                     _A53_A57),                          # exynos/exynos5433.dtsi
    MachineCores("zynqmp",                          ("Cortex-A53",)),                   # xilinx/zynqmp.dtsi
    MachineCores("stratix 10",                      ("Cortex-A53",)),                   # altera/socfpga_stratix10.dtsi
    MachineCores("j721s2",                          ("Cortex-A72",)),                   # ti/k3-j721s2.dtsi
    MachineCores("am625",                           ("Cortex-A53",)),                   # ti/k3-am625.dtsi
    MachineCores("pine64 lts",                      ("Cortex-A53",)),                   # allwinner/sun50i-a64.dtsi
    MachineCores("sdm845",                          _KRYO_3XX),                         # qcom/sdm845.dtsi: kryo385
    MachineCores("jetson agx xavier",               ("Carmel",)),                       # memory: Tegra194
    MachineCores("jetson agx orin",                 ("Cortex-A78AE",)),                 # nvidia/tegra234.dtsi
    MachineCores("jetson orin",                     ("Cortex-A78AE",)),                 # nvidia/tegra234.dtsi
    MachineCores("jetson nano",                     ("Cortex-A57",)),                   # memory: Tegra210
    MachineCores("x-gene mustang",                  ("X-Gene",)),                       # apm/apm-storm.dtsi: potenza
    MachineCores("mustang pvt",                     ("X-Gene",)),                       # the same board under ACPI
    MachineCores("taishan 2280 /bc11spcd",          ("Cortex-A72",)),                   # memory: Hip07
    MachineCores("cavium thunderx crb",             ("ThunderX",)),                     # memory
    MachineCores("apollo 70",                       ("ThunderX2",)),                    # memory
    MachineCores("mp32-ar1",                        ("Neoverse-N1",)),                  # memory: Ampere Altra
)
# fmt: on


def core_of_midr(midr: int) -> str | None:
    """Return the core's name for a MIDR_EL1 value, or None if the table lacks it.

    Fields: Implementer [31:24], PartNum [15:4] (DDI 0487 L, MIDR_EL1).
    """
    return CORE_NAMES.get((midr >> 24 & 0xFF, midr >> 4 & 0xFFF))


def id_aa64mmfr0(core: str) -> int | None:
    """Return ID_AA64MMFR0_EL1 of a core type, or None if not known; sources in identification.py and `MMFR0_ALONE`."""
    return identification(core).get("id_aa64mmfr0_el1", MMFR0_ALONE.get(core))


def cores_of_machine(name: str) -> tuple[str, ...]:
    """Return the core types of a machine by its `Hardware name:` or `Machine model:`; () if not known."""
    lowered = name[:500].lower()
    return next((row.cores for row in MACHINES if row.needle in lowered), ())
