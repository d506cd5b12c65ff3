"""The commands that would show the same, for `--show-commands`."""

import shlex

from whypanic.causes.case import CaseView
from whypanic.causes.el2 import at_is_meaningless, hyp_offset_address, link_address
from whypanic.causes.image import pc_location, used_image
from whypanic.model.code import CodeLine
from whypanic.model.context import CpuFeatures
from whypanic.model.image import Match
from whypanic.model.registers import SymbolRef
from whypanic.report.document import DocCommand

_MASK = (1 << 64) - 1
_WITHOUT_CODE = "System.map"
_BY_NAME = "whypanic disasm vmlinux "


def commands_of(case: CaseView) -> list[DocCommand]:
    """Return shell lines a reader can run; every word taken from the log is quoted for the shell."""
    found = [*_pc(case), *_decode(case)]
    if case.get(CodeLine) is not None:
        found.append(DocCommand(shows="the Code: line", command="scripts/decodecode < LOG"))
    return found


def disasm_of(case: CaseView) -> DocCommand | None:
    """Return the command that shows the function of PC in the image that was given; None without one that matches."""
    identity, at = used_image(case), pc_location(case)
    if identity is None or at is None or identity.match is not Match.MATCHES:
        return None
    if identity.kind == _WITHOUT_CODE:
        return None
    place = at.located.symbol or hex(at.located.address)
    words = f"whypanic disasm {shlex.quote(identity.name)} {shlex.quote(place)}"
    return DocCommand(shows=f"the code of {place}, with its tables and patches", command=words)


def settled_by_image(case: CaseView, command: str | None) -> str | None:
    """Return the command of a step where the given image matches: None for one that asks it what was told.

    `addr2line`, `nm` and their like name PC; a function to look at is looked at in the given image.
    """
    identity = used_image(case)
    if command is None or identity is None or disasm_of(case) is None:
        return command
    if command.startswith(_BY_NAME):
        return f"whypanic disasm {shlex.quote(identity.name)} {command.removeprefix(_BY_NAME)}"
    return None if " vmlinux" in command else command


def _pc(case: CaseView) -> list[DocCommand]:
    shown = disasm_of(case)
    if shown is not None:
        return [shown]
    ref = case.pc_ref
    if ref is not None and ref.offset is not None:
        place = shlex.quote(_place(ref))
        image = "vmlinux" if ref.module is None else shlex.quote(f"{ref.module}.ko")
        return [
            DocCommand(
                shows="file and line of PC, with inlined frames",
                command=f"scripts/faddr2line {image} {place}",
            )
        ]
    link = _link_address(case)
    if link is None:
        return []
    start, stop = link - 0x40 & _MASK, link + 0x40 & _MASK
    return [
        DocCommand(
            shows="function, file and line of PC", command=f"addr2line -ife vmlinux {link:x}"
        ),
        DocCommand(
            shows="the code around PC",
            command=f"objdump -d --start-address={start:#x} --stop-address={stop:#x} vmlinux",
        ),
    ]


def _link_address(case: CaseView) -> int | None:
    """Return PC as linked: without KASLR, and for a hyp VA with Hyp Offset."""
    if case.hyp is not None:
        if case.hyp.pc is None:
            return None
        link = hyp_offset_address(case)
        if link is not None:
            return link
        if case.hyp.pc >> 55 & 1 == 0 and not at_is_meaningless(case):
            return None
        pc: int | None = case.hyp.pc
    else:
        pc = case.value("pc")
    return None if pc is None else link_address(case, pc) & _MASK


def _place(ref: SymbolRef) -> str:
    size = "" if ref.size is None else f"/{ref.size:#x}"
    return f"{ref.symbol}+{ref.offset or 0:#x}{size}"


def _decode(case: CaseView) -> list[DocCommand]:
    found = []
    esr = case.hyp.esr if case.hyp is not None else (case.syndrome.esr if case.syndrome else None)
    if esr is not None:
        found.append(
            DocCommand(shows="every field of ESR", command=f"whypanic decode esr {esr:#x}")
        )
    features = case.get(CpuFeatures)
    if features is not None:
        version = f" --kernel {shlex.quote(case.kernel.release)}" if case.kernel else ""
        found.append(
            DocCommand(
                shows="names of the CPU features",
                command=f"whypanic decode features {shlex.quote(features.raw)}{version}",
            )
        )
    return found
