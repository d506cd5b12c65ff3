"""Values of a run against those of the log."""

import pytest

from whypanic.replay.compare import LogValues, Role, Value, compare, find_parting, is_reproduced
from whypanic.replay.protocol import Observation, Outcome, TraceLine

LOG = LogValues(pc=0xFFFF000008001000, far=0xFFFF000008001000, esr=0x86000004, pstate=0x800003C9)


def line(address: int, **writes: int | None) -> TraceLine:
    return TraceLine(address, 0xD503201F, (), tuple(writes.items()), (), "hyp text")


SET_FLAGS = (line(0x1000, nzcv=8),)


def seen(**changes: object) -> Observation:
    made = Observation(
        job="a",
        engine="unicorn",
        modelled=True,
        outcome=Outcome.FAULT,
        reason="",
        pc=LOG.pc,
        far=LOG.far,
        esr=LOG.esr,
        pstate=LOG.pstate,
        trace=SET_FLAGS,
    )
    return made._replace(**changes)  # type: ignore[arg-type]


def row(values: tuple[Value, ...], name: str) -> Value:
    return next(v for v in values if v.name == name)


def test_all_equal_is_reproduced() -> None:
    values = compare(LOG, seen())
    assert all(v.equal and v.role is Role.DERIVED for v in values)
    assert is_reproduced(values)


@pytest.mark.parametrize("name", ["pc", "far", "esr", "pstate"])
def test_one_other_value_is_not(name: str) -> None:
    values = compare(LOG, seen(**{name: 0x600003C9}))
    assert row(values, name).equal is False
    assert not is_reproduced(values)


def test_solved_values_do_not_count() -> None:
    values = compare(LOG, seen(), {"pc": Role.SOLVED, "far": Role.SOLVED})
    assert row(values, "pc").equal is True
    assert not is_reproduced(values)
    assert is_reproduced(compare(LOG, seen(), {"pc": Role.SOLVED}))


def test_flags_that_the_code_did_not_set_are_given() -> None:
    values = compare(LOG, seen(trace=(line(0x1000, x0=1),)))
    assert row(values, "pstate").role is Role.GIVEN
    assert not is_reproduced(values)


def test_without_a_trace_the_mask_tells_whether_flags_were_set() -> None:
    untraced = seen(engine="qemu", modelled=False, trace=())
    assert is_reproduced(compare(LOG, untraced))
    unset = compare(LOG, untraced._replace(pstate_known=0x0FFFFFFF))
    assert row(unset, "pstate").role is Role.GIVEN


def test_bits_that_the_run_does_not_know_are_not_compared() -> None:
    pan = 1 << 22
    values = compare(LOG, seen(pstate=LOG.pstate | pan, pstate_known=0xFFFFFFFF & ~pan))  # type: ignore[operator]
    assert row(values, "pstate").equal is True
    unknown_flags = compare(LOG, seen(pstate_known=0x0FFFFFFF))
    assert row(unknown_flags, "pstate").equal is None
    assert not is_reproduced(unknown_flags)


def test_a_value_that_was_not_printed_is_not_compared() -> None:
    values = compare(LogValues(pc=LOG.pc, pstate=LOG.pstate), seen())
    assert row(values, "esr").equal is None
    assert is_reproduced(values)
    assert not is_reproduced(compare(LogValues(), seen()))


def test_a_run_that_returns_has_no_fault_values() -> None:
    values = compare(LOG, seen(outcome=Outcome.RETURNED, pc=0x7F0000000000))
    assert all(v.replay is None and v.equal is None for v in values)
    assert not is_reproduced(values)


def test_parting() -> None:
    mine = (line(0, x9=2), line(4, x11=0xFFFF), line(8))
    correct = (line(0, x9=2), line(4, x11=0x8000), line(8))
    parting = find_parting(mine, correct)
    assert parting is not None
    assert (parting.address, parting.ours, parting.theirs) == (
        4,
        (("x11", 0xFFFF),),
        (("x11", 0x8000),),
    )
    assert find_parting(mine, mine) is None
    elsewhere = find_parting(mine, (line(0, x9=2), line(0x40)))
    assert elsewhere is not None
    assert elsewhere.address == 4


def test_an_engine_that_traces_and_ran_nothing_set_no_flags() -> None:
    assert row(compare(LOG, seen(trace=())), "pstate").role is Role.GIVEN
