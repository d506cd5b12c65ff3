"""Build the small images with debug information that tests read: `python tools/build_fixtures.py`.

tests/data/variables/variables.c becomes variables-gcc.elf and variables-clang.elf beside it. Tests need neither
compiler; after a rebuild the addresses in them may have to follow.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "data" / "variables"
LINKER = "aarch64-linux-gnu-ld"
COMPILERS = {
    "gcc": ("aarch64-linux-gnu-gcc-12", "-fno-ipa-ra"),
    "clang": ("clang-19", "--target=aarch64-linux-gnu"),
}
FLAGS = (
    "-O2",
    "-gdwarf-5",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-pic",
    "-fno-pie",
    "-fno-omit-frame-pointer",
    "-mgeneral-regs-only",
    "-gz=none",
)
LINK_FLAGS = ("-static", "-nostdlib", "--build-id=sha1", "-z", "max-page-size=4096")
TEXT = "-Ttext=0xffff800008010000"


def build(source: Path, compiler: str, target: Path) -> None:
    """Compile and link one source.

    :raises subprocess.CalledProcessError: if a tool refuses it.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "variables.o"
        mapped = f"-ffile-prefix-map={source.parent}=."
        argv = [*COMPILERS[compiler], *FLAGS, mapped, "-c", source.name, "-o", str(made)]
        subprocess.run(argv, check=True, cwd=source.parent)
        subprocess.run([LINKER, *LINK_FLAGS, TEXT, str(made), "-o", str(target)], check=True)
    target.chmod(0o644)


def main() -> int:
    """Write the images."""
    needed = [LINKER, *(argv[0] for argv in COMPILERS.values())]
    absent = [tool for tool in needed if shutil.which(tool) is None]
    if absent:
        print(f"error: not installed: {', '.join(absent)}", file=sys.stderr)
        return 3
    for name in COMPILERS:
        target = FOLDER / f"variables-{name}.elf"
        build(FOLDER / "variables.c", name, target)
        print(f"{target.name}: {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
