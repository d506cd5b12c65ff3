"""What functions that patch code by themselves may leave in place of the instructions they are called for.

An entry of the alternatives table may name a function instead of replacement instructions. What it writes depends on
values that only the running kernel has (a tag of hyp VAs, firmware's conduit), so the answer is a set: whole words, and
shapes of words of which only some fields are known.

Sources, opened: Debian linux-source-6.1 6.1.192-2 and 6.12.117: arch/arm64/kernel/alternative.c, kernel/proton-pack.c,
kernel/mte.c, kvm/va_layout.c, kvm/hyp/hyp-entry.S, include/asm/kvm_mmu.h. Names used by 4.14.y to 5.15 only, and the
five instructions of kvm_patch_vector_branch there: from memory.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

NOP = 0xD503201F
_HVC_0, _SMC_0 = 0xD4000002, 0xD4000003
_BR_X0 = 0xD61F0000
_PUSH_X0_X1 = 0xA9BF07E0
_RD = 0x1F

HasNamed = Callable[[str], bool | None]
"""Whether the CPU has a capability, by name without ARM64_; None: not known."""


class WordShape(NamedTuple):
    """Words of which some bits are known."""

    mask: int
    """Which bits are."""
    value: int

    def fits(self, word: int) -> bool:
        """Tell whether a word has this shape."""
        return word & self.mask == self.value


ANY_WORD = WordShape(0, 0)
_IMM16 = 0xFFE0001F
"""MOVZ and MOVK but for their immediate."""


class WordChoices(NamedTuple):
    """What may be left in place of one instruction."""

    words: tuple[int, ...] = ()
    shapes: tuple[WordShape, ...] = ()
    keeps: bool = False
    """The function may leave what it finds."""


def callback_words(
    name: str | None, built: Sequence[int], has: HasNamed
) -> tuple[WordChoices, ...] | None:
    """Return the choices for each instruction of an entry; None for a function that is not known.

    :param name: of the function; that of its nVHE copy will do.
    :param built: the instructions in the file.
    """
    plain = plain_name(name)
    choose = _CALLBACKS.get(plain)
    if choose is None:
        return None
    choices = choose(tuple(built), has)
    return choices if len(choices) == len(built) else None


def plain_name(name: str | None) -> str:
    """Return a callback's own name, without what linking or CFI put around it."""
    return (name or "").removeprefix("__kvm_nvhe_").removeprefix("__pi_").removesuffix(".cfi_jt")


def is_known(name: str | None) -> bool:
    """Tell whether the words that a callback leaves are known."""
    return plain_name(name) in _CALLBACKS


_Choices = tuple[WordChoices, ...]
_Choose = Callable[[tuple[int, ...], HasNamed], _Choices]


def _nops(built: tuple[int, ...], _has: HasNamed) -> _Choices:
    return (WordChoices((NOP,)),) * len(built)


def _nops_or_nothing(built: tuple[int, ...], _has: HasNamed) -> _Choices:
    return (WordChoices((NOP,), keeps=True),) * len(built)


def _firmware_call(built: tuple[int, ...], _has: HasNamed) -> _Choices:
    """A NOP becomes the call of the conduit that firmware has; without firmware it stays."""
    return (WordChoices((_HVC_0, _SMC_0), keeps=True),) * len(built)


def _v4_mitigation(built: tuple[int, ...], has: HasNamed) -> _Choices:
    if has("SSBS") is True:
        return (WordChoices(keeps=True),) * len(built)
    return _nops_or_nothing(built, has)


def _loop_count(built: tuple[int, ...], _has: HasNamed) -> _Choices:
    shape = WordShape(_IMM16, 0xD2800000 | built[0] & _RD)
    return (WordChoices(shapes=(shape,), keeps=True),)


def _workaround_3(built: tuple[int, ...], _has: HasNamed) -> _Choices:
    # ORR Wd, WZR, #0x80003fff: the SMCCC function of ARCH_WORKAROUND_3 instead of _1.
    return (WordChoices((0x32013BE0 | built[0] & _RD,), keeps=True),)


def _move_64(built: tuple[int, ...], _has: HasNamed) -> _Choices:
    """MOVZ and three MOVK of a value of the running kernel into the register that the file names."""
    rd = built[0] & _RD
    return tuple(
        WordChoices(shapes=(WordShape(_IMM16, (0xF2800000 if i else 0xD2800000) | i << 21 | rd),))
        for i in range(4)
    )


def _hyp_va(built: tuple[int, ...], has: HasNamed) -> _Choices:
    """AND with a mask, ROR, two ADD of a tag, ROR back; NOPs behind the AND where the tag is zero, or all with VHE."""
    vhe = has("HAS_VIRT_HOST_EXTN")
    if vhe is True:
        return _nops(built, has)
    # All but N:immr:imms of AND, imms (the rotation) of EXTR, imm12 of ADD.
    masks = (0xFF8003FF, 0xFFFF03FF, 0xFFC003FF, 0xFFC003FF, 0xFFFF03FF)
    return tuple(
        WordChoices(
            (NOP,) if i or vhe is None else (),
            (WordShape(mask, word & mask),),
        )
        for i, (mask, word) in enumerate(zip(masks, built, strict=False))
    )


def _vector_branch(built: tuple[int, ...], has: HasNamed) -> _Choices:
    """A jump to the hyp vectors at their hyp VA, from slots that are mapped elsewhere."""
    hardened = has("SPECTRE_V3A")
    if hardened is False or has("HAS_VIRT_HOST_EXTN") is True:
        return (WordChoices(keeps=True),) * len(built)
    keeps = hardened is None
    move = [
        WordChoices(shapes=(WordShape(_IMM16, base),), keeps=keeps)
        for base in (0xD2800000, 0xF2A00000, 0xF2C00000)
    ]
    push = [WordChoices((_PUSH_X0_X1,), keeps=keeps)] if len(built) == len(move) + 2 else []
    return (*push, *move, WordChoices((_BR_X0,), keeps=keeps))


# fmt: off
_CALLBACKS: dict[str, _Choose] = {
    "alt_cb_patch_nops":                        _nops,
    "kvm_update_va_mask":                       _hyp_va,
    "kvm_patch_vector_branch":                  _vector_branch,
    "kvm_get_kimage_voffset":                   _move_64,
    "kvm_compute_final_ctr_el0":                _move_64,
    "spectre_bhb_patch_loop_iter":              _loop_count,
    "spectre_bhb_patch_loop_mitigation_enable": _nops_or_nothing,
    "spectre_bhb_patch_fw_mitigation_enabled":  _nops_or_nothing,
    "spectre_bhb_patch_wa3":                    _workaround_3,
    "spectre_bhb_patch_clearbhb":               _nops_or_nothing,
    "spectre_v4_patch_fw_mitigation_enable":    _v4_mitigation,
    "spectre_v4_patch_fw_mitigation_conduit":   _firmware_call,
    "smccc_patch_fw_mitigation_conduit":        _firmware_call,
    "arm64_update_smccc_conduit":               _firmware_call,
    "arm64_enable_wa2_handling":                _nops_or_nothing,
    "kasan_hw_tags_enable":                     _nops_or_nothing,
}
# fmt: on
