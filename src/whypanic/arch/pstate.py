"""PSTATE as saved in SPSR_ELx and as the kernel prints it behind `pstate:` and `PS:`.

Source: Arm ARM DDI 0487 L, SPSR_EL1 and SPSR_EL2, exception taken from AArch64 and from AArch32
state.
"""

from typing import NamedTuple

from whypanic.arch.fields import Field, FieldSpec, bits, set_reserved, split_fields

_F = FieldSpec
_MASKED = {0: "not masked", 1: "masked"}
_ON_OFF = {0: "off", 1: "on"}

# fmt: off
_MODES64 = {0x0: "EL0t", 0x4: "EL1t", 0x5: "EL1h", 0x8: "EL2t", 0x9: "EL2h",
            0xc: "EL3t", 0xd: "EL3h"}
_MODES32 = {0x0: "User", 0x1: "FIQ", 0x2: "IRQ", 0x3: "Supervisor", 0x6: "Monitor", 0x7: "Abort",
            0xa: "Hyp", 0xb: "Undefined", 0xf: "System"}
_BTYPES  = {0: "--", 1: "jc", 2: "-c", 3: "j-"}
# fmt: on

_FLAGS = (
    _F("N", 31, 1, "negative"),
    _F("Z", 30, 1, "zero"),
    _F("C", 29, 1, "carry"),
    _F("V", 28, 1, "overflow"),
)
_SHARED = (
    *_FLAGS,
    _F("SS", 21, 1, {0: "", 1: "software step"}),
    _F("IL", 20, 1, {0: "", 1: "illegal Execution state"}),
    _F("A", 8, 1, {n: f"SError {text}" for n, text in _MASKED.items()}),
    _F("I", 7, 1, {n: f"IRQ {text}" for n, text in _MASKED.items()}),
    _F("F", 6, 1, {n: f"FIQ {text}" for n, text in _MASKED.items()}),
)
_AARCH64 = (
    *_SHARED,
    _F("UINJ", 36, 1, {0: "", 1: "an Undefined Instruction exception is injected"}),
    _F("PACM", 35, 1, {0: "", 1: "PAC is computed with PC"}),
    _F("EXLOCK", 34, 1, {0: "", 1: "exception return state is locked (GCS)"}),
    _F("PPEND", 33, 1, {0: "", 1: "a profiling exception is pending"}),
    _F("PM", 32, 1, {0: "profiling exceptions not masked", 1: "profiling exceptions masked"}),
    _F("TCO", 25, 1, {0: "tag checks made", 1: "tag checks overridden"}),
    _F("DIT", 24, 1, {0: "timing may depend on data", 1: "data independent timing"}),
    _F("UAO", 23, 1, {0: "", 1: "user access override"}),
    _F("PAN", 22, 1, {0: "user memory is accessible", 1: "privileged access never"}),
    _F("ALLINT", 13, 1, {0: "", 1: "all interrupts masked, NMIs too"}),
    _F("SSBS", 12, 1, {0: "speculative store bypass not safe", 1: "speculative store bypass safe"}),
    _F("BTYPE", 10, 2, {n: f"branch type {text}" for n, text in _BTYPES.items()}),
    _F("D", 9, 1, {n: f"debug exceptions {text}" for n, text in _MASKED.items()}),
    _F("M", 0, 5, _MODES64),
)
_AARCH32 = (
    *_SHARED,
    _F("Q", 27, 1, {0: "", 1: "saturation"}),
    _F("IT[1:0]", 25, 2),
    _F("DIT", 24, 1, _ON_OFF),
    _F("SSBS", 23, 1, _ON_OFF),
    _F("PAN", 22, 1, _ON_OFF),
    _F("GE", 16, 4),
    _F("IT[7:2]", 10, 6),
    _F("E", 9, 1, {0: "little-endian data", 1: "big-endian data"}),
    _F("T", 5, 1, {0: "A32", 1: "T32"}),
    _F("M", 0, 5, {16 + n: f"AArch32 {name}" for n, name in _MODES32.items()}),
)


def _letters(names: str, value: int) -> str:
    """Return the names, upper case where the bit is set; the first name is the highest bit."""
    top = len(names) - 1
    return "".join(
        name.upper() if value >> (top - place) & 1 else name.lower()
        for place, name in enumerate(names)
    )


class PstateView(NamedTuple):
    """One decoded value."""

    value: int
    fields: tuple[Field, ...]
    """Most significant first, all 64 bits."""
    el: int | None
    """Exception level; None for AArch32 and for a reserved mode."""
    sp_sel: str
    """`h` (own stack pointer) or `t` (SP_EL0); empty for AArch32 and for a reserved mode."""
    mode_name: str
    """e.g. `EL2h`"""
    nzcv: int
    """4 bits, N first."""
    daif: int
    """4 bits, D first. AArch32 has no D: 3 bits."""
    btype: int
    aarch32: bool

    @property
    def nzcv_text(self) -> str:
        """As the kernel prints it, e.g. `nZCv`."""
        return _letters("nzcv", self.nzcv)

    @property
    def daif_text(self) -> str:
        """As the kernel prints it, e.g. `daIf`; `aif` for AArch32."""
        return _letters("aif" if self.aarch32 else "daif", self.daif)

    @property
    def btype_text(self) -> str:
        """As the kernel prints it: `--`, `jc`, `-c` or `j-`."""
        return _BTYPES[self.btype]

    @property
    def res0_set(self) -> tuple[Field, ...]:
        """Reserved fields in which bits are set."""
        return set_reserved(self.fields)


def decode_pstate(value: int) -> PstateView:
    """Return the view of a saved PSTATE; any value has one."""
    value &= (1 << 64) - 1
    aarch32 = bool(bits(value, 4))
    mode = bits(value, 0, 4)
    name = (_MODES32 if aarch32 else _MODES64).get(mode)
    known64 = name is not None and not aarch32
    return PstateView(
        value=value,
        fields=split_fields(value, _AARCH32 if aarch32 else _AARCH64),
        el=mode >> 2 if known64 else None,
        sp_sel="" if not known64 else "h" if mode & 1 else "t",
        mode_name=name or f"reserved mode {mode:#x}",
        nzcv=bits(value, 28, 4),
        daif=bits(value, 6, 3 if aarch32 else 4),
        btype=0 if aarch32 else bits(value, 10, 2),
        aarch32=aarch32,
    )
