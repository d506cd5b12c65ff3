"""QEMU's log of exceptions (`-d int`): which there were, and whether they have become a storm.

A record is several lines, the first `Taking exception N [kind] on CPU c`. Two CPUs that run at once may mix theirs; a
line then counts for the record that began last. Source: QEMU 7.2 target/arm/helper.c, arm_log_exception and
arm_cpu_do_interrupt_aarch64.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from whypanic.host.clock import Stopwatch
from whypanic.model.lab import ExceptionRecord

_BEGIN = "Taking exception "
_TAIL_BYTES = 256 << 10
_HEAD_BYTES = 4 << 20
_LAST_BYTES = 4 << 10
_MAX_KEPT = 20
_STORM_BYTES_S = 1 << 20
_STORM_RECORDS = 200
_STORM_QUIET_S = 0.3
_MAX_DIFFERENT = 2
MAX_BYTES = 128 << 20
"""A log longer than this is a storm, whatever is in it."""

_ORDINARY = frozenset(
    {"IRQ", "FIQ", "Virtual IRQ", "Virtual FIQ", "SVC", "Hypervisor Call", "Secure Monitor Call", "Semihosting call"}
)  # fmt: skip
"""Exceptions that a machine takes all the time. Source: QEMU 7.2 target/arm/helper.c, arm_log_exception."""


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return (
        re.compile(r"Taking exception \d{1,3} \[([^\]\n]{1,60})\] on CPU (\d{1,4})"),
        re.compile(r"\.\.\.from EL([0-3]) to EL([0-3])"),
        re.compile(r"\.\.\.with ESR 0x[0-9a-f]{1,8}/0x([0-9a-f]{1,16})"),
        re.compile(r"\.\.\.with (FAR|ELR) 0x([0-9a-f]{1,16})"),
        re.compile(r"\.\.\.to EL[0-3] PC 0x([0-9a-f]{1,16})"),
    )


def read_exceptions(text: str) -> Iterator[ExceptionRecord]:
    """Yield the exceptions of a piece of the log; one that is cut in front is left out."""
    for kind, fields in _records(text):
        if (record := _record(kind, fields)) is not None:
            yield record


def interrupted_at(text: str, cpu: int, pc: int) -> tuple[int, int] | None:
    """Return exception level and PC that a CPU was taken away from, if its last exception led to this PC."""
    last = [fields for _, fields in _records(text) if fields["cpu"] == cpu][-1:]
    if last and last[0].get("target") == pc and {"from_el", "elr"} <= last[0].keys():
        return last[0]["from_el"], last[0]["elr"]
    return None


def _records(text: str) -> Iterator[tuple[str, dict[str, int]]]:
    begin, levels, syndrome, address, target = _patterns()
    fields: dict[str, int] | None = None
    kind = ""
    for line in text.splitlines():
        if match := begin.match(line):
            if fields is not None:
                yield kind, fields
            kind, fields = match[1], {"cpu": int(match[2])}
        elif fields is None:
            continue
        elif match := levels.match(line):
            fields.update(from_el=int(match[1]), to_el=int(match[2]))
        elif match := syndrome.match(line):
            fields["esr"] = int(match[1], 16)
        elif match := address.match(line):
            fields[match[1].lower()] = int(match[2], 16)
        elif match := target.match(line):
            fields["target"] = int(match[1], 16)
    if fields is not None:
        yield kind, fields


def _record(kind: str, fields: dict[str, int]) -> ExceptionRecord | None:
    if "from_el" not in fields:
        return None
    return ExceptionRecord(
        kind=kind,
        from_el=fields["from_el"],
        to_el=fields["to_el"],
        esr=fields.get("esr"),
        far=fields.get("far"),
        elr=fields.get("elr"),
        cpu=fields["cpu"],
    )


def is_unusual(record: ExceptionRecord) -> bool:
    """Return whether a kernel that boots well takes none or few like it: faults of EL1 and EL2 themselves."""
    return record.kind not in _ORDINARY and record.from_el == record.to_el and record.to_el > 0


def _unusual(text: str) -> Iterator[ExceptionRecord]:
    """Yield the unusual exceptions of a piece of the log; the others, which are nearly all, are not read."""
    for piece in text.split(_BEGIN)[1:]:
        first, end = piece.find("[") + 1, piece.find("]")
        if piece[first:end] not in _ORDINARY:
            yield from filter(is_unusual, read_exceptions(_BEGIN + piece))


class Exceptions(NamedTuple):
    """What a whole log has."""

    n_records: int
    unusual: tuple[ExceptionRecord, ...]
    """The first ones and the last ones."""


class InterruptLog:
    """The log of a machine that runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._n_looked = 0
        self._since_look = Stopwatch()

    def size(self) -> int:
        """Return its length in bytes."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def is_storm(self, quiet_s: float) -> bool:
        """Return whether the machine does nothing but take the same one or two exceptions.

        :param quiet_s: seconds since the console printed something.
        """
        size = self.size()
        grown = size - self._n_looked
        if size > MAX_BYTES:
            return True
        if grown < _TAIL_BYTES:
            return False
        seconds, self._n_looked = self._since_look.seconds(), size
        self._since_look.restart()
        if grown < _STORM_BYTES_S * seconds or quiet_s < _STORM_QUIET_S:
            return False
        return is_monotonous(tuple(read_exceptions(self._read(size - _TAIL_BYTES, _TAIL_BYTES))))

    def interrupted_at(self, cpu: int, pc: int) -> tuple[int, int] | None:
        """Return exception level and PC that a CPU was taken away from, if its last exception led to this PC."""
        return interrupted_at(self._read(max(0, self.size() - _LAST_BYTES), _LAST_BYTES), cpu, pc)

    def exceptions(self) -> Exceptions:
        """Return how many exceptions there were, and the unusual ones."""
        size = self.size()
        if size <= _HEAD_BYTES + _TAIL_BYTES:
            pieces = [self._read(0, size)]
        else:
            pieces = [self._read(0, _HEAD_BYTES), self._read(size - _TAIL_BYTES, _TAIL_BYTES)]
        found = [r for piece in pieces for r in _unusual(piece)]
        if len(found) > 2 * _MAX_KEPT:
            found = [*found[:_MAX_KEPT], *found[-_MAX_KEPT:]]
        return Exceptions(self.count(), tuple(found))

    def _read(self, at: int, n_bytes: int) -> str:
        try:
            with self.path.open("rb") as file:
                file.seek(at)
                return file.read(n_bytes).decode("ascii", "backslashreplace")
        except OSError:
            return ""

    def count(self) -> int:
        """Return how many exceptions there were."""
        n_records = 0
        try:
            with self.path.open("rb") as file:
                begin, rest = _BEGIN.encode(), b""
                while piece := file.read(1 << 20):
                    # The end of a piece may hold the first part of a beginning: too short to be counted twice.
                    n_records += (rest + piece).count(begin)
                    rest = piece[1 - len(begin) :]
        except OSError:
            pass
        return n_records


def is_monotonous(records: tuple[ExceptionRecord, ...]) -> bool:
    """Return whether many exceptions are one or two, over and over: interrupts of an idle kernel are none."""
    if len(records) < _STORM_RECORDS:
        return False
    different = {(r.kind, r.from_el, r.to_el, r.esr, r.far, r.elr) for r in records}
    return len(different) <= _MAX_DIFFERENT and not all("IRQ" in r.kind for r in records)
