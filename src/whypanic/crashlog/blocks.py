"""Lines to reports: where one begins, what belongs to it, and which follows from which."""

from collections.abc import Sequence
from typing import NamedTuple

from whypanic.crashlog.drafts import DYING, Draft, Pending, Stream
from whypanic.crashlog.headlines import Entry, is_dependent
from whypanic.crashlog.lines import Line
from whypanic.crashlog.recognise import NOTHING, Recognised, recognise
from whypanic.crashlog.sections.rule import Part
from whypanic.crashlog.streams import writer_of
from whypanic.model.fault import Headline, PanicMessage, PrintedField, Syndrome
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Damage, Span
from whypanic.model.registers import Register

MAX_REPORTS = 2000
"""Reports of one input; what comes behind is damage."""
STAMPED_GAP = 120
"""Stamped lines of others inside a report: a console has many writers."""
PROSE_GAP = 15
"""Lines of a mail's author between two quoted parts of one report."""
REPEAT_GAP = 3
"""The same behind which a part that the report already has begins another."""
PENDING_GAP = 12
"""Lines between `cut here` and its headline, or a `CPU:` line and its registers."""

_BODY = frozenset(
    {Part.ABORT, Part.ABORT_HEAD, Part.WALK, Part.ERROR, Part.REGISTERS, Part.PC, Part.TRACE,
     Part.FRAME, Part.CODE, Part.STACK, Part.IDENTITY, Part.MODULES}
)  # fmt: skip
_BEFORE_DIE = {Part.HEADLINE, Part.ABORT, Part.ABORT_HEAD, Part.WALK, Part.CUT}
_UNLISTED_BUG = "[verbose debug info unavailable]"
"""Where die() asks report_bug() about any PC, as vendors' 4.x kernels do, it says so of a PC that is no BUG at all:
lib/bug.c before 1b4cfe3c0a30 ("lib/bug.c: exclude non-BUG/WARN exceptions from report_bug()"), from memory."""
_ALWAYS_CONTINUES = frozenset(
    {Part.ENDING, Part.END_PANIC, Part.END_TRACE, Part.HYP_VALUES, Part.HYP, Part.CODE, Part.DETAIL}
)
_NEW_AFTER_THE_END = frozenset(
    {Part.PC, Part.REGISTERS, Part.ABORT, Part.ABORT_HEAD, Part.IDENTITY, Part.MODULES, Part.WALK}
)


class LogBlock(NamedTuple):
    """The lines of one report."""

    indexes: tuple[int, ...]
    """Of the lines that say something of the report, in order."""
    messages: frozenset[int]
    """Those among them that no section knows: what a WARN() or BUG() said."""
    unknown: tuple[int, ...]
    """Lines of the same writer between them that no section knows."""
    follows: int | None
    """Index of the block that this one is a consequence of."""
    foreign: bool
    """Another architecture's report."""
    weak: bool
    """A call trace with nothing else."""


class Split(NamedTuple):
    """What `split_blocks` yields."""

    blocks: tuple[LogBlock, ...]
    recognised: tuple[Recognised, ...]
    """One for each line."""
    damage: tuple[Damage, ...]


class _Splitter:
    """Walks the lines once."""

    def __init__(self, lines: Sequence[Line], taken: set[int], input: int) -> None:
        self.lines = lines
        self.taken = taken
        self.input = input
        self.drafts: list[Draft] = []
        self.streams: dict[str | None, Stream] = {}
        self.recognised: list[Recognised] = []
        self.damage: list[Damage] = []

    def run(self) -> None:
        writer: str | None = None
        for index, line in enumerate(self.lines):
            if index in self.taken:
                self.recognised.append(NOTHING)
                continue
            writer = writer_of(line) or writer
            stream = self.streams.get(writer)
            if stream is None:
                stream = self.streams[writer] = Stream()
            found = recognise(line, self.input, in_trace=stream.in_trace)
            self.recognised.append(found)
            self._trace_state(stream, found, line)
            if found.part is Part.RESET:
                for each in self.streams.values():
                    self._close(each)
                    each.last = None
            elif found.part is Part.NONE:
                self._unknown(stream, index, line)
            elif found.part is not Part.BOOT:
                self._step(stream, index, line, found)

    def _trace_state(self, stream: Stream, found: Recognised, line: Line) -> None:
        if found.part in (Part.TRACE, Part.FRAME):
            stream.in_trace = True
        elif found.part is Part.HYP:
            stream.in_trace = "trace:" in line.text
        elif found.part is Part.NONE:
            stream.in_trace = stream.in_trace and line.prefixed and bool(line.text)
        elif found.part not in (Part.SNIP, Part.STACK):
            stream.in_trace = False

    def _unknown(self, stream: Stream, index: int, line: Line) -> None:
        if not line.text:
            return
        if stream.draft is not None:
            stream.draft.skip(index)
            if stream.draft.n_unknown > STAMPED_GAP:
                self._close(stream)
        pending = stream.pending
        if pending.indexes:
            pending.unknown.append(index)
            if len(pending.unknown) > PENDING_GAP:
                pending.clear()

    # One recognised line ----------------------------------------------------------------------

    def _step(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        part, draft = found.part, stream.draft
        if part is Part.SNIP:
            return
        if draft is not None and draft.n_unknown > PROSE_GAP and not draft.is_stamped_like(line):
            self._close(stream)
            draft = None
        if draft is not None and part in (Part.ENDING, Part.END_PANIC) and draft.panic is None:
            outer = draft.follows
            if outer is not None and outer.panic is not None and not outer.is_over:
                outer.add(index, found)
                return
        if part is Part.CUT:
            stream.pending.clear()
            self._remember(stream, index, part)
            if stream.draft is not None and stream.draft.is_message_only:
                self._add(stream, index, found)
        elif part is Part.HEADLINE:
            self._headline(stream, index, line, found)
        elif part is Part.PANIC:
            self._panic(stream, index, line, found)
        elif part is Part.ERROR:
            self._error(stream, index, line, found)
        elif part in (Part.HYP, Part.HYP_VALUES):
            self._hyp(stream, index, line, found)
        elif part in (Part.FOREIGN, Part.FOREIGN_HINT):
            if stream.draft is not None:
                stream.draft.foreign |= 2 if part is Part.FOREIGN else 1
                self._add(stream, index, found)
        elif stream.draft is not None and self._continues(stream.draft, line, found):
            self._add(stream, index, found)
        else:
            self._loose(stream, index, line, found)

    def _add(self, stream: Stream, index: int, found: Recognised) -> None:
        if stream.draft is not None:
            stream.draft.add(index, found)

    def _remember(self, stream: Stream, index: int, part: Part) -> None:
        pending = stream.pending
        pending.indexes.append(index)
        pending.part = part if not pending.part else pending.part
        if len(pending.indexes) > PENDING_GAP:
            pending.clear()

    def _close(self, stream: Stream) -> None:
        if stream.draft is not None:
            stream.last = stream.draft
        stream.draft = None
        stream.pending.clear()

    def _open(self, stream: Stream, index: int, line: Line, found: Recognised) -> Draft | None:
        """Begin a report here, or at the pending lines before it."""
        pending = stream.pending
        early, unknown, kind = pending.indexes, pending.unknown, pending.part
        self._close(stream)
        stream.pending = Pending()
        if len(self.drafts) >= MAX_REPORTS:
            if len(self.drafts) == MAX_REPORTS and not self.damage:
                span = Span(input=self.input, first_line=line.number, last_line=line.last_number)
                words = f"more than {MAX_REPORTS} reports: those from here on are left out"
                self.damage.append(Damage(span=span, reason=words))
            return None
        draft = Draft(line, found.entry)
        headline = found.part is Part.HEADLINE
        if early and (kind is Part.CUT) == headline:
            for each in early:
                draft.add(each, self.recognised[each])
            if headline and found.entry in (Entry.BUG, Entry.WARN):
                draft.messages.update(each for each in unknown if each > early[0])
                draft.indexes = sorted({*draft.indexes, *draft.messages})
        draft.add(index, found)
        self.drafts.append(draft)
        stream.draft = draft
        return draft

    def _headline(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        draft = stream.draft
        if draft is not None and self._is_same_event(draft, line, found):
            if draft.entry is Entry.MESSAGE and found.entry is not None:
                draft.entry = found.entry
            draft.messages.update(stream.pending.unknown)
            draft.indexes.extend(stream.pending.unknown)
            stream.pending.clear()
            self._add(stream, index, found)
            return
        nests = (
            draft is not None
            and draft.can_die
            and found.entry in DYING
            and not (draft.has_ended or draft.panic or Part.CODE in draft.parts)
            and draft.n_unknown <= PROSE_GAP
            and draft.quote == line.quote
        )
        ends = draft is not None and draft.panic is not None and not draft.is_over
        opened = self._open(stream, index, line, found)
        if opened is not None and (nests or ends):
            opened.follows = draft

    def _is_same_event(self, draft: Draft, line: Line, found: Recognised) -> bool:
        """A headline that speaks of what the open report already began to tell."""
        if draft.quote != line.quote or draft.n_unknown > PROSE_GAP:
            return False
        if draft.entry is Entry.MESSAGE and draft.is_message_only:
            return found.entry in (Entry.BUG, Entry.WARN, Entry.MESSAGE)
        if draft.entry is Entry.CHECKER and draft.parts <= {Part.HEADLINE}:
            return _kinds(found) == draft.kinds
        if draft.entry is Entry.FAULT and draft.parts <= _BEFORE_DIE:
            return found.entry is Entry.BUG and _UNLISTED_BUG in line.text
        return False

    def _panic(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        message = next((f.message for f in found.facts if isinstance(f, PanicMessage)), "")
        is_hyp = "HYP panic" in message or "HYP panic" in line.text
        draft = stream.draft
        if draft is not None and draft.panic is None and self._ends(draft, message, is_hyp):
            self._add(stream, index, found)
            return
        if draft is not None and draft.panic == message and draft.is_like(line):
            self._add(stream, index, found)
            return
        before = draft or stream.last
        opened = self._open(stream, index, line, found)
        if opened is not None:
            opened.is_hyp = is_hyp
            if before is not None and not is_hyp and is_dependent(message) and not before.panic:
                opened.follows = before

    def _ends(self, draft: Draft, message: str, is_hyp: bool) -> bool:
        if is_hyp or draft.is_hyp:
            return is_hyp and draft.is_hyp
        if draft.weak or draft.entry in (Entry.USER, Entry.OTHER):
            return False
        if draft.entry is Entry.WARN:
            return "panic_on_warn" in message or "panic_on_taint" in message
        if draft.entry is Entry.CHECKER:
            return is_dependent(message) or "panic_on" in message or "fault=panic" in message
        return True

    def _error(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        draft = stream.draft
        if (
            draft is not None
            and (draft.error is None or draft.repeats(found))
            and not draft.weak
            and not draft.is_hyp
            and draft.entry not in (Entry.WARN, Entry.USER, Entry.OTHER)
            and not (draft.entry is Entry.CHECKER and Part.TRACE in draft.parts)
            and not draft.parts & {Part.CODE, Part.END_TRACE}
            and draft.quote == line.quote
        ):
            self._add(stream, index, found)
        else:
            self._open(stream, index, line, found)

    def _hyp(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        draft = stream.draft
        # nvhe_hyp_panic_handler() prints all its lines before panic().
        begins = found.part is Part.HYP
        if draft is not None and draft.is_hyp and not (begins and draft.panic is not None):
            self._add(stream, index, found)
            return
        opened = self._open(stream, index, line, found)
        if opened is not None:
            opened.is_hyp = True

    def _continues(self, draft: Draft, line: Line, found: Recognised) -> bool:
        part = found.part
        if draft.is_over and part in _NEW_AFTER_THE_END:
            return False
        if draft.has_ended and draft.panic is None and part in _NEW_AFTER_THE_END:
            return part is Part.IDENTITY and draft.entry is Entry.CHECKER
        if part is Part.ABORT_HEAD:
            return not draft.parts & {Part.ABORT_HEAD, Part.ERROR, Part.TRACE, Part.CODE}
        if part is Part.ABORT and Part.TRACE in draft.parts:
            return False
        if line.quote != draft.quote and part in draft.parts and part in _BODY:
            return draft.n_unknown == 0 and part in (Part.FRAME, Part.REGISTERS, Part.STACK)
        if part in _ALWAYS_CONTINUES or line.prefixed:
            return True
        return draft.n_unknown <= REPEAT_GAP or part not in draft.parts

    def _loose(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        """Take a line that no open report wants: it may begin a fragment."""
        part = found.part
        begins = part is Part.ABORT_HEAD or (part is Part.ABORT and _names_fault(found))
        if begins or (part is Part.PC and _is_dump(found)):
            self._open(stream, index, line, found)
        elif part is Part.TRACE:
            opened = self._open(stream, index, line, found)
            if opened is not None:
                opened.weak = True
        elif part in (Part.IDENTITY, Part.MODULES):
            if stream.draft is not None:
                self._close(stream)
            self._remember(stream, index, part)


def _kinds(found: Recognised) -> set[Kind]:
    return {fact.kind for fact in found.facts if isinstance(fact, Headline)}


def _names_fault(found: Recognised) -> bool:
    return any(
        isinstance(fact, Syndrome) or (isinstance(fact, PrintedField) and fact.name == "EC")
        for fact in found.facts
    )


def _is_dump(found: Recognised) -> bool:
    return any(isinstance(fact, Register) for fact in found.facts)


_STRONG = {Part.ERROR, Part.ABORT_HEAD, Part.HYP_VALUES, Part.PANIC, Part.HEADLINE, Part.HYP}


def _is_report(draft: Draft) -> bool:
    """A fragment of one or two stray register lines is no report."""
    if draft.needs_more and draft.is_message_only:
        return False
    return bool(draft.parts & _STRONG) or len(draft.indexes) > 2


_ARM64 = {Part.PC, Part.REGISTERS, Part.ABORT_HEAD, Part.ABORT, Part.TRACE}


def _is_foreign(draft: Draft) -> bool:
    """Another architecture's marks, and none that only arm64 prints where they are weak ones."""
    return draft.foreign > 1 or (draft.foreign == 1 and not draft.parts & _ARM64)


def split_blocks(lines: Sequence[Line], taken: set[int], input: int = 0) -> Split:
    """Return the reports of an input as blocks of lines, in order of appearance.

    :param taken: indexes of lines that something else consumed (listings, commands).
    """
    splitter = _Splitter(lines, taken, input)
    splitter.run()
    kept = [draft for draft in splitter.drafts if _is_report(draft)]
    if any(not draft.weak for draft in kept):
        kept = [draft for draft in kept if not draft.weak]
    places = {id(draft): place for place, draft in enumerate(kept)}
    blocks = tuple(
        LogBlock(
            indexes=tuple(sorted(set(draft.indexes))),
            messages=frozenset(draft.messages),
            unknown=tuple(i for i in draft.unknown if i < draft.indexes[-1]),
            follows=places.get(id(draft.follows)) if draft.follows is not None else None,
            foreign=_is_foreign(draft),
            weak=draft.weak,
        )
        for draft in kept
    )
    return Split(blocks, tuple(splitter.recognised), tuple(splitter.damage))
