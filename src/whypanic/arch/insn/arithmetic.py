"""Integer operations as the architecture defines them, on values of 32 or 64 bits."""

from whypanic.arch.insn.record import MASK_32, MASK_64, signed

N, Z, C, V = 8, 4, 2, 1
"""Bits of NZCV as one number."""


def add_with_carry(a: int, b: int, carry: int, width: int) -> tuple[int, int]:
    """Return (sum modulo 2^width, NZCV). Source: Arm ARM DDI 0487, pseudocode AddWithCarry."""
    mask = (1 << width) - 1
    total = a + b + carry
    result = total & mask
    overflow = signed(a, width) + signed(b, width) + carry != signed(result, width)
    return result, flags(result, width) | (C if total != result else 0) | (V if overflow else 0)


def flags(result: int, width: int) -> int:
    """Return N and Z of a result; C and V are 0."""
    return (N if result >> (width - 1) else 0) | (0 if result else Z)


def condition_holds(condition: int, nzcv: int) -> bool:
    """Return whether a 4-bit condition holds. Source: Arm ARM DDI 0487, pseudocode ConditionHolds."""
    n, z, c, v = (bool(nzcv & bit) for bit in (N, Z, C, V))
    holds = (z, c, n, v, c and not z, n == v, n == v and not z, True)[condition >> 1]
    return not holds if condition & 1 and condition != 15 else holds


def shift(value: int, kind: int, amount: int, width: int) -> int:
    """Return a shifted value; kind 0..3 is LSL, LSR, ASR, ROR and 0 <= amount < width."""
    mask = (1 << width) - 1
    if kind == 0:
        return value << amount & mask
    if kind == 1:
        return value >> amount
    if kind == 2:
        return signed(value, width) >> amount & mask
    return (value >> amount | value << (width - amount)) & mask


def extend(value: int, option: int, amount: int, width: int) -> int:
    """Return an extended register operand; option 0..7 is UXTB .. UXTX, SXTB .. SXTX."""
    n_bits = 8 << (option & 3)
    value &= (1 << n_bits) - 1
    if option & 4:
        value = signed(value, n_bits)
    return value << amount & (1 << width) - 1


def divide(a: int, b: int, width: int, *, is_signed: bool) -> int:
    """Return the quotient rounded towards zero; 0 for a division by zero."""
    if is_signed:
        a, b = signed(a, width), signed(b, width)
    if b == 0:
        return 0
    quotient = abs(a) // abs(b)
    return (-quotient if (a < 0) != (b < 0) else quotient) & (1 << width) - 1


def reverse_bits(value: int, width: int) -> int:
    """Return the value with its bits in reverse order."""
    return int(f"{value:0{width}b}"[::-1], 2)


def reverse_bytes(value: int, width: int, container: int) -> int:
    """Return the value with the bytes of each container of that many bits reversed."""
    result = 0
    for lo in range(0, width, container):
        part = value >> lo & (1 << container) - 1
        turned = int.from_bytes(part.to_bytes(container // 8, "little"), "big")
        result |= turned << lo
    return result


def count_leading_zeros(value: int, width: int) -> int:
    """Return how many bits above the highest set one are clear."""
    return width - value.bit_length()


def count_leading_signs(value: int, width: int) -> int:
    """Return how many bits below the top one equal it."""
    return count_leading_zeros(((value >> 1) ^ value) & (1 << (width - 1)) - 1, width - 1)


def replicate_sign(value: int, sign_bit: int, width: int) -> int:
    """Return the value with every bit above `sign_bit` equal to it."""
    return signed(value, sign_bit + 1) & (MASK_64 if width == 64 else MASK_32)
