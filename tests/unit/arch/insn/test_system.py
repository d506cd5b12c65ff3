"""Hints, barriers, MRS, MSR and SYS."""

import pytest

from whypanic.arch.insn import Group, Memory, decode


@pytest.mark.parametrize(
    ("word", "mnemonic", "group"),
    [
        (0xD503201F, "nop", Group.HINT),
        (0xD503233F, "paciasp", Group.POINTER_AUTH),
        (0xD50323FF, "autibsp", Group.POINTER_AUTH),
        (0xD50324DF, "bti jc", Group.HINT),
        (0xD503221F, "esb", Group.HINT),
        (0xD5032FFF, "hint", Group.HINT),
        (0xD5033FDF, "isb", Group.SYSTEM),
        (0xD5033B9F, "dsb", Group.SYSTEM),
        (0xD508751F, "ic iallu", Group.SYSTEM),
        (0xD508871F, "tlbi", Group.SYSTEM),
        (0xD5032040, "unallocated", Group.UNALLOCATED),
    ],
)
def test_system(word: int, mnemonic: str, group: Group) -> None:
    insn = decode(word)
    assert (insn.mnemonic, insn.group, insn.memory) == (mnemonic, group, None)


@pytest.mark.parametrize(
    ("word", "name", "reads", "writes"),
    [
        (0xD5380709, "id_aa64mmfr0_el1", (), ("x9",)),
        (0xD51CC001, "vbar_el2", ("x1",), ()),
        (0xD538F220, "s3_0_c15_c2_1", (), ("x0",)),
        (0xD50342DF, "daifset", (), ()),
        (0xD51B4203, "nzcv", ("x3",), ("nzcv",)),
        (0xD53B4202, "nzcv", ("nzcv",), ("x2",)),
        (0xD53B2400, "rndr", (), ("x0", "nzcv")),
        (0xD50041BF, "spsel", (), ("sp",)),
    ],
)
def test_register_moves(
    word: int, name: str, reads: tuple[str, ...], writes: tuple[str, ...]
) -> None:
    insn = decode(word)
    assert (insn.system_register, insn.reads, insn.writes) == (name, reads, writes)


@pytest.mark.parametrize(
    ("word", "mnemonic", "memory"),
    [
        (0xD50B7423, "dc zva", Memory("x3", store=True, cache=True)),
        (0xD50B7E24, "dc civac", Memory("x4", cache=True)),
        (0xD50B7525, "ic ivau", Memory("x5", cache=True)),
        (0xD5087806, "at s1e1r", Memory("x6", cache=True)),
    ],
)
def test_operations_on_an_address(word: int, mnemonic: str, memory: Memory) -> None:
    insn = decode(word)
    assert (insn.mnemonic, insn.memory) == (mnemonic, memory)


def test_only_authentication_writes_the_link_register() -> None:
    assert decode(0xD503233F).writes == ("x30",)
    assert decode(0xD50324DF).writes == ()
