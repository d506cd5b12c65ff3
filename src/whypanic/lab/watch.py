"""Watch over a machine that runs, until something decides what became of it."""

from collections.abc import Callable, Collection
from enum import Enum, auto
from typing import NamedTuple

from whypanic.host.clock import Deadline, Stopwatch
from whypanic.host.machine import Machine
from whypanic.host.qmp import MachineEvent
from whypanic.lab.console import Console
from whypanic.lab.interrupt_log import InterruptLog
from whypanic.lab.sampling import Motion, Sampler

_POLL_S = 0.05
_PANIC_S = 0.5
"""From the panic's words to the verdict: the rest of the report is printed in that time."""
_HANG_S = 3.0
_WAITING_HANG_S = 10.0
"""CPUs that wait, or that may count up to something, are given longer."""
_LOOK_FROM_S = 0.8
_LOOK_FROM_DETERMINISTIC_S = _HANG_S
"""Stopping the CPUs for a look moves the turns that they take: a boot that is to be repeated is left alone longer."""
_LOOK_EVERY_S = 0.1
_MIN_LOOKS = 8
_BUSY_S = 0.5
"""CPU time that a machine must have had in its silence: without it the host had no time for it."""


class End(Enum):
    """How the watch over a machine came to its end."""

    POWER_OFF = auto()
    RESET = auto()
    PANICKED = auto()
    """The kernel told QEMU through pvpanic."""
    PANIC_TEXT = auto()
    """The console says that it panics, and the time to print the rest has passed."""
    SILENT = auto()
    """No output for the time of a hang, and no CPU gets on."""
    STORM = auto()
    FLOOD = auto()
    """More output than is read."""
    DEADLINE = auto()
    DIED = auto()
    """QEMU ended."""


# QEMU qapi/run-state.json, ShutdownCause and GuestPanicAction. Any other SHUTDOWN came from the host.
_END_OF = {
    MachineEvent("SHUTDOWN", "guest-shutdown"): End.POWER_OFF,
    MachineEvent("SHUTDOWN", "guest-reset"): End.RESET,
    MachineEvent("SHUTDOWN", "subsystem-reset"): End.RESET,
    MachineEvent("SHUTDOWN", "guest-panic"): End.PANICKED,
    MachineEvent("GUEST_PANICKED", "pause"): End.PANICKED,
}


def is_hang(motions: Collection[Motion], quiet_s: float, busy_s: float) -> bool:
    """Return whether so long a silence of CPUs that do this is a hang; CPUs of which nothing is known make none.

    :param busy_s: CPU time that the machine had in its silence.
    """
    if not motions or Motion.MOVING in motions:
        return False
    if Motion.STUCK in motions and Motion.LOOPING not in motions:
        return quiet_s >= _HANG_S and busy_s >= _BUSY_S
    return quiet_s >= _WAITING_HANG_S


class Watched(NamedTuple):
    """How the watch ended."""

    end: End
    verdict_s: float
    """From the deciding text, or the last output, to the end of the watch."""
    quiet_s: float
    """Since the last output."""
    busy_s: float
    """CPU time of the machine in that."""
    sampler: Sampler


class Watch:
    """The watch over one machine."""

    def __init__(
        self,
        machine: Machine,
        console: Console,
        interrupts: InterruptLog,
        progress: Callable[[str], None] | None = None,
        *,
        deterministic: bool = False,
    ) -> None:
        self._machine = machine
        self._console = console
        self._interrupts = interrupts
        self._progress = progress
        self._look_from_s = _LOOK_FROM_DETERMINISTIC_S if deterministic else _LOOK_FROM_S
        self._sampler = Sampler(machine, interrupts.interrupted_at)
        self._since_look = Stopwatch()
        self._n_bytes = 0
        self._cpu_s_at_output = 0.0

    def run(self, deadline_s: float) -> Watched:
        """Let the machine run until something decides, and return what; it may still run then.

        :raises HostError: if QEMU stops answering.
        """
        deadline = Deadline(deadline_s)
        self._machine.resume()
        while left_s := deadline.left_s():
            event = self._machine.next_event(min(_POLL_S, left_s))
            self.read_console()
            end = self._end(event)
            if end is not None:
                return self._watched(end)
        return self._watched(End.DEADLINE)

    def read_console(self) -> None:
        """Take what the console has printed."""
        for line in self._console.read():
            if self._progress is not None:
                self._progress(line)

    def _watched(self, end: End) -> Watched:
        quiet_s, said = self._console.quiet.seconds(), self._console.since_panic
        if end in (End.POWER_OFF, End.RESET, End.PANICKED, End.PANIC_TEXT):
            verdict_s = said.seconds() if said is not None else 0.0
        else:
            verdict_s = quiet_s
        return Watched(end, verdict_s, quiet_s, self._busy_s(), self._sampler)

    def _end(self, event: MachineEvent | None) -> End | None:
        """Return what has ended the watch, if anything has."""
        console = self._console
        if event is not None and event in _END_OF:
            return _END_OF[event]
        if self._machine.is_gone or (event is not None and event.name == "SHUTDOWN"):
            return End.DIED
        if console.since_panic is not None and console.since_panic.seconds() >= _PANIC_S:
            return End.PANIC_TEXT
        if console.is_full:
            return End.FLOOD
        if len(console.data) != self._n_bytes:
            self._n_bytes = len(console.data)
            self._cpu_s_at_output = self._machine.cpu_s()
            self._sampler.forget()
        quiet_s = console.quiet.seconds()
        if self._interrupts.is_storm(quiet_s):
            return End.STORM
        return End.SILENT if self._hangs(quiet_s) else None

    def _hangs(self, quiet_s: float) -> bool:
        """Look at the CPUs of a silent machine now and then, and return whether it will stay silent."""
        if quiet_s < self._look_from_s or self._since_look.seconds() < _LOOK_EVERY_S:
            return False
        self._since_look.restart()
        ripe = quiet_s >= _HANG_S and self._sampler.n_looks >= _MIN_LOOKS
        self._machine.pause()
        self._sampler.look()
        motions = set(self._sampler.motions().values()) if ripe else {Motion.MOVING}
        self._machine.resume()
        return is_hang(motions, quiet_s, self._busy_s())

    def _busy_s(self) -> float:
        return self._machine.cpu_s() - self._cpu_s_at_output
