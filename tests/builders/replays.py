"""The listings of examples/replay, and ours of any shape, on their way to a run."""

from collections.abc import Mapping
from pathlib import Path

from builders.repository import ROOT
from whypanic.arch.insn.evaluate import Run, State, run
from whypanic.crashlog.read import read_log
from whypanic.replay.relocate import Placement
from whypanic.replay.subject import Subject, find_subject

EXAMPLES = tuple(sorted((ROOT / "examples" / "replay").glob("*.txt")))
REFERENCE = ROOT / "examples" / "2017-juno-hyp-panic.txt"


def subject_of(text: str, function: str | None = None) -> Subject:
    """Return the subject of a text."""
    return find_subject(read_log(text.encode()).context, function)


def subject_in(path: Path) -> Subject:
    """Return the subject of a file."""
    return find_subject(read_log(path.read_bytes()).context)


def words_of(placement: Placement) -> dict[int, int]:
    """Return the words of the placed function by VA."""
    va, data = placement.regions[0].va, placement.regions[0].data
    return {va + n: int.from_bytes(data[n : n + 4], "little") for n in range(0, len(data), 4)}


def evaluate(placement: Placement, registers: Mapping[str, int]) -> list[Run]:
    """Evaluate a placed function, through its indirect branches, until it leaves what is placed."""
    words = words_of(placement)

    def read(va: int, n_bytes: int) -> int | None:
        for region in placement.regions[1:-1]:
            first, last = va - region.va, va - region.va + n_bytes
            known = [(0, len(region.data))] if region.known is None else region.known
            if any(begin <= first and last <= end for begin, end in known):
                return int.from_bytes(region.data[first:last], "little")
        return None

    runs: list[Run] = []
    state, pc = State().with_values({**registers, "sp": placement.sp}), placement.entry
    while len(runs) < 100:
        done = run(words, pc, state, limit=1000, memory=read)
        runs.append(done)
        if done.reason != "indirect-branch" or done.stop.value not in words:
            break
        pc, state = done.stop.value, done.final
    return runs
