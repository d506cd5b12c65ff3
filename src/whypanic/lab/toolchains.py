"""Compilers on this machine that build an arm64 kernel, each with its linker and what make is told of it.

What is looked for stands in toolchains/*.toml. A folder of that name beside this module holds data only.
"""

import os
import re
import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from whypanic.host.process import run_program
from whypanic.model.errors import HostError, InputError
from whypanic.model.lab import Toolchain

DATA = Path(__file__).with_name("toolchains")
FOLDERS = "WHYPANIC_TOOLCHAINS"
"""Variable with folders of unpacked toolchains, separated by colons."""
_PLACES = ("/opt", "~/toolchains")
_TIMEOUT_S = 20.0
_MAX_FOUND = 64
_VERSION = r"\d+\.\d+(?:\.\d+)?"


class _Linking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to link what the compiler makes; the first that is whole is taken."""

    linker: str
    needs: tuple[str, ...]
    make: tuple[str, ...]
    lto: tuple[str, ...]


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A compiler on PATH."""

    id: str
    compiler: str
    linking: tuple[_Linking, ...]


class _Unpacked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A compiler in a folder of its own."""

    compiler: str
    search: tuple[str, ...]
    linking: tuple[_Linking, ...]


class _Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    family: str
    named: tuple[_Named, ...]
    unpacked: _Unpacked
    packages: dict[str, str]
    spelled: tuple[str, ...] = ()


class HostNeeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Programs and headers that a build takes from this machine, with Debian's packages."""

    needed: dict[str, str]
    packages: dict[str, str]

    def package(self, name: str) -> str | None:
        return self.needed.get(name) or self.packages.get(name)


class _Values(NamedTuple):
    """What stands for {n} and {prefix}."""

    n: str = ""
    prefix: str = ""

    def fill(self, text: str) -> str:
        return text.replace("{n}", self.n).replace("{prefix}", self.prefix)


@cache
def _families() -> tuple[_Family, ...]:
    return tuple(
        msgspec.convert(tomllib.loads((DATA / f"{name}.toml").read_text()), _Family)
        for name in ("gcc", "clang")
    )


@cache
def host_needs() -> HostNeeds:
    """Return what a build needs besides its toolchain."""
    return msgspec.convert(tomllib.loads((DATA / "host.toml").read_text()), HostNeeds)


def find_toolchains(
    folders: Sequence[str] = (), *, environment: Mapping[str, str] = os.environ
) -> tuple[Toolchain, ...]:
    """Return every toolchain on PATH, under `folders` and WHYPANIC_TOOLCHAINS, and of CROSS_COMPILE.

    One that cannot be used is there too, with what it lacks in `missing`.
    """
    path = environment.get("PATH", os.defpath)
    found = [
        _describe(family, named.id, named.compiler, named.linking, values, path)
        for family in _families()
        for named in family.named
        for values in _numbers(named.compiler, path)
    ]
    places = [*folders, *environment.get(FOLDERS, "").split(":"), *_PLACES]
    for place in filter(None, places):
        found += _below(Path(place).expanduser(), path)
    prefix = environment.get("CROSS_COMPILE", "")
    if prefix and not any(("CROSS_COMPILE", prefix) in t.make_variables for t in found):
        found += _of_prefix(prefix, path)
    # The same folder may be named twice.
    return tuple({toolchain.id: toolchain for toolchain in found if toolchain.version}.values())


def find_toolchain(name: str, *, environment: Mapping[str, str] = os.environ) -> Toolchain:
    """Return the toolchain of that id, folder, or prefix of programs (`/opt/x/bin/aarch64-linux-`).

    :raises InputError: if there can be none of that name.
    :raises HostError: if it is not here or lacks a program; the hint names Debian's packages.
    """
    path = environment.get("PATH", os.defpath)
    found = tuple(_candidates(name, path))
    if not found:
        raise _unknown(name, environment)
    toolchain = found[0]
    if toolchain.missing:
        message = f"toolchain `{name}` lacks {', '.join(f'`{p}`' for p in toolchain.missing)}"
        raise HostError(message, hints=toolchain.notes)
    return toolchain


def spelled_variables(toolchain: Toolchain) -> tuple[tuple[str, str], ...]:
    """Return make variables that name every program, for trees that do not know `LLVM=-19`."""
    variables = dict(toolchain.make_variables)
    llvm = variables.pop("LLVM", None)
    if llvm is None:
        return toolchain.make_variables
    prefix = llvm if llvm.endswith("/") else ""
    suffix = llvm if llvm.startswith("-") else ""
    family = next(f for f in _families() if f.family == toolchain.family)
    spelled = [text.replace("{p}", prefix).replace("{s}", suffix) for text in family.spelled]
    return (*_pairs(spelled), *variables.items())


def _candidates(name: str, path: str) -> Iterator[Toolchain]:
    if "/" in name:
        place = Path(name).expanduser()
        yield from (
            _below(place, path) if place.is_dir() else _of_prefix(str(place.absolute()), path)
        )
        return
    for family in _families():
        for named in family.named:
            match = re.fullmatch(_pattern(named.id), name, re.ASCII)
            if match is None:
                continue
            values = _Values(n=match.groupdict().get("n") or "")
            if shutil.which(values.fill(named.compiler), path=path):
                yield _describe(family, named.id, named.compiler, named.linking, values, path)
    if name.endswith("-"):
        yield from _of_prefix(name, path)


def _unknown(name: str, environment: Mapping[str, str]) -> InputError | HostError:
    here = ", ".join(t.id for t in find_toolchains(environment=environment) if not t.missing)
    hints = (f"on this machine: {here}",) if here else ()
    if "/" in name:
        return HostError(f"no compiler for aarch64 in `{name}`", hints=hints)
    for family in _families():
        for named in family.named:
            match = re.fullmatch(_pattern(named.id), name, re.ASCII)
            if match is not None:
                values = _Values(n=match.groupdict().get("n") or "")
                programs = (named.compiler, named.linking[0].linker, *named.linking[0].needs)
                packages = _packages(family, programs, values)
                message = f"no toolchain `{name}` on this machine: no program `{values.fill(named.compiler)}`"
                return HostError(message, hints=(_install(packages), *hints))
    return InputError(
        f"`{name}` is no toolchain", hints=("name gcc-N, clang-N, a folder or a prefix", *hints)
    )


def _below(place: Path, path: str) -> Iterator[Toolchain]:
    """Yield toolchains unpacked in this folder or in one right below it; `place` may be its bin, too."""
    for family in _families():
        patterns = (*family.unpacked.search, family.unpacked.search[0].removeprefix("bin/"))
        for pattern in patterns:
            for program in sorted(_glob(place, pattern))[:_MAX_FOUND]:
                ending = family.unpacked.compiler.removeprefix("{prefix}")
                prefix = str(program.absolute()).removesuffix(ending)
                if os.access(program, os.X_OK) and program.name.endswith(ending):
                    unpacked = family.unpacked
                    # A compiler is called after its folder; several in one folder by their prefix.
                    folder = str(Path(prefix).parent if not prefix.endswith("/") else Path(prefix))
                    several = len(list(_glob(program.parent, program.name[:1] + "*" + ending))) > 1
                    name = prefix if several else folder.removesuffix("/bin")
                    values = _Values(prefix=prefix)
                    yield _describe(family, name, unpacked.compiler, unpacked.linking, values, path)


def _of_prefix(prefix: str, path: str) -> Iterator[Toolchain]:
    """Yield the toolchain whose programs begin so: `aarch64-linux-`, `/opt/x/bin/aarch64-linux-`."""
    for family in _families():
        unpacked, values = family.unpacked, _Values(prefix=prefix)
        if shutil.which(values.fill(unpacked.compiler), path=path):
            yield _describe(family, prefix, unpacked.compiler, unpacked.linking, values, path)


def _glob(place: Path, pattern: str) -> Iterable[Path]:
    try:
        return list(place.glob(pattern))
    except OSError:
        return ()


def _describe(
    family: _Family,
    name: str,
    compiler: str,
    linkings: tuple[_Linking, ...],
    values: _Values,
    path: str,
) -> Toolchain:
    def lacks(linking: _Linking) -> list[str]:
        return [
            text
            for text in (linking.linker, *linking.needs)
            if not shutil.which(values.fill(text), path=path)
        ]

    lacking = [lacks(linking) for linking in linkings]
    taken = next((i for i, missing in enumerate(lacking) if not missing), 0)
    linking = linkings[taken]
    notes = []
    if lacking[0]:
        programs = ", ".join(values.fill(text) for text in lacking[0])
        then = f": links with {values.fill(linking.linker)}, no LTO" if taken else ""
        notes.append(f"no {programs}{then}")
        notes.append(_install(_packages(family, lacking[0], values)))
    compiler_text = _first_line(values.fill(compiler), path)
    return Toolchain(
        id=values.fill(name),
        family=family.family,
        version=_version(compiler_text),
        compiler=values.fill(compiler),
        compiler_text=compiler_text,
        linker=values.fill(linking.linker),
        linker_text="" if lacking[taken] else _first_line(values.fill(linking.linker), path),
        make_variables=_pairs(map(values.fill, linking.make)),
        lto=linking.lto,
        notes=tuple(filter(None, notes)),
        missing=tuple(values.fill(text) for text in lacking[taken]),
    )


def _pairs(words: Iterable[str]) -> tuple[tuple[str, str], ...]:
    split = (word.partition("=") for word in words)
    return tuple((name, value) for name, _, value in split)


def _packages(family: _Family, programs: Iterable[str], values: _Values) -> list[str]:
    packages = (values.fill(family.packages.get(text, "")) for text in programs)
    return list(dict.fromkeys(filter(None, packages)))


def _install(packages: Sequence[str]) -> str:
    if not packages:
        return ""
    return f"install Debian's package{'s' * (len(packages) > 1)} {' '.join(packages)}"


def _pattern(text: str) -> str:
    return re.escape(text).replace(re.escape("{n}"), r"(?P<n>\d{1,3})")


def _numbers(compiler: str, path: str) -> list[_Values]:
    """Return the versions of which a program of that name is on PATH, the oldest first."""
    if "{n}" not in compiler:
        return [_Values()] if shutil.which(compiler, path=path) else []
    pattern = re.compile(_pattern(compiler), re.ASCII)
    numbers: set[int] = set()
    for folder in path.split(os.pathsep):
        try:
            names = [entry.name for entry in os.scandir(folder or ".")]
        except OSError:
            continue
        numbers |= {int(match["n"]) for match in map(pattern.fullmatch, names) if match}
    return [
        _Values(n=str(n))
        for n in sorted(numbers)
        if shutil.which(_Values(str(n)).fill(compiler), path=path)
    ]


def _first_line(program: str, path: str) -> str:
    """Return the first line of `--version`; nothing where the program does not run."""
    try:
        done = run_program(
            [shutil.which(program, path=path) or program, "--version"],
            timeout_s=_TIMEOUT_S,
            environment={"PATH": path, "LC_ALL": "C"},
        )
    except HostError:
        return ""
    return done.stdout.partition("\n")[0].strip() if done.returncode == 0 else ""


def _version(text: str) -> str:
    # `gcc (GCC) 12.0.1 20220401 (experimental)`, `Debian clang version 19.1.7 (3~deb12u1)`
    match = re.search(_VERSION, re.sub(r"\([^()]*\)", "", text))
    return match[0] if match else ""
