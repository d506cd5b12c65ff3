"""One run of make in a kernel tree: its words, its environment, and what came of it.

All is given on the command line or in an environment of our own, and time, user and folders are the same for everyone,
so that the same source, options and tools give the same Image bit for bit.

Source: Linux Documentation/kbuild/reproducible-builds.rst, kbuild.rst.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from whypanic.host.cache import cannot_write
from whypanic.host.clock import Deadline
from whypanic.host.long_program import start_long_program
from whypanic.lab.kbuild_output import KbuildOutput, first_error
from whypanic.lab.kernel_tree import KernelTree
from whypanic.lab.toolchains import host_needs, spelled_variables
from whypanic.model.errors import HostError
from whypanic.model.lab import Diagnostic, Toolchain

_PASSED_ON = ("PATH", "HOME", "TMPDIR")
_FIXED = {
    "LC_ALL": "C",
    "KBUILD_BUILD_TIMESTAMP": "Sat Jan  1 00:00:00 UTC 2000",
    "KBUILD_BUILD_USER": "whypanic",
    "KBUILD_BUILD_HOST": "lab",
    "KBUILD_BUILD_VERSION": "1",
    "SOURCE_DATE_EPOCH": "946684800",
    # ccache hashes the current folder when there is debug information; ours is mapped away below.
    "CCACHE_NOHASHDIR": "1",
}
_DISK_FULL = ("No space left on device", "Disk quota exceeded")


class BuildProgress(NamedTuple):
    """How far a build is."""

    phase: str
    """tree, configure, compile, keep."""
    n_objects: int
    n_expected: int | None
    """None: some of it was there already, and nobody knows how much is left."""
    estimated: bool
    current: str
    """`CC kernel/fork.o`"""
    seconds: float


class Made(NamedTuple):
    """What one run of make came to."""

    ok: bool
    out_of_time: bool
    reason: str
    diagnostics: tuple[Diagnostic, ...]
    n_objects: int


def require_host_programs() -> None:
    """Check the programs that every build runs on this machine.

    :raises HostError: if one is missing, with Debian's packages of all that are.
    """
    missing = {name: of for name, of in host_needs().needed.items() if shutil.which(name) is None}
    if missing:
        programs = ", ".join(f"`{name}`" for name in missing)
        packages = " ".join(dict.fromkeys(missing.values()))
        message = f"no program {programs} on this machine, which the build of a kernel runs"
        raise HostError(message, hints=(f"install Debian's packages: {packages}",))


def make_words(tree: KernelTree, toolchain: Toolchain, out: Path) -> tuple[str, ...]:
    """Return make's command line for this tree and toolchain, without targets and `-j`."""
    known = tree.knows_llvm_suffix
    variables = dict(toolchain.make_variables if known else spelled_variables(toolchain))
    if shutil.which("ccache"):
        variables["CC"] = f"ccache {toolchain.compiler}"
    # KCPPFLAGS reaches C and assembly. Sources become relative to the tree, and the folder of objects `.`.
    maps = f"-ffile-prefix-map={out}=. -ffile-prefix-map={tree.folder}/="
    return (
        "make",
        "-C",
        str(tree.folder),
        f"O={out}",
        "ARCH=arm64",
        *(f"{name}={value}" for name, value in variables.items()),
        f"KCPPFLAGS={maps}",
        # An empty one keeps the `+` of an untagged commit out of the release.
        "LOCALVERSION=",
    )


def make_environment(out: Path) -> dict[str, str]:
    """Return all variables that make gets."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith("CCACHE_")
    }
    return {"CCACHE_BASEDIR": str(out), **kept, **_FIXED}


def run_make(
    words: Sequence[str],
    environment: Mapping[str, str],
    *,
    tree: KernelTree,
    out: Path,
    log: Path,
    deadline: Deadline,
    tell: Callable[[int, str], None],
) -> Made:
    """Return what make came to; its whole output is added to `log`.

    :param tell: called with the number of objects and the current one, at each step and at least once a second.
    :raises HostError: if make cannot be started, the disk is full, or a program or header of this machine is missing.
    """
    output = KbuildOutput(tree=str(tree.folder), out=str(out))
    full = False
    try:
        with (
            log.open("ab") as kept,
            start_long_program(words, deadline=deadline, environment=environment) as make,
        ):
            kept.write(f"$ {' '.join(words)}\n".encode())
            for data in make.lines():
                if data is not None:
                    kept.write(data + b"\n")
                    text = data.decode(errors="backslashreplace")
                    output.feed(text)
                    full = full or any(said in text for said in _DISK_FULL)
                current = output.current
                tell(output.n_objects, f"{current.verb} {current.target}" if current else "")
    except OSError as error:
        raise cannot_write(log, error) from error
    found = output.diagnostics()
    if make.out_of_time:
        return Made(False, True, "make ran out of its time", found, output.n_objects)
    if make.returncode == 0:
        return Made(True, False, "", found, output.n_objects)
    if full:
        message = f"the disk of `{out}` is full"
        raise HostError(
            message, hints=("free some space, or name another folder: WHYPANIC_CACHE=/path",)
        )
    _raise_if_host_lacks(output.of_this_machine())
    reason = first_error(found, output.failed_targets(), output.last_words())
    return Made(False, False, reason, found, output.n_objects)


def _raise_if_host_lacks(found: Sequence[Diagnostic]) -> None:
    """Raise what a `not found` of the build means, where the name is one of this machine's programs or headers."""
    for diagnostic in found:
        if diagnostic.level != "error" or not (
            "not found" in diagnostic.text or "No such file" in diagnostic.text
        ):
            continue
        for word in diagnostic.text.replace("'", " ").replace(":", " ").split()[:8]:
            package = host_needs().package(word)
            if package is not None:
                message = f"the build of a kernel needs `{word}`, which is not on this machine"
                raise HostError(message, hints=(f"install Debian's package {package}",))
