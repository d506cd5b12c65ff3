"""What a reply to a report needs besides the document: the words of its lines, and the mail they stand in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from whypanic.app.analysis import Explained
from whypanic.causes.case import CaseView
from whypanic.crashlog.headers import decoded_words
from whypanic.crashlog.mbox import Letterhead
from whypanic.crashlog.places import Row, rows_of
from whypanic.crashlog.texts import Text, open_texts
from whypanic.model.context import Task
from whypanic.model.fault import (
    ErrorInterrupt,
    FaultAddress,
    Headline,
    InternalError,
    KasanHint,
    PanicMessage,
    StackRange,
    Syndrome,
)
from whypanic.model.hyp import HypPanic, HypPanicAt
from whypanic.model.provenance import Fact
from whypanic.model.trace import Frame
from whypanic.report.mail import Addressee, Quotable

_ALWAYS = (
    Headline, FaultAddress, Syndrome, InternalError, PanicMessage, HypPanic, HypPanicAt, Task,
    StackRange, KasanHint, ErrorInterrupt,
)  # fmt: skip
"""Facts whose lines a maintainer looks for first."""
_REGISTERS = ("pc", "lr")
_FRAMES = 6
_OF_TYPE = 3
_HEAD_ROWS = 3
"""Lines above the first frame among which the head of the trace is looked for."""


def quotable_reports(data: bytes, explained: Sequence[Explained]) -> Iterator[Quotable]:
    """Yield, for each report of an input, its words by physical line, its chief lines and its mail."""
    if not explained:
        return
    texts = open_texts(data)
    words: dict[int, list[str]] = {}
    for text in texts:
        for row in _rows(text):
            shown = row.data.rstrip(b"\r").decode("utf-8", "backslashreplace")
            words.setdefault(row.first, []).append(shown)
    mails = [mail for text in texts for mail in text.mails]
    for item in explained:
        span = item.report.span
        span = span if item.places is None else item.places.span(span)
        home = next((m for m in mails if m.first_line <= span.first_line <= m.last_line), None)
        yield Quotable(
            words=words,
            chief=frozenset(_chief_lines(item, words)),
            mail=None if home is None else _addressee(home),
        )


def _rows(text: Text) -> Iterable[Row]:
    rows = rows_of(text.data)
    if text.places is None:
        return rows
    places = text.places
    return (row._replace(first=places.line(row.first), last=places.line(row.last)) for row in rows)


def _above(line: int, item: Explained, words: Mapping[int, Sequence[str]]) -> Iterator[int]:
    """Yield the line that says that frames follow: `Call trace:`, `nVHE call trace:`, `Allocated by task 7:`."""
    for above in range(line - 1, max(line - 1 - _HEAD_ROWS, 0), -1):
        number = above if item.places is None else item.places.line(above)
        if any(text.rstrip().endswith(":") for text in words.get(number, ())):
            yield number
            return


def _chief_lines(item: Explained, words: Mapping[int, Sequence[str]]) -> Iterator[int]:
    case = item.case
    span = item.report.span
    is_trace = False
    for fact in _chief_facts(case):
        line = fact.source.line
        if line is None or not span.first_line <= line <= span.last_line:
            continue
        for number in range(line, (fact.source.last_line or line) + 1):
            yield number if item.places is None else item.places.line(number)
        if isinstance(fact, Frame) and not is_trace:
            is_trace = True
            yield from _above(line, item, words)


def _chief_facts(case: CaseView) -> Iterator[Fact]:
    for kind in _ALWAYS:
        yield from case.all(kind)[:_OF_TYPE]
    for name in _REGISTERS:
        if name in case.registers:
            yield case.registers[name]
    if case.kernel is not None:
        yield case.kernel
    yield from (case.frames or case.all(Frame))[:_FRAMES]
    if case.faulting is not None:
        yield case.faulting


def _addressee(mail: Letterhead) -> Addressee:
    return Addressee(
        sender=decoded_words(mail.sender),
        date=mail.date,
        subject=decoded_words(mail.subject),
        message_id=mail.message_id,
        references=mail.references,
        to=mail.reply_to or mail.sender,
        cc=", ".join(words for words in (mail.to, mail.cc) if words),
    )
