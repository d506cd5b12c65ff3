"""The facts of one report: what single lines said, put together across lines."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from whypanic.crashlog.lines import Line
from whypanic.crashlog.log_blocks import LogBlock
from whypanic.crashlog.panic_messages import headline_of_panic
from whypanic.crashlog.recognise import Recognised, source_of
from whypanic.crashlog.sections.rule import MAX_TEXT, Part
from whypanic.crashlog.sections.trace import STACK_TITLES
from whypanic.model.code import CodeLine
from whypanic.model.fault import (
    Detail,
    Headline,
    InternalError,
    PageWalk,
    PanicMessage,
    PrintedField,
    Syndrome,
    SyndromePlace,
)
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind
from whypanic.model.progress import CpuDump, StalledCpu
from whypanic.model.provenance import Fact, Source
from whypanic.model.registers import Register
from whypanic.model.trace import Frame, TraceRole

MAX_FACTS = 4000
"""Facts of one report."""
MAX_LABEL = 120
"""Characters of the line above a stack that label it."""

_ENDS_TRACE = frozenset(
    {Part.CODE, Part.END_TRACE, Part.PANIC, Part.ENDING, Part.IDENTITY, Part.PC, Part.HEADLINE,
     Part.ABORT_HEAD, Part.ERROR}
)  # fmt: skip
_OF_A_CPU = (Kind.HARD_LOCKUP, Kind.SOFT_LOCKUP)
_HYP_FIELDS = ("ps", "pc", "esr", "far", "hpfar", "par", "vcpu")

# fmt: off
FIELD_SHIFTS: dict[str, int] = {
    "FSC": 0, "WnR": 6, "S1PTW": 7, "CM": 8, "EA": 9, "FnV": 10, "SET": 11,
    "AR": 14, "SF": 15, "SRT": 16, "SSE": 21, "ISV": 24, "IL": 25, "EC": 26,
}
"""Lowest bits of the printed fields of an abort's syndrome. Arm ARM DDI 0487 L, ESR_EL1, ISS of a Data Abort."""
# fmt: on


class _Traces:
    """Numbers the call traces of a report and says whose they are."""

    def __init__(self, *, is_hyp: bool) -> None:
        self.is_hyp = is_hyp
        self.count = 0
        self.open = False
        self.role = TraceRole.FAULT
        self.has_fault = False
        self.other_next = False
        self.panicked = False
        self.label = ""
        """Of the next trace."""
        self.trace_label = ""
        self.bare_next = False
        """The next trace has no `Call trace:` above it; one that has is another."""
        self.stalled: set[int] = set()
        """CPUs that the report is about: their trace is that of the fault wherever it stands."""

    def see(self, found: Recognised, line: Line) -> None:
        """Follow one line that is no frame."""
        part = found.part
        for fact in found.facts:
            if isinstance(fact, StalledCpu) or (
                isinstance(fact, Headline) and fact.kind in _OF_A_CPU and fact.cpu is not None
            ):
                self.stalled.add(fact.cpu or 0)
        if part is Part.TRACE:
            if self.bare_next:
                self.other_next, self.label = False, ""
            self.begin()
        elif part is Part.HYP:
            self.open = False
            if "trace:" in line.text and "nd" not in line.text.split("trace:")[0][-12:]:
                self._begin(TraceRole.HYP)
        elif part in _ENDS_TRACE:
            self.open = False
            if part is Part.PANIC:
                self.panicked = True
            elif part is Part.PC:
                self.panicked = False
        else:
            self._title(found)
        if part is Part.HEADLINE and any(isinstance(f, PanicMessage) for f in found.facts):
            self.panicked = True

    def _title(self, found: Recognised) -> None:
        """Close the trace at the line above another stack, and keep that line as the next one's label."""
        for fact in found.facts:
            if isinstance(fact, Detail) and fact.name in STACK_TITLES:
                self.open, self.label = False, fact.value[:MAX_LABEL].rstrip(" :")
                self.other_next = fact.name != "race"
                self.bare_next = fact.name != "other-stack"
        if any(isinstance(f, CpuDump) and f.cpu in self.stalled for f in found.facts):
            self.other_next = False

    def begin(self) -> None:
        """Open a trace for which a head was printed, or a frame alone stands."""
        if self.panicked:
            role = TraceRole.PANIC
        elif self.other_next or self.has_fault:
            role = TraceRole.OTHER
        else:
            role = TraceRole.FAULT
            self.has_fault = True
        self.other_next = self.bare_next = False
        self._begin(role)
        self.trace_label, self.label = self.label, ""

    def _begin(self, role: TraceRole) -> None:
        self.role = role
        self.trace_label = ""
        self.count += 1
        self.open = True

    def place(self, frame: Frame) -> Frame:
        """Return the frame with its trace and role."""
        if not self.open:
            self.begin()
        if frame.trace == self.count - 1 and frame.role is self.role and not self.trace_label:
            return frame
        return replace(frame, trace=self.count - 1, role=self.role, label=self.trace_label)


def assemble(
    block: LogBlock, lines: Sequence[Line], recognised: Sequence[Recognised], input: int
) -> tuple[tuple[Fact, ...], bool]:
    """Return the facts of a report in order of appearance, and whether some were left out."""
    is_hyp = any(recognised[i].part in (Part.HYP, Part.HYP_VALUES) for i in block.indexes)
    facts: list[Fact] = []
    traces = _Traces(is_hyp=is_hyp)
    hyp = _Hyp()
    for index in block.indexes:
        found, line = recognised[index], lines[index]
        if index in block.messages:
            source = source_of(line, input)
            facts.append(Detail(name="message", value=source.text, source=source))
            continue
        traces.see(found, line)
        for fact in found.facts:
            if isinstance(fact, Frame):
                facts.append(traces.place(fact))
            elif isinstance(fact, HypPanic):
                hyp.add(fact, facts)
            elif isinstance(fact, CodeLine) and is_hyp and not traces.panicked:
                facts.append(replace(fact, hyp=True))
            elif isinstance(fact, Register) and fact.name in ("pc", "lr"):
                _add_location(facts, fact)
            elif isinstance(fact, PageWalk) and fact.va is None:
                _add_entries(facts, fact)
            else:
                facts.append(fact)
        if len(facts) >= MAX_FACTS:
            break
    hyp.finish(facts)
    _add_syndrome(facts)
    _add_headline(facts, is_hyp=is_hyp)
    return tuple(facts[:MAX_FACTS]), len(facts) >= MAX_FACTS


class _Hyp:
    """Joins the lines of `HYP panic:`; the end marker prints them all again."""

    def __init__(self) -> None:
        self.panic: HypPanic | None = None
        self.index = 0

    def add(self, part: HypPanic, facts: list[Fact]) -> None:
        if self.panic is None:
            self.panic, self.index = part, len(facts)
            facts.append(part)
            return
        new = {
            name: getattr(part, name)
            for name in _HYP_FIELDS
            if getattr(self.panic, name) is None and getattr(part, name) is not None
        }
        if not new:
            return
        if "esr" in new:
            new["esr_digits"] = part.esr_digits
        self.panic = replace(self.panic, source=_joined(self.panic.source, part.source), **new)
        facts[self.index] = self.panic

    def finish(self, facts: list[Fact]) -> None:
        """Add ESR and registers of the panic behind it."""
        panic = self.panic
        if panic is None:
            return
        derived: list[Fact] = []
        if panic.esr is not None:
            derived.append(
                Syndrome(
                    esr=panic.esr,
                    place=SyndromePlace.HYP_PANIC,
                    n_digits=panic.esr_digits,
                    source=panic.source,
                )
            )
        for name, value in (("pc", panic.pc), ("pstate", panic.ps), ("vcpu", panic.vcpu)):
            if value is not None:
                derived.append(Register(name=name, value=value, source=panic.source))
        facts[self.index + 1 : self.index + 1] = derived


def _joined(first: Source, last: Source) -> Source:
    return replace(
        first,
        last_line=last.last_line or last.line,
        text=f"{first.text} {last.text}"[:MAX_TEXT],
    )


def _add_location(facts: list[Fact], fact: Register) -> None:
    """Join `PC is at sym` with the `pc : [<address>]` behind it: one register."""
    for index in range(len(facts) - 1, max(-1, len(facts) - 5), -1):
        before = facts[index]
        if (
            isinstance(before, Register)
            and before.name == fact.name
            and before.value is None
            and before.ref is not None
            and fact.ref is None
        ):
            source = _joined(before.source, fact.source)
            facts[index] = replace(fact, ref=before.ref, source=source)
            return
    facts.append(fact)


def _add_entries(facts: list[Fact], part: PageWalk) -> None:
    """Join entries that stand on lines of their own with the walk they belong to."""
    for index in range(len(facts) - 1, max(-1, len(facts) - 6), -1):
        before = facts[index]
        if isinstance(before, PageWalk) and before.va is not None:
            known = {entry.name for entry in before.entries}
            new = tuple(entry for entry in part.entries if entry.name not in known)
            source = _joined(before.source, part.source)
            facts[index] = replace(before, entries=before.entries + new, source=source)
            return
    facts.append(part)


def _add_syndrome(facts: list[Fact]) -> None:
    """Put an ESR together from decoded fields where no line printed one.

    It is complete where EC, IL and ISS were all printed.
    """
    if any(isinstance(fact, Syndrome) for fact in facts):
        return
    fields: dict[str, PrintedField] = {}
    for fact in facts:
        if isinstance(fact, PrintedField):
            fields.setdefault(fact.name, fact)
    if "EC" not in fields:
        return
    values = {name: field.value for name, field in fields.items()}
    esr = sum(
        value << FIELD_SHIFTS[name]
        for name, value in values.items()
        if name in FIELD_SHIFTS and value < 64
    )
    iss = values.get("ISS")
    if iss is not None:
        esr = (values["EC"] & 0x3F) << 26 | values.get("IL", 1) << 25 | iss & 0x1FF_FFFF
    last = list(fields.values())[-1]
    first = fields["EC"]
    index = facts.index(last)
    facts.insert(
        index + 1,
        Syndrome(
            esr=esr & 0xFFFF_FFFF,
            place=SyndromePlace.RECONSTRUCTED,
            n_digits=8,
            complete="IL" in values and iss is not None,
            source=_joined(first.source, last.source),
        ),
    )


def _add_headline(facts: list[Fact], *, is_hyp: bool) -> None:
    """Give the report a headline where its own is cut off or is only the panic's."""
    if any(isinstance(fact, Headline) for fact in facts) or not facts:
        return
    facts.insert(0, _headline_of(facts, is_hyp=is_hyp))


def _first(facts: Sequence[Fact], cls: type) -> Iterator[Fact]:
    return (fact for fact in facts if isinstance(fact, cls))


def _headline_of(facts: Sequence[Fact], *, is_hyp: bool) -> Headline:
    from whypanic.crashlog.kinds import kind_of, last_words

    kind = Kind.HYP_PANIC if is_hyp else kind_of(facts)
    for cls in (InternalError, PanicMessage) if not is_hyp else (PanicMessage,):
        fact = next(_first(facts, cls), None)
        if isinstance(fact, InternalError):
            return Headline(kind=kind, message=fact.name or "Internal error", source=fact.source)
        if isinstance(fact, PanicMessage):
            return replace(headline_of_panic(fact), kind=kind)
    first = facts[0]
    said = "HYP panic" if is_hyp else last_words(facts)
    message = said or "report without its first line"
    return Headline(kind=kind, message=message, inferred=not said, source=first.source)
