"""MIDR_EL1: which core a CPU is.

Source: Arm ARM DDI 0487 L, MIDR_EL1 (the codes assigned there); other implementers from Linux
arch/arm64/include/asm/cputype.h. Both from memory.
"""

from typing import NamedTuple

from whypanic.arch.fields import Field, FieldSpec, bits, split_fields

# fmt: off
IMPLEMENTERS: dict[int, str] = {
    0x00: "reserved for software use",
    0x41: "Arm",
    0x42: "Broadcom",
    0x43: "Cavium",
    0x44: "Digital Equipment",
    0x46: "Fujitsu",
    0x48: "HiSilicon",
    0x49: "Infineon",
    0x4d: "Motorola or Freescale",
    0x4e: "NVIDIA",
    0x50: "Applied Micro",
    0x51: "Qualcomm",
    0x53: "Samsung",
    0x56: "Marvell",
    0x61: "Apple",
    0x66: "Faraday",
    0x69: "Intel",
    0x6d: "Microsoft",
    0x70: "Phytium",
    0xc0: "Ampere",
}
# fmt: on


class MidrView(NamedTuple):
    """One decoded value. The part's name is in the table of cores, not here."""

    value: int
    fields: tuple[Field, ...]
    implementer: int
    implementer_name: str
    variant: int
    part: int
    revision: int

    @property
    def revision_text(self) -> str:
        """e.g. `r0p4`"""
        return f"r{self.variant}p{self.revision}"


def decode_midr(value: int) -> MidrView:
    """Return the view of MIDR_EL1."""
    value &= (1 << 64) - 1
    implementer = bits(value, 24, 8)
    name = IMPLEMENTERS.get(implementer, f"unknown implementer {implementer:#04x}")
    layout = (
        FieldSpec("Implementer", 24, 8, name),
        FieldSpec("Variant", 20, 4, lambda n: f"major revision r{n}"),
        FieldSpec("Architecture", 16, 4, {0xF: "identified by the ID registers"}),
        FieldSpec("PartNum", 4, 12, lambda n: f"part {n:#05x}"),
        FieldSpec("Revision", 0, 4, lambda n: f"minor revision p{n}"),
    )
    return MidrView(
        value=value,
        fields=split_fields(value, layout),
        implementer=implementer,
        implementer_name=name,
        variant=bits(value, 20, 4),
        part=bits(value, 4, 12),
        revision=bits(value, 0, 4),
    )
