"""Loads and stores of one register or a pair. Source: Arm ARM DDI 0487, "Loads and Stores"."""

from whypanic.arch.insn.atomics import (
    decode_atomic,
    decode_compare_pair_or_memory_copy,
    decode_exclusive,
)
from whypanic.arch.insn.fp_simd import decode_structure
from whypanic.arch.insn.record import (
    X_OR_SP,
    Group,
    Insn,
    Memory,
    V,
    X,
    field,
    listed,
    signed,
    unallocated,
)

# size << 2 | opc of the general-register forms -> (name without its addressing letter, load, signed).
# The letter `r` becomes `ur` for unscaled and `tr` for unprivileged forms.
_SINGLE: dict[int, tuple[str, bool, bool]] = {
    0b0000: ("strb", False, False),
    0b0001: ("ldrb", True, False),
    0b0010: ("ldrsb", True, True),
    0b0011: ("ldrsb", True, True),
    0b0100: ("strh", False, False),
    0b0101: ("ldrh", True, False),
    0b0110: ("ldrsh", True, True),
    0b0111: ("ldrsh", True, True),
    0b1000: ("str", False, False),
    0b1001: ("ldr", True, False),
    0b1010: ("ldrsw", True, True),
    0b1100: ("str", False, False),
    0b1101: ("ldr", True, False),
    0b1110: ("prfm", False, False),
}
_PREFETCH = 0b1110

# Pair: (V, opc) -> (suffix, log2 of the bytes of one register); stgp and ldpsw are named apart.
_PAIRS = {
    (0, 0b00): 2,
    (0, 0b01): 2,
    (0, 0b10): 3,
    (1, 0b00): 2,
    (1, 0b01): 3,
    (1, 0b10): 4,
}

_EXTENDS = {0b010: "uxtw", 0b011: "lsl", 0b110: "sxtw", 0b111: "sxtx"}

_TAG_STORES = ("stg", "stzg", "st2g", "stz2g")
_TAG_BLOCKS = ("stzgm", "", "stgm", "ldgm")
_TAG_GRANULE = 16


def decode_load_store(word: int) -> Insn:
    """Return the instruction of a word whose bits [28:25] are x1x0."""
    kind, is_simd, low = field(word, 28, 2), field(word, 26, 1), field(word, 24, 1)
    if kind == 0:
        if is_simd:
            return decode_structure(word)
        return unallocated(word) if low else decode_exclusive(word)
    if kind == 1:
        return _decode_literal_or_late(word, low)
    if kind == 2:
        return _decode_pair(word)
    return _decode_single(word, low)


def _decode_literal_or_late(word: int, low: int) -> Insn:
    if not low:
        return _decode_literal(word)
    option = field(word, 10, 2)
    if not field(word, 21, 1):
        if option == 0 and not field(word, 26, 1):
            return _decode_ordered_unscaled(word)
        if option == 2 and field(word, 26, 1):
            return _decode_ordered_unscaled_simd(word)
        if option == 2:
            return _decode_ordered_pair_or_writeback(word)
        if option == 1 and word >> 30 == 0:
            return decode_compare_pair_or_memory_copy(word)
        return unallocated(word)
    if field(word, 26, 1):
        return unallocated(word)
    if word >> 30 == 3:
        return _decode_tag(word, option)
    return decode_compare_pair_or_memory_copy(word)


def _access(
    word: int, name: str, memory: Memory, *extra_reads: str, is_32bit: bool = False
) -> Insn:
    """Return a load or store whose registers follow from its `memory` and the extra ones."""
    reads = [name for name in (memory.base, memory.index) if name and name != "pc"]
    writes: tuple[str, ...] = ()
    if memory.store:
        reads += memory.data
    elif memory.load:
        writes = memory.data
    if memory.writeback:
        writes = (*writes, memory.base)
    registers = listed(*reads, *extra_reads), listed(*writes)
    return Insn(word, name, Group.LOAD_STORE, *registers, memory, is_32bit=is_32bit)


def _decode_literal(word: int) -> Insn:
    opc, is_simd, rt = word >> 30, field(word, 26, 1), word & 31
    offset = signed(word >> 5, 19) * 4
    if is_simd:
        if opc == 3:
            return unallocated(word)
        memory = Memory("pc", offset, size=4 << opc, load=True, fp=True, data=(V[rt],))
        return _access(word, "ldr", memory)
    if opc == 3:
        return _access(word, "prfm", Memory("pc", offset, prefetch=True))
    size = 8 if opc == 1 else 4
    memory = Memory("pc", offset, size=size, load=True, signed=opc == 2, data=(X[rt],))
    return _access(word, "ldrsw" if opc == 2 else "ldr", memory, is_32bit=opc == 0)


def _decode_pair(word: int) -> Insn:
    opc, is_simd = word >> 30, field(word, 26, 1)
    mode, is_load = field(word, 23, 2), bool(field(word, 22, 1))
    scale = _PAIRS.get((is_simd, opc))
    if scale is None:
        return unallocated(word)
    names = V if is_simd else X
    size = 1 << scale
    name, step, is_tag, is_signed = "ldp" if is_load else "stp", size, False, False
    if mode == 0:
        name = "ldnp" if is_load else "stnp"
    if not is_simd and opc == 1:
        if mode == 0:
            return unallocated(word)
        if is_load:
            name, is_signed = "ldpsw", True
        else:
            name, size, step, is_tag = "stgp", 8, _TAG_GRANULE, True
    offset = signed(word >> 15, 7) * step
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        0 if mode == 1 else offset,
        size=size,
        n_elements=2,
        load=is_load,
        store=not is_load,
        writeback=(None, "post", None, "pre")[mode],
        step=offset if mode & 1 else None,
        signed=is_signed,
        fp=bool(is_simd),
        tag=is_tag,
        data=(names[word & 31], names[field(word, 10, 5)]),
    )
    return _access(word, name, memory, is_32bit=not is_simd and opc == 0)


def _decode_single(word: int, unsigned_offset: int) -> Insn:
    if unsigned_offset:
        return _single(word, "", scaled=field(word, 10, 12))
    option = field(word, 10, 2)
    if not field(word, 21, 1):
        offset = signed(word >> 12, 9)
        return _single(word, ("unscaled", "post", "unprivileged", "pre")[option], offset)
    if option == 2:
        extend = _EXTENDS.get(field(word, 13, 3))
        if extend is None:
            return unallocated(word)
        return _single(word, "index", extend=extend)
    if field(word, 26, 1):
        return unallocated(word)
    if option & 1:
        return _decode_authenticated(word)
    return decode_atomic(word)


def _single(
    word: int, mode: str, offset: int = 0, *, scaled: int | None = None, extend: str | None = None
) -> Insn:
    """Return a load or store of one register; `mode` says how the address is formed."""
    size_field, opc, rt = word >> 30, field(word, 22, 2), word & 31
    is_simd = field(word, 26, 1)
    is_signed = is_prefetch = False
    if is_simd:
        log2 = size_field | (opc >> 1) << 2
        if log2 > 4 or mode == "unprivileged":
            return unallocated(word)
        name, is_load = ("ldr", True) if opc & 1 else ("str", False)
        data: tuple[str, ...] = (V[rt],)
        is_32bit = False
    else:
        log2 = size_field
        key = size_field << 2 | opc
        row = _SINGLE.get(key)
        is_prefetch = key == _PREFETCH
        if row is None or (is_prefetch and mode in ("pre", "post", "unprivileged")):
            return unallocated(word)
        name, is_load, is_signed = row
        data = () if is_prefetch else (X[rt],)
        is_32bit = size_field < 3 and opc != 2
    if is_prefetch:
        name = "prfum" if mode == "unscaled" else "prfm"
    elif mode in ("unscaled", "unprivileged"):
        letter = "u" if mode == "unscaled" else "t"
        name = name[:2] + letter + name[2:]
    index = None
    if extend is not None:
        index = X[field(word, 16, 5)]
        index = None if index == "xzr" else index
    offset = offset if scaled is None else scaled << log2
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        0 if mode == "post" else offset,
        index,
        extend if index else None,
        log2 if index and field(word, 12, 1) else 0,
        0 if is_prefetch else 1 << log2,
        load=is_load,
        store=not is_load and not is_prefetch,
        writeback=mode if mode in ("pre", "post") else None,
        step=offset if mode in ("pre", "post") else None,
        unprivileged=mode == "unprivileged",
        prefetch=is_prefetch,
        signed=is_signed,
        fp=bool(is_simd),
        data=data,
    )
    return _access(word, name, memory, is_32bit=is_32bit)


def _decode_authenticated(word: int) -> Insn:
    """LDRAA, LDRAB: 11 111000 M S 1 imm9 W 1 Rn Rt."""
    if word >> 30 != 3:
        return unallocated(word)
    offset = signed(field(word, 22, 1) << 9 | field(word, 12, 9), 10) * 8
    is_pre = bool(field(word, 11, 1))
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        offset,
        size=8,
        load=True,
        writeback="pre" if is_pre else None,
        step=offset if is_pre else None,
        data=(X[word & 31],),
    )
    return _access(word, "ldrab" if field(word, 23, 1) else "ldraa", memory)


def _decode_ordered_unscaled(word: int) -> Insn:
    """LDAPUR*, STLUR*: size 011001 opc 0 imm9 00 Rn Rt (FEAT_LRCPC2)."""
    size, opc = word >> 30, field(word, 22, 2)
    row = _SINGLE.get(size << 2 | opc)
    if row is None or row[0] == "prfm":
        return unallocated(word)
    plain, is_load, is_signed = row
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        signed(word >> 12, 9),
        size=1 << size,
        load=is_load,
        store=not is_load,
        ordered=True,
        signed=is_signed,
        data=(X[word & 31],),
    )
    name = ("ldapur" if is_load else "stlur") + plain[3:]
    return _access(word, name, memory, is_32bit=size < 3 and opc != 2)


def _decode_ordered_unscaled_simd(word: int) -> Insn:
    """LDAPUR, STLUR of a vector register: size 011101 opc 0 imm9 10 Rn Rt (FEAT_LRCPC3)."""
    log2, is_load = word >> 30 | field(word, 23, 1) << 2, bool(field(word, 22, 1))
    if log2 > 4:
        return unallocated(word)
    memory = Memory(
        X_OR_SP[field(word, 5, 5)],
        signed(word >> 12, 9),
        size=1 << log2,
        load=is_load,
        store=not is_load,
        ordered=True,
        fp=True,
        data=(V[word & 31],),
    )
    return _access(word, "ldapur" if is_load else "stlur", memory)


def _decode_ordered_pair_or_writeback(word: int) -> Insn:
    """FEAT_LRCPC3: LDIAPP and STILP (1x 011001 0 L 0 Rt2 000x 10), LDAPR post and STLR pre (1x 011001 1 L 0)."""
    if not word >> 31:
        return unallocated(word)
    size, is_load = (8 if field(word, 30, 1) else 4), bool(field(word, 22, 1))
    base, rt = X_OR_SP[field(word, 5, 5)], X[word & 31]
    rt2, opc2 = field(word, 16, 5), field(word, 12, 4)
    data: tuple[str, ...]
    if field(word, 23, 1):
        if rt2 or opc2:
            return unallocated(word)
        n, data, name, has_writeback = 1, (rt,), "ldapr" if is_load else "stlr", True
    elif opc2 < 2:
        n, data, name = 2, (rt, X[rt2]), "ldiapp" if is_load else "stilp"
        has_writeback = opc2 == 0
    else:
        return unallocated(word)
    step = n * size if is_load else -n * size
    memory = Memory(
        base,
        step if has_writeback and not is_load else 0,
        size=size,
        n_elements=n,
        load=is_load,
        store=not is_load,
        ordered=True,
        writeback=("post" if is_load else "pre") if has_writeback else None,
        step=step if has_writeback else None,
        data=data,
    )
    return _access(word, name, memory)


def _decode_tag(word: int, option: int) -> Insn:
    """Allocation tags: 11011001 opc 1 imm9 op2 Rn Rt (FEAT_MTE)."""
    opc, rt, base = field(word, 22, 2), word & 31, X_OR_SP[field(word, 5, 5)]
    offset = signed(word >> 12, 9) * _TAG_GRANULE
    if option == 0 and opc == 1:
        memory = Memory(base, offset, size=_TAG_GRANULE, load=True, tag=True, data=(X[rt],))
        return _access(word, "ldg", memory, X[rt])
    if option == 0:
        if offset:
            return unallocated(word)
        is_load = opc == 3
        memory = Memory(base, load=is_load, store=not is_load, tag=True, data=(X[rt],))
        return _access(word, _TAG_BLOCKS[opc], memory)
    memory = Memory(
        base,
        0 if option == 1 else offset,
        size=_TAG_GRANULE,
        n_elements=1 + (opc >> 1),
        store=True,
        writeback=(None, "post", None, "pre")[option],
        step=None if option == 2 else offset,
        tag=True,
        data=(X_OR_SP[rt],),
    )
    return _access(word, _TAG_STORES[opc], memory)
