import pytest

from builders.el2 import DATA, RET, STACK, TEXT, run
from whypanic.replay.protocol import MemoryAccess, Outcome

SLOT = STACK - 64
FP = {"cptr_el2": 0}


def test_push_and_pop() -> None:
    # stp x29, x30, [sp, #-16]!; mov x29, #0; ldp x29, x30, [sp], #16
    seen = run([0xA9BF7BFD, 0xD280001D, 0xA8C17BFD, RET], {"x29": 0x29})
    assert seen.outcome is Outcome.RETURNED
    assert (seen.registers["x29"], seen.registers["sp"]) == (0x29, STACK - 256)
    assert [access.va for access in seen.trace[0].memory] == [STACK - 272, STACK - 264]


def test_an_unknown_register_comes_back_unknown_from_the_stack() -> None:
    seen = run([0xA9BF7BFD, 0xA8C17BFD, RET])
    assert seen.outcome is Outcome.RETURNED
    assert seen.registers["x29"] is None
    assert seen.trace[0].memory[0].value is None


def test_narrow_and_signed_loads() -> None:
    data = b"\x80\xff" + bytes(6)
    seen = run([0x39800022, 0x79400023, RET], {"x1": DATA}, data=data)  # ldrsb x2; ldrh w3
    assert (seen.registers["x2"], seen.registers["x3"]) == ((1 << 64) - 128, 0xFF80)


def test_an_index_is_extended() -> None:
    data = bytes(8) + (5).to_bytes(4, "little")
    registers = {"x1": DATA, "x2": 0xFFFF_FFFF_0000_0002}
    seen = run([0xB8625820, RET], registers, data=data)  # ldr w0, [x1, w2, uxtw #2]
    assert seen.registers["x0"] == 5
    assert run([0xB8625820, RET], {"x1": DATA}).outcome is Outcome.UNKNOWN


def test_a_load_relative_to_the_pc() -> None:
    seen = run([0x58000040, RET, 0x55667788, 0x11223344])  # ldr x0, .+8
    assert seen.registers["x0"] == 0x1122_3344_5566_7788


def test_an_exclusive_pair_succeeds() -> None:
    # ldxr x0, [x1]; stxr w2, x3, [x1]
    seen = run([0xC85F7C20, 0xC8027C23, RET], {"x1": SLOT, "x3": 9})
    assert (seen.registers["x0"], seen.registers["x2"]) == (0, 0)
    assert seen.trace[1].memory == (MemoryAccess(SLOT, 8, True, 9, "stack"),)


def test_an_exclusive_store_without_a_monitor_fails() -> None:
    # stxr; ldr x0, [x1]
    seen = run([0xC8027C23, 0xF9400020, RET], {"x1": SLOT, "x3": 9})
    assert (seen.registers["x2"], seen.registers["x0"]) == (1, 0)
    # ldxr; clrex; stxr
    cleared = run([0xC85F7C20, 0xD5033F5F, 0xC8027C23, RET], {"x1": SLOT, "x3": 9})
    assert cleared.registers["x2"] == 1


def test_what_is_left_to_the_core_is_unknown() -> None:
    unmapped = run([0xC8027C23], {"x1": 0x3000_0000, "x3": 9})
    assert (unmapped.outcome, unmapped.esr) == (Outcome.UNKNOWN, None)
    elsewhere = run([0xC85F7C20, 0x91002021, 0xC8027C23], {"x1": SLOT, "x3": 9})
    assert (elsewhere.outcome, elsewhere.pc) == (Outcome.UNKNOWN, TEXT + 8)


@pytest.mark.parametrize("word", [0xA9400441, 0xF8408421, 0xC8037C23])
def test_unpredictable_registers_are_refused(word: int) -> None:
    # ldp x1, x1, [x2]; ldr x1, [x1], #8; stxr w3, x3, [x1]
    seen = run([word], {"x1": SLOT, "x2": SLOT, "x3": 0})
    assert seen.outcome is Outcome.UNKNOWN
    assert "unpredictable" in seen.reason


@pytest.mark.parametrize(
    ("word", "x0", "memory"),
    [
        (0xF8220020, 5, 12),  # ldadd x2, x0, [x1]
        (0xF8228020, 5, 7),  # swp x2, x0, [x1]
    ],
)
def test_atomics(word: int, x0: int, memory: int) -> None:
    store = 0xF9000024  # str x4, [x1]
    load = 0xF9400025  # ldr x5, [x1]
    registers = {"x1": SLOT, "x2": 7, "x4": 5}
    seen = run([store, word, load, RET], registers, cpu="Cortex-A76")
    assert (seen.registers["x0"], seen.registers["x5"]) == (x0, memory)
    values = [(access.write, access.value) for access in seen.trace[1].memory]
    assert values == [(False, 5), (True, memory)]


@pytest.mark.parametrize(
    ("word", "after"),
    [
        (0x78224020, 0x0001),  # ldsmaxh w2, w0, [x1]
        (0x78225020, 0xFFFF),  # ldsminh w2, w0, [x1]
        (0x78226020, 0xFFFF),  # ldumaxh w2, w0, [x1]
    ],
)
def test_narrow_extremes_compare_with_signs(word: int, after: int) -> None:
    store, load = 0x79000024, 0x79400025  # strh w4, [x1]; ldrh w5, [x1]
    registers = {"x1": SLOT, "x2": 1, "x4": 0xFFFF}
    seen = run([store, word, load, RET], registers, cpu="Cortex-A76")
    assert (seen.registers["x0"], seen.registers["x5"]) == (0xFFFF, after)


@pytest.mark.parametrize(
    ("registers", "x2", "after"),
    [
        ({"x2": 5, "x3": 8, "x4": 5}, 5, 8),
        ({"x2": 6, "x3": 8, "x4": 5}, 5, 5),
        ({"x2": 6, "x4": 5}, 5, 5),  # what would be stored is unknown, but nothing is
        ({"x2": 5, "x4": 5}, 5, None),
        ({"x3": 8, "x4": 5}, 5, None),  # whether it is stored is unknown
        ({"x2": 5, "x3": 8}, None, None),
    ],
)
def test_compare_and_swap(registers: dict[str, int], x2: int | None, after: int | None) -> None:
    words = [0xF9000024, 0xC8A27C23, 0xF9400025, RET]  # str x4; cas x2, x3, [x1]; ldr x5
    seen = run(words, {"x1": SLOT, **registers}, cpu="Cortex-A76")
    assert (seen.registers["x2"], seen.registers["x5"]) == (x2, after)


def test_vector_copies_keep_what_is_known() -> None:
    data = bytes(range(16))
    words = [0x3DC00020, 0x3D800040, 0xF9400043, RET]  # ldr q0, [x1]; str q0, [x2]; ldr x3, [x2]
    registers = {"x1": DATA, "x2": SLOT}
    seen = run(words, registers, data=data, system=FP)
    assert seen.registers["x3"] == 0x0706_0504_0302_0100
    unknown = run(words, registers, data=data, known=((0, 15),), system=FP)
    assert unknown.registers["x3"] is None


def test_a_lane_keeps_the_others_unknown() -> None:
    # ld1 {v0.d}[1], [x1]; str q0, [x2]; ldr x3, [x2]
    seen = run([0x4D408420, 0x3D800040, 0xF9400043, RET], {"x1": DATA, "x2": SLOT}, system=FP)
    assert seen.registers["x3"] is None
    # movi v0.2d, #0 first
    words = [0x6F00E400, 0x4D408420, 0x3D800040, 0xF9400043, RET]
    assert run(words, {"x1": DATA, "x2": SLOT}, system=FP).registers["x3"] == 0


def test_prefetches_do_nothing() -> None:
    assert run([0xF9800020, RET], {"x1": 0x3000_0000}).outcome is Outcome.RETURNED
