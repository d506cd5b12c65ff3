"""The repository as its own tests see it."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "whypanic"
_SKIPPED = {".git", ".venv", "__pycache__", ".hypothesis", "dist", "build"}


@cache
def files() -> tuple[Path, ...]:
    """Return the files that belong to the project: tracked ones, and new ones that git does not ignore.

    Outside a git work tree (an unpacked archive) it is every file outside caches.
    """
    command = ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"]
    try:
        listed = subprocess.run(
            command, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        found = (p for p in ROOT.rglob("*") if not _is_skipped(p))
    else:
        found = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(p for p in found if p.is_file()))


def modules() -> tuple[Path, ...]:
    """Return the modules of the program."""
    return tuple(p for p in files() if p.is_relative_to(SOURCE) and p.suffix == ".py")


def _is_skipped(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any(part in _SKIPPED or part.endswith("_cache") for part in parts)
