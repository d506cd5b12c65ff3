"""Explain many damaged logs and say what broke: an exception, an error of ours, more than a second, a hang.

Usage: python tools/mutate.py [FOLDER]... [--count N] [--name WORD] [--jobs N] [--cases-only] [--seed SEED]

The logs are those of the cases and examples, and the files of every FOLDER; by default also `../shared/cases` beside
the repository, where it is. With --seed the one damaged log of that seed goes to stdout, to be looked at; it needs
the same folders as the run that named it. Exit 0 if nothing broke, 1 if something did.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from functools import cache
from multiprocessing import Pool
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT / "src", ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from builders.mutations import Outcome, case_logs, mutated, try_mutated  # noqa: E402

CHUNK = 250
MAX_BYTES = 200_000
"""Larger files are no logs of one crash."""
MAX_SHOWN = 20
_SUFFIXES = (".log", ".txt", ".eml", ".mbox")


@cache
def logs_of(folders: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the logs to damage."""
    files = (path for folder in folders for path in sorted(Path(folder).iterdir()))
    wanted = (path for path in files if path.suffix in _SUFFIXES and path.is_file())
    return case_logs() + tuple(path.read_bytes()[:MAX_BYTES] for path in wanted)


def _run(job: tuple[str, int, tuple[str, ...]]) -> list[Outcome]:
    name, count, folders = job
    return list(try_mutated(name, count, logs_of(folders)))


class Tally:
    """Counts outcomes and keeps the bad and the slow ones."""

    def __init__(self) -> None:
        self.n_logs = 0
        self.n_with_reports = 0
        self.seconds = 0.0
        self.broken: list[Outcome] = []
        self.slowest: list[Outcome] = []

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count some outcomes."""
        for outcome in outcomes:
            self.n_logs += 1
            self.n_with_reports += outcome.n_reports > 0
            self.seconds += outcome.seconds
            self.slowest.append(outcome)
            if outcome.complaint:
                self.broken.append(outcome)
        self.slowest = sorted(self.slowest, key=lambda o: -o.seconds)[:5]

    def summary(self, wall_s: float) -> str:
        """Return what is said at the end."""
        lines = [
            f"{self.n_logs} damaged logs, {self.n_with_reports} still with a report; "
            f"{wall_s:.0f} s, {self.seconds:.0f} CPU s, "
            f"{1000 * self.seconds / max(1, self.n_logs):.1f} ms each",
            "slowest: " + ", ".join(f"{o.seconds:.2f} s ({o.seed})" for o in self.slowest),
            f"broken: {len(self.broken)}",
        ]
        first = {str(o.complaint).split("\n", maxsplit=1)[0]: o for o in reversed(self.broken)}
        counts = Counter(str(o.complaint).split("\n", maxsplit=1)[0] for o in self.broken)
        lines += [f"{n:6} {what} ({first[what].seed})" for what, n in counts.most_common(MAX_SHOWN)]
        return "\n".join(lines) + "\n"


def main() -> int:
    """Run as a program; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folders", nargs="*", metavar="FOLDER")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--name", default="mutate", help="begins the seeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--cases-only", action="store_true", help="no folder: what the tests damage"
    )
    parser.add_argument("--seed", help="write the damaged log of this seed")
    arguments = parser.parse_args()
    shared = ROOT.parent / "shared" / "cases"
    beside = (str(shared),) if shared.is_dir() and not arguments.cases_only else ()
    folders = tuple(arguments.folders) or beside
    if arguments.seed:
        sys.stdout.buffer.write(mutated(arguments.seed, logs_of(folders)))
        return 0
    count, tally, started = arguments.count, Tally(), time.monotonic()
    jobs = [
        (f"{arguments.name}-{first}", min(CHUNK, count - first), folders)
        for first in range(0, count, CHUNK)
    ]
    with Pool(arguments.jobs) as pool:
        for outcomes in pool.imap_unordered(_run, jobs):
            tally.add(outcomes)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{tally.n_logs} of {count}, {len(tally.broken)} broken ")
                sys.stderr.flush()
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    sys.stdout.write(tally.summary(time.monotonic() - started))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
