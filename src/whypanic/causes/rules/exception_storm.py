"""The same exception was taken over and over: its handler, or the way to it, raises it again.

An exception whose vectors are not mapped, or whose handler faults on its first access, never gets to print.

Supported by: a log of exceptions that grows and holds one or two that repeat, while the console is silent.
Refuted by: a silent machine whose CPU stands still without an exception, or waits.
Sources: Linux 6.1 arch/arm64/kernel/entry.S (vectors, kernel_ventry).
From memory: QEMU's log of exceptions (-d int).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.hangs import measured, repeated, watched_storm
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind
from whypanic.model.lab_facts import BootWatched, ExceptionSeen
from whypanic.model.provenance import Fact


@cause(
    id="exception-storm",
    title="the same exception was taken over and over",
    kinds=frozenset({Kind.BOOT_HANG}),
    needs=(BootWatched,),
    specificity=3,
)
def exception_storm(case: CaseView) -> Statements:
    """Yield which exception repeats, and which came first."""
    watched = watched_storm(case)
    if watched is None:
        ended = case.one(BootWatched)
        words = "the log of exceptions did not grow while the machine was silent"
        if ended.verdict == "reset-loop":
            words = "the machine was reset: it did not go on taking exceptions"
        yield refutes(words, ended)
        return
    again, first = repeated(case), case.get(ExceptionSeen)
    facts: tuple[Fact, ...] = (watched,) if again is None else (watched, again)
    number = f"{watched.n_exceptions} exceptions"
    if again is None:
        yield supports(f"{number}, one or two that repeat", *facts)
    else:
        same = again.from_el == again.to_el
        its = f"; EL{again.to_el} raises it again before it can handle it" if same else ""
        yield measured(case, f"{number}, at the end only this: {_plain(again)}{its}", *facts)
    if first is not None and first is not again:
        yield consistent(f"the first of its kind was {_plain(first)}", first)
    yield NextStep(
        "look at the first exception that EL1 or EL2 took from itself in the log of exceptions"
    )


def _plain(seen: ExceptionSeen) -> str:
    return seen.statement.partition(f", {seen.n_times} times")[0]
