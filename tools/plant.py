"""Plant defects of every rule in a real image, in small ones and in compiled C; print what an audit finds of them.

The real image is what scripts/fetch-image.sh fetches. The planter knows nothing of the audit. Each image takes defects
of every kind and legal look-alikes; a seed says which, and where.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from builders.planter import planted_image  # noqa: E402
from builders.planting.compiled import compile_all, compilers  # noqa: E402
from builders.planting.ground import Ground  # noqa: E402
from builders.planting.score import (  # noqa: E402
    Score,
    Tally,
    findings_of,
    score,
    score_compiled,
    score_object,
)
from builders.planting.small import FORMS, hyp_object, small_image  # noqa: E402


def main() -> None:
    """Print a line a rule, and under the table every defect that was missed and every false finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=300, help="defects in the real image (300)")
    parser.add_argument("--seed", type=int, default=1, help="of the first image (1)")
    parser.add_argument("--image", type=Path, help="a vmlinux; without it Debian's is fetched")
    parser.add_argument("--keep", type=Path, help="folder for the images that disagree")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="whypanic-plant-") as scratch:
        folder = Path(scratch)
        real, others = Tally(), Tally()
        complaints = []
        for name, path, one in _real(given.image or _fetch(), given.seed, given.number, folder):
            real.add(one)
            complaints += _complaints(name, path, one, given.keep)
        for name, path, one in _others(given.seed, folder):
            others.add(one)
            complaints += _complaints(name, path, one, given.keep)
    print("in a real vmlinux", *real.lines(), "", sep="\n")
    print("in small images, objects and compiled C", *others.lines(), "", sep="\n")
    print(*complaints, sep="\n")
    n_planted = real.n_planted + others.n_planted
    print(
        f"{n_planted} defects, {real.n_decoys} legal look-alikes, {time.monotonic() - started:.0f} s"
    )
    if complaints:
        raise SystemExit(1)


def _fetch() -> Path:
    script = ["bash", str(ROOT / "scripts" / "fetch-image.sh")]
    done = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip()) / "vmlinux"


def _real(vmlinux: Path, seed: int, n: int, folder: Path) -> Iterator[tuple[str, Path, Score]]:
    ground = Ground(vmlinux)
    known = {(f.rule, f.place) for f in findings_of(ground.path)[0]}
    n_planted = 0
    for number in count(seed):
        path = folder / "vmlinux"
        plants = planted_image(ground, number, path)
        yield f"seed {number}", path, score(path, plants, known)
        n_planted += sum(p.rule is not None for p in plants)
        if n_planted >= n:
            return


def _others(seed: int, folder: Path) -> Iterator[tuple[str, Path, Score]]:
    for form in FORMS:
        for number in range(seed, seed + 10):
            path, plants = small_image(form, number)
            yield f"{form} seed {number}", path, score(path, plants)
    for number in range(seed, seed + 20):
        for orphan in (True, False):
            path, section = hyp_object(number, orphan=orphan)
            yield f"object with {section}", path, score_object(path, section, orphan=orphan)
    here, missing = compilers()
    for name in missing:
        print(f"skipped: {name} is not installed")
    for compiled in compile_all(folder, here):
        yield compiled.name, compiled.path, score_compiled(compiled)


def _complaints(name: str, path: Path, one: Score, keep: Path | None) -> list[str]:
    lines = [f"missed {what}, {name}" for what in one.describe_missed()]
    lines += [f"false: {f.rule} {f.level} at {f.place:#x}: {f.title}, {name}" for f in one.false]
    lines += [f"broke: {b.rule}: {b.reason}, {name}" for b in one.broken]
    if lines and keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        kept = keep / name.replace(" ", "-")
        kept.write_bytes(path.read_bytes())
        (keep / f"{kept.name}.txt").write_text("\n".join((*lines, "")))
    return lines


if __name__ == "__main__":
    main()
