"""The use case `replay`: a text in, runs of its code held against its values out."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from whypanic.app.analysis import derive, explain_text
from whypanic.app.explain_document import tool
from whypanic.app.inputs import RawInput, describe_file
from whypanic.arch.insn.text import render
from whypanic.model.code import Listing
from whypanic.model.errors import InputError
from whypanic.model.image import ExecutionDomain
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.replay.compare import LogValues, Role, Value, compare, find_parting, is_reproduced
from whypanic.replay.hypotheses import Hypothesis, Options, build_hypotheses, log_values
from whypanic.replay.protocol import Engine, Job, Observation, Outcome, TraceLine
from whypanic.replay.subject import Subject, find_subject
from whypanic.report.document import Input, hexadecimal
from whypanic.report.replay_document import (
    REPLAY_SCHEMA,
    DocAccess,
    DocHypothesis,
    DocParting,
    DocRegister,
    DocSolved,
    DocSubject,
    DocSweepRow,
    DocTraceLine,
    DocValue,
    ReplayDocument,
)

if TYPE_CHECKING:
    from whypanic.app.images import Images

_DOMAIN = "hyp"


class Tried(NamedTuple):
    """One hypothesis with what came of it."""

    hypothesis: Hypothesis
    seen: Observation
    traced: Observation | None
    """The same job on an engine that traces, where the first does not."""
    values: tuple[Value, ...]
    reproduced: bool


def facts_of_text(data: bytes, images: "Images | None" = None) -> tuple[Fact, ...]:
    """Return the facts of the first hyp panic of a text, else of its first report, else of the text alone."""
    text, explained = explain_text(data)
    reports = sorted(explained, key=lambda e: e.report.kind is not Kind.HYP_PANIC)
    if reports:
        first = reports[0] if images is None else images.refine(reports[0])
        return first.case.facts
    return (*text.context, *derive(Kind.PANIC, text.context))


def run_hypotheses(
    subject: Subject,
    facts: Sequence[Fact],
    options: Options,
    engines: Sequence[Engine],
) -> tuple[Tried, ...]:
    """Return every hypothesis of a text, run on the first engine that has its core.

    :param engines: by preference; the last one that traces lends its trace to the others.
    """
    hypotheses = build_hypotheses(subject, facts, options)
    log = log_values(facts)
    jobs = [h.job for h in hypotheses]
    seen = run_jobs(jobs, engines)
    traces = _trace_of(jobs, seen, engines)
    found = []
    for hypothesis, observation, traced in zip(hypotheses, seen, traces, strict=True):
        shown = observation if observation.trace or traced is None else traced
        own = log if hypothesis.against_log else LogValues()
        roles = dict(hypothesis.roles)
        if shown.modelled and not shown.trace:
            # The first fetch failed: the flags are those put in.
            roles.setdefault("pstate", Role.GIVEN)
        values = compare(own, observation._replace(trace=shown.trace), roles)
        found.append(Tried(hypothesis, observation, traced, values, is_reproduced(values)))
    return tuple(found)


def run_jobs(jobs: Sequence[Job], engines: Sequence[Engine]) -> tuple[Observation, ...]:
    """Return one observation a job, each from the first engine that supports its core."""
    results: dict[int, Observation] = {}
    for engine in engines:
        mine = [n for n, job in enumerate(jobs) if n not in results and engine.supports(job.cpu)]
        results.update(zip(mine, engine.run([jobs[n] for n in mine]), strict=True))
    return tuple(results.get(n) or _not_run(job) for n, job in enumerate(jobs))


def _not_run(job: Job) -> Observation:
    return Observation(
        job=job.id,
        engine="none",
        modelled=True,
        outcome=Outcome.UNKNOWN,
        reason=f"no engine has the core {job.cpu}",
    )


def _trace_of(
    jobs: Sequence[Job], seen: Sequence[Observation], engines: Sequence[Engine]
) -> list[Observation | None]:
    tracer = next((e for e in reversed(engines) if e.modelled), None)
    wanted = [
        n for n, o in enumerate(seen) if not o.trace and o.engine != getattr(tracer, "name", "")
    ]
    found: list[Observation | None] = [None] * len(jobs)
    if tracer is None or not wanted:
        return found
    usable = [n for n in wanted if tracer.supports(jobs[n].cpu)]
    for n, observation in zip(usable, tracer.run([jobs[n] for n in usable]), strict=True):
        found[n] = observation
    return found


# The document ----------------------------------------------------------------------------------


def replay_document(
    given: Input,
    subject: Subject,
    tried: Sequence[Tried],
    sweep: list[DocSweepRow] | None = None,
    notes: Sequence[str] = (),
    domain: str = _DOMAIN,
) -> ReplayDocument:
    """Return the document of one replay.

    :param domain: where the code runs.
    """
    link = subject.link_address
    if link is None:
        link = next((v for t in tried for n, v in t.hypothesis.solved if n == "load_address"), None)
    remedy = next((t for t in tried if t.hypothesis.is_remedy), None)
    return ReplayDocument(
        schema=REPLAY_SCHEMA,
        tool=tool(),
        inputs=[given],
        subject=DocSubject(
            function=subject.function,
            domain=domain,
            link_address=None if link is None else hexadecimal(link),
            source=subject.source,
        ),
        hypotheses=[_hypothesis(t, remedy, domain) for t in tried],
        sweep=sweep,
        notes=list(notes),
    )


def _hypothesis(tried: Tried, remedy: Tried | None, domain: str) -> DocHypothesis:
    hypothesis, seen = tried.hypothesis, tried.seen
    traced = seen if seen.trace or tried.traced is None else tried.traced
    return DocHypothesis(
        id=hypothesis.id,
        assumes=hypothesis.assumes,
        cause=hypothesis.cause,
        engine=seen.engine,
        modelled=seen.modelled,
        cpu=hypothesis.job.cpu,
        run_address=None if hypothesis.run_address is None else hexadecimal(hypothesis.run_address),
        outcome=seen.outcome.value,
        reason=seen.reason,
        values=values_of(tried.values),
        reproduced=tried.reproduced,
        solved=[DocSolved(name=n, value=hexadecimal(v)) for n, v in hypothesis.solved],
        registers=_registers(seen.registers.items()),
        system=_registers(seen.system.items()),
        parting=None if remedy is None or remedy is tried else _parting(traced, remedy),
        trace=[_trace_line(line, domain) for line in traced.trace],
        trace_engine=traced.engine if traced.trace else None,
    )


def values_of(values: Iterable[Value]) -> list[DocValue]:
    """Return values side by side."""
    return [
        DocValue(
            name=v.name, log=_hex(v.log), replay=_hex(v.replay), equal=v.equal, role=v.role.value
        )
        for v in values
    ]


def _parting(run: Observation, remedy: Tried) -> DocParting | None:
    correct = remedy.seen if remedy.seen.trace or remedy.traced is None else remedy.traced
    found = find_parting(run.trace, correct.trace)
    if found is None:
        return None
    return DocParting(
        address=hexadecimal(found.address),
        text=render(found.word, found.address),
        here=_registers(found.ours),
        correct=_registers(found.theirs),
    )


def _trace_line(line: TraceLine, domain: str) -> DocTraceLine:
    return DocTraceLine(
        address=hexadecimal(line.address),
        word=f"0x{line.word:08x}",
        text=render(line.word, line.address),
        reads=_registers(line.reads),
        writes=_registers(line.writes),
        memory=[
            DocAccess(
                address=hexadecimal(m.va),
                bytes=m.n_bytes,
                write=m.write,
                value=_hex(m.value),
                mapping=m.region,
            )
            for m in line.memory
        ],
        domain=None if line.region is None else domain,
    )


def _registers(pairs: Iterable[tuple[str, int | None]]) -> list[DocRegister]:
    return [DocRegister(name=name, value=_hex(value)) for name, value in pairs]


def _hex(value: int | None) -> str | None:
    return None if value is None else hexadecimal(value)


def make_engines(name: str) -> tuple[Engine, ...]:
    """Return the engines by preference: QEMU before Unicorn, or Unicorn alone.

    :param name: `qemu` or `unicorn`.
    """
    from whypanic.replay.unicorn import UnicornEngine

    if name == "unicorn":
        return (UnicornEngine(),)
    from whypanic.replay.qemu import QemuEngine

    return (QemuEngine(), UnicornEngine())


def replay(
    raw: RawInput,
    *,
    function: str | None = None,
    options: Options | None = None,
    engine: str = "unicorn",
    sweep: bool = False,
    images: "Images | None" = None,
    features: str | None = None,
) -> ReplayDocument:
    """Return the document of `whypanic replay` for a text.

    :param images: to take the code from; the text's own listings come first.
    :param features: what alternatives of an image are rendered for, where `function` is taken from one.
    :raises InputError: if neither the text nor an image has the code to run.
    :raises HostError: if QEMU is asked for and missing.
    """
    facts = facts_of_text(raw.data, images)
    listed = {fact.function for fact in facts if isinstance(fact, Listing)}
    if images is not None and function is not None and function not in listed:
        facts = (*facts, *_from_images(images, function, features))
    given = Input(name=raw.name, bytes=len(raw.data), sha256=raw.sha256)
    return _replayed(given, facts, function, options or Options(), engine, sweep=sweep)


def replay_image(
    name: str,
    *,
    function: str,
    options: Options | None = None,
    engine: str = "unicorn",
    sweep: bool = False,
    features: str | None = None,
    say: Callable[[str], None],
) -> ReplayDocument:
    """Return the document of `whypanic replay` for a function of an image; there is no log to compare with.

    :raises InputError: if the image cannot be read or has no such function.
    :raises HostError: if QEMU is asked for and missing.
    """
    from whypanic.app.images import Images

    images = Images((name,), say=say)
    if not images.kernels:
        raise images.errors[0]
    facts = _from_images(images, function, features)
    given = describe_file(name)
    return _replayed(given, facts, function, options or Options(), engine, sweep=sweep)


def _from_images(images: "Images", function: str, features: str | None) -> tuple[Fact, ...]:
    from whypanic.app.image_listing import function_facts

    failed: InputError | None = None
    for image in images.kernels:
        try:
            return tuple(function_facts(image, function, features))
        except InputError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return ()


def _replayed(
    given: Input,
    facts: Sequence[Fact],
    function: str | None,
    asked: Options,
    engine: str,
    *,
    sweep: bool,
) -> ReplayDocument:
    subject = find_subject(facts, function)
    engines = make_engines(engine)
    tried = run_hypotheses(subject, facts, asked, engines)
    notes = _notes(tried, facts)
    rows = _sweep(tried[0], engines, log_values(facts)) if sweep and tried else None
    return replay_document(given, subject, tried, rows, notes, _domain_of(subject, facts))


def _domain_of(subject: Subject, facts: Sequence[Fact]) -> str:
    """Return where the subject's code runs, as the image tells; a listing is taken for hyp code."""
    at = subject.link_address
    domains = (f for f in facts if isinstance(f, ExecutionDomain))
    found = next((d.name for d in domains if at is not None and d.first <= at < d.end), None)
    return found or _DOMAIN


def _notes(tried: Sequence[Tried], facts: Sequence[Fact]) -> list[str]:
    notes = []
    if log_values(facts).pc is None:
        notes.append("there are no panic lines to compare with")
    if tried and all(t.seen.modelled for t in tried):
        notes.append("ESR, FAR and SPSR are modelled; `--engine qemu` takes them from a CPU model")
    return notes


def _sweep(tried: Tried, engines: Sequence[Engine], log: LogValues) -> list[DocSweepRow]:
    from whypanic.replay.sweep import sweep

    own = log if tried.hypothesis.against_log else LogValues()
    found = []
    for row in sweep(tried.hypothesis.job, engines):
        seen = row.observation
        values = () if seen is None else compare(own, seen, dict(tried.hypothesis.roles))
        shown = values
        if row.outcome is Outcome.RETURNED:
            shown = tuple(Value(n, None, v, None, Role.DERIVED) for n, v in row.values)
        found.append(
            DocSweepRow(
                cpu=row.cpu,
                outcome=row.outcome.value,
                engine=row.engine or "none",
                modelled=row.modelled,
                reproduced=is_reproduced(values),
                values=values_of(shown),
            )
        )
    return found
