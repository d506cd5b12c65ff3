"""Build the init that the lab boots kernels with: `python tools/build_guest.py` prints where the initramfs is.

`lab boot` does the same when it is missing. `--all` builds it with each compiler there is, and keeps nothing.
"""

import sys
import tempfile
from pathlib import Path

from whypanic.lab.guest_build import build_init, compilers
from whypanic.lab.initramfs import initramfs_path
from whypanic.model.errors import HostError


def build_with_all() -> None:
    """Say how large the init of every compiler is.

    :raises HostError: of the first that cannot build it.
    """
    for compiler in compilers():
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "init"
            build_init(target, compiler=compiler)
            print(f"{compiler.name}: {target.stat().st_size} bytes")


def main() -> int:
    """Build, and print the path and the size of the archive."""
    try:
        if "--all" in sys.argv[1:]:
            build_with_all()
            return 0
        path = initramfs_path()
    except HostError as error:
        print(f"error: {error.message}", file=sys.stderr)
        for hint in error.hints:
            print(f"hint: {hint}", file=sys.stderr)
        return 3
    print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
