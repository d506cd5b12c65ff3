"""Vector structures, and the general registers that vector instructions touch."""

import pytest

from whypanic.arch.insn import Group, Memory, decode


@pytest.mark.parametrize(
    ("word", "mnemonic", "memory"),
    [
        (
            0x4CDF2020,
            "ld1",
            Memory(
                "x1",
                size=1,
                n_elements=64,
                load=True,
                writeback="post",
                step=64,
                fp=True,
                data=("v0", "v1", "v2", "v3"),
            ),
        ),
        (
            0x0D205881,
            "st2",
            Memory("x4", size=2, n_elements=2, store=True, fp=True, data=("v1", "v2")),
        ),
        (
            0x4DE2E81E,
            "ld4r",
            Memory(
                "x0",
                size=4,
                n_elements=4,
                load=True,
                writeback="post",
                fp=True,
                data=("v30", "v31", "v0", "v1"),
            ),
        ),
    ],
)
def test_structure(word: int, mnemonic: str, memory: Memory) -> None:
    insn = decode(word)
    assert (insn.mnemonic, insn.memory) == (mnemonic, memory)


@pytest.mark.parametrize(
    ("word", "reads", "writes"),
    [
        (0x9E660083, (), ("x3",)),  # fmov x3, d4
        (0x9E670064, ("x3",), ()),  # fmov d4, x3
        (0x1E212000, (), ("nzcv",)),  # fcmp s0, s1
        (0x0E073C41, (), ("x1",)),  # umov w1, v2.b[3]
        (0x1E780041, (), ("x1",)),  # fcvtzs w1, d2
        (0x9E620041, ("x2",), ()),  # scvtf d1, x2
        (0x9E430841, ("x2",), ()),  # ucvtf d1, x2, #62
    ],
)
def test_transfers(word: int, reads: tuple[str, ...], writes: tuple[str, ...]) -> None:
    insn = decode(word)
    assert (insn.group, insn.reads, insn.writes) == (Group.FP_SIMD, reads, writes)


def test_sve_may_write_a_general_register_and_the_flags() -> None:
    assert decode(0x04BF5029).writes == ("x9", "nzcv")
    assert decode(0x04BF5029).group is Group.SVE
    assert decode(0x80800000).group is Group.SME
