import pytest

from whypanic.arch.identification import identification
from whypanic.arch.insn import decode
from whypanic.replay.instruction_set import (
    Standing,
    allocation,
    has_authentication,
    needs_authentication,
)

OLD, MIDDLE, NEW = "Cortex-A53", "Cortex-A76", "Neoverse-V1"


def standing(word: int, core: str) -> Standing:
    """How an instruction stands on a core."""
    return allocation(decode(word), identification(core)).standing


@pytest.mark.parametrize(
    ("word", "first"),
    [
        (0x8B020020, OLD),  # add x0, x1, x2
        (0x9AC24C20, OLD),  # crc32x
        (0xF8220020, MIDDLE),  # ldadd
        (0xC8A27C23, MIDDLE),  # cas
        (0xF8BFC020, MIDDLE),  # ldapr x0, [x1]
        (0xD50B7C20, MIDDLE),  # dc cvap, x0
        (0xD500401F, NEW),  # cfinv
        (0xD9400020, NEW),  # ldapur x0, [x1]
        (0xDAC10020, NEW),  # pacia x0, x1
        (0xD65F0BFF, NEW),  # retaa
        (0xD503233F, OLD),  # paciasp is a hint everywhere
    ],
)
def test_features_come_with_cores(word: int, first: str) -> None:
    cores = (OLD, MIDDLE, NEW)
    for core in cores:
        runs = cores.index(core) >= cores.index(first)
        assert standing(word, core) is (Standing.RUNS if runs else Standing.UNDEFINED), core


@pytest.mark.parametrize(
    "word",
    [
        0x9ADF1020,  # irg x0, x1
        0xD9200820,  # stg x0, [x1]
        0xD50B7461,  # dc gva, x1
        0x19410440,  # cpyfm [x0]!, [x1]!, x2!
        0x19C20420,  # setp [x0]!, x1!, x2
        0xD5031000,  # wfet x0
        0x80000000,  # SME
        0x00010000,  # nothing
        0xF8200420,  # ldraa x0, [x1]
    ],
)
def test_what_cannot_be_run_is_never_undefined(word: int) -> None:
    assert {standing(word, core) for core in (OLD, MIDDLE, NEW)} == {Standing.UNKNOWN}


def test_without_the_register_a_feature_is_unknown() -> None:
    assert allocation(decode(0xF8220020), {}).standing is Standing.UNKNOWN
    assert allocation(decode(0xDAC10020), {}).standing is Standing.UNKNOWN


def test_the_hints_need_no_authentication() -> None:
    assert not needs_authentication(decode(0xD503233F))
    assert needs_authentication(decode(0xDAC10020))
    assert needs_authentication(decode(0xD65F0BFF))
    assert not has_authentication(identification(OLD))
    assert has_authentication(identification(NEW))
    assert has_authentication({})
