"""The init of the lab's kernels, built from the C and assembler text in `guest/` by any compiler for AArch64."""

import hashlib
import platform
from pathlib import Path
from typing import NamedTuple

from whypanic.host.process import find_program, run_program
from whypanic.model.errors import HostError

GUEST = Path(__file__).parent / "guest"
_HINTS = (
    "as root: apt-get install gcc-aarch64-linux-gnu",
    "in a checkout: bash scripts/setup.sh lab",
)
_TIMEOUT_S = 60.0
FLAGS = (
    "-std=gnu11",
    "-O2",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-pie",
    "-fno-asynchronous-unwind-tables",
    # FP registers are touched by fp.S alone, which checks that nobody else changes them.
    "-mgeneral-regs-only",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-nostdlib",
    "-static",
    "-Wl,--build-id=none",
    "-Wl,-z,max-page-size=65536",
    "-Wl,--strip-all",
)
_GCC_VERSIONS = tuple(range(16, 7, -1))
_CLANG_VERSIONS = tuple(range(23, 10, -1))


class Compiler(NamedTuple):
    name: str
    path: str
    options: tuple[str, ...]
    """That make it compile and link for AArch64."""


def sources() -> tuple[Path, ...]:
    """Return all files of the guest in the order of their names."""
    return tuple(sorted(p for p in GUEST.iterdir() if p.suffix in {".c", ".h", ".S", ".ld"}))


def source_key() -> str:
    """Return a name for what is built: it changes with the sources and the options."""
    found = hashlib.sha256("\0".join(FLAGS).encode())
    for path in sources():
        data = path.read_bytes()
        found.update(f"\0{path.name}\0{len(data)}\0".encode() + data)
    return found.hexdigest()[:16]


def compilers() -> tuple[Compiler, ...]:
    """Return the compilers on this machine that can build it, the preferred first: GCC, then clang."""
    gccs = ["aarch64-linux-gnu-gcc", *(f"aarch64-linux-gnu-gcc-{n}" for n in _GCC_VERSIONS)]
    if platform.machine() == "aarch64":
        gccs.append("gcc")
    found = [Compiler(name, path, ("-no-pie",)) for name in gccs if (path := _find(name))]
    target = ["--target=aarch64-linux-gnu", "-Wno-unused-command-line-argument"]
    if _find("aarch64-linux-gnu-ld") is None:
        target.append("-fuse-ld=lld")
    clangs = ["clang", *(f"clang-{n}" for n in _CLANG_VERSIONS)]
    found += [Compiler(name, path, tuple(target)) for name in clangs if (path := _find(name))]
    return tuple(found)


def _find(name: str) -> str | None:
    try:
        return find_program(name)
    except HostError:
        return None


def build_init(target: Path, *, compiler: Compiler | None = None) -> Compiler:
    """Write the init, a static ELF file, to `target`, and return what built it: the same bytes each time.

    :param compiler: None: the first that there is.
    :raises HostError: if there is none, or it refuses the sources.
    """
    if compiler is None:
        found = compilers()
        if not found:
            message = "no compiler for AArch64 to build the init of the lab"
            raise HostError(message, hints=_HINTS)
        compiler = found[0]
    inputs = [str(path) for path in sources() if path.suffix in {".c", ".S"}]
    script = f"-Wl,-T,{GUEST / 'guest.ld'}"
    argv = [compiler.path, *compiler.options, *FLAGS, script, "-o", str(target), *inputs]
    done = run_program(argv, timeout_s=_TIMEOUT_S)
    if done.returncode != 0 or not target.is_file():
        complaint = next((s for s in done.stderr.splitlines() if "error" in s), "no reason given")
        message = f"`{compiler.name}` cannot build the init of the lab: {complaint.strip()}"
        raise HostError(message, hints=_HINTS)
    return compiler
