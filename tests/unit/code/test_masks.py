import random

import numpy as np
import pytest

from whypanic.arch.insn import Insn, decode
from whypanic.code.masks import MASKS, field, signed_field

FIXED = random.Random(5)


def samples(name: str) -> list[int]:
    """Return words that the mask takes and words one bit away from them."""
    mask, value = MASKS[name]
    words = [value | FIXED.getrandbits(32) & ~mask & 0xFFFFFFFF for _ in range(300)]
    near = [word ^ 1 << FIXED.randrange(32) for word in words]
    return [*words, *near, *(FIXED.getrandbits(32) for _ in range(2000))]


def memory(insn: Insn, *names: str) -> bool:
    return insn.memory is not None and insn.mnemonic in names


def shifted(word: int) -> bool:
    return not word >> 21 & 1 and not word >> 22 & 3


MEANS = {
    "br": lambda i: i.mnemonic == "br",
    "blr": lambda i: i.mnemonic == "blr",
    "br|blr": lambda i: i.mnemonic in ("br", "blr"),
    "ret": lambda i: i.mnemonic == "ret",
    "b": lambda i: i.mnemonic == "b",
    "bl": lambda i: i.mnemonic == "bl",
    "b|bl": lambda i: i.mnemonic in ("b", "bl"),
    "b.cond": lambda i: i.branch is not None and i.branch.kind == "b.cond",
    "cbz|cbnz": lambda i: i.mnemonic in ("cbz", "cbnz"),
    "tbz|tbnz": lambda i: i.mnemonic in ("tbz", "tbnz"),
    "adr": lambda i: i.mnemonic == "adr",
    "adrp": lambda i: i.mnemonic == "adrp",
    "add x imm": lambda i: i.mnemonic == "add" and i.immediate is not None and not i.is_32bit,
    "sub x imm": lambda i: i.mnemonic == "sub" and i.immediate is not None and not i.is_32bit,
    "movz": lambda i: i.mnemonic == "movz" and not i.is_32bit,
    "movn": lambda i: i.mnemonic == "movn" and not i.is_32bit,
    "movk": lambda i: i.mnemonic == "movk" and not i.is_32bit,
    "ldr x literal": lambda i: i.memory is not None and i.memory.base == "pc" and i.memory.size == 8 and not i.memory.fp,
    "mov": lambda i: i.mnemonic == "orr" and not i.is_32bit and shifted(i.word) and i.word >> 5 & 31 == 31
    and not i.word >> 10 & 63 and i.immediate is None,
    "add x shifted": lambda i: i.mnemonic == "add" and i.immediate is None and not i.is_32bit and shifted(i.word),
    "hint": lambda i: i.word & 0xFFFFF01F == 0xD503201F,
    "svc": lambda i: i.mnemonic == "svc",
    "hvc": lambda i: i.mnemonic == "hvc",
    "smc": lambda i: i.mnemonic == "smc",
    "brk": lambda i: i.mnemonic == "brk",
    "udf": lambda i: i.mnemonic == "udf",
    "ldr x uimm": lambda i: memory(i, "ldr") and i.memory is not None and i.memory.size == 8 and not i.memory.fp
    and i.memory.index is None and i.memory.base != "pc" and i.memory.writeback is None,
    "ldr x register": lambda i: memory(i, "ldr") and i.memory is not None and i.memory.size == 8 and not i.memory.fp
    and i.word >> 21 & 1 == 1 and i.word >> 24 == 0xF8 and i.word >> 10 & 3 == 2,
}  # fmt: skip


@pytest.mark.parametrize("name", MEANS)
def test_mask_is_what_the_decoder_names(name: str) -> None:
    mask = MASKS[name]
    wrong = []
    for word in samples(name):
        insn = decode(word)
        hit = mask.fits(word)
        if hit and insn.mnemonic == "unallocated":
            continue  # reserved options of a form: nothing else has that place
        if hit != MEANS[name](insn):
            wrong.append((hex(word), insn.mnemonic))
    assert wrong == []


@pytest.mark.parametrize("name", MASKS)
def test_arrays_and_single_words_agree(name: str) -> None:
    words = np.array(samples(name), np.uint32)
    hits = MASKS[name].hits(words)
    assert hits[:300].all()
    assert hits.tolist() == [MASKS[name].fits(int(word)) for word in words]


def test_value_has_no_bit_outside_its_mask() -> None:
    assert [name for name, m in MASKS.items() if m.value & ~m.mask] == []


def test_fields_are_cut_out_and_extended() -> None:
    words = np.array([0x97FFFFFF, 0x94000001], np.uint32)
    assert field(words, 26, 6).tolist() == [0x25, 0x25]
    assert signed_field(words, 0, 26).tolist() == [-1, 1]
