"""Runs over small pieces of code."""

import pytest

from whypanic.arch.insn import decode
from whypanic.arch.insn.evaluate import Reason, State, run, step

# A switch by absolute table, as a compiler without relative tables emits it; index from an ID register.
SWITCH = (
    0xD5380709,  # mrs  x9, id_aa64mmfr0_el1
    0x92400D29,  # and  x9, x9, #0xf
    0x7100153F,  # cmp  w9, #5
    0x54000108,  # b.hi .+32
    0xB000000A,  # adrp x10, .+0x1000
    0x9101014A,  # add  x10, x10, #0x40
    0xF869794B,  # ldr  x11, [x10, x9, lsl #3]
    0xD2800020,  # mov  x0, #1
    0xB2400000,  # orr  x0, x0, #1
    0xD61F0160,  # br   x11
)


def _words(*words: int, start: int = 0x1000) -> dict[int, int]:
    return {start + 4 * n: word for n, word in enumerate(words)}


def test_switch_reaches_its_branch_with_the_index_known() -> None:
    state = State(system={"id_aa64mmfr0_el1": 0x1122_3344_5566_7702})
    result = run(_words(*SWITCH), 0x1000, state, limit=100)
    assert result.stop == (Reason.INDIRECT_BRANCH, 0x1024, "x11", None)
    assert (result.final.get("x9"), result.final.nzcv) == (2, 0b1000)
    assert result.final.get("x10") == 0x2040
    assert [step.address for step in result.steps] == list(range(0x1000, 0x1028, 4))


def test_switch_with_its_table() -> None:
    table = {0x2040 + 8 * n: 0x5000 + n for n in range(6)}
    state = State(system={"id_aa64mmfr0_el1": 5})
    result = run(
        _words(*SWITCH), 0x1000, state, limit=100, memory=lambda address, _: table.get(address)
    )
    assert (result.stop.value, result.final.nzcv) == (0x5005, 0b0110)


def test_switch_takes_the_default() -> None:
    result = run(_words(*SWITCH), 0x1000, State(system={"id_aa64mmfr0_el1": 6}), limit=100)
    assert result.stop[:2] == (Reason.LEFT_CODE, 0x102C)


def test_unknown_condition_ends_the_run() -> None:
    result = run(_words(*SWITCH), 0x1000, State(), limit=100)
    assert result.stop == (Reason.UNKNOWN_CONDITION, 0x100C, "nzcv", None)


@pytest.mark.parametrize(
    ("words", "reason", "address"),
    [
        ((0xD65F03C0,), Reason.RETURN, 0x1000),
        ((0x00000000,), Reason.UNDEFINED, 0x1000),
        ((0xD4210000,), Reason.EXCEPTION, 0x1000),
        ((0xD503201F,), Reason.LEFT_CODE, 0x1004),
        ((0x14000000,), Reason.LIMIT, 0x1000),
        ((0x34000043,), Reason.UNKNOWN_CONDITION, 0x1000),
        ((0x3400005F,), Reason.LEFT_CODE, 0x1008),
    ],
)
def test_reasons(words: tuple[int, ...], reason: Reason, address: int) -> None:
    result = run(_words(*words), 0x1000, State(), limit=10)
    assert result.stop[:2] == (reason, address)
    assert result.reason is reason


def test_a_call_keeps_only_what_the_callee_must_keep() -> None:
    state = State(x=tuple(range(31)), sp=9, nzcv=1, pc=0x1000, system={"esr_el2": 1, "midr_el1": 2})
    after = step(state, decode(0x94000400))
    assert [n for n in range(31) if after.x[n] is not None] == list(range(19, 30))
    assert (after.sp, after.nzcv, after.pc) == (9, None, 0x1004)
    assert after.system == {"midr_el1": 2}


def test_stop_at_calls() -> None:
    words = _words(0xD63F0120)
    state = State().with_values({"x9": 0x1234})
    assert run(words, 0x1000, state, limit=9, stop_at_calls=True).stop.value == 0x1234
    assert run(words, 0x1000, state, limit=9).reason is Reason.LEFT_CODE


def test_writeback_is_exact_and_loads_are_unknown() -> None:
    after = step(State(x=(1,) * 31, sp=0x100), decode(0xA8C27BFD))
    assert (after.sp, after.get("x29"), after.get("x30")) == (0x120, None, None)
    assert step(State(sp=0x100), decode(0xF81F0FE1)).sp == 0xF0


def test_loads_extend_as_the_instruction_says() -> None:
    state = State(x=(0,) * 31, pc=0)
    assert step(state, decode(0x38A4C862), lambda *_: 0x80).get("x2") == (1 << 64) - 0x80
    assert step(state, decode(0x78E47862), lambda *_: 0x8000).get("x2") == 0xFFFF8000


def test_system_registers_written_are_not_read_back_unless_plain() -> None:
    state = State(system={"sctlr_el1": 1, "sctlr_el2": 2}).with_values({"x1": 3})
    after = step(state, decode(0xD5181001))  # msr sctlr_el1, x1
    assert (after.written, after.system) == ({"sctlr_el1": 3}, {})
    after = step(state, decode(0xD518D081))  # msr tpidr_el1, x1
    assert after.system["tpidr_el1"] == 3


def test_flags_move_through_a_register() -> None:
    assert step(State(nzcv=0b0101), decode(0xD53B4202)).get("x2") == 0x5000_0000
    assert step(State().with_values({"x3": 0x6000_0000}), decode(0xD51B4203)).nzcv == 6
