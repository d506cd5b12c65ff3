"""The use case `explain`: names of logs in, a document out."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from whypanic.app.analysis import Explained, explain_text
from whypanic.app.explain_document import ReadInput, build_document, report_of, tool
from whypanic.app.inputs import RawInput, expand_paths, read_input
from whypanic.model.errors import InputError
from whypanic.report.document import EXPLAIN_SCHEMA, ExplainDocument, Input, Unreadable

Refine = Callable[[Explained], Explained]
"""What is done to every explained report before it is shown: `replayer` of app/replay.py, or nothing."""


def explain_paths(names: Sequence[str], refine: Refine | None = None) -> ExplainDocument:
    """Return the document for files, folders and standard input (`-`).

    What cannot be read is named in `unreadable`; the others are read all the same.
    """
    read: list[ReadInput] = []
    unreadable: list[Unreadable] = []
    for item in open_paths(names):
        if isinstance(item, InputError):
            unreadable.append(Unreadable(name=item.path or "?", reason=item.message))
        else:
            read.append(explain_input(item, len(read), refine))
    return build_document(read, unreadable)


def open_paths(names: Sequence[str]) -> Iterator[RawInput | InputError]:
    """Yield every input, or the error that kept it from being read."""
    for name in expand_paths(names):
        if isinstance(name, InputError):
            yield name
            continue
        try:
            yield read_input(name)
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
    items: Iterable[RawInput | InputError], refine: Refine | None = None
) -> Iterator[dict[str, object] | InputError]:
    """Yield the objects of `--format jsonl`: every report with `schema` and `input`, then the closing line."""
    from msgspec import to_builtins

    inputs: list[Input] = []
    n_reports = 0
    for item in items:
        if isinstance(item, InputError):
            yield item
            continue
        read = explain_input(item, len(inputs), refine)
        first = n_reports
        for explained in read.explained:
            n_reports += 1
            report = report_of(explained, read.text, order=n_reports, first=first)
            yield {"schema": EXPLAIN_SCHEMA, "input": read.input.name, **to_builtins(report)}
        inputs.append(read.input)
    yield {
        "schema": EXPLAIN_SCHEMA,
        "tool": to_builtins(tool()),
        "inputs": [to_builtins(described) for described in inputs],
    }
