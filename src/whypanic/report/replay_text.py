"""The replay document as text: the verdict of each hypothesis, its values against the log's, then the trace."""

from collections.abc import Iterable, Iterator

from whypanic.report.escape import printable
from whypanic.report.replay_document import (
    DocHypothesis,
    DocRegister,
    DocTraceLine,
    DocValue,
    ReplayDocument,
)

_MAX_TRACE = 60
_OUTCOMES = {"fault": "panics", "returned": "survives"}


def render_replay(document: ReplayDocument, *, everything: bool = False) -> str:
    """Return the text of a replay, with a final newline."""
    lines = [printable(line).rstrip() for line in _lines(document, everything=everything)]
    return "\n".join(lines) + "\n"


def _lines(document: ReplayDocument, *, everything: bool) -> Iterator[str]:
    subject = document.subject
    where = f", linked at {subject.link_address}" if subject.link_address else ""
    yield f"replay of {subject.function or 'the listing'} ({subject.domain}, from the {subject.source}{where})"
    for note in document.notes:
        yield f"  note: {note}"
    for hypothesis in document.hypotheses:
        yield ""
        yield from _hypothesis(hypothesis)
    traced = [h for h in document.hypotheses if h.trace]
    shown = traced if everything else traced[:1]
    for hypothesis in shown:
        yield ""
        yield from _trace(hypothesis, everything=everything)
    if document.sweep is not None:
        yield ""
        yield "sweep over cores"
        for row in document.sweep:
            words = [_OUTCOMES.get(row.outcome, row.outcome), _values_line(row.values)]
            words.append("= the log's" if row.reproduced else "")
            engine = f"{row.engine}{', modelled' if row.modelled else ''}"
            yield f"  {row.cpu:<14} {' '.join(w for w in words if w)}  ({engine})"


def _hypothesis(found: DocHypothesis) -> Iterator[str]:
    verdict = _verdict(found)
    yield f"{found.id} on {found.cpu}: {verdict}"
    yield f"  assumes {found.assumes}"
    engine = f"{found.engine}{' (modelled)' if found.modelled else ''}"
    at = f" at {found.run_address}" if found.run_address else ""
    yield f"  ran{at} on {engine}: {found.outcome}: {found.reason}"
    for value in found.values:
        if value.log is None and value.replay is None:
            continue
        sign = {True: "==", False: "!=", None: "  "}[value.equal]
        yield (
            f"    {value.name:<7} {value.replay or '-':<20} {sign} {value.log or 'not in the log':<20} {value.role}"
        )
    for solved in found.solved:
        yield f"    solved: {solved.name} = {solved.value}"
    for register in found.system:
        yield f"    wrote {register.name} = {register.value or 'unknown'}"
    if found.outcome == "returned":
        returned = next((r.value for r in found.registers if r.name == "x0"), None)
        yield f"    returned x0 = {returned or 'unknown'}"
    if found.parting is not None:
        yield f"  a correct run parts from it at {found.parting.address}, {found.parting.text}:"
        yield f"    here {_registers(found.parting.here)}; correct {_registers(found.parting.correct)}"


def _verdict(found: DocHypothesis) -> str:
    if found.reproduced:
        return "REPRODUCED"
    if any(value.log is not None for value in found.values):
        return "not reproduced"
    return _OUTCOMES.get(found.outcome, found.outcome)


def _values_line(values: Iterable[DocValue]) -> str:
    return " ".join(f"{v.name}={v.replay}" for v in values if v.replay is not None)


def _trace(found: DocHypothesis, *, everything: bool) -> Iterator[str]:
    yield f"trace of {found.id} on {found.cpu} ({found.trace_engine or found.engine})"
    lines = found.trace if everything else found.trace[:_MAX_TRACE]
    for line in lines:
        yield from _trace_line(line)
    if len(found.trace) > len(lines):
        yield f"  ... {len(found.trace) - len(lines)} more with --all"


def _trace_line(line: DocTraceLine) -> Iterator[str]:
    effects = []
    if line.reads:
        effects.append(_registers(line.reads))
    if line.writes:
        effects.append("-> " + _registers(line.writes))
    yield f"  {line.address}  {line.word[2:]}  {line.text:<36} {' '.join(effects)}"
    for access in line.memory:
        verb = "writes" if access.write else "reads"
        mapping = access.mapping or "NOT MAPPED"
        yield f"      {verb} {access.bytes} bytes at {access.address} = {access.value or 'unknown'} [{mapping}]"


def _registers(registers: Iterable[DocRegister]) -> str:
    return " ".join(f"{r.name}={r.value or '?'}" for r in registers)
