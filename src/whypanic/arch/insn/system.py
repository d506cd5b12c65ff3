"""Hints, barriers, MRS, MSR and SYS. Source: Arm ARM DDI 0487, "System instructions" (11010101)."""

from whypanic.arch.insn.record import Group, Insn, Memory, X, field, listed, unallocated
from whypanic.arch.insn.system_registers import name_register

# CRm:op2 of HINT -> (name, registers read, registers written).
_HINTS: dict[int, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    0: ("nop", (), ()),
    1: ("yield", (), ()),
    2: ("wfe", (), ()),
    3: ("wfi", (), ()),
    4: ("sev", (), ()),
    5: ("sevl", (), ()),
    6: ("dgh", (), ()),
    7: ("xpaclri", ("x30",), ("x30",)),
    8: ("pacia1716", ("x17", "x16"), ("x17",)),
    10: ("pacib1716", ("x17", "x16"), ("x17",)),
    12: ("autia1716", ("x17", "x16"), ("x17",)),
    14: ("autib1716", ("x17", "x16"), ("x17",)),
    16: ("esb", (), ()),
    17: ("psb csync", (), ()),
    18: ("tsb csync", (), ()),
    19: ("gcsb dsync", (), ()),
    20: ("csdb", (), ()),
    22: ("clrbhb", (), ()),
    24: ("paciaz", ("x30",), ("x30",)),
    25: ("paciasp", ("x30", "sp"), ("x30",)),
    26: ("pacibz", ("x30",), ("x30",)),
    27: ("pacibsp", ("x30", "sp"), ("x30",)),
    28: ("autiaz", ("x30",), ("x30",)),
    29: ("autiasp", ("x30", "sp"), ("x30",)),
    30: ("autibz", ("x30",), ("x30",)),
    31: ("autibsp", ("x30", "sp"), ("x30",)),
    32: ("bti", (), ()),
    34: ("bti c", (), ()),
    36: ("bti j", (), ()),
    38: ("bti jc", (), ()),
    39: ("pacm", (), ()),
    40: ("chkfeat", ("x16",), ("x16",)),
}

# op2 of the barriers, CRn = 0011.
_BARRIERS = {1: "dsb", 2: "clrex", 3: "tcommit", 4: "dsb", 5: "dmb", 6: "isb", 7: "sb"}

# MSR (immediate): (op1, op2) -> field of PSTATE.
_PSTATE_FIELDS = {
    (0, 3): "uao",
    (0, 4): "pan",
    (0, 5): "spsel",
    (1, 0): "allint",
    (3, 1): "ssbs",
    (3, 2): "dit",
    (3, 3): "svcr",
    (3, 4): "tco",
    (3, 6): "daifset",
    (3, 7): "daifclr",
}
_FLAG_OPERATIONS = {0: "cfinv", 1: "xaflag", 2: "axflag"}

# SYS with an address in Xt: (op1, CRn, CRm, op2) -> name.
# fmt: off
_ADDRESSED = {
    (0, 7,  6, 1): "dc ivac",    (0, 7,  6, 3): "dc igvac",   (0, 7,  6, 5): "dc igdvac",
    (3, 7,  4, 1): "dc zva",     (3, 7,  4, 3): "dc gva",     (3, 7,  4, 4): "dc gzva",
    (3, 7, 10, 1): "dc cvac",    (3, 7, 10, 3): "dc cgvac",   (3, 7, 10, 5): "dc cgdvac",
    (3, 7, 11, 1): "dc cvau",
    (3, 7, 12, 1): "dc cvap",    (3, 7, 12, 3): "dc cgvap",   (3, 7, 12, 5): "dc cgdvap",
    (3, 7, 13, 1): "dc cvadp",   (3, 7, 13, 3): "dc cgvadp",  (3, 7, 13, 5): "dc cgdvadp",
    (3, 7, 14, 1): "dc civac",   (3, 7, 14, 3): "dc cigvac",  (3, 7, 14, 5): "dc cigdvac",
    (3, 7,  5, 1): "ic ivau",
    (0, 7,  8, 0): "at s1e1r",   (0, 7,  8, 1): "at s1e1w",
    (0, 7,  8, 2): "at s1e0r",   (0, 7,  8, 3): "at s1e0w",
    (0, 7,  9, 0): "at s1e1rp",  (0, 7,  9, 1): "at s1e1wp",  (0, 7,  9, 2): "at s1e1a",
    (4, 7,  8, 0): "at s1e2r",   (4, 7,  8, 1): "at s1e2w",   (4, 7,  9, 2): "at s1e2a",
    (4, 7,  8, 4): "at s12e1r",  (4, 7,  8, 5): "at s12e1w",
    (4, 7,  8, 6): "at s12e0r",  (4, 7,  8, 7): "at s12e0w",
    (6, 7,  8, 0): "at s1e3r",   (6, 7,  8, 1): "at s1e3w",   (6, 7,  9, 2): "at s1e3a",
}
# SYS by set and way, on everything, or by physical address.
_UNADDRESSED = {
    (0, 7,  1, 0): "ic ialluis", (0, 7,  5, 0): "ic iallu",
    (0, 7,  6, 2): "dc isw",     (0, 7,  6, 4): "dc igsw",    (0, 7,  6, 6): "dc igdsw",
    (0, 7, 10, 2): "dc csw",     (0, 7, 10, 4): "dc cgsw",    (0, 7, 10, 6): "dc cgdsw",
    (0, 7, 14, 2): "dc cisw",    (0, 7, 14, 4): "dc cigsw",   (0, 7, 14, 6): "dc cigdsw",
    (4, 7, 14, 0): "dc cipae",   (4, 7, 14, 7): "dc cigdpae",
    (6, 7, 14, 1): "dc cipapa",  (6, 7, 14, 5): "dc cigdpapa",
}
# fmt: on
_WRITES_MEMORY = ("dc zva", "dc gzva")
_WRITES_TAGS = ("dc gva", "dc gzva")


def decode_system(word: int) -> Insn:
    """Return the instruction of a word whose top byte is 11010101."""
    rt = word & 31
    if field(word, 22, 2) == 1:
        return _decode_128_bit(word)
    if field(word, 22, 2):
        return unallocated(word)
    op0, op1, crn = field(word, 19, 2), field(word, 16, 3), field(word, 12, 4)
    if op0 >= 2:
        return _decode_register_move(word)
    if op0 == 1:
        return _decode_sys(word)
    if field(word, 21, 1):
        # TSTART and TTEST (FEAT_TME): SYSL-like, op0 = 00.
        if op1 == 3 and crn == 3 and field(word, 5, 3) == 3 and field(word, 8, 4) < 2:
            name = "ttest" if field(word, 8, 4) else "tstart"
            return Insn(word, name, Group.SYSTEM, writes=listed(X[rt]))
        return unallocated(word)
    if crn == 4:
        return _decode_pstate(word)
    if op1 != 3:
        return unallocated(word)
    if crn == 1 and not field(word, 8, 4) and field(word, 5, 3) < 2:
        name = "wfit" if field(word, 5, 3) else "wfet"
        return Insn(word, name, Group.SYSTEM, reads=listed(X[rt]))
    if crn == 2 and rt == 31:
        return _decode_hint(word)
    if crn == 3 and rt == 31:
        return _decode_barrier(word)
    return unallocated(word)


def _decode_hint(word: int) -> Insn:
    number = field(word, 5, 7)
    name, reads, writes = _HINTS.get(number, ("hint", (), ()))
    group = Group.POINTER_AUTH if writes and name != "chkfeat" else Group.HINT
    return Insn(word, name, group, reads, writes, immediate=number)


def _decode_barrier(word: int) -> Insn:
    crm, op2 = field(word, 8, 4), field(word, 5, 3)
    name = _BARRIERS.get(op2, "")
    if op2 == 1:
        allocated = crm & 3 == 2
    elif op2 in (3, 7):
        allocated = crm == 0
    else:
        allocated = bool(name)
    return Insn(word, name, Group.SYSTEM, immediate=crm) if allocated else unallocated(word)


def _decode_pstate(word: int) -> Insn:
    op1, crm, op2 = field(word, 16, 3), field(word, 8, 4), field(word, 5, 3)
    if word & 31 != 31:
        return unallocated(word)
    if op1 == 0 and op2 in _FLAG_OPERATIONS:
        name = _FLAG_OPERATIONS[op2]
        return Insn(word, name, Group.SYSTEM, reads=("nzcv",), writes=("nzcv",))
    name = _PSTATE_FIELDS.get((op1, op2), "")
    if not name:
        return unallocated(word)
    # Writing SPSel selects another stack pointer.
    writes = ("sp",) if name == "spsel" else ()
    return Insn(word, "msr", Group.SYSTEM, writes=writes, system_register=name, immediate=crm)


def _decode_register_move(word: int) -> Insn:
    name = name_register(field(word, 5, 16))
    rt = listed(X[word & 31])
    if field(word, 21, 1):
        flags = ("nzcv",) if name in ("rndr", "rndrrs") else ()
        reads = ("nzcv",) if name == "nzcv" else ()
        return Insn(word, "mrs", Group.SYSTEM, reads, (*rt, *flags), system_register=name)
    if name == "nzcv":
        writes: tuple[str, ...] = ("nzcv",)
    else:
        writes = ("sp",) if name == "spsel" else ()
    return Insn(word, "msr", Group.SYSTEM, rt, writes, system_register=name)


def _decode_128_bit(word: int) -> Insn:
    """MRRS, MSRR and SYSP (FEAT_D128, FEAT_SYSINSTR128): a pair of registers from an even Xt."""
    rt, op0, is_read = word & 31, field(word, 19, 2), field(word, 21, 1)
    if op0 == 1 and not is_read and (rt == 31 or not rt & 1):
        return Insn(word, "sysp", Group.SYSTEM, reads=listed(X[rt], X[min(rt + 1, 31)]))
    if op0 < 2 or rt & 1:
        return unallocated(word)
    pair, name = listed(X[rt], X[rt + 1]), name_register(field(word, 5, 16))
    if is_read:
        return Insn(word, "mrrs", Group.SYSTEM, writes=pair, system_register=name)
    return Insn(word, "msrr", Group.SYSTEM, reads=pair, system_register=name)


def _decode_sys(word: int) -> Insn:
    rt, crn = word & 31, field(word, 12, 4)
    if field(word, 21, 1):
        return Insn(word, "sysl", Group.SYSTEM, writes=listed(X[rt]))
    key = (field(word, 16, 3), crn, field(word, 8, 4), field(word, 5, 3))
    reads = listed(X[rt])
    name = _ADDRESSED.get(key)
    if name is None or rt == 31:
        name = name or _UNADDRESSED.get(key) or ("tlbi" if crn in (8, 9) else "sys")
        return Insn(word, name, Group.SYSTEM, reads)
    memory = Memory(X[rt], store=name in _WRITES_MEMORY, tag=name in _WRITES_TAGS, cache=True)
    return Insn(word, name, Group.SYSTEM, reads, memory=memory)
