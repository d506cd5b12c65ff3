"""Pointer authentication without its keys: what is signed is unknown, and its authentication gives it back.

The keys of EL2 are unknown, and so is whether SCTLR_EL2 switches them on. Whatever they are, authenticating with the
key and modifier that signed returns the pointer (DDI 0487 L, pseudocode AddPAC, Auth).
"""

from typing import NamedTuple

from whypanic.arch.insn.record import Insn, field


class _Signing(NamedTuple):
    pointer: int
    modifier: int
    key: str


class SignedPointers:
    """The pointers signed so far, by the stand-in value that their register was given."""

    def __init__(self) -> None:
        self._signings: dict[int, _Signing] = {}

    def sign(self, stand_in: int, pointer: int, modifier: int, key: str) -> None:
        """Note that an unknown value is a signed pointer."""
        self._signings[stand_in] = _Signing(pointer, modifier, key)

    def authenticate(self, stand_in: int, modifier: int, key: str) -> int | None:
        """Return the pointer; None where nothing was signed so."""
        found = self._signings.get(stand_in)
        return found.pointer if found and found[1:] == (modifier, key) else None

    def strip(self, stand_in: int) -> int | None:
        """Return the pointer without its code, which is the pointer as it was signed; None if there is none."""
        found = self._signings.get(stand_in)
        return found.pointer if found else None


def modifier_of(insn: Insn) -> str:
    """Return the register that PAC*, AUT*, or an authenticated branch takes as its modifier; xzr for zero."""
    name = insn.mnemonic
    if insn.branch is not None:
        return "xzr" if name.endswith("z") else insn.reads[-1]
    if name.endswith("sp"):
        return "sp"
    if name.endswith("1716"):
        return "x16"
    if "z" in name:
        return "xzr"
    rn = field(insn.word, 5, 5)
    return "sp" if rn == 31 else f"x{rn}"


def key_of(insn: Insn) -> str:
    """Return ia, ib, da or db."""
    name = insn.mnemonic
    if insn.branch is not None:
        return "ib" if name.rstrip("z").endswith("b") else "ia"
    letters = name[3:]
    return letters[0] + letters[2] if letters[1] == "z" else letters[:2]
