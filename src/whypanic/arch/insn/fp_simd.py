"""Vector structure loads and stores, and which general registers the FP, SVE and SME groups touch.

Only what the integer side can see of the vector groups is told apart: transfers to and from general registers and
the flags. Source: Arm ARM DDI 0487, "Data Processing -- Scalar Floating-Point and Advanced SIMD".
"""

from whypanic.arch.insn.record import X_OR_SP, Group, Insn, Memory, V, X, field, listed, unallocated

# LD1..LD4, ST1..ST4 (multiple structures): opcode -> (structure elements, registers).
_MULTIPLE = {
    0b0000: (4, 4),
    0b0010: (1, 4),
    0b0100: (3, 3),
    0b0110: (1, 3),
    0b0111: (1, 1),
    0b1000: (2, 2),
    0b1010: (1, 2),
}

# Conversion between floating-point and integer, opcode: those that write a general register.
_TO_GENERAL = (0b000, 0b001, 0b100, 0b101, 0b110)


def decode_structure(word: int) -> Insn:
    """Return LD1..LD4, LD1R..LD4R, ST1..ST4: 0 Q 00110 single post L R Rm opcode S size Rn Rt."""
    is_post, is_load = field(word, 23, 1), bool(field(word, 22, 1))
    rm = field(word, 16, 5)
    if word >> 31 or (not is_post and rm):
        return unallocated(word)
    shape = _single_structure(word) if field(word, 24, 1) else _multiple_structures(word)
    if shape is None:
        return unallocated(word)
    name, size, n_elements, n_registers = shape
    rt = word & 31
    data = tuple(V[(rt + n) & 31] for n in range(n_registers))
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=size,
        n_elements=n_elements,
        load=is_load,
        store=not is_load,
        writeback="post" if is_post else None,
        step=size * n_elements if is_post and rm == 31 else None,
        fp=True,
        data=data,
    )
    base = memory.base
    step_register = (X[rm],) if is_post else ()
    return Insn(
        word,
        ("ld" if is_load else "st") + name,
        Group.LOAD_STORE,
        listed(base, *step_register, *(() if is_load else data)),
        listed(*(data if is_load else ()), *((base,) if is_post else ())),
        memory,
    )


def _multiple_structures(word: int) -> tuple[str, int, int, int] | None:
    row = _MULTIPLE.get(field(word, 12, 4))
    is_full, size = field(word, 30, 1), field(word, 10, 2)
    if row is None or field(word, 21, 1) or (row[0] > 1 and size == 3 and not is_full):
        return None
    structure, n_registers = row
    n_bytes = n_registers * (16 if is_full else 8)
    return str(structure), 1 << size, n_bytes >> size, n_registers


def _single_structure(word: int) -> tuple[str, int, int, int] | None:
    opcode, s, size = field(word, 13, 3), field(word, 12, 1), field(word, 10, 2)
    n = (opcode & 1) << 1 | field(word, 21, 1)
    n += 1
    scale = opcode >> 1
    if scale == 3:
        return None if s or not field(word, 22, 1) else (f"{n}r", 1 << size, n, n)
    if scale == 1 and size & 1:
        return None
    if scale == 2:
        if size >> 1 or (size == 1 and s):
            return None
        scale += size
    return str(n), 1 << scale, n, n


def decode_fp_simd(word: int) -> Insn:
    """Return a word whose bits [28:25] are x111, with the general registers and flags it touches."""
    rd, rn = X[word & 31], X[field(word, 5, 5)]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    if field(word, 24, 7) & 0b101_1111 == 0b001_1110:
        reads, writes = _scalar_registers(word, rd, rn)
    elif word >> 31 == 0 and field(word, 21, 8) == 0b01110000 and field(word, 10, 1):
        # AdvSIMD copy, 0 Q op 01110000 imm5 0 imm4 1: SMOV, UMOV to, DUP and INS from a general register.
        imm4 = field(word, 11, 4)
        if not field(word, 29, 1) and not field(word, 15, 1):
            if imm4 in (0b0101, 0b0111):
                writes = (rd,)
            elif imm4 in (0b0001, 0b0011):
                reads = (rn,)
    return Insn(word, "fp-simd", Group.FP_SIMD, listed(*reads), listed(*writes))


def _scalar_registers(word: int, rd: str, rn: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """sf 0 S 11110 ptype ...: conversions, FMOV, and compares."""
    low = field(word, 10, 6)
    if not field(word, 21, 1):
        # Conversion to and from fixed point.
        return ((), (rd,)) if not field(word, 17, 1) else ((rn,), ())
    if low == 0:
        opcode = field(word, 16, 3)
        if opcode in _TO_GENERAL:
            # FJCVTZS sets the flags too.
            is_javascript = field(word, 16, 8) == 0b01_1_11_110 and not word >> 31
            return (), ((rd, "nzcv") if is_javascript else (rd,))
        return (rn,), ()
    if low & 0b1111 == 0b1000:
        return (), ("nzcv",)
    if low & 0b11 == 0b01:
        return ("nzcv",), ("nzcv",)
    return (("nzcv",), ()) if low & 0b11 == 0b11 else ((), ())


def decode_sve(word: int) -> Insn:
    """Return a word of the SVE space; the register that bits [4:0] may name and the flags count as written."""
    return Insn(word, "sve", Group.SVE, writes=tuple(dict.fromkeys((X_OR_SP[word & 31], "nzcv"))))


def decode_sme(word: int) -> Insn:
    """Return a word of the SME space, which writes no general register."""
    return Insn(word, "sme", Group.SME)
