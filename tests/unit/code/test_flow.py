import numpy as np

from builders.images import link
from whypanic.code.flow import ENTRY, Flow
from whypanic.formats.images import open_image


def flow_of(
    code: str, no_return: tuple[int, ...] = (), known: dict[int, tuple[int, ...]] | None = None
) -> Flow:
    image = open_image(link(f"  .text\n{code}\n"))
    section = image.section(".text")
    assert section is not None
    words = image.words(section.address, section.end)
    assert words is not None
    return Flow(
        words,
        section.address,
        np.zeros(len(words), np.bool_),
        frozenset(no_return),
        known or {},
    )


DIAMOND = """
  cbz x0, 1f
  mov x1, #1
  b 2f
1: mov x1, #2
2: add x2, x1, x3
  ret
"""


def test_both_ways_reach_where_they_meet() -> None:
    flow = flow_of(DIAMOND)
    assert flow.starts == [0, 1, 3, 4]
    assert flow.definitions("x1", 4) == (1, 3)
    assert flow.definitions("x1", 2) == (1,)
    assert flow.definitions("x3", 4) == (ENTRY,)
    assert flow.dominators[:4] == [None, 0, 0, 0]


def test_calls_change_what_the_callee_may_change() -> None:
    flow = flow_of("mov x1, #1\nmov x19, #2\nbl f\nadd x2, x1, x19\nret\nf: ret")
    assert flow.definitions("x1", 3) == (2,)
    assert flow.definitions("x19", 3) == (1,)
    assert flow.definitions("x18", 3) == (2,)


def test_loop_carries_its_own_value() -> None:
    flow = flow_of("mov x1, #1\n1: add x1, x1, #1\ncbnz x0, 1b\nret")
    assert flow.definitions("x1", 1) == (0, 1)


def test_call_that_does_not_return_ends_a_way() -> None:
    code = "cbz x0, 1f\nmov x1, #3\nbl stop\n1: add x2, x1, #1\nret\nstop: b stop"
    assert flow_of(code).definitions("x1", 3) == (ENTRY, 2)
    assert flow_of(code, (2,)).definitions("x1", 3) == (ENTRY,)


COMPUTED = """
  mov x5, #1
  br x0
  add x1, x5, #1
  mov x5, #2
  br x0
  add x2, x5, #1
  ret
"""


def test_labels_of_a_computed_goto_are_reached_from_every_branch() -> None:
    flow = flow_of(COMPUTED)
    assert flow.landings == [1, 2]
    assert flow.definitions("x5", 5) == (0, 3)
    assert flow.definitions("x5", 2) == (0, 3)
    assert flow.indirect_places() == [1, 4]


def test_branch_whose_targets_are_known_leads_only_there() -> None:
    flow = flow_of(COMPUTED, known={1: (2,), 4: (5,)})
    assert flow.definitions("x5", 5) == (3,)
    assert flow.definitions("x5", 2) == (0,)
    assert flow.indirect_places() == []


def test_static_branch_may_be_patched_away() -> None:
    flow = flow_of("mov x1, #1\nb 1f\nadd x2, x1, #1\nret\n1: ret")
    assert flow.definitions("x1", 2) == (0,)


def test_warning_goes_on_and_a_trap_does_not() -> None:
    assert flow_of("mov x1, #1\nbrk #0x800\nadd x2, x1, #1\nret").definitions("x1", 2) == (0,)
    assert flow_of("mov x1, #1\nbrk #1\nadd x2, x1, #1\nret").definitions("x1", 2) == ()


def test_registers_written_in_other_fields_are_seen() -> None:
    code = "ldp x1, x2, [x3], #16\ncasp x4, x5, x6, x7, [x8]\ncas x9, x10, [x11]\nldr x12, [x13, #8]!\nret"
    flow = flow_of(".arch armv8.1-a\n" + code)
    written = {n: flow.definitions(f"x{n}", 4) for n in range(1, 14)}
    assert {n: places for n, places in written.items() if places != (ENTRY,)} == {
        1: (0,), 2: (0,), 3: (0,), 4: (1,), 5: (1,), 9: (2,), 12: (3,), 13: (3,),
    }  # fmt: skip


def test_stack_slots_are_followed_like_registers() -> None:
    code = "str x1, [sp, #8]\nstp x2, x3, [sp, #16]\nstr w4, [sp, #12]\nbl f\nret\nf: ret"
    flow = flow_of(code)
    assert flow.stored("[sp+8]") == {0: "x1", 2: "?"}
    assert flow.stored("[sp+24]") == {1: "x3"}
    assert flow.definitions("[sp+24]", 4) == (1,)
    assert flow.definitions("[sp+32]", 4) == (ENTRY,)
    assert flow_of("stur x1, [x29, #-16]\nret").stored("[x29-16]") == {0: "x1"}


def test_data_words_are_in_no_way() -> None:
    words = np.array([0xD2800021, 0x14000002, 0x14000000, 0xD65F03C0], np.uint32)
    flow = Flow(words, 0x1000, np.array([False, False, True, False]))
    assert flow.is_code(1)
    assert not flow.is_code(2)
    assert flow.definitions("x1", 3) == (0,)
    assert (flow.place(0x1004), flow.place(0x1002), flow.place(0x1010)) == (1, None, None)


def test_no_words_are_no_blocks() -> None:
    flow = Flow(np.empty(0, np.uint32), 0x1000, np.empty(0, np.bool_))
    assert (len(flow), flow.starts, flow.dominators) == (0, [], [None])
