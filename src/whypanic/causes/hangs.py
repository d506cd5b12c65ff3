"""What the rules for silent boots share: which CPUs were found where, and which exceptions belong to it."""

from whypanic.causes.case import CaseView
from whypanic.code.hyp_mode import HypMode
from whypanic.model.claims import Claim, Sense, Strength
from whypanic.model.hyp import HypPanic
from whypanic.model.lab_facts import BootedOn, BootWatched, CpuStuck, ExceptionSeen
from whypanic.model.provenance import Fact

STANDS, LOOPS, WAITS, RUNS = (
    "stands still",
    "goes round in a small loop",
    "waits for an interrupt",
    "runs",
)
"""Motions of `CpuStuck`, as lab/sampling.py words them."""
EL2 = 2
STORM = "exception-storm"


def busy_cpus(case: CaseView) -> tuple[CpuStuck, ...]:
    """Return the CPUs that stay in one place and do not wait there."""
    return tuple(c for c in case.all(CpuStuck) if c.motion in (STANDS, LOOPS) and not c.halted)


def kernel_at_el2(case: CaseView) -> Fact | None:
    """Return what says that the whole kernel runs at EL2, not the hypervisor alone; None where it does not."""
    mode = case.get(HypMode)
    if mode is not None:
        return mode if mode.mode == "vhe" else None
    booted = case.get(BootedOn)
    return (
        booted if booted is not None and booted.mode in ("vhe", "kvm-off") and booted.vhe else None
    )


def watched_storm(case: CaseView) -> BootWatched | None:
    """Return how the boot ended, if it ended in exceptions without end."""
    watched = case.get(BootWatched)
    return watched if watched is not None and watched.verdict == STORM else None


def repeated(case: CaseView) -> ExceptionSeen | None:
    """Return the exception that was taken over and over, last of all."""
    last = case.all(ExceptionSeen)[-1:]
    return last[0] if last and last[0].n_times > 1 else None


def measured(case: CaseView, text: str, fact: Fact, *facts: Fact) -> Claim:
    """Return a claim that the measurement itself is the mechanism.

    It proves where nothing more is known. Where EL2 was seen to take an exception from itself, that exception has a
    cause of its own, of which standing still is the consequence: then it only tells this from its rivals.
    """
    has_cause = case.get(HypPanic) is not None
    return Claim(
        sense=Sense.SUPPORTS,
        text=text,
        facts=(fact, *facts),
        strength=Strength.DISCRIMINATING if has_cause else Strength.EXECUTED,
    )
