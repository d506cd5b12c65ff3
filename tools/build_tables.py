"""Rebuild tests/data/tables/*.s: tables.c as several compilers put it into assembler.

Needs clang-14, clang-19, aarch64-linux-gnu-gcc-11 and -12. What is kept is what assembles to code, data and symbols.
"""

import re
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "data" / "tables"
COMMON = (
    "-S",
    "-o",
    "-",
    "-ffreestanding",
    "-fno-asynchronous-unwind-tables",
    "-fno-ident",
    "-mgeneral-regs-only",
)
CLANG = ("--target=aarch64-linux-gnu", "-fno-addrsig", "-fno-pic")
GCC = ("-fno-pie", "-fno-stack-protector")
COMPILERS = {
    "clang-14": ("clang-14", *CLANG),
    "clang-19": ("clang-19", *CLANG),
    "gcc-11": ("aarch64-linux-gnu-gcc-11", *GCC),
    "gcc-12": ("aarch64-linux-gnu-gcc-12", *GCC),
}
PLAIN: dict[str, tuple[str, ...]] = {"Os": ("-Os",)}
MORE = PLAIN | {
    "O2": ("-O2", "-DFAR_APART"),
    "no-jump-tables": ("-Os", "-fno-jump-tables"),
    "pie": ("-Os", "-fpie"),
    "large": ("-Os", "-mcmodel=large"),
    "tiny": ("-Os", "-mcmodel=tiny"),
    "bti": ("-Os", "-mbranch-protection=standard"),
}
VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "clang-14": PLAIN,
    "clang-19": MORE,
    "gcc-11": PLAIN,
    "gcc-12": MORE,
}
_DROPPED = re.compile(
    r"\s*(//|#|\.(file|ident|cfi_\w+|addrsig\w*|arch|globl|global|p2align\s+4|build_version)\b"
    r'|\.section\s+"?\.note)'
)


def trimmed(text: str) -> str:
    """Return the lines that matter, comments cut."""
    lines = (re.sub(r"\s*//.*", "", line).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not _DROPPED.match(line)) + "\n"


def main() -> None:
    """Compile and write every variant."""
    for compiler, variants in VARIANTS.items():
        for name, flags in variants.items():
            argv = [*COMPILERS[compiler], *COMMON, *flags, str(FOLDER / "tables.c")]
            done = subprocess.run(argv, check=True, capture_output=True, text=True)
            kept = f"// {compiler} {' '.join(flags)}: see tables.c\n{trimmed(done.stdout)}"
            (FOLDER / f"{compiler}-{name}.s").write_text(kept, encoding="utf-8")


if __name__ == "__main__":
    main()
