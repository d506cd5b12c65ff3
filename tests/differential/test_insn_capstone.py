"""Our decoder beside capstone on random words: who knows the word, what it accesses, where it goes."""

import importlib
import random
from collections.abc import Iterator

import pytest

from whypanic.arch.insn import Group, Insn, decode

capstone = importlib.import_module("capstone")
arm64 = importlib.import_module("capstone.arm64")

ADDRESS = 0x100000
N_WORDS = 20_000

# Words that we allocate and capstone 5 does not, by mnemonic prefix and with the reason.
NEWER_THAN_CAPSTONE = {
    "FEAT_LRCPC3": ("ldapur", "stlur", "ldapr", "stlr", "ldiapp", "stilp"),
    "FEAT_CPA": ("maddpt", "msubpt", "addpt", "subpt"),
    "FEAT_CSSC": ("smax", "umax", "smin", "umin", "abs", "cnt", "ctz"),
    "FEAT_D128, FEAT_SYSINSTR128": ("mrrs", "msrr", "sysp"),
    "FEAT_THE": ("rcw",),
    "FEAT_LSE128": ("swpp", "ldclrp", "ldsetp"),
    "FEAT_PAuth_LR": ("retaasppc", "retabsppc", "autiasppc", "autibsppc"),
    "FEAT_MTE, absent from capstone 5": ("stgp",),
}
# Fields that are (1) in the manual: a CPU may take any value, capstone takes only ones.
SHOULD_BE_ONE = ("ld", "st")
# Words that capstone names and we do not: generic spellings of unallocated system space; CPY*, SET* with XZR
# are UNDEFINED.
GENERIC = ("msr", "mrs", "cpy", "set", "hint")


@pytest.fixture(scope="module")
def disassembler() -> object:
    engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
    engine.detail = True
    return engine


def _pairs(engine: object, groups: str) -> Iterator[tuple[int, Insn, object]]:
    source = random.Random(groups)
    for _ in range(N_WORDS):
        word = source.getrandbits(32)
        if groups == "memory":
            word = word & ~(1 << 25) | 1 << 27
        elif groups == "branches":
            word = word & ~(0xF << 25) | 0b1010 << 25
        found = engine.disasm(word.to_bytes(4, "little"), ADDRESS, 1)  # type: ignore[attr-defined]
        yield word, decode(word), next(iter(found), None)


def _is_refused(insn: Insn) -> bool:
    """CONSTRAINED UNPREDICTABLE forms, and fields that should be one: capstone refuses them."""
    memory = insn.memory
    if memory is None:
        return False
    same_pair = len(memory.data) == 2 and memory.load and memory.data[0] == memory.data[1]
    status_reused = memory.exclusive or (insn.mnemonic.startswith(SHOULD_BE_ONE) and memory.ordered)
    # LLVM's decoder takes LDTR* for a form with writeback.
    is_indexed = memory.writeback is not None or memory.unprivileged
    return same_pair or status_reused or (is_indexed and memory.base in memory.data)


@pytest.mark.parametrize("groups", ["all", "memory", "branches"])
def test_allocation(disassembler: object, groups: str) -> None:
    newer = tuple(prefix for prefixes in NEWER_THAN_CAPSTONE.values() for prefix in prefixes)
    odd = []
    for word, insn, theirs in _pairs(disassembler, groups):
        if insn.group in (Group.SVE, Group.SME, Group.FP_SIMD):
            continue
        if theirs is None:
            known = insn.group is Group.UNALLOCATED or insn.mnemonic.startswith(newer)
            if not known and not _is_refused(insn):
                odd.append((hex(word), insn.mnemonic))
        elif insn.group is Group.UNALLOCATED and not theirs.mnemonic.startswith(GENERIC):  # type: ignore[attr-defined]
            odd.append((hex(word), theirs.mnemonic))  # type: ignore[attr-defined]
    assert odd == []


def _name(engine: object, register: int) -> str | None:
    name = engine.reg_name(register) if register else None  # type: ignore[attr-defined]
    if name in ("xzr", "wzr", None):
        return None
    return {"fp": "x29", "lr": "x30"}.get(name, name.replace("w", "x") if name[0] == "w" else name)


def test_addresses(disassembler: object) -> None:
    odd, n_seen = [], 0
    for word, insn, theirs in _pairs(disassembler, "memory"):
        memory = insn.memory
        if theirs is None or insn.mnemonic.startswith(("cpy", "set")) or memory is None:
            continue
        operands = [o for o in theirs.operands if o.type == arm64.ARM64_OP_MEM]  # type: ignore[attr-defined]
        if memory.base == "pc":
            continue
        if not operands:
            odd.append((hex(word), "no memory operand"))
            continue
        n_seen += 1
        mem = operands[0].mem
        seen = (_name(disassembler, mem.base), mem.disp, _name(disassembler, mem.index))
        if seen != (memory.base, memory.offset, memory.index):
            odd.append((hex(word), seen))
    assert odd == []
    assert n_seen > 5_000


def test_branch_targets(disassembler: object) -> None:
    n_seen = 0
    for word, insn, theirs in _pairs(disassembler, "branches"):
        if theirs is None or insn.branch is None or insn.branch.offset is None:
            continue
        n_seen += 1
        target = [o.imm for o in theirs.operands if o.type == arm64.ARM64_OP_IMM][-1]  # type: ignore[attr-defined]
        assert target == ADDRESS + insn.branch.offset, hex(word)
    assert n_seen > 3_000
