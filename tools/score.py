"""Score kind, first cause and blamed function against a folder of labelled logs.

Usage: python tools/score.py [FOLDER] [--quiet]

FOLDER holds `cases.jsonl` (one object a log: id, file, kind, accept, never, proven_ok, blame) and the logs;
by default `../shared/cases` beside the repository. Prints the score of all cases and of the faults, every miss, and
every `proven` that the labels do not justify. Exit 0, also where the folder is absent, which it says.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

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
        read = explain_input(read_input(str(folder / label["file"])))
        reports = [
            report_of(e, read.text, order=n + 1, first=0) for n, e in enumerate(read.explained)
        ]
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
        yield Outcome(label, first.kind, best.id, best.verdict, blamed, wrong)


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
    _print(list(score(folder)), quiet="--quiet" in sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
