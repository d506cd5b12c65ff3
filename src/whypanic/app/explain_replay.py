"""What `explain --replay` adds to a report: runs of the code that its text or its image shows."""

from collections.abc import Callable, Sequence

from whypanic.app.analysis import Explained, with_replays
from whypanic.app.replay import Tried, make_engines, run_hypotheses
from whypanic.model.code import Listing
from whypanic.model.errors import InputError
from whypanic.model.experiments import ReplayResult
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Origin, Source
from whypanic.replay.compare import Role
from whypanic.replay.hypotheses import Options
from whypanic.replay.protocol import Engine
from whypanic.replay.subject import find_subject

_MAX_REPLAYED = 20
"""Reports that `explain --replay` runs: each may take QEMU a second."""


def replay_results(facts: Sequence[Fact], engines: Sequence[Engine]) -> tuple[ReplayResult, ...]:
    """Return what runs of a report's listed code showed; () where there is no code to run.

    :raises HostError: if an engine is missing or died.
    """
    try:
        subject = find_subject(facts)
        tried = run_hypotheses(subject, facts, Options(), engines)
    except InputError:
        return ()
    return tuple(_result(t, subject.function) for t in tried if t.hypothesis.cause is not None)


def replayer(say: Callable[[str], None]) -> Callable[[Explained], Explained]:
    """Return what `explain --replay` does to a report: hyp panics with listed code are run, under QEMU if it is there.

    :param say: takes a line about what could not be done: no QEMU, so nothing is proven; more panics than are run.
    :raises HostError: from the function returned, if QEMU died.
    """
    engines: list[Engine] = []
    n_run = 0

    def refine(explained: Explained) -> Explained:
        nonlocal n_run
        facts = explained.case.facts
        if explained.report.kind is not Kind.HYP_PANIC or not any(
            isinstance(f, Listing) for f in facts
        ):
            return explained
        n_run += 1
        if n_run > _MAX_REPLAYED:
            if n_run == _MAX_REPLAYED + 1:
                say(f"note: only the first {_MAX_REPLAYED} hyp panics with a listing are replayed")
            return explained
        if not engines:
            engines.extend(_best_engines(say))
        return with_replays(explained, replay_results(facts, engines))

    return refine


def _best_engines(say: Callable[[str], None]) -> tuple[Engine, ...]:
    from whypanic.replay.qemu import PROGRAM, is_installed

    if is_installed():
        return make_engines("qemu")
    say(f"note: no program `{PROGRAM}` on this machine: replays are modelled and prove nothing")
    return make_engines("unicorn")


def _result(tried: Tried, function: str) -> ReplayResult:
    hypothesis, seen = tried.hypothesis, tried.seen
    return ReplayResult(
        source=Source(origin=Origin.REPLAY, address=hypothesis.run_address),
        hypothesis=hypothesis.id,
        cause=hypothesis.cause or "",
        function=function,
        cpu=hypothesis.job.cpu,
        engine=seen.engine,
        modelled=seen.modelled,
        reproduced=tried.reproduced,
        outcome=seen.outcome.value,
        sentence=_sentence(tried),
        differs=any(v.equal is False for v in tried.values),
    )


def _sentence(tried: Tried) -> str:
    seen, hypothesis = tried.seen, tried.hypothesis
    engine = f"{seen.engine}, modelled" if seen.modelled else f"{seen.engine} at EL2"
    head = f"replayed on a {hypothesis.job.cpu} ({engine}): {hypothesis.assumes}"
    if tried.reproduced:
        names = ", ".join(
            v.name.upper() for v in tried.values if v.equal and v.role is Role.DERIVED
        )
        return f"{head}: {names} equal the log's"
    differing = [
        f"{v.name.upper()} {v.replay:#x} and not {v.log:#x}"
        for v in tried.values
        if v.equal is False and v.log is not None and v.replay is not None
    ]
    return f"{head}: not reproduced, {', '.join(differing) or seen.reason}"
