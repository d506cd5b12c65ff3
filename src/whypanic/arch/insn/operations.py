"""What each integer instruction computes. Source: Arm ARM DDI 0487, pseudocode of the instruction named."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from whypanic.arch.insn import arithmetic
from whypanic.arch.insn.arithmetic import C, N, V, Z, add_with_carry, condition_holds
from whypanic.arch.insn.bitmask import bitfield
from whypanic.arch.insn.record import MASK_64, X_OR_SP, Group, Insn, X, field, signed

if TYPE_CHECKING:
    from whypanic.arch.insn.evaluate import State

Results = dict[str, int | None]


class Operands:
    """The operands of one instruction: values by encoded field, None where unknown."""

    def __init__(self, state: "State", insn: Insn) -> None:
        self.state = state
        self.insn = insn
        self.word = insn.word
        self.width = 32 if insn.is_32bit else 64
        self.mask = (1 << self.width) - 1

    @property
    def is_immediate(self) -> bool:
        return self.insn.group is Group.DATA_IMMEDIATE

    def at(self, lo: int, *, sp: bool = False) -> int | None:
        """Return the register that the 5 bits from `lo` up name, cut to the operand width."""
        value = self.state.get((X_OR_SP if sp else X)[field(self.word, lo, 5)])
        return None if value is None else value & self.mask

    def result(self, value: int | None, *, sp: bool = False, nzcv: int | None = None) -> Results:
        """Return the destination register set to a value, and NZCV where the instruction writes it."""
        results: Results = {}
        name = (X_OR_SP if sp else X)[self.word & 31]
        if name != "xzr":
            results[name] = value
        if "nzcv" in self.insn.writes:
            results["nzcv"] = nzcv
        return results


Operation = Callable[[Operands], Results]


def _pc_relative(op: Operands) -> Results:
    pc, offset = op.state.pc, op.insn.immediate
    if pc is None or offset is None:
        return op.result(None)
    if op.insn.mnemonic == "adrp":
        pc &= ~0xFFF
    return op.result((pc + offset) & MASK_64)


def _second_operand(op: Operands) -> int | None:
    """Return operand 2 of an add, subtract or logical instruction: immediate, shifted or extended register."""
    if op.is_immediate:
        return op.insn.immediate
    value = op.at(16)
    if value is None:
        return None
    if field(op.word, 24, 1) and field(op.word, 21, 1):
        return arithmetic.extend(value, field(op.word, 13, 3), field(op.word, 10, 3), op.width)
    return arithmetic.shift(value, field(op.word, 22, 2), field(op.word, 10, 6), op.width)


def _add(op: Operands, *, subtract: bool) -> Results:
    takes_sp = op.is_immediate or bool(field(op.word, 21, 1))
    a, b = op.at(5, sp=takes_sp), _second_operand(op)
    to_sp = takes_sp and "nzcv" not in op.insn.writes
    if a is None or b is None:
        return op.result(None, sp=to_sp)
    if subtract:
        b = ~b & op.mask
    value, nzcv = add_with_carry(a, b, int(subtract), op.width)
    return op.result(value, sp=to_sp, nzcv=nzcv)


def _carry(op: Operands, *, subtract: bool) -> Results:
    a, b, nzcv = op.at(5), op.at(16), op.state.nzcv
    if a is None or b is None or nzcv is None:
        return op.result(None)
    if subtract:
        b = ~b & op.mask
    value, nzcv = add_with_carry(a, b, int(bool(nzcv & C)), op.width)
    return op.result(value, nzcv=nzcv)


def _logical(op: Operands, function: Callable[[int, int], int], *, invert: bool) -> Results:
    a, b = op.at(5), _second_operand(op)
    to_sp = op.is_immediate and "nzcv" not in op.insn.writes
    if a is None or b is None:
        return op.result(None, sp=to_sp)
    value = function(a, ~b & op.mask if invert else b)
    return op.result(value, sp=to_sp, nzcv=arithmetic.flags(value, op.width))


def _move_wide(op: Operands) -> Results:
    value = op.insn.immediate
    if op.insn.mnemonic == "movk" and value is not None:
        old = op.at(0)
        if old is None:
            return op.result(None)
        value |= old & ~(0xFFFF << 16 * field(op.word, 21, 2))
    return op.result(value)


def _bitfield(op: Operands) -> Results:
    source = op.at(5)
    if source is None:
        return op.result(None)
    placed, mask, top = bitfield(source, field(op.word, 16, 6), field(op.word, 10, 6), op.width)
    if op.insn.mnemonic == "sbfm":
        placed = arithmetic.replicate_sign(placed, top, op.width)
    elif op.insn.mnemonic == "bfm":
        old = op.at(0)
        if old is None:
            return op.result(None)
        placed |= old & ~mask
    return op.result(placed)


def _extract(op: Operands) -> Results:
    high, low, lsb = op.at(5), op.at(16), op.insn.immediate
    if high is None or low is None or lsb is None:
        return op.result(None)
    return op.result((high << op.width | low) >> lsb & op.mask)


def _select(op: Operands) -> Results:
    condition, name = field(op.word, 12, 4), op.insn.mnemonic
    first, other = op.at(5), op.at(16)
    if other is not None and name != "csel":
        other = {"csinc": other + 1, "csinv": ~other, "csneg": -other}[name] & op.mask
    if condition >= 14:
        return op.result(first)
    if op.state.nzcv is None:
        return op.result(first if first == other else None)
    return op.result(first if condition_holds(condition, op.state.nzcv) else other)


def _conditional_compare(op: Operands) -> Results:
    condition, nzcv = field(op.word, 12, 4), op.state.nzcv
    if condition < 14:
        if nzcv is None:
            return {"nzcv": None}
        if not condition_holds(condition, nzcv):
            return {"nzcv": op.word & 15}
    a = op.at(5)
    b = op.insn.immediate if field(op.word, 11, 1) else op.at(16)
    if a is None or b is None:
        return {"nzcv": None}
    subtract = op.insn.mnemonic == "ccmp"
    if subtract:
        b = ~b & op.mask
    return {"nzcv": add_with_carry(a, b, int(subtract), op.width)[1]}


def _shift_variable(op: Operands, kind: int) -> Results:
    value, amount = op.at(5), op.at(16)
    if value is None or amount is None:
        return op.result(None)
    return op.result(arithmetic.shift(value, kind, amount % op.width, op.width))


def _divide(op: Operands, *, is_signed: bool) -> Results:
    a, b = op.at(5), op.at(16)
    if a is None or b is None:
        return op.result(None)
    return op.result(arithmetic.divide(a, b, op.width, is_signed=is_signed))


def _one(op: Operands, function: Callable[[int, int], int]) -> Results:
    value = op.at(5)
    return op.result(None if value is None else function(value, op.width))


def _multiply(op: Operands, *, sign: int) -> Results:
    a, b, addend = op.at(5), op.at(16), op.at(10)
    if a is None or b is None or addend is None:
        return op.result(None)
    return op.result((addend + sign * a * b) & op.mask)


def _multiply_long(op: Operands, *, sign: int, is_signed: bool) -> Results:
    a, b, addend = op.at(5), op.at(16), op.at(10)
    if a is None or b is None or addend is None:
        return op.result(None)
    if is_signed:
        a, b = signed(a, 32), signed(b, 32)
    else:
        a, b = a & 0xFFFFFFFF, b & 0xFFFFFFFF
    return op.result((addend + sign * a * b) & MASK_64)


def _multiply_high(op: Operands, *, is_signed: bool) -> Results:
    a, b = op.at(5), op.at(16)
    if a is None or b is None:
        return op.result(None)
    if is_signed:
        a, b = signed(a, 64), signed(b, 64)
    return op.result(a * b >> 64 & MASK_64)


def _extreme(op: Operands, choose: Callable[[int, int], int], *, is_signed: bool) -> Results:
    a, b = op.at(5), op.insn.immediate if op.is_immediate else op.at(16)
    if a is None or b is None:
        return op.result(None)
    if is_signed:
        a, b = signed(a, op.width), signed(b, op.width)
    return op.result(choose(a, b) & op.mask)


def _rotate_to_flags(op: Operands) -> Results:
    value, nzcv, amount = op.at(5), op.state.nzcv, op.insn.immediate
    mask = op.word & 15
    if value is None or amount is None or (nzcv is None and mask != 15):
        return {"nzcv": None}
    rotated = arithmetic.shift(value, 3, amount, 64)
    return {"nzcv": (rotated & mask) | ((nzcv or 0) & ~mask)}


def _set_flags(op: Operands) -> Results:
    """SETF8, SETF16: N, Z and V from the low bits, C stays."""
    value, nzcv = op.at(5), op.state.nzcv
    if value is None or nzcv is None:
        return {"nzcv": None}
    top = 7 if op.insn.mnemonic == "setf8" else 15
    n, above = value >> top & 1, value >> (top + 1) & 1
    is_zero = not value & (2 << top) - 1
    return {"nzcv": (N if n else 0) | (Z if is_zero else 0) | nzcv & C | (V if n != above else 0)}


def _trailing_zeros(value: int, width: int) -> int:
    return (value & -value).bit_length() - 1 if value else width


OPERATIONS: dict[str, Operation] = {
    "adr": _pc_relative,
    "adrp": _pc_relative,
    "add": partial(_add, subtract=False),
    "adds": partial(_add, subtract=False),
    "sub": partial(_add, subtract=True),
    "subs": partial(_add, subtract=True),
    "adc": partial(_carry, subtract=False),
    "adcs": partial(_carry, subtract=False),
    "sbc": partial(_carry, subtract=True),
    "sbcs": partial(_carry, subtract=True),
    "and": partial(_logical, function=int.__and__, invert=False),
    "ands": partial(_logical, function=int.__and__, invert=False),
    "bic": partial(_logical, function=int.__and__, invert=True),
    "bics": partial(_logical, function=int.__and__, invert=True),
    "orr": partial(_logical, function=int.__or__, invert=False),
    "orn": partial(_logical, function=int.__or__, invert=True),
    "eor": partial(_logical, function=int.__xor__, invert=False),
    "eon": partial(_logical, function=int.__xor__, invert=True),
    "movn": _move_wide,
    "movz": _move_wide,
    "movk": _move_wide,
    "sbfm": _bitfield,
    "bfm": _bitfield,
    "ubfm": _bitfield,
    "extr": _extract,
    "csel": _select,
    "csinc": _select,
    "csinv": _select,
    "csneg": _select,
    "ccmp": _conditional_compare,
    "ccmn": _conditional_compare,
    "lslv": partial(_shift_variable, kind=0),
    "lsrv": partial(_shift_variable, kind=1),
    "asrv": partial(_shift_variable, kind=2),
    "rorv": partial(_shift_variable, kind=3),
    "udiv": partial(_divide, is_signed=False),
    "sdiv": partial(_divide, is_signed=True),
    "rbit": partial(_one, function=arithmetic.reverse_bits),
    "rev": partial(_one, function=lambda v, w: arithmetic.reverse_bytes(v, w, w)),
    "rev16": partial(_one, function=lambda v, w: arithmetic.reverse_bytes(v, w, 16)),
    "rev32": partial(_one, function=lambda v, w: arithmetic.reverse_bytes(v, w, 32)),
    "clz": partial(_one, function=arithmetic.count_leading_zeros),
    "cls": partial(_one, function=arithmetic.count_leading_signs),
    "ctz": partial(_one, function=_trailing_zeros),
    "cnt": partial(_one, function=lambda v, _: v.bit_count()),
    "abs": partial(_one, function=lambda v, w: abs(signed(v, w)) & (1 << w) - 1),
    "madd": partial(_multiply, sign=1),
    "msub": partial(_multiply, sign=-1),
    "smaddl": partial(_multiply_long, sign=1, is_signed=True),
    "smsubl": partial(_multiply_long, sign=-1, is_signed=True),
    "umaddl": partial(_multiply_long, sign=1, is_signed=False),
    "umsubl": partial(_multiply_long, sign=-1, is_signed=False),
    "smulh": partial(_multiply_high, is_signed=True),
    "umulh": partial(_multiply_high, is_signed=False),
    "smax": partial(_extreme, choose=max, is_signed=True),
    "umax": partial(_extreme, choose=max, is_signed=False),
    "smin": partial(_extreme, choose=min, is_signed=True),
    "umin": partial(_extreme, choose=min, is_signed=False),
    "rmif": _rotate_to_flags,
    "setf8": _set_flags,
    "setf16": _set_flags,
}
"""By mnemonic; what is missing here makes the registers it writes unknown."""
