"""A report while it is being read, and the state of the writer whose lines it is made of."""

from whypanic.crashlog.headlines import Entry
from whypanic.crashlog.lines import Line
from whypanic.crashlog.recognise import Recognised
from whypanic.crashlog.rivals import Marks
from whypanic.crashlog.sections.rule import Part
from whypanic.model.fault import Headline, InternalError, PanicMessage
from whypanic.model.kinds import Kind

DYING = frozenset({Entry.FAULT, Entry.BUG, Entry.MESSAGE, Entry.ERROR_INTERRUPT})
"""Headlines behind which the kernel ends in die() or panic()."""
MAX_UNKNOWN = 4000
"""Lines inside one report that no section knows, of which the places are kept."""


class Draft:
    """A report being read."""

    def __init__(self, line: Line, entry: Entry | None, number: int = 0) -> None:
        self.number = number
        self.indexes: list[int] = []
        self.unknown: list[int] = []
        self.messages: set[int] = set()
        self.entry = entry
        self.quote = line.quote
        self.stamped = line.prefixed
        self.parts: set[Part] = set()
        self.follows: Draft | None = None
        self.is_hyp = False
        self.error: tuple[str, int | None, int | None] | None = None
        self.error_digits = ""
        self.needs_more = False
        self.kinds: set[Kind] = set()
        self.panic: str | None = None
        self.has_ended = False
        self.is_over = False
        self.weak = False
        self.foreign = 0
        self.n_unknown = 0
        self.marks = Marks()
        self.boot = 0
        self.beside = False
        self.mixed: set[str] = set()
        """What was said of another report that was printed at once."""

    def add(self, index: int, found: Recognised) -> None:
        self.indexes.append(index)
        if Part.TRACE not in self.parts:
            self.marks.take(found, index)
        self.parts.add(found.part)
        self.n_unknown = 0
        for fact in found.facts:
            if isinstance(fact, PanicMessage):
                self.panic = fact.message
            elif isinstance(fact, InternalError):
                self.error = fact.name, fact.err, fact.count
                self.error_digits = _digits(fact)
            elif isinstance(fact, Headline):
                self.kinds.add(fact.kind)
                self.needs_more = found.entry is Entry.MESSAGE and fact.kind is Kind.WARNING
        if found.part is Part.END_TRACE:
            self.has_ended = True
        elif found.part is Part.END_PANIC:
            self.is_over = True
            self.weak = False

    @property
    def is_message_only(self) -> bool:
        return self.parts <= {Part.HEADLINE, Part.CUT, Part.DETAIL, Part.HINT, Part.SNIP}

    def is_like(self, line: Line) -> bool:
        """The report goes on and the line is quoted as deep as it is."""
        return line.quote == self.quote and not self.is_over

    def is_stamped_like(self, line: Line) -> bool:
        """The console stamped both: what lies between is other writers', not a mail's prose."""
        return line.prefixed and self.stamped and line.quote == self.quote

    def skip(self, index: int) -> None:
        """Take note of a line of this writer that no section knows."""
        self.n_unknown += 1
        if len(self.unknown) < MAX_UNKNOWN:
            self.unknown.append(index)

    def repeats(self, found: Recognised) -> bool:
        """The `Internal error:` line stands twice in a row: whoever copied it did that, or printk replayed it whole."""
        if self.error is None or self.parts & {Part.PC, Part.TRACE, Part.IDENTITY}:
            return False
        name, _err, count = self.error
        return any(
            self.error == (fact.name, fact.err, fact.count)
            or (
                count is None
                and fact.name == name
                and bool(self.error_digits)
                and _digits(fact).startswith(self.error_digits)
            )
            for fact in found.facts
            if isinstance(fact, InternalError)
        )

    @property
    def can_die(self) -> bool:
        """What ends in die() or panic(), or was read as a fragment of that."""
        return self.entry is None or self.entry in DYING


def _digits(error: InternalError) -> str:
    return "" if error.err is None else f"{error.err:0{error.n_digits}x}"


class Pending:
    """A line that belongs to a report only if one begins right behind it."""

    def __init__(self) -> None:
        self.indexes: list[int] = []
        self.unknown: list[int] = []
        self.part = Part.NONE

    def clear(self) -> None:
        self.indexes, self.unknown, self.part = [], [], Part.NONE


class Stream:
    """The state of one writer."""

    def __init__(self) -> None:
        self.draft: Draft | None = None
        self.last: Draft | None = None
        self.pending = Pending()
        self.in_trace = False
        self.rival: Draft | None = None
        """A report that another CPU may still be printing."""
        self.trace_line = 0
