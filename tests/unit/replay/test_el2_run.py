"""How a run goes on and ends: branches, unknown values, stubs, the trace."""

import pytest

from builders.a64 import b_cond, bl
from builders.el2 import DATA, HOME, RET, STACK, TEXT, job, observe, run
from whypanic.replay.protocol import MemoryAccess, Outcome, Stub, TraceLine

NOP = 0xD503201F


@pytest.mark.parametrize(
    ("word", "value", "taken"),
    [
        (0xB4000041, 0, True),  # cbz x1, .+8
        (0xB4000041, 1 << 32, False),
        (0x34000041, 1 << 32, True),  # cbz w1, .+8
        (0xB5000041, 0, False),  # cbnz x1, .+8
        (0x37180041, 8, True),  # tbnz w1, #3, .+8
        (0x37180041, 7, False),
        (0x36180041, 7, True),  # tbz w1, #3, .+8
        (0xB400005F, 5, True),  # cbz xzr, .+8
    ],
)
def test_conditional_branches(word: int, value: int, taken: bool) -> None:
    seen = run([word, RET, NOP, RET], {"x1": value})
    assert [line.address - TEXT for line in seen.trace] == ([0, 8, 12] if taken else [0, 4])


@pytest.mark.parametrize(("condition", "taken"), [(0, True), (1, False), (14, True), (15, True)])
def test_branches_on_flags(condition: int, taken: bool) -> None:
    seen = run([b_cond(condition, 8), RET, NOP, RET], nzcv=0b0100)
    assert len(seen.trace) == (3 if taken else 2)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([0xB4000041], "the condition of the branch at +0x0 is unknown: x1 is not known"),
        ([NOP, 0x37180041], "the condition of the branch at +0x4 is unknown: x1 is not known"),
        ([b_cond(0, 8)], "the condition of the branch at +0x0 is unknown: the flags are not known"),
        ([0xD61F0020], "the target of the branch at +0x0 is unknown: x1 is not known"),
        ([0xD63F0020], "the target of the branch at +0x0 is unknown: x1 is not known"),
        ([0xD65F0020], "the target of the branch at +0x0 is unknown: x1 is not known"),
        ([0xF9400020], "the address of the load at +0x0 is unknown: x1 is not known"),
        ([0xF9000020], "the address of the store at +0x0 is unknown: x1 is not known"),
        ([0xD50B7421], "the address of dc zva at +0x0 is unknown: x1 is not known"),
        ([0xD69F03E0], "the code leaves EL2 by eret at +0x0"),
        ([0xD4000003], "what the firmware answers to smc at +0x0 is unknown"),
        ([0x9ADF1020], "memory tagging is not modelled: irg at +0x0"),
    ],
)
def test_what_cannot_be_told_ends_the_run(words: list[int], reason: str) -> None:
    seen = observe(job([*words, RET], nzcv=None))
    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, reason)
    assert seen.pc == TEXT + 4 * (len(words) - 1)
    assert (seen.esr, seen.far) == (None, None)


def test_a_branch_that_does_not_depend_on_the_flags_goes_on() -> None:
    assert observe(job([b_cond(14, 4), RET], nzcv=None)).outcome is Outcome.RETURNED


def test_a_load_from_unknown_bytes_gives_an_unknown_value() -> None:
    given = {"x1": DATA}
    seen = run([0xF9400020, 0x91000402, RET], given, known=((0, 7),))  # ldr; add x2, x0, #1
    assert seen.outcome is Outcome.RETURNED
    assert (seen.registers["x0"], seen.registers["x2"]) == (None, None)
    assert seen.trace[0].memory == (MemoryAccess(DATA, 8, False, None, "rodata"),)
    assert seen.trace[1].reads == (("x0", None),)


def test_a_call_reaches_its_stub_and_comes_back() -> None:
    # stp x29, x30, [sp, #-16]!; bl stub; ldp x29, x30, [sp], #16; ret
    words = [0xA9BF7BFD, bl(0x100), 0xA8C17BFD, RET]
    registers = {f"x{n}": n for n in range(30)}
    stub = Stub(TEXT + 0x104, "callee", returns=77)
    seen = run(words, registers, stubs=(stub,))
    assert (seen.outcome, seen.pc) == (Outcome.RETURNED, HOME)
    assert seen.registers["x0"] == 77
    assert [seen.registers[f"x{n}"] for n in range(1, 19)] == [None] * 18
    assert [seen.registers[f"x{n}"] for n in range(19, 30)] == list(range(19, 30))
    assert seen.registers["sp"] == STACK - 256
    assert not seen.pstate_known >> 28


def test_a_stub_may_return_an_unknown_value() -> None:
    words = [0xAA1E03F3, bl(0x100), 0xAA1303FE, 0xB4000040, RET]  # x30 is kept in x19; cbz x0
    seen = run(words, stubs=(Stub(TEXT + 0x104, "callee", returns=None),))
    assert (seen.outcome, seen.pc) == (Outcome.UNKNOWN, TEXT + 12)


def test_a_stub_without_a_known_return_address_ends_the_run() -> None:
    words = [0xAA0103FE, 0x14000040]  # mov x30, x1; b stub
    seen = run(words, stubs=(Stub(TEXT + 0x104, "callee"),))
    assert seen.reason == "the return address of the call of `callee` is unknown"


def test_the_trace_says_what_was_read_written_and_accessed() -> None:
    data = (0x1122_3344_5566_7788).to_bytes(8, "little") + bytes(8)
    words = [0xF9400020, 0xF900_0041, 0xEB01001F, RET]  # ldr; str x1, [x2]; cmp x0, x1; ret
    seen = run(words, {"x1": DATA, "x2": STACK - 8}, data=data)
    value = 0x1122_3344_5566_7788
    assert seen.trace == (
        TraceLine(
            TEXT,
            0xF9400020,
            (("x1", DATA),),
            (("x0", value),),
            (MemoryAccess(DATA, 8, False, value, "rodata"),),
            "hyp text",
        ),
        TraceLine(
            TEXT + 4,
            0xF900_0041,
            (("x2", STACK - 8), ("x1", DATA)),
            (),
            (MemoryAccess(STACK - 8, 8, True, DATA, "stack"),),
            "hyp text",
        ),
        TraceLine(
            TEXT + 8, 0xEB01001F, (("x0", value), ("x1", DATA)), (("nzcv", 2),), (), "hyp text"
        ),
        TraceLine(TEXT + 12, RET, (("x30", HOME),), (), (), "hyp text"),
    )


def test_the_instruction_that_faults_is_the_last_line() -> None:
    seen = run([NOP, 0xF9400020], {"x1": 0x3000_0000})
    assert seen.trace[-1].memory == (MemoryAccess(0x3000_0000, 8, False, None, None),)
    assert seen.trace[-1].writes == ()
    assert seen.n_trace_skipped == 0


def test_a_run_of_no_steps_says_where_it_is() -> None:
    seen = run([RET], max_steps=0)
    assert (seen.outcome, seen.pc, seen.trace) == (Outcome.LIMIT, TEXT, ())
    assert run([RET], max_steps=1).outcome is Outcome.RETURNED


def test_registers_are_cut_to_64_bits() -> None:
    seen = run([RET], {"x3": -1, "x4": 1 << 64})
    assert (seen.registers["x3"], seen.registers["x4"]) == ((1 << 64) - 1, 0)


def test_the_return_address_is_the_jobs() -> None:
    assert run([RET], {"x30": 0x1234}).registers["x30"] == HOME
