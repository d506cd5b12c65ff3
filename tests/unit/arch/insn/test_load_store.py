"""Loads and stores of one register or a pair, decoded from assembled words."""

import pytest

from whypanic.arch.insn import Memory, decode

ROWS = [
    (0xF9400401, "ldr", Memory("x0", 8, size=8, load=True, data=("x1",))),
    (0xB8404401, "ldr", Memory("x0", size=4, load=True, writeback="post", step=4, data=("x1",))),
    (
        0xF81F0FE1,
        "str",
        Memory("sp", -16, size=8, store=True, writeback="pre", step=-16, data=("x1",)),
    ),
    (
        0x38A4C862,
        "ldrsb",
        Memory("x3", 0, "x4", "sxtw", size=1, load=True, signed=True, data=("x2",)),
    ),
    (0xF869794B, "ldr", Memory("x10", 0, "x9", "lsl", 3, 8, load=True, data=("x11",))),
    (0x39000C3F, "strb", Memory("x1", 3, size=1, store=True, data=("xzr",))),
    (0xF85E83A3, "ldur", Memory("x29", -24, size=8, load=True, data=("x3",))),
    (0x78000841, "sttrh", Memory("x2", size=2, store=True, unprivileged=True, data=("x1",))),
    (
        0xA8C27BFD,
        "ldp",
        Memory(
            "sp",
            size=8,
            n_elements=2,
            load=True,
            writeback="post",
            step=32,
            data=("x29", "x30"),
        ),
    ),
    (0x293F0861, "stp", Memory("x3", -8, size=4, n_elements=2, store=True, data=("x1", "x2"))),
    (0xA8010861, "stnp", Memory("x3", 16, size=8, n_elements=2, store=True, data=("x1", "x2"))),
    (
        0x69408861,
        "ldpsw",
        Memory("x3", 4, size=4, n_elements=2, load=True, signed=True, data=("x1", "x2")),
    ),
    (0x58000205, "ldr", Memory("pc", 64, size=8, load=True, data=("x5",))),
    (0x98FFFE05, "ldrsw", Memory("pc", -64, size=4, load=True, signed=True, data=("x5",))),
    (0xF9800400, "prfm", Memory("x0", 8, prefetch=True)),
    (0x3DC00820, "ldr", Memory("x1", 32, size=16, load=True, fp=True, data=("v0",))),
    (
        0xF87FEC41,
        "ldraa",
        Memory("x2", -16, size=8, load=True, writeback="pre", step=-16, data=("x1",)),
    ),
    (0x995FD041, "ldapur", Memory("x2", -3, size=4, load=True, ordered=True, data=("x1",))),
    (0xD9202841, "stg", Memory("x2", 32, size=16, store=True, tag=True, data=("x1",))),
    (
        0xD9BFF45F,
        "st2g",
        Memory(
            "x2",
            size=16,
            n_elements=2,
            store=True,
            tag=True,
            writeback="post",
            step=-16,
            data=("sp",),
        ),
    ),
    (0xD9601041, "ldg", Memory("x2", 16, size=16, load=True, tag=True, data=("x1",))),
]


@pytest.mark.parametrize(("word", "mnemonic", "memory"), ROWS)
def test_load_store(word: int, mnemonic: str, memory: Memory) -> None:
    insn = decode(word)
    assert (insn.mnemonic, insn.memory) == (mnemonic, memory)


def test_registers_include_base_index_and_writeback() -> None:
    assert decode(0xF869794B).reads == ("x10", "x9")
    assert decode(0xA8C27BFD).writes == ("x29", "x30", "sp")
    assert decode(0x39000C3F).reads == ("x1",)
    assert decode(0xF9800400).writes == ()


def test_width_follows_the_register_not_the_access() -> None:
    assert decode(0x38A4C862).is_32bit is False
    assert decode(0x78E47862).is_32bit is True


@pytest.mark.parametrize("word", [0xF8200800, 0xB8C0FC00 | 1 << 30, 0xDC000000, 0xE9400000])
def test_reserved_encodings_are_unallocated(word: int) -> None:
    assert decode(word).group == "unallocated"
