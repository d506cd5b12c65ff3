"""Index, targets and load address of a table branch."""

from typing import TypeVar

import pytest

from builders.listings import OFFSET_SWITCH, PARANGE_SWITCH, REFERENCE_SWITCH, listing
from whypanic.code.indirect_branch import find_indirect_branches
from whypanic.code.switch_values import (
    CoreChoice,
    SwitchFit,
    SwitchSolution,
    SwitchSurvey,
    flags_at_return,
    solve,
    survey_switch,
)
from whypanic.model.context import CpuFeatures, KernelVersion
from whypanic.model.hyp import HypPanic, VmidBits
from whypanic.model.provenance import Derived, Fact, Source

T = TypeVar("T", bound=Derived)

PC = 0xFFFF0000089E6FD8


def survey(words: tuple[int, ...], base: int = 0) -> SwitchSurvey:
    (branch,) = find_indirect_branches(listing(words, base=base))
    found = survey_switch(branch)
    assert found is not None
    return found


def panic(ps: int, pc: int = PC) -> HypPanic:
    return HypPanic(
        source=Source(line=1), ps=ps, pc=pc, esr=0x86000004, far=pc, hpfar=0, par=0, vcpu=0
    )


def machine(raw: str = "0x002086") -> tuple[Fact, ...]:
    return (
        CpuFeatures(source=Source(line=9), raw=raw, bitmap=int(raw, 16), n_groups=1),
        KernelVersion(source=Source(line=3), release="4.14.0-rc7-dirty"),
    )


def only(facts: tuple[Derived, ...], cls: type[T]) -> T | None:
    return next((f for f in facts if isinstance(f, cls)), None)


def test_targets_of_the_reference_follow_from_its_words() -> None:
    targets = {p.picked: p.target for p in survey(REFERENCE_SWITCH).paths if p.reached}
    assert targets == {0: 0x5C, 1: 0x34, 2: 0x54, 3: 0x48, 4: 0x50}


def test_targets_follow_the_blocks_where_they_stand_in_another_order() -> None:
    targets = {p.picked: p.target for p in survey(PARANGE_SWITCH).paths if p.reached}
    assert targets == {0: 0x2C, 1: 0x44, 2: 0x3C, 3: 0x34, 4: 0x24}


def test_targets_are_offsets_whatever_the_printed_base() -> None:
    targets = [p.target for p in survey(PARANGE_SWITCH, base=0xFFFF000009001000).paths if p.reached]
    assert targets == [0x2C, 0x44, 0x3C, 0x34, 0x24]


def test_flags_at_the_branch() -> None:
    found = survey(REFERENCE_SWITCH)
    assert found.field == "ID_AA64MMFR0_EL1.PARange"
    assert {p.value: p.nzcv for p in found.paths if p.reached} == {0: 8, 1: 8, 2: 8, 3: 8, 4: 6}
    assert found.flag_line is not None
    assert found.flag_line.address == 0x8
    assert not any(p.reached for p in found.paths if p.value > 4)


def test_a_table_indexed_by_an_argument_has_no_survey() -> None:
    (branch,) = find_indirect_branches(listing(OFFSET_SWITCH))
    assert survey_switch(branch) is None


@pytest.mark.parametrize(
    ("ps", "core", "index", "load"),
    [
        (0x800003C9, "Cortex-A53", 2, 0xFFFF0000089E6F84),
        (0x600003C9, "Cortex-A57", 4, 0xFFFF0000089E6F88),
    ],
)
def test_flags_and_cores_leave_one_index(ps: int, core: str, index: int, load: int) -> None:
    facts = solve(survey(REFERENCE_SWITCH), panic(ps), machine())
    solution = only(facts, SwitchSolution)
    assert solution is not None
    assert solution.core == core
    assert solution.path.picked == index
    assert solution.load_address == load


def test_the_load_address_moves_with_pc() -> None:
    facts = solve(survey(REFERENCE_SWITCH), panic(0x800003C9, PC + 0x20000), machine())
    solution = only(facts, SwitchSolution)
    assert solution is not None
    assert solution.load_address == 0xFFFF000008A06F84


def test_cores_are_named_by_errata() -> None:
    choice = only(solve(survey(REFERENCE_SWITCH), panic(0x800003C9), machine()), CoreChoice)
    assert choice is not None
    assert dict(choice.cores) == {"Cortex-A57": 4, "Cortex-A53": 2}


def test_without_known_cores_several_values_fit_and_nothing_is_solved() -> None:
    facts = solve(survey(REFERENCE_SWITCH), panic(0x800003C9), ())
    fit = only(facts, SwitchFit)
    assert fit is not None
    assert [p.value for p in fit.paths] == [0, 1, 2, 3]
    assert only(facts, SwitchSolution) is None


def test_flags_that_no_value_leaves_fit_nothing() -> None:
    fit = only(solve(survey(REFERENCE_SWITCH), panic(0xA00003C9), machine()), SwitchFit)
    assert fit is not None
    assert fit.paths == ()


def test_the_later_compare_leaves_the_same_flags_with_8_bit_vmids_only() -> None:
    found = survey(REFERENCE_SWITCH)
    eight = VmidBits(source=Source(line=1), bits=8)
    sixteen = VmidBits(source=Source(line=1), bits=16)
    assert flags_at_return(found, 0x54, eight) == 0b1000
    assert flags_at_return(found, 0x54, sixteen) == 0b0110
    assert flags_at_return(found, 0x54, None) is None
