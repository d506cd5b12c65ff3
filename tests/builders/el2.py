"""Jobs of a few words at EL2, run by the embedded engine."""

import struct
from collections.abc import Mapping, Sequence

from whypanic.replay.protocol import Job, Observation, Permission, Region
from whypanic.replay.unicorn import UnicornEngine

TEXT, DATA, STACK = 0x40_0000, 0x1000_0000, 0x2000_0000
HOME = 0x7000_0000_0000
"""The return address."""
RET = 0xD65F03C0


def text(words: Sequence[int], va: int = TEXT) -> Region:
    """Return a region of code."""
    data = struct.pack(f"<{len(words)}I", *words)
    return Region(va, data, Permission.EXECUTE, "hyp text")


def job(
    words: Sequence[int],
    registers: Mapping[str, int | None] | None = None,
    *,
    cpu: str = "Cortex-A53",
    data: bytes | None = None,
    known: tuple[tuple[int, int], ...] | None = None,
    **fields: object,
) -> Job:
    """Return a job: code at TEXT, one page of read-only zeros at DATA, one page of stack below STACK."""
    base = Job(
        id="job",
        cpu=cpu,
        entry=TEXT,
        regions=(
            text(words),
            Region(DATA, data or bytes(4096), Permission.READ, "rodata", known),
            Region(STACK - 4096, bytes(4096), Permission.READ_WRITE, "stack"),
        ),
        registers={"sp": STACK - 256, **(registers or {})},
        nzcv=0,
        return_va=HOME,
    )
    return base._replace(**fields)  # type: ignore[arg-type]


def observe(given: Job) -> Observation:
    """Return what the engine sees of one job."""
    (seen,) = UnicornEngine().run((given,))
    return seen


def run(
    words: Sequence[int], registers: Mapping[str, int | None] | None = None, **fields: object
) -> Observation:
    """Return what the engine sees of a job as `job` makes it."""
    return observe(job(words, registers, **fields))  # type: ignore[arg-type]
