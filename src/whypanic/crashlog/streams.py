"""Lines of one CPU or task kept apart from those of the others that wrote to the same console."""

from typing import TYPE_CHECKING

from whypanic.model.provenance import Damage, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from whypanic.crashlog.lines import Line


def writer_of(line: "Line") -> str | None:
    """Return who wrote the line, where its prefix tells."""
    if line.caller is not None:
        return line.caller
    return None if line.cpu is None else f"cpu{line.cpu}"


def interleaving(lines: "Sequence[Line]", input: int = 0) -> Damage | None:
    """Return the damage where writers took turns inside these lines; None: each wrote in one go.

    Two writers one after the other are no damage; one that resumes behind another is.
    """
    seen: set[str] = set()
    current: str | None = None
    for line in lines:
        writer = writer_of(line)
        if writer is None or writer == current:
            continue
        if writer in seen:
            span = Span(input=input, first_line=lines[0].number, last_line=lines[-1].last_number)
            return Damage(span=span, reason="lines of several CPUs or tasks interleaved")
        seen.add(writer)
        current = writer
    return None
