"""A table whose index is an argument: the panic tells which entry was taken, and the words which argument it was."""

import pytest

from whypanic.app.replay import facts_of_text, run_hypotheses
from whypanic.replay.hypotheses import Hypothesis, Options, build_hypotheses
from whypanic.replay.subject import Subject, find_subject
from whypanic.replay.table_argument import (
    _TOTAL_STEPS,
    Pick,
    _Code,
    entries_at,
    find_picks,
    kernel_slide,
)
from whypanic.replay.unicorn import UnicornEngine

LINK, SLIDE = 0xFFFF800008250000, 0x4E0000200000
BODY = """
ffff800008250000:	f100101f 	cmp	x0, #4
ffff800008250004:	540000a8 	b.hi	ffff800008250018
ffff800008250008:	b0000601 	adrp	x1, ffff800008311000
ffff80000825000c:	913b2021 	add	x1, x1, #0xec8
ffff800008250010:	f8607820 	ldr	x0, [x1, x0, lsl #3]
ffff800008250014:	d61f0000 	br	x0
ffff800008250018:	d2800600 	mov	x0, #0x30
ffff80000825001c:	d65f03c0 	ret
ffff800008250020:	d2800580 	mov	x0, #0x2c
ffff800008250024:	d65f03c0 	ret
ffff800008250028:	d2800400 	mov	x0, #0x20
ffff80000825002c:	d65f03c0 	ret
"""
CONTENTS = """
Contents of section .rodata1:
 ffff800008311ec8 28002508 0080ffff 28002508 0080ffff  (.%.....(.%.....
 ffff800008311ed8 18002508 0080ffff 28002508 0080ffff  ..%.....(.%.....
 ffff800008311ee8 20002508 0080ffff                     .%.....
"""


def text(body: str = BODY, pc: int = LINK + 0x20 + SLIDE, ending: str = "") -> str:
    return (
        "Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n"
        "Linux version 6.1.0 (a@b) (gcc) #1\n"
        f"Hyp Offset: 0xfffed74977e00000\n"
        "Kernel panic - not syncing: HYP panic:\n"
        f"PS:600003c9 PC:{pc:016x} ESR:0000000086000004\n"
        f"FAR:{pc:016x} HPFAR:0000000000000000 PAR:0000000000000000\n"
        "VCPU:0000000000000000\n"
        "CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1\n"
        + (ending or f"Kernel Offset: {SLIDE:#x} from 0xffff800008000000\n")
        + "---[ end Kernel panic - not syncing: HYP panic:\n\n"
        "Disassembly of section .text:\n\n"
        "ffff800008250000 <__kvm_nvhe_pick>:" + body + CONTENTS
    )


def hypotheses(words: str, **options: object) -> dict[str, Hypothesis]:
    facts = facts_of_text(words.encode())
    found = build_hypotheses(find_subject(facts), facts, Options(**options))  # type: ignore[arg-type]
    return {h.id: h for h in found}


def subject(words: str) -> Subject:
    return find_subject(facts_of_text(words.encode()))


def test_the_values_of_the_panic_come_out() -> None:
    facts = facts_of_text(text().encode())
    tried = run_hypotheses(find_subject(facts), facts, Options(), (UnicornEngine(),))
    first, fixed = tried
    assert first.hypothesis.id == "absolute-table"
    assert first.reproduced
    assert {v.name: v.equal for v in first.values} == dict.fromkeys(
        ("pc", "far", "esr", "pstate"), True
    )
    assert fixed.seen.registers["x0"] == 0x2C


def test_what_was_solved() -> None:
    first = hypotheses(text())["absolute-table"]
    assert dict(first.solved) == {
        "load_address": LINK + SLIDE,
        "run_address": (LINK - 0xFFFED74977E00000) & (1 << 64) - 1,
        "index": 4,
        "x0": 4,
    }
    assert first.job.cpu == "Cortex-A57"
    assert first.job.registers["x0"] == 4


def test_the_flags_contradict_another_entry() -> None:
    # The first entry picked leads to another block: NZCV of `cmp x0, #4` are then 1000.
    facts = facts_of_text(text(pc=LINK + 0x28 + SLIDE).encode())
    first = run_hypotheses(find_subject(facts), facts, Options(), (UnicornEngine(),))[0]
    values = {v.name: v.equal for v in first.values}
    assert values["pc"] is True
    assert values["pstate"] is False
    assert not first.reproduced


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (text(pc=LINK + 0x24 + SLIDE), "no entry is PC"),
        (text(ending="Kernel Offset: disabled\n"), "PC is not where the image was linked"),
        (
            text(
                BODY.replace("b.hi	ffff800008250018", "b.hi	x").replace(
                    "540000a8", "540000a9"
                )
            ),
            "unreachable",
        ),
    ],
)
def test_nothing_is_solved_where_it_does_not_fit(words: str, why: str) -> None:
    assert "absolute-table" not in hypotheses(words), why


def test_without_kaslr() -> None:
    words = text(pc=LINK + 0x20, ending="Kernel Offset: disabled\n")
    assert kernel_slide(facts_of_text(words.encode())) == 0
    assert dict(hypotheses(words)["absolute-table"].solved)["load_address"] == LINK


def test_a_register_given_by_hand_comes_first_and_nothing_is_said_of_it() -> None:
    first = hypotheses(text(), registers={"x0": 2})["absolute-table"]
    assert first.job.registers["x0"] == 2
    assert dict(first.solved).keys() == {"load_address", "run_address"}
    assert "x0" not in first.assumes


def test_a_core_that_no_engine_has_is_replaced_and_said() -> None:
    first = hypotheses(text().replace("411fd070", "410fd410"))["absolute-table"]
    assert first.job.cpu == "Cortex-A53"
    assert "no engine has the Cortex-A78" in first.assumes


def test_a_damaged_hyp_offset_is_not_used() -> None:
    first = hypotheses(text().replace("0xfffed74977e00000", "0xfffed74977e00010"))["absolute-table"]
    assert dict(first.solved)["run_address"] >> 47 == 1


SHARED = CONTENTS.replace(
    "28002508 0080ffff  (.%.....(.%.....", "20002508 0080ffff  (.%..... .%.....", 1
)
"""Entries 1 and 4 lead to the same block."""


@pytest.mark.parametrize(("ps", "index", "other"), [("600003c9", 4, "0x1"), ("800003c9", 1, "0x4")])
def test_of_entries_that_share_a_block_the_flags_choose(ps: str, index: int, other: str) -> None:
    words = text().replace(CONTENTS, SHARED).replace("600003c9", ps)
    facts = facts_of_text(words.encode())
    first = run_hypotheses(find_subject(facts), facts, Options(), (UnicornEngine(),))[0]
    assert dict(first.hypothesis.solved)["index"] == index
    assert f"as {other} would" in first.hypothesis.assumes
    assert first.reproduced


@pytest.mark.parametrize(
    ("first_line", "register", "value"),
    [
        # sub x2, x3, #9; cmp; b.hi; ... indexed by x2
        ("d1002462 	sub	x2, x3, #9", "x3", 13),
        ("aa0503e2 	mov	x2, x5", "x5", 4),
        ("91000462 	add	x2, x3, #1", "x3", 3),
    ],
)
def test_the_argument_is_found_through_arithmetic(
    first_line: str, register: str, value: int
) -> None:
    body = f"""
ffff800008250000:	{first_line}
ffff800008250004:	f100105f 	cmp	x2, #4
ffff800008250008:	540000a8 	b.hi	ffff80000825001c
ffff80000825000c:	b0000601 	adrp	x1, ffff800008311000
ffff800008250010:	913b2021 	add	x1, x1, #0xec8
ffff800008250014:	f8627820 	ldr	x0, [x1, x2, lsl #3]
ffff800008250018:	d61f0000 	br	x0
ffff80000825001c:	d2800600 	mov	x0, #0x30
ffff800008250020:	d65f03c0 	ret
ffff800008250024:	d2800580 	mov	x0, #0x2c
ffff800008250028:	d65f03c0 	ret
"""
    found = subject(text(body))
    table = next(t for t in found.tables if t.is_absolute)
    assert entries_at(table, 0x20) == (4,)
    assert find_picks(found, table, (4,)) == (Pick(4, register, value, 0b0110),)


def test_an_index_from_memory_is_no_argument() -> None:
    body = BODY.replace("f100101f 	cmp	x0, #4", "f9400000 	ldr	x0, [x0]").replace(
        "540000a8 	b.hi	ffff800008250018", "d503201f 	nop"
    )
    found = subject(text(body))
    table = next(t for t in found.tables if t.is_absolute)
    assert find_picks(found, table, (4,)) == ()


def test_long_code_and_many_entries_take_no_time() -> None:
    # Nothing decides: the index comes from memory, behind much code and with 4,000 entries that lead to one block.
    nops = "".join(f"{LINK + 4 * n:x}:\td503201f \tnop\n" for n in range(300))
    at = LINK + 1200
    body = f"""
{nops}{at:x}:\tf9400002 \tldr\tx2, [x0]
{at + 4:x}:\tb0000601 \tadrp\tx1, ffff800008311000
{at + 8:x}:\t913b2021 \tadd\tx1, x1, #0xec8
{at + 12:x}:\tf8627820 \tldr\tx0, [x1, x2, lsl #3]
{at + 16:x}:\td61f0000 \tbr\tx0
"""
    found = subject(text(body))
    table = next(t for t in found.tables if t.is_absolute)
    whole = table._replace(entries=dict.fromkeys(range(4000), 0x20))
    code = _Code(found)
    assert code.distance(table.branches[0], "x0", 0) is None
    assert code.steps_left > _TOTAL_STEPS - 1000
    assert find_picks(found, whole, entries_at(whole, 0x20)) == ()
