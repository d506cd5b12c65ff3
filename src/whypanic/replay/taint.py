"""Which results of an instruction are known, given which of its operands are.

A value is known or unknown as a whole. The rule is that an unknown operand makes every result unknown; the exceptions
are the forms whose result does not depend on that operand at all. Source of the semantics: Arm ARM DDI 0487 L,
pseudocode of each instruction.
"""

from collections.abc import Mapping

from whypanic.arch.insn.arithmetic import condition_holds
from whypanic.arch.insn.record import Group, Insn, V, X, field

Known = Mapping[str, bool]
"""x0..x30, sp, nzcv, v0..v31."""

REGISTERS = (*X[:31], "sp", "nzcv", *V)

_SELECTS = ("csel", "csinc", "csinv", "csneg")
_COMPARES = ("ccmp", "ccmn")
_OF_ITSELF = ("eor", "eon", "sub", "subs", "bic", "bics", "orn")
"""Of a register and itself unshifted: 0 or all ones, and constant flags."""
_PRODUCTS = ("madd", "msub", "smaddl", "smsubl", "umaddl", "umsubl")
_ZERO_BY_EITHER = ("and", "ands", "smulh", "umulh", "udiv", "sdiv")
"""Constant where either operand is the zero register; a division by zero gives 0."""
_CONSTANT_BY_FIRST = ("lslv", "lsrv", "asrv", "rorv", "bic", "bics")
_CONSTANT_BY_SECOND = ("orn",)
_ALWAYS = 14
"""Conditions AL (14) and NV (15)."""


def results(insn: Insn, known: Known, nzcv: int) -> dict[str, bool]:
    """Return for each register that an instruction on registers writes whether its new value is known.

    :param nzcv: the flags before it; looked at only where they are known.
    """
    if insn.group is Group.FP_SIMD:
        # Which vector registers are read is not told apart; MOVI and MVNI read none.
        written = dict.fromkeys(insn.writes, False)
        return written | {V[insn.word & 31]: _is_vector_constant(insn.word)}
    return dict.fromkeys(insn.writes, _is_known(insn, known, nzcv))


def _all(known: Known, *names: str) -> bool:
    return all(name in ("xzr", "pc") or known[name] for name in names)


def _is_known(insn: Insn, known: Known, nzcv: int) -> bool:
    if _all(known, *insn.reads):
        return True
    if insn.group is not Group.DATA_REGISTER:
        return False
    if insn.mnemonic in _SELECTS:
        return _is_selection_known(insn, known, nzcv)
    if insn.mnemonic in _COMPARES:
        return _is_comparison_known(insn, known, nzcv)
    return _is_independent(insn, known)


def _is_selection_known(insn: Insn, known: Known, nzcv: int) -> bool:
    condition = field(insn.word, 12, 4)
    first, other = X[field(insn.word, 5, 5)], X[field(insn.word, 16, 5)]
    if condition >= _ALWAYS:
        return _all(known, first)
    if known["nzcv"]:
        return _all(known, first if condition_holds(condition, nzcv) else other)
    return insn.mnemonic == "csel" and first == other and _all(known, first)


def _is_comparison_known(insn: Insn, known: Known, nzcv: int) -> bool:
    """Return whether the flags are; where the condition fails they are the immediate."""
    condition = field(insn.word, 12, 4)
    if condition < _ALWAYS:
        if not known["nzcv"]:
            return False
        if not condition_holds(condition, nzcv):
            return True
    return _all(known, *(name for name in insn.reads if name != "nzcv"))


def _is_independent(insn: Insn, known: Known) -> bool:
    name, rn, rm = insn.mnemonic, field(insn.word, 5, 5), field(insn.word, 16, 5)
    is_extended = field(insn.word, 24, 1) and field(insn.word, 21, 1)
    if name in _PRODUCTS:
        return 31 in (rn, rm) and _all(known, X[field(insn.word, 10, 5)])
    if name in _ZERO_BY_EITHER and 31 in (rn, rm):
        return True
    if (name in _CONSTANT_BY_FIRST and rn == 31) or (name in _CONSTANT_BY_SECOND and rm == 31):
        return True
    return name in _OF_ITSELF and rn == rm and not is_extended and not field(insn.word, 10, 6)


def _is_vector_constant(word: int) -> bool:
    """AdvSIMD modified immediate, 0 Q op 0111100000 abc cmode o2 1 defgh Rd: all but ORR and BIC, which read Rd."""
    if word >> 31 or field(word, 19, 10) != 0b0111100000 or not field(word, 10, 1):
        return False
    cmode = field(word, 12, 4)
    return not field(word, 11, 1) and (not cmode & 1 or cmode >= 0b1100)
