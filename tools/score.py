"""Score kind, first cause and blamed function against a folder of labelled logs, and what is understood of the reports.

Usage: python tools/score.py [FOLDER] [--quiet] [--lines]

FOLDER holds `cases.jsonl` (one object a log: id, file, kind, accept, never, proven_ok, blame) and the logs;
by default `../shared/cases` beside the repository. Prints the score of all cases and of the faults, every miss, and
every `proven` that the labels do not justify. Understood is the share of the lines with text inside a report's span
that became facts or are structure of the report; --lines prints it for every kind, with the shapes of the lines that
were not, the most frequent first. Exit 0, also where the folder is absent, which it says.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from whypanic.report.document import DocSpan

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

MAX_SHAPES = 60
_FAULTS = frozenset(
    {
        "null-dereference",
        "paging-request",
        "permission-fault",
        "user-access",
        "alignment-fault",
        "hyp-panic",
    }
)


class Outcome(NamedTuple):
    """What was said of one log, and whether the labels accept it."""

    label: dict[str, Any]
    kind: str | None
    cause: str | None
    verdict: str | None
    blame: str | None
    proven: tuple[str, ...]
    """Causes called proven without the labels' consent, in the reports that the labels are about."""
    covered: tuple[tuple[str, int, int], ...] = ()
    """Kind, lines with text and lines understood of each report."""
    unknown: tuple[str, ...] = ()
    """Lines inside reports that were not understood."""

    @property
    def is_fault(self) -> bool:
        return bool(_FAULTS & set(self.label["kind"]))

    @property
    def hits(self) -> dict[str, bool]:
        """Whether kind, cause and blame are right."""
        blamed = self.label["blame"]
        return {
            "kind": self.kind in self.label["kind"],
            "cause": self.cause in self.label["accept"],
            "blame": self.blame in blamed if blamed else self.blame is None,
            "never": self.cause not in self.label["never"],
        }


def score(folder: Path) -> Iterator[Outcome]:
    """Yield the outcome of each labelled log."""
    from whypanic.app.explain import explain_input
    from whypanic.app.explain_document import report_of
    from whypanic.app.inputs import read_input

    for line in (folder / "cases.jsonl").read_text().splitlines():
        label = json.loads(line)
        raw = read_input(str(folder / label["file"]))
        read = explain_input(raw)
        reports = [report_of(e, order=n + 1, first=0) for n, e in enumerate(read.explained)]
        wrong = tuple(
            cause.id
            for report in reports
            if report.kind in label["kind"]
            for cause in report.causes
            if cause.verdict == "proven" and cause.id not in label["proven_ok"]
        )
        if not reports:
            yield Outcome(label, None, None, None, None, wrong)
            continue
        first = reports[0]
        best = first.causes[0]
        blamed = first.blame.function if first.blame else None
        covered = tuple((r.kind, r.coverage.lines, r.coverage.understood) for r in reports)
        spans = [span for report in reports for span in report.unparsed]
        unknown = tuple(_lines(raw.data, spans))
        yield Outcome(label, first.kind, best.id, best.verdict, blamed, wrong, covered, unknown)


def _lines(data: bytes, spans: "list[DocSpan]") -> Iterator[str]:
    """Yield the words of the lines of some spans, without what stands before the kernel's own."""
    from whypanic.crashlog.lines import read_lines

    numbers = {n for span in spans for n in range(span.first_line, span.last_line + 1)}
    return (line.text for line in read_lines(data).lines if line.number in numbers)


def shape_of(text: str) -> str:
    """Return a line with its numbers made alike, so that lines of one kind are counted together."""
    alike = re.sub(r"\b(?:0x)?[0-9a-f]{8,16}\b", "H", text)
    return re.sub(r"\d+", "N", alike)[:80]


def _print_coverage(outcomes: list[Outcome], *, detailed: bool) -> None:
    write = sys.stdout.write
    n_lines: Counter[str] = Counter()
    n_understood: Counter[str] = Counter()
    for kind, lines, understood in (row for o in outcomes for row in o.covered):
        n_lines[kind] += lines
        n_understood[kind] += understood
    total, good = n_lines.total(), n_understood.total()
    write(f"all     lines  {good:4}/{total}  {100 * good / (total or 1):5.1f} %\n")
    if not detailed:
        return
    for kind in sorted(n_lines):
        share = 100 * n_understood[kind] / (n_lines[kind] or 1)
        write(f"lines {kind:24} {n_understood[kind]:5}/{n_lines[kind]:<5} {share:5.1f} %\n")
    shapes = Counter(shape_of(text) for o in outcomes for text in o.unknown)
    for shape, n in shapes.most_common(MAX_SHAPES):
        write(f"not understood {n:4}: {shape}\n")


def _print(outcomes: list[Outcome], *, quiet: bool) -> None:
    write = sys.stdout.write
    for name, chosen in (("all", outcomes), ("faults", [o for o in outcomes if o.is_fault])):
        total = len(chosen) or 1
        for what in ("kind", "cause", "blame", "never"):
            good = sum(o.hits[what] for o in chosen)
            write(f"{name:7} {what:6} {good:4}/{len(chosen)}  {100 * good / total:5.1f} %\n")
    for outcome in outcomes:
        if outcome.proven:
            write(f"PROVEN  {outcome.label['id']}: {', '.join(outcome.proven)}\n")
    if quiet:
        return
    for outcome in sorted(outcomes, key=lambda o: not o.is_fault):
        label, hits = outcome.label, outcome.hits
        mark = "fault" if outcome.is_fault else "other"
        said = {
            "kind": outcome.kind,
            "cause": f"{outcome.cause} ({outcome.verdict})",
            "blame": outcome.blame,
        }
        want = {"kind": label["kind"], "cause": label["accept"], "blame": label["blame"]}
        write(
            "".join(
                f"{mark} {what:5} {label['id']}: {said[what]} | want {want[what]}\n"
                for what in said
                if not hits[what]
            )
        )


def main() -> int:
    """Run; return the exit code."""
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    folder = Path(words[0]) if words else ROOT.parent / "shared" / "cases"
    if not (folder / "cases.jsonl").is_file():
        sys.stdout.write(f"nothing to score: no `cases.jsonl` in `{folder}`\n")
        return 0
    outcomes = list(score(folder))
    _print_coverage(outcomes, detailed="--lines" in sys.argv)
    _print(outcomes, quiet="--quiet" in sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
