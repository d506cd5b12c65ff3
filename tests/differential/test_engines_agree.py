"""Both engines on the same random straight-line blocks: registers, flags, memory and faults must be equal.

Flags and memory reach the registers at the end of a block. The seed is fixed; WHYPANIC_SEED=anything gives other
blocks.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from builders.engines import qemu_engine, unicorn_engine
from builders.straight_line import CODE, ENDING, NO_EXTRAS, Extras, make_block
from whypanic.arch.esr import decode_esr
from whypanic.arch.insn.text import render
from whypanic.replay.protocol import Job, Observation, Outcome

SEED = os.environ.get("WHYPANIC_SEED", "2017")
N_BLOCKS = 2_000
N_BLOCKS_WITH_ATOMICS = 300
SHOWN = 3
REGISTERS = (*(f"x{n}" for n in range(31)), "sp")


def _blocks(n_blocks: int, cpu: str, extras: Extras = NO_EXTRAS) -> list[Job]:
    return [make_block(f"{cpu} {n}", f"{SEED} {cpu} {n}", cpu, extras) for n in range(n_blocks)]


def _state(seen: Observation) -> dict[str, object]:
    state: dict[str, object] = {"outcome": str(seen.outcome)}
    if seen.outcome is Outcome.FAULT:
        state |= {"pc": seen.pc, "esr": seen.esr, "pstate": seen.pstate}
        if seen.esr is not None and decode_esr(seen.esr, el=2).far_valid:
            state["far"] = seen.far
    return state | {name: seen.registers.get(name) for name in REGISTERS}


def _shown(value: object) -> str:
    return f"{value:#x}" if isinstance(value, int) else str(value)


def _differences(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [
        f"  {name}: {_shown(one.get(name))} / {_shown(other.get(name))}"
        for name in dict.fromkeys((*one, *other))
        if one.get(name) != other.get(name)
    ]


def _listing(job: Job) -> list[str]:
    data = job.regions[0].data[: -4 * len(ENDING)]
    words = [int.from_bytes(data[n : n + 4], "little") for n in range(0, len(data), 4)]
    return [f"  {CODE + 4 * n:x}: {word:08x}  {render(word)}" for n, word in enumerate(words)]


def _given(job: Job) -> str:
    values = " ".join(f"{name}={_shown(value)}" for name, value in job.registers.items())
    return f"  nzcv={job.nzcv:04b} {values}"


def _disagreements(
    jobs: Sequence[Job], ours: Sequence[Observation], theirs: Sequence[Observation]
) -> list[str]:
    found = []
    for job, one, other in zip(jobs, ours, theirs, strict=True):
        assert one.job == other.job == job.id
        differences = _differences(_state(one), _state(other))
        if differences:
            reasons = [f"  {seen.engine}: {seen.reason}" for seen in (one, other)]
            text = [job.id, *_listing(job), _given(job), *reasons, *differences]
            found.append("\n".join(text))
    return found


def _run_both(jobs: Sequence[Job]) -> tuple[Observation, ...]:
    """Run the jobs on both engines, see that they agree, and return what QEMU observed."""
    theirs = qemu_engine().run(jobs)
    ours = unicorn_engine().run(jobs)
    found = _disagreements(jobs, ours, theirs)
    assert not found, f"{len(found)} of {len(jobs)} (unicorn / qemu)\n\n" + "\n\n".join(
        found[:SHOWN]
    )
    return theirs


def test_straight_line_blocks() -> None:
    seen = _run_both(_blocks(N_BLOCKS, "Cortex-A53"))
    outcomes = Counter(o.outcome for o in seen)
    assert set(outcomes) == {Outcome.RETURNED, Outcome.FAULT}
    assert outcomes[Outcome.RETURNED] > N_BLOCKS // 2
    assert outcomes[Outcome.FAULT] > N_BLOCKS // 5
    views = [decode_esr(o.esr, el=2) for o in seen if o.esr is not None]
    # undefined, svc, hvc, instruction abort, PC alignment, data abort, brk
    assert {0x00, 0x15, 0x16, 0x21, 0x22, 0x25, 0x3C} <= {view.ec for view in views}
    # translation faults of levels 0 to 3, permission faults of level 3, alignment
    for ec, codes in ((0x21, {4, 5, 6, 7, 0xF}), (0x25, {4, 5, 6, 7, 0xF, 0x21})):
        assert codes <= {view.esr & 0x3F for view in views if view.ec == ec}


def test_atomics_of_later_cores() -> None:
    _run_both(_blocks(N_BLOCKS_WITH_ATOMICS, "Neoverse-N1", Extras(lse=True)))


def test_a_disagreement_is_shown_with_block_and_states() -> None:
    job = make_block("one", "seed", "Cortex-A53")
    seen = Observation("one", "a", True, Outcome.RETURNED, "returned", registers={"x0": 1})
    other = seen._replace(engine="b", registers={"x0": 2})
    (text,) = _disagreements([job], [seen], [other])
    assert "  x0: 0x1 / 0x2" in text
    assert "x28=0x" in text
    assert f"  {CODE:x}: " in text
    assert _disagreements([job], [seen], [seen]) == []
