"""Exclusives, atomics, and the memory copy and set instructions. Source: Arm ARM DDI 0487, "Loads and Stores"."""

from whypanic.arch.insn.record import (
    X_OR_SP,
    Group,
    Insn,
    Memory,
    X,
    field,
    listed,
    unallocated,
)

_SIZES = ("b", "h", "", "")

# LD<op>: opc with o3 = 0.
_OPERATIONS = ("ldadd", "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin")

# RCW<op> (FEAT_THE) with o3 = 1, and the 128-bit forms of LD<op> and SWP (FEAT_LSE128): opc.
_READ_CHECK_WRITE = {0b001: "rcwclr", 0b010: "rcwswp", 0b011: "rcwset"}
_PAIR_OPERATIONS = {0b000: "swpp", 0b001: "ldclrp", 0b011: "ldsetp"}

_COPY = ("p", "m", "e")


def decode_exclusive(word: int) -> Insn:
    """Exclusive, ordered, and compare-and-swap: size 001000 o2 L o1 Rs o0 Rt2 Rn Rt."""
    o2, o1 = field(word, 23, 1), field(word, 21, 1)
    if o2:
        return _decode_compare_and_swap(word) if o1 else _decode_ordered(word)
    if o1 and not word >> 31:
        return _decode_compare_and_swap_pair(word)
    return _decode_exclusive_access(word, is_pair=bool(o1))


def _decode_exclusive_access(word: int, *, is_pair: bool) -> Insn:
    size, is_load, is_ordered = word >> 30, bool(field(word, 22, 1)), bool(field(word, 15, 1))
    rt, rt2 = X[word & 31], X[field(word, 10, 5)]
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=1 << size,
        n_elements=2 if is_pair else 1,
        load=is_load,
        store=not is_load,
        exclusive=True,
        ordered=is_ordered,
        data=(rt, rt2) if is_pair else (rt,),
    )
    suffix = "xp" if is_pair else "xr" + _SIZES[size]
    if is_load:
        return _build(word, ("lda" if is_ordered else "ld") + suffix, memory, (), memory.data)
    status = X[field(word, 16, 5)]
    return _build(word, ("stl" if is_ordered else "st") + suffix, memory, memory.data, (status,))


def _decode_ordered(word: int) -> Insn:
    size, is_load = word >> 30, bool(field(word, 22, 1))
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=1 << size,
        load=is_load,
        store=not is_load,
        ordered=True,
        data=(X[word & 31],),
    )
    # o0 = 0 is LDLAR and STLLR (FEAT_LOR).
    names = ("stlr", "ldar") if field(word, 15, 1) else ("stllr", "ldlar")
    name = names[is_load] + _SIZES[size]
    if is_load:
        return _build(word, name, memory, (), memory.data)
    return _build(word, name, memory, memory.data, ())


def _order(word: int, acquire: int, release: int) -> str:
    return ("a" if field(word, acquire, 1) else "") + ("l" if field(word, release, 1) else "")


def _decode_compare_and_swap(word: int) -> Insn:
    if field(word, 10, 5) != 31:
        return unallocated(word)
    size, order = word >> 30, _order(word, 22, 15)
    rs, rt = X[field(word, 16, 5)], X[word & 31]
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=1 << size,
        load=True,
        store=True,
        atomic=True,
        ordered=bool(order),
        data=(rs, rt),
    )
    return _build(word, "cas" + order + _SIZES[size], memory, (rs, rt), (rs,))


def _decode_compare_and_swap_pair(word: int) -> Insn:
    rs, rt = field(word, 16, 5), word & 31
    if field(word, 10, 5) != 31 or rs & 1 or rt & 1:
        return unallocated(word)
    order = _order(word, 22, 15)
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=8 if field(word, 30, 1) else 4,
        n_elements=2,
        load=True,
        store=True,
        atomic=True,
        ordered=bool(order),
        data=(X[rs], X[rs + 1], X[rt], X[rt + 1]),
    )
    insn = _build(word, "casp" + order, memory, memory.data, memory.data[:2])
    return insn._replace(is_32bit=memory.size == 4)


def decode_atomic(word: int) -> Insn:
    """LD<op>, SWP, LDAPR and their like: size 111000 A R 1 Rs o3 opc 00 Rn Rt."""
    size, o3, opc = word >> 30, field(word, 15, 1), field(word, 12, 3)
    if field(word, 26, 1):
        return unallocated(word)
    order = _order(word, 23, 22)
    rs, rt, base = X[field(word, 16, 5)], X[word & 31], X_OR_SP[field(word, 5, 5)]
    if not o3:
        name = _OPERATIONS[opc] + order + _SIZES[size]
    elif opc == 0:
        name = "swp" + order + _SIZES[size]
    elif opc == 4:
        if order != "a" or rs != "xzr":
            return unallocated(word)
        memory = Memory(base, size=1 << size, load=True, ordered=True, data=(rt,))
        return _build(word, "ldapr" + _SIZES[size], memory, (), (rt,))
    elif size == 3:
        return _decode_64_bytes(word)
    elif opc in _READ_CHECK_WRITE and size < 2:
        return _read_check_write(word, _READ_CHECK_WRITE[opc], order)
    else:
        return unallocated(word)
    memory = Memory(
        base,
        size=1 << size,
        load=True,
        store=True,
        atomic=True,
        ordered=bool(order),
        data=(rs, rt),
    )
    return _build(word, name, memory, (rs,), (rt,))


def _decode_64_bytes(word: int) -> Insn:
    """LD64B, ST64B, ST64BV, ST64BV0 (FEAT_LS64)."""
    opc, rs, rt = field(word, 12, 3), field(word, 16, 5), word & 31
    if field(word, 22, 2) or rt & 1 or rt > 22 or (opc in (0b001, 0b101) and rs != 31):
        return unallocated(word)
    data = tuple(X[n] for n in range(rt, rt + 8))
    memory = Memory(X_OR_SP[field(word, 5, 5)], size=8, n_elements=8, data=data)
    if opc == 0b101:
        return _build(word, "ld64b", memory._replace(load=True), (), data)
    name = {0b001: "st64b", 0b010: "st64bv0", 0b011: "st64bv"}.get(opc)
    if name is None:
        return unallocated(word)
    status = () if opc == 0b001 else (X[rs],)
    return _build(word, name, memory._replace(store=True), data, status)


def decode_compare_pair_or_memory_copy(word: int) -> Insn:
    """What shares x0 011x01 with the ordered forms: FEAT_LSE128, FEAT_THE, and CPY*, SET* (FEAT_MOPS)."""
    if field(word, 10, 2) == 1 and not field(word, 21, 1):
        return _decode_memory_copy(word)
    opc, option = field(word, 12, 3), field(word, 10, 2)
    order = _order(word, 23, 22)
    if field(word, 21, 1) and word >> 31 == 0 and field(word, 15, 1) and option == 0:
        if opc in _PAIR_OPERATIONS and not field(word, 30, 1):
            return _pair(word, _PAIR_OPERATIONS[opc] + order)
        if opc in _READ_CHECK_WRITE:
            prefix = "rcws" if field(word, 30, 1) else "rcw"
            return _pair(word, prefix + _READ_CHECK_WRITE[opc][3:] + "p" + order)
    if word >> 31 == 0 and field(word, 12, 4) == 0 and option >= 2:
        return _read_check_write_compare(word, order, is_pair=option == 3)
    return unallocated(word)


def _pair(word: int, name: str) -> Insn:
    pair = (X[word & 31], X[field(word, 16, 5)])
    if "xzr" in pair:
        return unallocated(word)
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=8,
        n_elements=2,
        load=True,
        store=True,
        atomic=True,
        ordered=bool(field(word, 22, 2)),
        data=pair,
    )
    return _build(word, name, memory, pair, pair)


def _read_check_write(word: int, name: str, order: str) -> Insn:
    rs, rt = X[field(word, 16, 5)], X[word & 31]
    if field(word, 30, 1):
        name = "rcws" + name[3:]
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=8,
        load=True,
        store=True,
        atomic=True,
        ordered=bool(order),
        data=(rs, rt),
    )
    return _build(word, name + order, memory, (rs,), (rt, "nzcv"))


def _read_check_write_compare(word: int, order: str, *, is_pair: bool) -> Insn:
    rs, rt = field(word, 16, 5), word & 31
    if is_pair and (rs & 1 or rt & 1):
        return unallocated(word)
    old = (X[rs], X[rs + 1]) if is_pair else (X[rs],)
    new = (X[rt], X[rt + 1]) if is_pair else (X[rt],)
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        size=8,
        n_elements=len(old),
        load=True,
        store=True,
        atomic=True,
        ordered=bool(order),
        data=old + new,
    )
    name = ("rcwscas" if field(word, 30, 1) else "rcwcas") + ("p" if is_pair else "") + order
    return _build(word, name, memory, old + new, (*old, "nzcv"))


def _decode_memory_copy(word: int) -> Insn:
    """CPY*, SET*: 00 011 o0 01 op1 0 Rs op2 01 Rn Rd. Extent and progress are in registers, so `size` is 0."""
    o0, op1, op2 = field(word, 26, 1), field(word, 22, 2), field(word, 12, 4)
    rs, rn, rd = field(word, 16, 5), field(word, 5, 5), word & 31
    distinct = len({rs, rn, rd}) == 3
    if rd == 31 or rn == 31 or not distinct:
        return unallocated(word)
    if op1 == 3:
        if op2 >= 12:
            return unallocated(word)
        name = ("setg" if o0 else "set") + _COPY[op2 >> 2]
        memory = Memory(X[rd], store=True, tag=bool(o0))
        return _build(word, name, memory, (X[rn], X[rs], "nzcv"), (X[rd], X[rn], "nzcv"))
    if rs == 31:
        return unallocated(word)
    name = ("cpy" if o0 else "cpyf") + _COPY[op1]
    memory = Memory(X[rd], load=True, store=True)
    registers = (X[rd], X[rs], X[rn], "nzcv")
    return _build(word, name, memory, registers, registers)


def _build(
    word: int, name: str, memory: Memory, reads: tuple[str, ...], writes: tuple[str, ...]
) -> Insn:
    return Insn(
        word,
        name,
        Group.LOAD_STORE,
        listed(memory.base, *reads),
        listed(*writes),
        memory,
        is_32bit=0 < memory.size < 8,
    )
