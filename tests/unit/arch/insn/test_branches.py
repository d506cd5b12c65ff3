"""Branches and exception generation, decoded from assembled words."""

import pytest

from whypanic.arch.insn import Branch, Group, decode

# Words: llvm-mc 14, -triple=aarch64.
BRANCHES = [
    (0xD61F0160, "br", Branch("br", register="x11")),
    (0xD63F0120, "blr", Branch("blr", register="x9", link=True)),
    (0xD65F03C0, "ret", Branch("ret", register="x30")),
    (0xD65F0BFF, "retaa", Branch("ret", register="x30", authenticated=True)),
    (0xD71F087F, "braa", Branch("br", register="x3", authenticated=True)),
    (0xD63F089F, "blraaz", Branch("blr", register="x4", link=True, authenticated=True)),
    (0xD69F03E0, "eret", Branch("eret")),
    (0x17FFFFFF, "b", Branch("b", -4)),
    (0x94000400, "bl", Branch("bl", 0x1000, link=True)),
    (0x54000088, "b.hi", Branch("b.cond", 16, condition="hi")),
    (0x34000043, "cbz", Branch("cbz", 8, "x3")),
    (0xB5FFFFDE, "cbnz", Branch("cbnz", -8, "x30")),
    (0xB7400065, "tbnz", Branch("tbnz", 12, "x5")),
]


@pytest.mark.parametrize(("word", "mnemonic", "branch"), BRANCHES)
def test_branch(word: int, mnemonic: str, branch: Branch) -> None:
    insn = decode(word)
    assert (insn.mnemonic, insn.branch) == (mnemonic, branch)


def test_registers_of_branches() -> None:
    assert decode(0xD71F087F).reads == ("x3", "sp")
    assert decode(0x94000400).writes == ("x30",)
    assert decode(0x54000088).reads == ("nzcv",)
    assert decode(0x34000043).is_32bit
    assert decode(0xB7400065).immediate == 40


@pytest.mark.parametrize(
    ("word", "mnemonic", "immediate"),
    [(0xD4210000, "brk", 0x800), (0xD4000002, "hvc", 0), (0xD4000021, "svc", 1)],
)
def test_exception_generation(word: int, mnemonic: str, immediate: int) -> None:
    insn = decode(word)
    assert (insn.group, insn.mnemonic, insn.immediate) == (Group.EXCEPTION, mnemonic, immediate)


@pytest.mark.parametrize("word", [0xD61F0161, 0xD65F0BDF, 0xD4210001, 0xD4800000, 0xD67F0000])
def test_reserved_encodings_are_unallocated(word: int) -> None:
    assert decode(word).group is Group.UNALLOCATED
