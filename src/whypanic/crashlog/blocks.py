"""Lines to reports: where one begins, what belongs to it, and which follows from which."""

# Long because one walk over the lines decides where a report begins, goes on and ends; its states share everything.

from collections.abc import Sequence
from typing import NamedTuple

from whypanic.crashlog.drafts import DYING, Draft, Pending, Stream
from whypanic.crashlog.headlines import Entry
from whypanic.crashlog.lines import Line
from whypanic.crashlog.log_blocks import FOREIGN, LogBlock, block_of, is_report, without_weak
from whypanic.crashlog.panic_messages import PRELUDED, is_dependent
from whypanic.crashlog.recognise import NOTHING, Recognised, recognise
from whypanic.crashlog.rivals import IN_DOUBT, TOLD_APART, choose, may_rival
from whypanic.crashlog.sections.rule import Part
from whypanic.crashlog.sections.trace import is_stack_title
from whypanic.crashlog.streams import writer_of
from whypanic.model.fault import Detail, Headline, PanicMessage, PrintedField, Syndrome
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Damage, Span
from whypanic.model.registers import Register

MAX_REPORTS = 2000
"""Reports of one input; what comes behind is damage."""
STAMPED_GAP = 120
"""Stamped lines of others inside a report: a console has many writers."""
PROSE_GAP = 15
"""Lines of a mail's author between two quoted parts of one report."""
COMPARED = 8
"""Reports before an end marker of panic() that may be the one it ends."""
REPEAT_GAP = 3
"""The same behind which a part that the report already has begins another."""
SILENT = 400
"""Physical lines, of whatever writer, behind which nothing continues a report."""
MAX_SPAN = 20_000
"""Physical lines from a report's first to its last: 256 CPUs that show their stacks print as many."""
MAX_WRITERS = 4096
"""Writers of one input whose last report is remembered."""
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


class Split(NamedTuple):
    """What `split_blocks` yields."""

    blocks: tuple[LogBlock, ...]
    recognised: tuple[Recognised, ...]
    """One for each line."""
    damage: tuple[Damage, ...]


class Splitter:
    """Walks the lines once, in one piece or in several.

    Between two pieces lines may be left out where `is_idle` says so and no section knows any of them.
    """

    def __init__(self, input: int = 0, limit: int | None = MAX_REPORTS) -> None:
        self.input = input
        self.limit = limit
        self.lines: list[Line] = []
        """Those that are not forgotten; every index is one into this list."""
        self.recognised: list[Recognised] = []
        """One for each of them."""
        self.drafts: list[Draft] = []
        self.streams: dict[str | None, Stream] = {}
        self.damage: list[Damage] = []
        self.is_full = False
        self.boot = 0
        self.n_drafts = 0
        self.n_taken = 0
        """Drafts at the front of the list that `take` returned."""
        self.writer: str | None = None

    def feed(self, lines: Sequence[Line], taken: set[int]) -> None:
        """Read on.

        :param taken: indexes in `lines` of those that something else consumed (listings, commands).
        """
        first = len(self.lines)
        self.lines.extend(lines)
        for place, line in enumerate(lines):
            index = first + place
            if place in taken:
                self.recognised.append(NOTHING)
                continue
            self.writer = writer = writer_of(line) or self.writer
            stream = self.streams.get(writer)
            if stream is None:
                stream = self.streams[writer] = Stream()
            self._expire(stream, line.number)
            found = recognise(line, self.input, in_trace=stream.in_trace)
            self.recognised.append(found)
            self._trace_state(stream, found, line)
            if found.part is Part.RESET:
                self.boot += 1
                for each in self.streams.values():
                    self._close(each)
                    each.last = None
            elif found.part is Part.NONE:
                self._unknown(stream, index, line)
            elif found.part is not Part.BOOT:
                self._step(stream, index, line, found)

    def _expire(self, stream: Stream, number: int) -> None:
        """Close what was silent for so long that this physical line cannot continue it."""
        if stream.draft is not None and self._is_stale(stream.draft, number):
            self._close(stream)
        if stream.rival is not None and self._is_stale(stream.rival, number):
            stream.rival = None
        early = stream.pending.indexes
        if early and number - self.lines[early[-1]].last_number > SILENT:
            stream.pending.clear()
        if stream.in_trace and number - stream.trace_line > SILENT:
            stream.in_trace = False

    def _is_stale(self, draft: Draft, number: int) -> bool:
        return (
            number - self.lines[draft.indexes[-1]].last_number > SILENT
            or number - self.lines[draft.indexes[0]].number > MAX_SPAN
        )

    def is_idle(self, number: int) -> bool:
        """Return whether no report is open that the physical line of this number could continue."""
        for stream in self.streams.values():
            self._expire(stream, number)
        return not any(s.draft or s.pending.indexes for s in self.streams.values())

    def _held(self) -> set[int]:
        """Return the identities of the drafts that lines may still be added to."""
        held: set[int] = set()
        for stream in self.streams.values():
            for begun in (stream.draft, stream.rival):
                draft = begun
                while draft is not None and id(draft) not in held:
                    held.add(id(draft))
                    draft = draft.follows
        return held

    def is_ripe(self, enough: int) -> bool:
        """Return whether `take` has something to return, or so many lines can be forgotten."""
        held = self._held()
        if self.n_taken < len(self.drafts):
            return id(self.drafts[self.n_taken]) not in held
        return not held and len(self.lines) >= enough

    def take(self, *, last: bool) -> tuple[LogBlock, ...]:
        """Return the next reports that nothing can be added to any more, in order; all of them at the `last` call."""
        held = set() if last else self._held()
        blocks: list[LogBlock] = []
        while self.n_taken < len(self.drafts) and id(self.drafts[self.n_taken]) not in held:
            draft = self.drafts[self.n_taken]
            if is_report(draft):
                blocks.append(block_of(draft))
            self.n_taken += 1
        return tuple(blocks)

    def forget(self) -> int:
        """Forget the lines before those that open reports need; return how many, every index is less by that."""
        for draft in self.drafts[: self.n_taken]:
            draft.indexes, draft.unknown, draft.messages = [], [], set()
            draft.follows = None
        gone = max(0, self.n_taken - COMPARED)
        del self.drafts[:gone]
        self.n_taken -= gone
        begun = self.drafts[self.n_taken :]
        pendings = [stream.pending for stream in self.streams.values() if stream.pending.indexes]
        firsts = [min(d.indexes) for d in begun] + [min(p.indexes) for p in pendings]
        n_lines = min(firsts, default=len(self.lines))
        del self.lines[:n_lines], self.recognised[:n_lines]
        for draft in begun:
            draft.indexes = [i - n_lines for i in draft.indexes]
            draft.unknown = [i - n_lines for i in draft.unknown]
            draft.messages = {i - n_lines for i in draft.messages}
        for pending in pendings:
            pending.indexes = [i - n_lines for i in pending.indexes]
            pending.unknown = [i - n_lines for i in pending.unknown]
        if len(self.streams) > MAX_WRITERS:
            self.streams = {
                name: s for name, s in self.streams.items() if s.draft or s.pending.indexes
            }
        return n_lines

    def _trace_state(self, stream: Stream, found: Recognised, line: Line) -> None:
        if found.part in (Part.TRACE, Part.FRAME):
            stream.in_trace = True
            stream.trace_line = line.last_number
        elif found.part is Part.HYP:
            stream.trace_line = line.last_number
            stream.in_trace = "trace:" in line.text
        elif found.part is Part.NONE:
            stream.in_trace = stream.in_trace and line.prefixed and bool(line.text)
        elif found.part not in (Part.SNIP, Part.STACK):
            stream.in_trace = any(map(is_stack_title, found.facts))

    def _unknown(self, stream: Stream, index: int, line: Line) -> None:
        if not line.text:
            return
        if stream.draft is not None and self._says_why(stream.draft, index):
            stream.draft.indexes.append(index)
            stream.draft.messages.add(index)
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

    def _says_why(self, draft: Draft, index: int) -> bool:
        """Tell whether a line is the message of a Rust panic: since Rust 1.73 it stands behind the place."""
        before = self.lines[draft.indexes[-1]].text
        return (
            draft.indexes == [index - 1]
            and before.endswith(":")
            and before.startswith("rust_kernel: panicked at ")
        )

    # One recognised line ----------------------------------------------------------------------

    def _step(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        part, draft = found.part, stream.draft
        if part is Part.SNIP:
            return
        if draft is not None and draft.n_unknown > PROSE_GAP and not draft.is_stamped_like(line):
            self._close(stream)
            draft = None
        if draft is not None and stream.rival is not None:
            draft = self._whose(stream, draft, stream.rival, line, found)
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
            is_error = "nternal error" in line.text
            if is_error and (draft is None or Part.TRACE in draft.parts):
                self._open(stream, index, line, found)
            elif stream.draft is not None:
                self._add(stream, index, found)
            if stream.draft is not None:
                stream.draft.foreign |= FOREIGN if part is Part.FOREIGN else 1
        elif stream.draft is not None and self._continues(stream.draft, line, found):
            self._add(stream, index, found)
        else:
            self._loose(stream, index, line, found)

    def _whose(
        self, stream: Stream, draft: Draft, rival: Draft, line: Line, found: Recognised
    ) -> Draft:
        """Return the one of two open reports that a line belongs to, and make it the stream's."""
        choice = choose(draft, rival, found)
        if choice.rival:
            stream.draft, stream.rival = rival, draft
            draft, rival = rival, draft
        reason = (TOLD_APART if choice.rival else None) if choice.sure else IN_DOUBT
        if reason is not None and reason not in draft.mixed:
            draft.mixed.add(reason)
            rival.mixed.add(reason)
            span = Span(input=self.input, first_line=line.number, last_line=line.last_number)
            self.damage.append(Damage(span=span, reason=reason))
        return draft

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
        stream.draft = stream.rival = None
        stream.pending.clear()

    def _open(self, stream: Stream, index: int, line: Line, found: Recognised) -> Draft | None:
        """Begin a report here, or at the pending lines before it."""
        pending = stream.pending
        early, unknown, kind = pending.indexes, pending.unknown, pending.part
        self._close(stream)
        stream.pending = Pending()
        if self.limit is not None and self.n_drafts >= self.limit:
            if not self.is_full:
                self.is_full = True
                span = Span(input=self.input, first_line=line.number, last_line=line.last_number)
                words = f"more than {self.limit} reports: those from here on are left out"
                self.damage.append(Damage(span=span, reason=words))
            return None
        draft = Draft(line, found.entry, self.n_drafts)
        draft.boot = self.boot
        self.n_drafts += 1
        headline = found.part is Part.HEADLINE
        ends = found.part is Part.END_PANIC
        if early and (kind is Part.CUT) == headline and (kind is Part.ENDING) <= ends:
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
        rivals = (
            draft is not None
            and draft.n_unknown <= PROSE_GAP
            and draft.quote == line.quote
            and may_rival(draft, found.entry)
        )
        told = _foretells(draft) and found.entry in DYING
        opened = self._open(stream, index, line, found)
        if opened is not None and rivals:
            stream.rival = draft
            opened.beside = True
        if opened is not None and (nests or ends or told):
            opened.follows = draft

    def _is_same_event(self, draft: Draft, line: Line, found: Recognised) -> bool:
        """A headline that speaks of what the open report already began to tell."""
        if draft.quote != line.quote or draft.n_unknown > PROSE_GAP:
            return False
        if draft.entry is Entry.MESSAGE and draft.is_message_only:
            return found.entry in (Entry.BUG, Entry.WARN, Entry.MESSAGE)
        if draft.entry in (Entry.CHECKER, Entry.PRELUDE) and draft.parts <= {Part.HEADLINE}:
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
        if draft.entry is Entry.PRELUDE:
            return any(words in message for words in PRELUDED)
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
            and draft.foreign < FOREIGN
            and Kind.HARDWARE_ERROR not in draft.kinds
            and draft.entry not in (Entry.WARN, Entry.USER, Entry.OTHER, Entry.PRELUDE)
            and not (draft.entry is Entry.CHECKER and Part.TRACE in draft.parts)
            and not draft.parts & {Part.CODE, Part.END_TRACE}
            and draft.quote == line.quote
        ):
            self._add(stream, index, found)
        else:
            told = _foretells(draft)
            opened = self._open(stream, index, line, found)
            if opened is not None and told:
                opened.follows = draft

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
        elif part is Part.END_PANIC:
            self._last_words(stream, index, line, found)
        elif part is Part.ENDING:
            self._remember(stream, index, part)
        elif part in (Part.IDENTITY, Part.MODULES):
            if stream.draft is not None:
                self._close(stream)
            self._remember(stream, index, part)

    def _last_words(self, stream: Stream, index: int, line: Line, found: Recognised) -> None:
        """Take the end marker of a panic of which the beginning is cut off: it repeats what panic() said."""
        words = next((fact.value for fact in found.facts if isinstance(fact, Detail)), "")
        known = ((draft.panic or "").rstrip(" :,-") for draft in self.drafts[-COMPARED:])
        if words and not any(said and (said in words or words in said) for said in known):
            opened = self._open(stream, index, line, found)
            if opened is not None:
                opened.is_over = True


def _foretells(draft: Draft | None) -> bool:
    """Tell whether the open report is firmware's record of the error that an abort or SError delivers."""
    return (
        draft is not None and Kind.HARDWARE_ERROR in draft.kinds and draft.n_unknown <= PENDING_GAP
    )


def _kinds(found: Recognised) -> set[Kind]:
    return {fact.kind for fact in found.facts if isinstance(fact, Headline)}


def _names_fault(found: Recognised) -> bool:
    return any(
        isinstance(fact, Syndrome) or (isinstance(fact, PrintedField) and fact.name == "EC")
        for fact in found.facts
    )


def _is_dump(found: Recognised) -> bool:
    return any(isinstance(fact, Register) for fact in found.facts)


def split_blocks(lines: Sequence[Line], taken: set[int], input: int = 0) -> Split:
    """Return the reports of an input as blocks of lines, in order of appearance.

    :param taken: indexes of lines that something else consumed (listings, commands).
    """
    splitter = Splitter(input)
    splitter.feed(lines, taken)
    blocks = without_weak(splitter.take(last=True))
    return Split(blocks, tuple(splitter.recognised), tuple(splitter.damage))
