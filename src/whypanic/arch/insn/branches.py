"""Branches and exception generation.

Source: Arm ARM DDI 0487, "Branches, Exception Generating and System instructions".
"""

from whypanic.arch.insn.record import (
    CONDITIONS,
    X_OR_SP,
    Branch,
    Group,
    Insn,
    X,
    field,
    listed,
    signed,
    unallocated,
)
from whypanic.arch.insn.system import decode_system

# Exception generation, 11010100 opc imm16 op2 LL: (opc, op2:LL).
_EXCEPTIONS = {
    (0b000, 0b00001): "svc",
    (0b000, 0b00010): "hvc",
    (0b000, 0b00011): "smc",
    (0b001, 0b00000): "brk",
    (0b010, 0b00000): "hlt",
    (0b011, 0b00000): "tcancel",
    (0b101, 0b00001): "dcps1",
    (0b101, 0b00010): "dcps2",
    (0b101, 0b00011): "dcps3",
}

# Branch (register), 1101011 opc op2=11111 op3 Rn op4, where Rn holds the target.
_REGISTER_KINDS = ("br", "blr", "ret")


def decode_branch(word: int) -> Insn:
    """Return the instruction of a word whose bits [28:25] are 101x."""
    top = word >> 24
    if top & 0x7C == 0x14:
        return _decode_immediate(word)
    if top & 0x7E == 0x34:
        return _decode_compare(word)
    if top & 0x7E == 0x36:
        return _decode_test(word)
    if top == 0x54:
        return _decode_conditional(word)
    if top == 0x55:
        return _decode_return_with_pc(word)
    if top == 0xD4:
        return _decode_exception(word)
    if top == 0xD5:
        return decode_system(word)
    if top & 0xFE == 0xD6:
        return _decode_register(word)
    return unallocated(word)


def _decode_immediate(word: int) -> Insn:
    offset = signed(word, 26) * 4
    if word >> 31:
        branch = Branch("bl", offset, link=True)
        return Insn(word, "bl", Group.BRANCH, writes=("x30",), branch=branch)
    return Insn(word, "b", Group.BRANCH, branch=Branch("b", offset))


def _decode_compare(word: int) -> Insn:
    kind = "cbnz" if field(word, 24, 1) else "cbz"
    register = X[word & 31]
    return Insn(
        word,
        kind,
        Group.BRANCH_CONDITIONAL,
        reads=listed(register),
        branch=Branch(kind, signed(word >> 5, 19) * 4, register),
        is_32bit=not word >> 31,
    )


def _decode_test(word: int) -> Insn:
    kind = "tbnz" if field(word, 24, 1) else "tbz"
    register = X[word & 31]
    return Insn(
        word,
        kind,
        Group.BRANCH_CONDITIONAL,
        reads=listed(register),
        branch=Branch(kind, signed(word >> 5, 14) * 4, register),
        immediate=field(word, 31, 1) << 5 | field(word, 19, 5),
        is_32bit=not word >> 31,
    )


def _decode_conditional(word: int) -> Insn:
    condition = CONDITIONS[word & 15]
    name = "bc." if field(word, 4, 1) else "b."
    return Insn(
        word,
        name + condition,
        Group.BRANCH_CONDITIONAL,
        reads=("nzcv",),
        branch=Branch("b.cond", signed(word >> 5, 19) * 4, condition=condition),
    )


def _decode_return_with_pc(word: int) -> Insn:
    """RETAASPPC, RETABSPPC: 01010101 00 M imm16 11111 (FEAT_PAuth_LR)."""
    if field(word, 22, 2) or word & 31 != 31:
        return unallocated(word)
    return Insn(
        word,
        "retabsppc" if field(word, 21, 1) else "retaasppc",
        Group.BRANCH_REGISTER,
        reads=("x30", "sp"),
        branch=Branch("ret", register="x30", authenticated=True),
    )


def _decode_exception(word: int) -> Insn:
    name = _EXCEPTIONS.get((field(word, 21, 3), word & 31))
    if name is None:
        return unallocated(word)
    return Insn(word, name, Group.EXCEPTION, immediate=field(word, 5, 16))


def _decode_register(word: int) -> Insn:
    opc, op3 = field(word, 21, 4), field(word, 10, 6)
    rn, op4 = field(word, 5, 5), word & 31
    if field(word, 16, 5) != 0b11111:
        return unallocated(word)
    if opc in (0b0100, 0b0101) and rn == 31:
        return _decode_exception_return(word, opc, op3, op4)
    plain = op3 == 0 and op4 == 0
    key = "b" if op3 & 1 else "a"
    suffix = ""
    modifier: tuple[str, ...] = ()
    if opc < 3 and plain:
        pass
    elif opc == 2 and op3 >> 1 == 1 and rn == 31:
        # RETAA and RETAB take SP, RETAASPPCR and RETABSPPCR (FEAT_PAuth_LR) also a register.
        suffix = f"a{key}" if op4 == 31 else f"a{key}sppcr"
        rn, modifier = 30, listed("sp", X[op4])
    elif opc < 2 and op3 >> 1 == 1 and op4 == 31:
        suffix = f"a{key}z"
    elif opc in (8, 9) and op3 >> 1 == 1:
        suffix, modifier = f"a{key}", (X_OR_SP[op4],)
    else:
        return unallocated(word)
    kind = _REGISTER_KINDS[opc & 3]
    link = kind == "blr"
    return Insn(
        word,
        kind + suffix,
        Group.BRANCH_REGISTER,
        reads=listed(X[rn], *modifier),
        writes=("x30",) if link else (),
        branch=Branch(kind, register=X[rn], link=link, authenticated=bool(suffix)),
    )


def _decode_exception_return(word: int, opc: int, op3: int, op4: int) -> Insn:
    if op3 == 0 and op4 == 0:
        name = "eret" if opc == 4 else "drps"
        return Insn(word, name, Group.BRANCH_REGISTER, branch=Branch("eret"))
    if opc == 4 and op3 >> 1 == 1 and op4 == 31:
        name = "eretab" if op3 & 1 else "eretaa"
        branch = Branch("eret", authenticated=True)
        return Insn(word, name, Group.BRANCH_REGISTER, reads=("sp",), branch=branch)
    return unallocated(word)
