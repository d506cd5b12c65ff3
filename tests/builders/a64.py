"""Words of A64 instructions, from the encodings in DDI 0487: what the planted code of the tests is made of."""

RET = 0xD65F03C0
NOP = 0xD503201F
SP = 31
ZR = 31


def _signed(value: int, bits: int) -> int:
    assert -(1 << bits - 1) <= value < 1 << bits - 1, value
    return value & (1 << bits) - 1


def _unsigned(value: int, bits: int) -> int:
    assert 0 <= value < 1 << bits, value
    return value


def movz(rd: int, value: int, shift: int = 0) -> int:
    """Return `movz xd, #value, lsl #shift`."""
    return 0xD2800000 | shift // 16 << 21 | _unsigned(value, 16) << 5 | rd


def movk(rd: int, value: int, shift: int = 0) -> int:
    """Return `movk xd, #value, lsl #shift`."""
    return 0xF2800000 | shift // 16 << 21 | _unsigned(value, 16) << 5 | rd


def mov_value(rd: int, value: int) -> list[int]:
    """Return the four words that put any 64-bit value into xd."""
    parts = [value >> shift & 0xFFFF for shift in (0, 16, 32, 48)]
    return [movz(rd, parts[0]), *(movk(rd, p, 16 * n) for n, p in enumerate(parts) if n)]


def mov(rd: int, rm: int) -> int:
    """Return `mov xd, xm`."""
    return 0xAA0003E0 | rm << 16 | rd


def mov_sp(rn: int) -> int:
    """Return `mov sp, xn`."""
    return 0x9100001F | rn << 5


def add_immediate(rd: int, rn: int, value: int) -> int:
    """Return `add xd|sp, xn|sp, #value`."""
    return 0x91000000 | _unsigned(value, 12) << 10 | rn << 5 | rd


def eor(rd: int, rn: int, rm: int) -> int:
    """Return `eor xd, xn, xm`."""
    return 0xCA000000 | rm << 16 | rn << 5 | rd


def cmp_immediate(rn: int, value: int) -> int:
    """Return `cmp xn, #value`."""
    return 0xF100001F | _unsigned(value, 12) << 10 | rn << 5


def adr(rd: int, offset: int) -> int:
    """Return `adr xd, . + offset`."""
    value = _signed(offset, 21)
    return 0x10000000 | (value & 3) << 29 | value >> 2 << 5 | rd


def adrp(rd: int, at: int, target: int) -> int:
    """Return the `adrp xd` that, placed at `at`, gives the page of `target`."""
    value = _signed((target >> 12) - (at >> 12), 21)
    return 0x90000000 | (value & 3) << 29 | value >> 2 << 5 | rd


def address(rd: int, at: int, target: int) -> list[int]:
    """Return `adrp` and `add`: the address of `target` in xd, relative to PC."""
    return [adrp(rd, at, target), add_immediate(rd, rd, target & 0xFFF)]


def b(offset: int) -> int:
    """Return `b . + offset`."""
    return 0x14000000 | _signed(offset // 4, 26)


def bl(offset: int) -> int:
    """Return `bl . + offset`."""
    return 0x94000000 | _signed(offset // 4, 26)


def b_cond(condition: int, offset: int) -> int:
    """Return `b.<condition> . + offset`; 0 is eq, 8 is hi."""
    return 0x54000000 | _signed(offset // 4, 19) << 5 | condition


def br(rn: int) -> int:
    """Return `br xn`."""
    return 0xD61F0000 | rn << 5


def blr(rn: int) -> int:
    """Return `blr xn`."""
    return 0xD63F0000 | rn << 5


def load(rt: int, rn: int, offset: int = 0, *, log2: int = 3) -> int:
    """Return `ldr` of 1 << log2 bytes, zero-extended, at an offset that is a multiple of them."""
    return 0x39400000 | log2 << 30 | _unsigned(offset >> log2, 12) << 10 | rn << 5 | rt


def store(rt: int, rn: int, offset: int = 0, *, log2: int = 3) -> int:
    """Return `str` of 1 << log2 bytes at an offset that is a multiple of them."""
    return 0x39000000 | log2 << 30 | _unsigned(offset >> log2, 12) << 10 | rn << 5 | rt


def load_indexed(rt: int, rn: int, rm: int, *, scaled: bool = True) -> int:
    """Return `ldr xt, [xn, xm, lsl #3]`, or without the shift."""
    return 0xF8606800 | rm << 16 | int(scaled) << 12 | rn << 5 | rt


def load_literal(rt: int, offset: int) -> int:
    """Return `ldr xt, . + offset`."""
    return 0x58000000 | _signed(offset // 4, 19) << 5 | rt


def load_pair(rt: int, rt2: int, rn: int, offset: int = 0) -> int:
    """Return `ldp xt, xt2, [xn, #offset]`."""
    return 0xA9400000 | _signed(offset // 8, 7) << 15 | rt2 << 10 | rn << 5 | rt


def store_pair(rt: int, rt2: int, rn: int, offset: int = 0) -> int:
    """Return `stp xt, xt2, [xn, #offset]`."""
    return 0xA9000000 | _signed(offset // 8, 7) << 15 | rt2 << 10 | rn << 5 | rt


def brk(immediate: int) -> int:
    """Return `brk #immediate`."""
    return 0xD4200000 | _unsigned(immediate, 16) << 5


def udf(immediate: int) -> int:
    """Return `udf #immediate`."""
    return _unsigned(immediate, 16)


def hvc(immediate: int) -> int:
    """Return `hvc #immediate`."""
    return 0xD4000002 | _unsigned(immediate, 16) << 5


def mrs(rt: int, op0: int, op1: int, crn: int, crm: int, op2: int) -> int:
    """Return `mrs xt, <register>`."""
    return 0xD5200000 | (op0 & 1) << 19 | 1 << 20 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5 | rt


def msr(rt: int, op0: int, op1: int, crn: int, crm: int, op2: int) -> int:
    """Return `msr <register>, xt`."""
    return mrs(rt, op0, op1, crn, crm, op2) & ~(1 << 21)


def mrs_nzcv(rt: int) -> int:
    """Return `mrs xt, nzcv`."""
    return mrs(rt, 3, 3, 4, 2, 0)


def code(words: list[int]) -> bytes:
    """Return the words as they lie in memory."""
    return b"".join(word.to_bytes(4, "little") for word in words)
