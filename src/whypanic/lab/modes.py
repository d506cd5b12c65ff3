"""The ways to boot a kernel, and the CPU models it is booted on: the tables in modes/*.toml."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from msgspec.structs import replace

from whypanic.model.errors import UsageError
from whypanic.model.lab import Mode


class Cpu(NamedTuple):
    """A CPU model of QEMU."""

    model: str
    vhe: bool
    pages: tuple[str, ...]
    """4k, 16k, 64k."""


class Proof(NamedTuple):
    """What the console tells of the mode."""

    proved: bool | None
    """False: it proves another; None: it does not tell."""
    words: str = ""
    """The line that tells."""


def _table(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath("modes", name).read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def all_modes() -> tuple[Mode, ...]:
    """Return every mode, in the order in which they are booted."""
    modes = [
        Mode(
            id=id,
            title=row["title"],
            machine=row["machine"],
            cpu=row["cpus"][0],
            cpus=tuple(row["cpus"]),
            vhe=row.get("vhe"),
            append=row.get("append", ""),
            proofs=tuple(row["proofs"]),
            kvm=row.get("kvm", True),
            image_texts=tuple(row.get("image-texts", ())),
            absent=row.get("absent", ""),
        )
        for id, row in _table("modes.toml").items()
    ]
    return tuple(replace(mode, denied=_denials(mode, modes)) for mode in modes)


def _denials(mode: Mode, modes: list[Mode]) -> tuple[str, ...]:
    others = (text for other in modes for text in other.proofs)
    return tuple(dict.fromkeys(text for text in others if text not in mode.proofs))


def find_mode(id: str) -> Mode:
    """Return the mode of this name.

    :raises UsageError: if there is none.
    """
    for mode in all_modes():
        if mode.id == id:
            return mode
    names = ", ".join(mode.id for mode in all_modes())
    message = f"no mode `{id}`"
    raise UsageError(message, hints=(f"the modes are {names}",))


@cache
def all_cpus() -> tuple[Cpu, ...]:
    """Return the CPU models of which the lab knows what they have."""
    return tuple(
        Cpu(model, row["vhe"], tuple(row["pages"])) for model, row in _table("cpus.toml").items()
    )


def find_cpu(argument: str) -> Cpu | None:
    """Return the model that an argument of `-cpu` names (`max,pauth-impdef=on`); None where it is not known."""
    model = argument.partition(",")[0]
    return next((cpu for cpu in all_cpus() if cpu.model == model), None)


def cpu_for(mode: Mode, page: str) -> str:
    """Return the argument of `-cpu`: the first of the mode's with that page size, else the mode's first."""
    fitting = (c for c in mode.cpus if (cpu := find_cpu(c)) is not None and page in cpu.pages)
    return next(fitting, mode.cpu)


def prove(mode: Mode, console: str) -> Proof:
    """Return whether the console proves the mode or another one.

    A line of the mode's own decides; the same boot may print `started at EL2` and more on its way.
    """
    for texts, proved in ((mode.proofs, True), (mode.denied, False)):
        for text in texts:
            at = console.find(text)
            if at >= 0:
                return Proof(proved, _line_at(console, at))
    return Proof(None)


def _line_at(console: str, at: int) -> str:
    first = console.rfind("\n", 0, at) + 1
    end = console.find("\n", at)
    return console[first : end if end >= 0 else len(console)].strip()
