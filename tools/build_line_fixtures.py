"""Build the small files with line tables that tests read: `python tools/build_line_fixtures.py`.

Tests need none of the compilers; after a rebuild the addresses and numbers in them may have to follow. Rust's is a
nightly one: without the core library it builds for a machine that it has no library for.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "data" / "lines"
LINK = (
    *("aarch64-linux-gnu-ld", "-N", "-static", "-nostdlib", "--build-id=sha1", "--entry=0"),
    "-Ttext=0xffff800008010000",
)
CLANG = ("clang-19", "--target=aarch64-linux-gnu", f"-ffile-prefix-map={FOLDER}=/src/tree", "-c")
GCC = ("aarch64-linux-gnu-gcc-12", f"-ffile-prefix-map={FOLDER}=/src/tree", "-c")
RUST = (
    *("rustup", "run", "nightly", "rustc", "--target=aarch64-unknown-none", "--emit=obj"),
    *("-O", "-g", "-Csymbol-mangling-version=v0", f"--remap-path-prefix={FOLDER}=/src/tree"),
)
C_FLAGS = ("-O2", "-ffreestanding", "-fno-asynchronous-unwind-tables", "-gz=none")
FILES = {
    "moved-clang.elf": (*CLANG, "-gdwarf-5", "moved.S"),
    "locks.elf": (*RUST, "locks.rs"),
    "sections-clang5.o": (*CLANG, *C_FLAGS, "-gdwarf-5", "sections.c"),
    "sections-gcc4.o": (*GCC, *C_FLAGS, "-gdwarf-4", "sections.c"),
}


def build(argv: tuple[str, ...], target: Path) -> None:
    """Compile one source, and link it where the target is no object.

    :raises subprocess.CalledProcessError: if a tool refuses it.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.o"
        subprocess.run([*argv, "-o", str(made)], check=True, cwd=FOLDER)
        if target.suffix == ".elf":
            subprocess.run([*LINK, str(made), "-o", str(target)], check=True)
        else:
            shutil.copyfile(made, target)
    target.chmod(0o644)


def main() -> int:
    """Write the files."""
    needed = sorted({LINK[0], *(argv[0] for argv in FILES.values())})
    absent = [tool for tool in needed if shutil.which(tool) is None]
    if absent:
        print(f"error: not installed: {', '.join(absent)}", file=sys.stderr)
        return 3
    for name, argv in FILES.items():
        build(argv, FOLDER / name)
        print(f"{name}: {(FOLDER / name).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
