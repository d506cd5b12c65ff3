"""Exclusives, atomics, and memory copy and set."""

import pytest

from whypanic.arch.insn import Group, Memory, decode

LD_ST = {"load": True, "store": True, "atomic": True}
ROWS = [
    (
        0xC85FFC41,
        "ldaxr",
        Memory("x2", size=8, load=True, exclusive=True, ordered=True, data=("x1",)),
        ("x1",),
    ),
    (
        0xC800FC41,
        "stlxr",
        Memory("x2", size=8, store=True, exclusive=True, ordered=True, data=("x1",)),
        ("x0",),
    ),
    (
        0xC87F0861,
        "ldxp",
        Memory("x3", size=8, n_elements=2, load=True, exclusive=True, data=("x1", "x2")),
        ("x1", "x2"),
    ),
    (0x88DFFC41, "ldar", Memory("x2", size=4, load=True, ordered=True, data=("x1",)), ("x1",)),
    (0x089FFC41, "stlrb", Memory("x2", size=1, store=True, ordered=True, data=("x1",)), ()),
    (0xC8A17C62, "cas", Memory("x3", size=8, data=("x1", "x2"), **LD_ST), ("x1",)),
    (
        0x0860FC82,
        "caspal",
        Memory("x4", size=4, n_elements=2, ordered=True, data=("x0", "x1", "x2", "x3"), **LD_ST),
        ("x0", "x1"),
    ),
    (
        0xF8E10062,
        "ldaddal",
        Memory("x3", size=8, ordered=True, data=("x1", "x2"), **LD_ST),
        ("x2",),
    ),
    (0x38218062, "swpb", Memory("x3", size=1, data=("x1", "x2"), **LD_ST), ("x2",)),
    (0xF821305F, "ldset", Memory("x2", size=8, data=("x1", "xzr"), **LD_ST), ()),
    (0x78BFC041, "ldaprh", Memory("x2", size=2, load=True, ordered=True, data=("x1",)), ("x1",)),
]


@pytest.mark.parametrize(("word", "mnemonic", "memory", "writes"), ROWS)
def test_atomic(word: int, mnemonic: str, memory: Memory, writes: tuple[str, ...]) -> None:
    insn = decode(word)
    assert (insn.mnemonic, insn.memory, insn.writes) == (mnemonic, memory, writes)


def test_memory_copy_and_set() -> None:
    copy = decode(0x19010440)
    assert (copy.mnemonic, copy.group) == ("cpyfp", Group.LOAD_STORE)
    assert copy.memory == Memory("x0", load=True, store=True)
    fill = decode(0x19C20420)
    assert (fill.mnemonic, fill.memory) == ("setp", Memory("x0", store=True))
    assert fill.writes == ("x0", "x1", "nzcv")


def test_registers_of_memory_copy_must_differ() -> None:
    assert decode(0x19000400).group is Group.UNALLOCATED
