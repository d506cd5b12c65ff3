"""Where the CPUs are, looked at again and again: standing still, going round in a loop, waiting, or moving on."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import NamedTuple

from whypanic.host.machine import Machine
from whypanic.lab.qemu_command import load_address
from whypanic.model.lab import CpuSample

WFE, WFI = 0xD503205F, 0xD503207F
"""Arm ARM DDI 0487 L, C6.2 WFE, WFI: `hint #2`, `hint #3`."""
_INSN_BYTES = 4
_LOOP_BYTES = 256
_VECTOR_BYTES = 0x80
_SHARE = 0.8
"""An interrupt may be caught in a few samples of a CPU that does nothing else than to wait."""


Interrupted = Callable[[int, int], tuple[int, int] | None]
"""From CPU and PC to exception level and PC before the exception that led there."""


def _never(_cpu: int, _pc: int) -> None:
    return None


class Motion(Enum):
    """What several looks at one CPU tell."""

    STUCK = "stands still"
    """The same PC with the same registers, or few such states over and over."""
    LOOPING = "goes round in a small loop"
    """Its registers change: it may count or wait for a time."""
    WAITING = "waits for an interrupt"
    MOVING = "runs"


class Look(NamedTuple):
    """One CPU at one moment."""

    cpu: int
    pc: int
    pstate: int | None
    el: int | None
    registers: str
    """All general registers, as text that can be compared."""

    @property
    def is_off(self) -> bool:
        """It was never switched on: out of reset everything is 0."""
        return self.pc == 0 and not self.registers.replace("0", "")


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return (
        re.compile(r"^CPU#(\d{1,4})$", re.M),
        re.compile(r"\bPC=([0-9a-f]{16})"),
        re.compile(r"\bPSTATE=([0-9a-f]{8})\b[^\n]*?\bEL([0-3])[ht]"),
        re.compile(r"\b(?:X\d\d|SP)=([0-9a-f]{16})"),
    )


def read_registers(text: str) -> tuple[Look, ...]:
    """Return the CPUs of what `info registers -a` prints."""
    heads, pc, pstate, general = _patterns()
    pieces = heads.split(text)
    looks = []
    for number, piece in zip(pieces[1::2], pieces[2::2], strict=False):
        if (at := pc.search(piece)) is None:
            continue
        state = pstate.search(piece)
        registers = "".join(general.findall(piece))
        looks.append(
            Look(
                int(number),
                int(at[1], 16),
                int(state[1], 16) if state else None,
                int(state[2]) if state else None,
                registers,
            )
        )
    return tuple(looks)


def motion_of(looks: Sequence[Look], waits: bool) -> Motion:
    """Return what a row of looks at one CPU tells.

    :param waits: where it was most often it stood behind a WFI or WFE, or was switched off.
    """
    enough = max(2, round(_SHARE * len(looks)))
    if len(looks) < 2:
        return Motion.MOVING
    places = sorted(look.pc for look in looks)
    window = places[len(places) // 2]
    near = [look for look in looks if abs(look.pc - window) < _LOOP_BYTES]
    if len(near) < enough:
        return Motion.MOVING
    if waits:
        return Motion.WAITING
    different = len({(look.pc, look.registers) for look in near})
    return Motion.STUCK if 2 * different <= len(near) else Motion.LOOPING


def most_common(looks: Sequence[Look]) -> Look:
    """Return the last look at the PC that was seen most often, of several the one seen last."""
    counts = Counter(look.pc for look in looks)
    return max(reversed(looks), key=lambda look: counts[look.pc])


class Sampler:
    """Looks at the CPUs of a machine, which must stand still whenever it is asked."""

    def __init__(
        self, machine: Machine, interrupted: Interrupted = _never, *, n_kept: int = 24
    ) -> None:
        """Begin without a look.

        :param interrupted: knows where a CPU was whose PC is that of a vector: QEMU takes a pending interrupt before
            it stops, so a CPU in a loop is often found there.
        """
        self._machine = machine
        self._interrupted = interrupted
        self._n_kept = n_kept
        self._looks: dict[int, list[Look]] = {}

    def forget(self) -> None:
        """Begin anew: it has printed something."""
        self._looks.clear()

    @property
    def n_looks(self) -> int:
        return max(map(len, self._looks.values()), default=0)

    def look(self) -> None:
        """Look at every CPU of a machine that stands still.

        While it runs, the PC that QEMU shows within a chain of translated blocks is an old one.
        """
        for look in read_registers(self._machine.hmp("info registers -a")):
            row = self._looks.setdefault(look.cpu, [])
            row.append(self._before_interrupt(look))
            del row[: -self._n_kept]

    def _before_interrupt(self, look: Look) -> Look:
        at = self._interrupted(look.cpu, look.pc) if look.pc % _VECTOR_BYTES == 0 else None
        return look if at is None else look._replace(el=at[0], pc=at[1], pstate=None)

    def motions(self) -> dict[int, Motion]:
        """Return what each CPU does."""
        return {
            cpu: motion_of(row, self._waits(most_common(row)))
            for cpu, row in sorted(self._looks.items())
            if len(row) > 1
        }

    def _waits(self, look: Look) -> bool:
        if look.is_off:
            return True
        pa = self._machine.physical_address(look.pc, look.cpu)
        if pa is None:
            return False
        # A CPU that waits has its PC behind the instruction; one that was just woken is before or after it.
        return any(self._machine.physical_word(at) in (WFE, WFI) for at in (pa - _INSN_BYTES, pa))

    def samples(self) -> tuple[CpuSample, ...]:
        """Return where each CPU was most often, with the physical address."""
        return tuple(self._sample(row) for _, row in sorted(self._looks.items()))

    def _sample(self, row: Sequence[Look]) -> CpuSample:
        look = most_common(row)
        pa = None if look.is_off else self._machine.physical_address(look.pc, look.cpu)
        waits = self._waits(look)
        return CpuSample(
            cpu=look.cpu,
            pc=look.pc,
            el=look.el,
            pstate=look.pstate,
            halted=waits,
            pa=pa,
            motion=motion_of(row, waits).value if len(row) > 1 else "",
        )


def image_offset(pa: int | None, text_offset: int, image_bytes: int) -> int | None:
    """Return the offset in the Image of a physical address; None where it is not of the Image."""
    if pa is None:
        return None
    offset = pa - load_address(text_offset)
    return offset if 0 <= offset < image_bytes else None
