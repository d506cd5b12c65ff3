"""Integer data processing. Source: Arm ARM DDI 0487, "Data Processing -- Immediate" and "-- Register"."""

from whypanic.arch.insn.bitmask import decode_bit_mask
from whypanic.arch.insn.record import (
    MASK_32,
    MASK_64,
    X_OR_SP,
    Group,
    Insn,
    X,
    field,
    listed,
    signed,
    unallocated,
)

_ADD_SUB = ("add", "adds", "sub", "subs")
_LOGICAL_IMMEDIATE = ("and", "orr", "eor", "ands")
_LOGICAL = ("and", "bic", "orr", "orn", "eor", "eon", "ands", "bics")
_MIN_MAX = ("smax", "umax", "smin", "umin")

# Data-processing (2 source), sf 0 0 11010110 Rm opcode Rn Rd: opcode -> (name, sf or None for both).
_TWO_SOURCES: dict[int, tuple[str, int | None]] = {
    0b000000: ("subp", 1),
    0b000010: ("udiv", None),
    0b000011: ("sdiv", None),
    0b000100: ("irg", 1),
    0b000101: ("gmi", 1),
    0b001000: ("lslv", None),
    0b001001: ("lsrv", None),
    0b001010: ("asrv", None),
    0b001011: ("rorv", None),
    0b001100: ("pacga", 1),
    0b010000: ("crc32b", 0),
    0b010001: ("crc32h", 0),
    0b010010: ("crc32w", 0),
    0b010011: ("crc32x", 1),
    0b010100: ("crc32cb", 0),
    0b010101: ("crc32ch", 0),
    0b010110: ("crc32cw", 0),
    0b010111: ("crc32cx", 1),
    0b011000: ("smax", None),
    0b011001: ("umax", None),
    0b011010: ("smin", None),
    0b011011: ("umin", None),
}

# Data-processing (1 source), opcode2 = 00000: (sf, opcode).
_ONE_SOURCE = {
    0b000000: ("rbit", "rbit"),
    0b000001: ("rev16", "rev16"),
    0b000010: ("rev", "rev32"),
    0b000011: ("", "rev"),
    0b000100: ("clz", "clz"),
    0b000101: ("cls", "cls"),
    0b000110: ("ctz", "ctz"),
    0b000111: ("cnt", "cnt"),
    0b001000: ("abs", "abs"),
}

# Data-processing (1 source), sf = 1, opcode2 = 00001, opcode 0..7; 8..15 are the forms with a zero modifier.
_POINTER_AUTH = ("pacia", "pacib", "pacda", "pacdb", "autia", "autib", "autda", "autdb")

# Data-processing (3 source): (op31, o0) -> (name, sf or None for both).
_THREE_SOURCES: dict[tuple[int, int], tuple[str, int | None]] = {
    (0b000, 0): ("madd", None),
    (0b000, 1): ("msub", None),
    (0b001, 0): ("smaddl", 1),
    (0b001, 1): ("smsubl", 1),
    (0b010, 0): ("smulh", 1),
    (0b011, 0): ("maddpt", 1),
    (0b011, 1): ("msubpt", 1),
    (0b101, 0): ("umaddl", 1),
    (0b101, 1): ("umsubl", 1),
    (0b110, 0): ("umulh", 1),
}


def decode_data_immediate(word: int) -> Insn:
    """Return the instruction of a word whose bits [28:25] are 100x."""
    kind = field(word, 23, 3)
    if kind < 2:
        return _decode_pc_relative(word)
    if kind == 2:
        return _decode_add_immediate(word)
    if kind == 3:
        return _decode_tagged_or_min_max(word)
    if kind == 4:
        return _decode_logical_immediate(word)
    if kind == 5:
        return _decode_move_wide(word)
    if kind == 6:
        return _decode_bitfield(word)
    return _decode_extract(word)


def _decode_pc_relative(word: int) -> Insn:
    immediate = signed(field(word, 5, 19) << 2 | field(word, 29, 2), 21)
    name = "adr"
    if word >> 31:
        name, immediate = "adrp", immediate << 12
    return Insn(word, name, Group.DATA_IMMEDIATE, writes=listed(X[word & 31]), immediate=immediate)


def _decode_add_immediate(word: int) -> Insn:
    sets_flags = field(word, 29, 1)
    rd = (X if sets_flags else X_OR_SP)[word & 31]
    return Insn(
        word,
        _ADD_SUB[field(word, 29, 2)],
        Group.DATA_IMMEDIATE,
        reads=(X_OR_SP[field(word, 5, 5)],),
        writes=listed(rd, "nzcv") if sets_flags else (rd,),
        immediate=field(word, 10, 12) << (12 * field(word, 22, 1)),
        is_32bit=not word >> 31,
    )


def _decode_tagged_or_min_max(word: int) -> Insn:
    rd, rn = word & 31, field(word, 5, 5)
    top = word >> 22
    if top in (0b1001000110, 0b1101000110) and not field(word, 14, 2):
        name = "subg" if field(word, 30, 1) else "addg"
        return Insn(
            word,
            name,
            Group.DATA_IMMEDIATE,
            reads=(X_OR_SP[rn],),
            writes=(X_OR_SP[rd],),
            immediate=field(word, 16, 6) << 4,
        )
    opc = field(word, 18, 4)
    if top & 0x1FF == 0b001000111 and opc < 4:
        is_32bit = not word >> 31
        immediate = field(word, 10, 8)
        if not opc & 1:
            immediate = signed(immediate, 8) & (MASK_32 if is_32bit else MASK_64)
        return Insn(
            word,
            _MIN_MAX[opc],
            Group.DATA_IMMEDIATE,
            reads=listed(X[rn]),
            writes=listed(X[rd]),
            immediate=immediate,
            is_32bit=is_32bit,
        )
    return unallocated(word)


def _decode_logical_immediate(word: int) -> Insn:
    is_32bit = not word >> 31
    mask = decode_bit_mask(
        field(word, 22, 1), field(word, 16, 6), field(word, 10, 6), 32 if is_32bit else 64
    )
    if mask is None:
        return unallocated(word)
    opc = field(word, 29, 2)
    rd = word & 31
    return Insn(
        word,
        _LOGICAL_IMMEDIATE[opc],
        Group.DATA_IMMEDIATE,
        reads=listed(X[field(word, 5, 5)]),
        writes=listed(X[rd], "nzcv") if opc == 3 else (X_OR_SP[rd],),
        immediate=mask,
        is_32bit=is_32bit,
    )


def _decode_move_wide(word: int) -> Insn:
    is_32bit, opc, hw = not word >> 31, field(word, 29, 2), field(word, 21, 2)
    if opc == 1 or (is_32bit and hw > 1):
        return unallocated(word)
    rd = listed(X[word & 31])
    immediate = field(word, 5, 16) << (16 * hw)
    if opc == 0:
        immediate = ~immediate & (MASK_32 if is_32bit else MASK_64)
    return Insn(
        word,
        ("movn", "", "movz", "movk")[opc],
        Group.DATA_IMMEDIATE,
        reads=rd if opc == 3 else (),
        writes=rd,
        immediate=immediate,
        is_32bit=is_32bit,
    )


def _decode_bitfield(word: int) -> Insn:
    sf, opc = word >> 31, field(word, 29, 2)
    too_wide = not sf and (field(word, 21, 1) or field(word, 15, 1))
    if opc == 3 or field(word, 22, 1) != sf or too_wide:
        return unallocated(word)
    rd, rn = X[word & 31], X[field(word, 5, 5)]
    return Insn(
        word,
        ("sbfm", "bfm", "ubfm")[opc],
        Group.DATA_IMMEDIATE,
        reads=listed(rn, rd) if opc == 1 else listed(rn),
        writes=listed(rd),
        is_32bit=not sf,
    )


def _decode_extract(word: int) -> Insn:
    sf = word >> 31
    if word >> 22 == 0b1111001110 and word & 31 == 31:
        # AUTIASPPC, AUTIBSPPC: 1 11 100111 0 M imm16 11111 (FEAT_PAuth_LR).
        return Insn(
            word,
            "autibsppc" if field(word, 21, 1) else "autiasppc",
            Group.POINTER_AUTH,
            reads=("x30", "sp"),
            writes=("x30",),
        )
    if field(word, 29, 2) or field(word, 21, 1) or field(word, 22, 1) != sf:
        return unallocated(word)
    if not sf and field(word, 15, 1):
        return unallocated(word)
    return Insn(
        word,
        "extr",
        Group.DATA_IMMEDIATE,
        reads=listed(X[field(word, 5, 5)], X[field(word, 16, 5)]),
        writes=listed(X[word & 31]),
        immediate=field(word, 10, 6),
        is_32bit=not sf,
    )


def decode_data_register(word: int) -> Insn:
    """Return the instruction of a word whose bits [28:25] are x101."""
    if not field(word, 28, 1):
        if not field(word, 24, 1):
            return _decode_logical(word)
        return _decode_add_extended(word) if field(word, 21, 1) else _decode_add_shifted(word)
    op2 = field(word, 21, 4)
    if op2 >= 8:
        return _decode_three_sources(word)
    if op2 == 0:
        return _decode_carry(word)
    if op2 == 2:
        return _decode_conditional_compare(word)
    if op2 == 4:
        return _decode_conditional_select(word)
    if op2 == 6:
        return _decode_one_source(word) if field(word, 30, 1) else _decode_two_sources(word)
    return unallocated(word)


def _register(
    word: int,
    name: str,
    reads: tuple[str, ...],
    writes: tuple[str, ...],
    *,
    immediate: int | None = None,
    group: Group = Group.DATA_REGISTER,
) -> Insn:
    return Insn(word, name, group, reads, writes, immediate=immediate, is_32bit=not word >> 31)


def _decode_logical(word: int) -> Insn:
    if not word >> 31 and field(word, 15, 1):
        return unallocated(word)
    opc = field(word, 29, 2)
    name = _LOGICAL[opc << 1 | field(word, 21, 1)]
    rd, rn, rm = X[word & 31], X[field(word, 5, 5)], X[field(word, 16, 5)]
    return _register(word, name, listed(rn, rm), listed(rd, "nzcv") if opc == 3 else listed(rd))


def _decode_add_shifted(word: int) -> Insn:
    if field(word, 22, 2) == 3 or (not word >> 31 and field(word, 15, 1)):
        return unallocated(word)
    opc = field(word, 29, 2)
    rd, rn, rm = X[word & 31], X[field(word, 5, 5)], X[field(word, 16, 5)]
    return _register(
        word, _ADD_SUB[opc], listed(rn, rm), listed(rd, "nzcv") if opc & 1 else listed(rd)
    )


def _decode_add_extended(word: int) -> Insn:
    if field(word, 22, 2) or field(word, 10, 3) > 4:
        return unallocated(word)
    opc = field(word, 29, 2)
    rd, rn, rm = word & 31, X_OR_SP[field(word, 5, 5)], X[field(word, 16, 5)]
    return _register(
        word,
        _ADD_SUB[opc],
        listed(rn, rm),
        listed(X[rd], "nzcv") if opc & 1 else (X_OR_SP[rd],),
    )


def _decode_carry(word: int) -> Insn:
    opc, low = field(word, 29, 2), field(word, 10, 6)
    rd, rn, rm = word & 31, field(word, 5, 5), field(word, 16, 5)
    if low == 0:
        writes = listed(X[rd], "nzcv") if opc & 1 else listed(X[rd])
        name = ("adc", "adcs", "sbc", "sbcs")[opc]
        return _register(word, name, listed(X[rn], X[rm], "nzcv"), writes)
    if word >> 29 == 0b101 and low & 31 == 1 and not rd >> 4:
        reads = listed(X[rn], "nzcv")
        return _register(word, "rmif", reads, ("nzcv",), immediate=field(word, 15, 6))
    if word >> 29 == 0b001 and field(word, 15, 6) == 0 and low & 15 == 2 and rd == 0b01101:
        name = "setf16" if field(word, 14, 1) else "setf8"
        return _register(word, name, listed(X[rn], "nzcv"), ("nzcv",))
    if word >> 31 and not opc & 1 and low >> 3 == 1:
        name = "subpt" if opc else "addpt"
        return _register(word, name, listed(X_OR_SP[rn], X[rm]), (X_OR_SP[rd],))
    return unallocated(word)


def _decode_conditional_compare(word: int) -> Insn:
    if not field(word, 29, 1) or field(word, 10, 1) or field(word, 4, 1):
        return unallocated(word)
    name = "ccmp" if field(word, 30, 1) else "ccmn"
    rn, rm = X[field(word, 5, 5)], field(word, 16, 5)
    if field(word, 11, 1):
        return _register(word, name, listed(rn, "nzcv"), ("nzcv",), immediate=rm)
    return _register(word, name, listed(rn, X[rm], "nzcv"), ("nzcv",))


def _decode_conditional_select(word: int) -> Insn:
    if field(word, 29, 1) or field(word, 11, 1):
        return unallocated(word)
    name = ("csel", "csinc", "csinv", "csneg")[field(word, 30, 1) << 1 | field(word, 10, 1)]
    rd, rn, rm = X[word & 31], X[field(word, 5, 5)], X[field(word, 16, 5)]
    return _register(word, name, listed(rn, rm, "nzcv"), listed(rd))


def _decode_two_sources(word: int) -> Insn:
    name, sf = _TWO_SOURCES.get(field(word, 10, 6), ("", None))
    sets_flags = field(word, 29, 1)
    if not name or (sf is not None and sf != word >> 31) or (sets_flags and name != "subp"):
        return unallocated(word)
    rd, rn, rm = word & 31, field(word, 5, 5), field(word, 16, 5)
    if name == "subp":
        reads = listed(X_OR_SP[rn], X_OR_SP[rm])
        if sets_flags:
            return _register(word, "subps", reads, listed(X[rd], "nzcv"))
        return _register(word, name, reads, listed(X[rd]))
    if name == "irg":
        return _register(word, name, listed(X_OR_SP[rn], X[rm]), (X_OR_SP[rd],))
    if name == "gmi":
        return _register(word, name, listed(X_OR_SP[rn], X[rm]), listed(X[rd]))
    if name == "pacga":
        reads = listed(X[rn], X_OR_SP[rm])
        return _register(word, name, reads, listed(X[rd]), group=Group.POINTER_AUTH)
    return _register(word, name, listed(X[rn], X[rm]), listed(X[rd]))


def _decode_one_source(word: int) -> Insn:
    sf, opcode2, opcode = word >> 31, field(word, 16, 5), field(word, 10, 6)
    rd, rn = X[word & 31], field(word, 5, 5)
    if field(word, 29, 1):
        return unallocated(word)
    if opcode2 == 0:
        name = _ONE_SOURCE.get(opcode, ("", ""))[sf]
        return _register(word, name, listed(X[rn]), listed(rd)) if name else unallocated(word)
    if opcode2 != 1 or not sf:
        return unallocated(word)
    reads: tuple[str, ...]
    if opcode < 8:
        name, reads = _POINTER_AUTH[opcode], listed(rd, X_OR_SP[rn])
    elif opcode < 16 and rn == 31:
        plain = _POINTER_AUTH[opcode - 8]
        name, reads = plain[:-1] + "z" + plain[-1], listed(rd)
    elif opcode in (0b010000, 0b010001) and rn == 31:
        name, reads = ("xpaci", "xpacd")[opcode & 1], listed(rd)
    else:
        return unallocated(word)
    return _register(word, name, reads, listed(rd), group=Group.POINTER_AUTH)


def _decode_three_sources(word: int) -> Insn:
    name, sf = _THREE_SOURCES.get((field(word, 21, 3), field(word, 15, 1)), ("", None))
    if not name or field(word, 29, 2) or (sf is not None and sf != word >> 31):
        return unallocated(word)
    rd, rn, rm = X[word & 31], X[field(word, 5, 5)], X[field(word, 16, 5)]
    if name in ("smulh", "umulh"):
        return _register(word, name, listed(rn, rm), listed(rd))
    return _register(word, name, listed(rn, rm, X[field(word, 10, 5)]), listed(rd))
