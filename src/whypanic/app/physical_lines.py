"""A report of a decoded text, with the lines of the file in the place of the text's own."""

from typing import TypeVar

from msgspec import Struct, structs

from whypanic.crashlog.places import Places
from whypanic.model.provenance import Span
from whypanic.report.document import DocFact, DocSpan

T = TypeVar("T")


def relocated(value: T, places: Places | None) -> T:
    """Return a part of the document with every span and every line of a fact where it stands in the file."""
    return value if places is None else _moved(value, places)  # type: ignore[return-value]


def _moved(value: object, places: Places) -> object:
    if isinstance(value, DocSpan):
        span = places.span(
            Span(input=value.input, first_line=value.first_line, last_line=value.last_line)
        )
        return DocSpan(input=span.input, first_line=span.first_line, last_line=span.last_line)
    if isinstance(value, DocFact):
        return value if value.line is None else structs.replace(value, line=places.line(value.line))
    if isinstance(value, list):
        return [_moved(item, places) for item in value]
    if isinstance(value, Struct):
        parts = {
            name: part
            for name in value.__struct_fields__
            if isinstance(part := getattr(value, name), Struct | list)
        }
        return structs.replace(value, **{n: _moved(part, places) for n, part in parts.items()})
    return value
