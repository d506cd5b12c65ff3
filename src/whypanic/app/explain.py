"""The use case `explain`: names of logs in, a document out."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from whypanic.app.analysis import Explained, explain_text
from whypanic.app.explain_document import ReadInput, build_document, report_of, tool
from whypanic.app.inputs import LargeInput, RawInput, expand_paths, open_input, read_input
from whypanic.app.pstore_records import gather_records
from whypanic.app.stream import explain_stream
from whypanic.model.errors import InputError
from whypanic.report.document import EXPLAIN_SCHEMA, ExplainDocument, Input, Unreadable

if TYPE_CHECKING:
    from whypanic.report.mail import Quotable

Opened = TypeVar("Opened", RawInput, RawInput | LargeInput)
Refine = Callable[[Explained], Explained]
"""What is done to every explained report before it is shown: `replayer` of app/explain_replay.py, or nothing."""
Progress = Callable[[str, int], object]
"""Told the name of the input that is being read, and how many bytes of it were."""


def explain_paths(
    names: Sequence[str], refine: Refine | None = None, progress: Progress | None = None
) -> ExplainDocument:
    """Return the document for files, folders and standard input (`-`).

    What cannot be read is named in `unreadable`; the others are read all the same.
    """
    read: list[ReadInput] = []
    unreadable: list[Unreadable] = []
    for item in open_paths(names):
        if isinstance(item, InputError):
            unreadable.append(Unreadable(name=item.path or "?", reason=item.message))
        else:
            if progress is not None:
                progress(item.name, len(item.data))
            read.append(explain_input(item, len(read), refine))
    return build_document(read, unreadable)


def reply_paths(
    names: Sequence[str], refine: Refine | None = None
) -> "tuple[ExplainDocument, list[Quotable]]":
    """Return the document, and for each report the lines and the mail that a reply quotes."""
    from whypanic.app.quotable import quotable_reports

    read: list[ReadInput] = []
    quotable: list[Quotable] = []
    unreadable: list[Unreadable] = []
    for item in open_paths(names):
        if isinstance(item, InputError):
            unreadable.append(Unreadable(name=item.path or "?", reason=item.message))
            continue
        read.append(explain_input(item, len(read), refine))
        quotable.extend(quotable_reports(item.data, read[-1].explained))
    return build_document(read, unreadable), quotable


def open_paths(names: Sequence[str]) -> Iterator[RawInput | InputError]:
    """Yield every input, or the error that kept it from being read."""
    return gather_records(_open_files(names, read_input))


def _open_files(
    names: Sequence[str], opened: Callable[[str], Opened]
) -> Iterator[Opened | InputError]:
    for name in expand_paths(names):
        if isinstance(name, InputError):
            yield name
            continue
        try:
            yield opened(name)
        except InputError as error:
            yield error


def explain_input(raw: RawInput, index: int = 0, refine: Refine | None = None) -> ReadInput:
    """Return one input read and explained; `index` is its place in the document."""
    text, explained = explain_text(raw.data, index)
    if refine is not None:
        explained = tuple(refine(item) for item in explained)
    described = Input(name=raw.name, bytes=len(raw.data), sha256=raw.sha256)
    return ReadInput(described, text, explained)


def stream_lines(
    names: Sequence[str],
    refine: Refine | None = None,
    progress: Progress | None = None,
) -> Iterator[dict[str, object] | InputError]:
    """Yield the objects of `--format jsonl`: every report with `schema` and `input`, then the closing line.

    A large text is read in pieces: the memory that takes does not depend on its size.
    """
    from msgspec import to_builtins

    inputs: list[Input] = []
    n_reports = 0
    opened: Iterator[RawInput | LargeInput | InputError] = _open_files(names, open_input)
    gathered: Iterator[RawInput | LargeInput | InputError] = gather_records(opened)
    for item in gathered:
        if isinstance(item, InputError):
            yield item
            continue
        first = n_reports
        try:
            for place, explained in _explained(item, len(inputs), progress):
                refined = explained if refine is None else refine(explained)
                report = report_of(refined, order=first + place + 1, first=first)
                n_reports = max(n_reports, first + place + 1)
                yield {"schema": EXPLAIN_SCHEMA, "input": item.name, **to_builtins(report)}
        except InputError as error:
            yield error
        n_bytes = item.n_bytes if isinstance(item, LargeInput) else len(item.data)
        inputs.append(Input(name=item.name, bytes=n_bytes, sha256=item.sha256))
    yield {
        "schema": EXPLAIN_SCHEMA,
        "tool": to_builtins(tool()),
        "inputs": [to_builtins(described) for described in inputs],
    }


def _explained(
    item: RawInput | LargeInput, index: int, progress: Progress | None
) -> Iterator[tuple[int, Explained]]:
    """Yield the reports of an input with their places in it."""
    if isinstance(item, LargeInput):
        yield from explain_stream(_watched(item, progress), index)
        return
    if progress is not None:
        progress(item.name, len(item.data))
    yield from enumerate(explain_text(item.data, index)[1])


def _watched(item: LargeInput, progress: Progress | None) -> Iterator[bytes]:
    for chunk in item.chunks():
        if progress is not None:
            progress(item.name, item.n_bytes)
        yield chunk
