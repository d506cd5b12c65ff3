"""The folder that scripts/fetch-image.sh makes, and the program run over it as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = "WHYPANIC_REAL_IMAGE"
"""Environment variable that names the folder."""
_SECONDS = 120
Report = dict[str, Any]


class Run(NamedTuple):
    code: int
    reports: list[Report]
    stderr: str

    @property
    def report(self) -> Report:
        """Return the only report."""
        assert len(self.reports) == 1, (self.code, self.stderr)
        return self.reports[0]


class RealImage:
    """One kernel of Debian: files by what they are."""

    def __init__(self, folder: Path) -> None:
        self.version = folder.name
        self.release = (folder / "release").read_text().strip()
        self.vmlinux = folder / "vmlinux"
        self.system_map = folder / "System.map"
        self.vmlinuz = folder / "vmlinuz"
        self.modules = folder / "modules"
        self.debug = folder / "debug"

    @property
    def debug_modules(self) -> list[Path]:
        """Files of modules with debug information, by name."""
        return sorted(self.debug.rglob("*.ko"))

    def module(self, name: str) -> Path:
        """Return the module itself, as it is installed."""
        return next(self.modules.rglob(f"{name}.ko*"))


def explain(text: str, *options: str | Path) -> Run:
    """Return what `whypanic explain --format json` makes of a text on stdin."""
    done = subprocess.run(
        [sys.executable, "-m", "whypanic", "explain", "--format", "json", *options, "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    reports = json.loads(done.stdout)["reports"] if done.stdout else []
    return Run(done.returncode, reports, done.stderr)
