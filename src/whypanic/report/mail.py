"""The document as a plain-text reply, ready for `git send-email` or `mutt -H`.

Our words are at most 72 columns wide; the lines of the crash are quoted as they are, one `> ` before each, and what
a claim says stands under the last line that it rests on. A name or a command that is longer by itself is not cut.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from textwrap import wrap
from typing import NamedTuple

from whypanic.report.document import DocCause, DocClaim, DocReport, ExplainDocument
from whypanic.report.escape import printable

WIDTH = 72
_MAX_QUOTED = 900
"""Characters of one quoted line: RFC 5322 2.1.1 allows 998 in a line."""
_MAX_OF_CLAIM = 8
"""Lines quoted for one claim."""
_MAX_NAMING = 3
"""Lines quoted because they name the function to look at."""
_MAX_RIVALS = 6
_MAX_HEADER = 4000
_MAX_REFERENCES = 40
_HELD = ("proven", "supported", "possible")
_VERDICT = {
    "proven": "the kernel's own words or a run prove it",
    "supported": "evidence for it, none against",
    "possible": "it fits, and so may others",
}


class Addressee(NamedTuple):
    """The mail that is answered; each field unfolded."""

    sender: str
    date: str
    subject: str
    message_id: str
    references: str
    to: str
    """Whom to answer, as the header has it."""
    cc: str


class Quotable(NamedTuple):
    """What the document does not hold of one report."""

    words: Mapping[int, Sequence[str]]
    """The decoded lines of its input by physical line."""
    chief: frozenset[int]
    """Physical lines that are quoted whatever the claims cite: headline, PC, first frames."""
    mail: Addressee | None


def render_mail(document: ExplainDocument, quotable: Sequence[Quotable]) -> str:
    """Return one mail that answers all reports of a document; empty when it has none.

    :param quotable: one for each report, in order.
    """
    if not document.reports:
        return ""
    lines = [*_header(document.reports[0], quotable[0].mail), ""]
    shown: Addressee | None = None
    for report, source in zip(document.reports, quotable, strict=True):
        if report.order > document.reports[0].order:
            lines += ["", "* " * 3, ""]
        lines += _reply(report, source, attributed=source.mail is None or source.mail == shown)
        shown = source.mail
    lines += ["", "-- ", *_signature(document)]
    return "".join(f"{line}\n" for line in _tidy(lines))


def _tidy(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with no blanks at their ends, but for a signature's mark, and never two blank ones."""
    previous = "-"
    for line in lines:
        kept = line if line == "-- " else line.rstrip()
        if kept or previous:
            yield kept
        previous = kept


# Header ----------------------------------------------------------------------------------------


def _header(report: DocReport, mail: Addressee | None) -> Iterator[str]:
    subject = report.title
    if mail is not None and mail.subject:
        subject = re.sub(r"(?i)^(?:\s*(?:re|aw|sv|antw)\s*:)+\s*", "", mail.subject)
    if mail is not None:
        subject = f"Re: {subject}"
    yield from _field("Subject", _encoded(subject), " ")
    if mail is not None:
        yield from _field("To", _one_line(mail.to), ",")
        yield from _field("Cc", _one_line(mail.cc), ",")
        ids = re.findall(r"<[!-;=?-~]{1,250}>", mail.message_id)[:1]
        known = re.findall(r"<[!-;=?-~]{1,250}>", mail.references)[-_MAX_REFERENCES:]
        yield from _field("In-Reply-To", " ".join(ids), " ")
        yield from _field("References", " ".join(dict.fromkeys([*known, *ids])), " ")
    yield "MIME-Version: 1.0"
    yield "Content-Type: text/plain; charset=UTF-8"
    yield "Content-Transfer-Encoding: 8bit"


def _field(name: str, value: str, separator: str) -> Iterator[str]:
    """Yield a header field, folded at the separator; nothing where it is empty."""
    if not value:
        return
    line = f"{name}:"
    for piece in _pieces(value, separator):
        if len(line) + 1 + len(piece) > WIDTH and line not in ("", f"{name}:"):
            yield line
            line = ""
        line = f"{line} {piece}"
    yield line


def _pieces(value: str, separator: str) -> list[str]:
    """Return addresses or ids, each with its comma; a comma in quotes separates nothing."""
    if separator == " ":
        return value.split()
    found = [p.strip() for p in re.findall(r'(?:"[^"]{0,300}"|[^",]|")+', value) if p.strip()]
    return [f"{piece}," for piece in found[:-1]] + found[-1:]


def _one_line(value: str) -> str:
    """Return a header value without line ends and controls: what a mail says must not become our header."""
    return printable(" ".join(value[:_MAX_HEADER].split()))


def _encoded(value: str) -> str:
    value = _one_line(value)[:500]
    if value.isascii():
        return value
    from email.header import Header

    return Header(value, "utf-8", WIDTH - len("Subject: ")).encode(linesep="\n").replace("\n", "")


# Body ------------------------------------------------------------------------------------------


def _reply(report: DocReport, source: Quotable, *, attributed: bool) -> Iterator[str]:
    best = next((c for c in report.causes if c.verdict in _HELD), None)
    yield from _in_short(report, best)
    yield ""
    if source.mail is not None and not attributed:
        yield from _attribution(source.mail)
    claims = best.claims if best is not None else []
    yield from _quoted(report, claims, source)
    if best is None:
        return
    rest = [c for c in claims if not _cited(c, source)]
    for claim in rest:
        yield ""
        yield from _words(_finding(claim))
    yield from _rivals(report, best)
    yield from _remedies(best)


def _in_short(report: DocReport, best: DocCause | None) -> Iterator[str]:
    what = f'This reads as "{report.title}"'
    if report.follows is not None:
        what += f", a consequence of report {report.follows}"
    if report.blame is not None:
        what += f"; the function to look at is {report.blame.function}"
    if best is None or best.id == "unknown":
        yield from _words(f"{what}. No cause is told by the text.")
    else:
        sure = _VERDICT[best.verdict]
        yield from _words(f"{what}. The cause, {best.verdict} ({sure}): {best.title} [{best.id}].")


def _attribution(mail: Addressee) -> Iterator[str]:
    name = re.sub(r"\s*<[^>]*>\s*$", "", _one_line(mail.sender)).strip(' "') or "somebody"
    when = f"On {_one_line(mail.date)[:80]}, " if mail.date else ""
    yield from _words(f"{when}{name[:200]} wrote:")


def _cited(claim: DocClaim, source: Quotable) -> list[int]:
    lines = sorted({f.line for f in claim.facts if f.line is not None and f.line in source.words})
    return lines[:_MAX_OF_CLAIM]


def _quoted(report: DocReport, claims: Sequence[DocClaim], source: Quotable) -> Iterator[str]:
    """Yield the lines in the order of the log, and under the last one that a claim cites what it says."""
    wrapped = {d.span.first_line: d.span.last_line for d in report.damage if "rejoined" in d.reason}
    shown = {line for line in source.chief if line in source.words}
    under: dict[int, list[DocClaim]] = {}
    for claim in claims:
        cited = _cited(claim, source)
        if cited:
            shown.update(cited)
            under.setdefault(cited[-1], []).append(claim)
    for cause in report.causes:
        reason = next((c for c in cause.claims if c.sense == "refutes"), None)
        if reason is not None:
            shown.update(_cited(reason, source))
    shown.update(_naming(report, source))
    for line in tuple(shown):
        shown.update(n for n in range(line, wrapped.get(line, line) + 1) if n in source.words)
    lines = sorted(shown)
    after: dict[int, list[DocClaim]] = {}
    for line, found in under.items():
        after.setdefault(min(wrapped.get(line, line), lines[-1]), []).extend(found)
    previous = None
    for line in lines:
        if previous is not None and _is_gap(previous, line, source):
            yield "[...]"
        yield from (_quote(words) for words in source.words[line])
        previous = line
        if line in after:
            for claim in after[line]:
                yield ""
                yield from _words(_finding(claim))
            yield ""


def _naming(report: DocReport, source: Quotable) -> Iterator[int]:
    """Yield the first lines of the report that name the function to look at; where none does, what the writer
    added (a command, its answer, a listing's head) with the lines around it."""
    if report.blame is None:
        return
    name = report.blame.function
    span = range(report.span.first_line, report.span.last_line + 1)
    for lines, around in ((span, 0), (sorted(source.words), 1)):
        found = (n for n in lines if any(name in words for words in source.words.get(n, ())))
        named = list(islice(found, _MAX_NAMING))
        if named:
            near = (n for line in named for n in range(line - around, line + around + 1))
            yield from (n for n in near if n in source.words)
            return


def _is_gap(previous: int, line: int, source: Quotable) -> bool:
    between = range(previous + 1, min(line, previous + 50))
    return any(any(words.strip("> |\t") for words in source.words.get(n, ())) for n in between)


def _quote(words: str) -> str:
    text = printable(words)
    if len(text) > _MAX_QUOTED:
        text = text[:_MAX_QUOTED] + " [...]"
    return f"> {text}"


def _finding(claim: DocClaim) -> str:
    text = claim.text[:1].upper() + claim.text[1:] if claim.text[:2].islower() else claim.text
    against = "Against it: " if claim.sense == "refutes" else ""
    return f"{against}{text.rstrip('.')}."


def _rivals(report: DocReport, best: DocCause) -> Iterator[str]:
    others = [c for c in report.causes if c is not best and c.claims]
    held = [c for c in others if c.verdict in _HELD]
    refuted = [c for c in others if c.verdict == "refuted"]
    for heading, causes, sense in (
        ("It may also be:", held, "supports"),
        ("Ruled out:", refuted, "refutes"),
    ):
        if not causes:
            continue
        yield ""
        yield heading
        for cause in causes[:_MAX_RIVALS]:
            claims = [c for c in cause.claims if c.sense == sense] or cause.claims
            yield from _words(f"{cause.title}: {claims[0].text.rstrip('.')}.", " - ", "   ")
        if len(causes) > _MAX_RIVALS:
            yield from _words(f"and {len(causes) - _MAX_RIVALS} more.", "   ")


def _remedies(best: DocCause) -> Iterator[str]:
    for heading, steps in (
        ("What would help:", [(r.text, r.patch) for r in best.remedies]),
        ("Next:", [(n.text, n.command) for n in best.next]),
    ):
        if not steps:
            continue
        yield ""
        yield heading
        for text, line in steps:
            yield from _words(f"{text.rstrip('.')}.", " - ", "   ")
            if line:
                yield ""
                yield from _typed(line)
                yield ""


def _typed(text: str) -> Iterator[str]:
    """Yield lines to be typed, indented; one that is too long for a mail with `\\` where a shell or make allows it."""
    for line in text.split("\n"):
        shown = f"     {printable(line)}"
        if len(shown) <= WIDTH:
            yield shown
            continue
        command, mark, comment = shown.partition("  # " if "  # " in shown else " # ")
        if mark:
            yield from _words(comment, "     # ")
        words = re.findall(r"(?:'[^']{0,999}'|\"[^\"]{0,999}\"|[^\s'\"]|['\"])+", command)
        start = "     "
        for word in words:
            if start.strip() and len(start) + len(word) + 3 > WIDTH:
                yield f"{start} \\"
                start = "      "
            start = f"{start} {word}" if start.strip() else f"{start}{word}"
        yield start


def _signature(document: ExplainDocument) -> Iterator[str]:
    yield f"{document.tool.name} {document.tool.version}"
    spans = [report.span for report in document.reports]
    for index, described in enumerate(document.inputs):
        told = [f"{s.first_line}-{s.last_line}" for s in spans if s.input == index]
        if told:
            yield from _words(f"{described.name}, lines {', '.join(told[:20])}")


def _words(text: str, first: str = "", rest: str | None = None) -> Iterable[str]:
    return wrap(
        printable(text),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
