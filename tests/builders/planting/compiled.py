"""C of our own compiled with options that hyp code must not have; what came of it is read from objdump's text."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from builders.planting.ground import PREFIX

SOURCE = Path(__file__).with_name("hostile.c")
COMPILERS = ("aarch64-linux-gnu-gcc-11", "aarch64-linux-gnu-gcc-12", "clang-14", "clang-19")
_BASE = (
    "-ffreestanding",
    "-fno-common",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-c",
)
_KERNEL = ("-mgeneral-regs-only", "-fno-stack-protector")
_GUARD = (
    "-fstack-protector-all",
    "-mstack-protector-guard=sysreg",
    "-mstack-protector-guard-reg=sp_el0",
    "-mstack-protector-guard-offset=1232",
)
OPTIONS = {
    "as the kernel": ("-fno-pic", *_KERNEL),
    "no jump tables": ("-fno-pic", "-fno-jump-tables", *_KERNEL),
    "position-independent": ("-fPIE", *_KERNEL),
    "shared": ("-fPIC", *_KERNEL),
    "large": ("-fno-pic", "-mcmodel=large", *_KERNEL),
    "tiny": ("-fno-pic", "-mcmodel=tiny", *_KERNEL),
    "FP allowed": ("-fno-pic", "-DWITH_FP", "-fno-stack-protector"),
    "vectorised": ("-fno-pic", "-O3", "-DWITH_FP", "-fno-stack-protector", "-march=armv8.2-a+sve"),
    "stack protector": ("-fno-pic", "-mgeneral-regs-only", *_GUARD),
    "shadow call stack": ("-fno-pic", "-ffixed-x18", "-fsanitize=shadow-call-stack", *_KERNEL),
    "branch protection": ("-fno-pic", "-mbranch-protection=standard", *_KERNEL),
}
LEVELS = ("-O2", "-Os", "-O1")
_FUNCTION = re.compile(r"^[0-9a-f]+ <(\w+)>:$")
_RELOCATION = re.compile(r"^\s+([0-9a-f]+): (R_AARCH64_\w+)\s+(\S+?)([+-]0x[0-9a-f]+)?$")
_CODE = re.compile(r"^\s+([0-9a-f]+):\t[0-9a-f]{8} \t(\S+)\t?(.*)$")
_FP_REGISTER = re.compile(r"(?<![\w.<])[qdshbvzp]\d{1,2}(?![\w])")
_NAMES_ADDRESS = re.compile(r"b$|bl$|b\.|cbn?z|tbn?z|adrp?$")
_ADDRESSES = ("R_AARCH64_ADR_PREL_PG_HI21", "R_AARCH64_ADR_PREL_LO21", "R_AARCH64_LD_PREL_LO19")


class Compiled(NamedTuple):
    name: str
    path: Path
    expected: frozenset[tuple[str, str]]
    """Function and rule."""
    also: frozenset[tuple[str, str]]
    """What may be found besides."""


def compilers() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return those that are installed and those that are not."""
    here = tuple(c for c in COMPILERS if shutil.which(c))
    return here, tuple(c for c in COMPILERS if c not in here)


def compile_all(folder: Path, chosen: tuple[str, ...]) -> Iterator[Compiled]:
    """Yield an object for each compiler, set of options and level that it takes."""
    for compiler in chosen:
        target = ("--target=aarch64-linux-gnu",) if compiler.startswith("clang") else ()
        for name, options in OPTIONS.items():
            for level in LEVELS:
                if name == "vectorised" and level != LEVELS[0]:
                    continue
                path = folder / f"{compiler}-{name}-{level}.o".replace(" ", "-")
                done = subprocess.run(
                    [compiler, *target, *_BASE, level, *options, str(SOURCE), "-o", str(path)],
                    capture_output=True,
                    check=False,
                    timeout=60,
                )
                if done.returncode == 0:  # not every compiler knows every option
                    yield _read(f"{compiler} {level} {name}", path)


def _read(name: str, path: Path) -> Compiled:
    """Return which function of .hyp.text breaks which rule, by what objdump shows."""
    reading = _Reading(path)
    expected = frozenset((*reading.rules(), *reading.tables()))
    return Compiled(name, path, expected, frozenset(reading.besides()))


class _Reading:
    """What objdump and nm say of an object."""

    def __init__(self, path: Path) -> None:
        self.symbols: dict[str, tuple[str, int]] = {}
        for line in _lines("objdump", "-t", str(path)):
            parts = line.split()
            if len(parts) >= 5 and re.fullmatch(r"[0-9a-f]{16}", parts[0]):
                section = next(p for p in parts[1:] if p.startswith((".", "*")))
                self.symbols[parts[-1]] = (section, int(parts[0], 16))
        self.data: dict[tuple[str, int], str] = {}
        section = ""
        for line in _lines("objdump", "-r", str(path)):
            if line.startswith("RELOCATION RECORDS FOR ["):
                section = line.split("[")[1].split("]")[0]
            parts = line.split()
            if len(parts) == 3 and parts[1] == "R_AARCH64_ABS64":
                self.data[section, int(parts[0], 16)] = parts[2]
        self.functions: dict[str, list[str]] = {}
        name = ""
        for line in _lines("objdump", "-dr", "-j", ".hyp.text", str(path)):
            found = _FUNCTION.match(line)
            if found:
                name = found[1]
            elif name:
                self.functions.setdefault(name, []).append(line)

    def section_of(self, symbol: str) -> str:
        name = re.split(r"[+-]0x", symbol)[0]
        return self.symbols.get(name, (name if name.startswith(".") else "*UND*", 0))[0]

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield what one instruction or its relocation shows."""
        for name, lines in self.functions.items():
            for line in lines:
                code, relocation = _CODE.match(line), _RELOCATION.match(line)
                if relocation:
                    yield from (
                        (name, r) for r in self._of_relocation(relocation[2], relocation[3])
                    )
                elif code:
                    yield from ((name, r) for r in self._of_code(code[2], code[3]))

    def tables(self) -> Iterator[tuple[str, str]]:
        """Yield the functions that use tables of addresses, which the source has one of each kind of."""
        starts = {
            at: name for name, (section, at) in self.symbols.items() if section == ".hyp.text"
        }
        names = sorted((at, name) for at, name in starts.items() if not name.startswith((".", "$")))
        for (section, place), aim in self.data.items():
            if section.startswith((".debug", ".eh_frame")):
                continue
            if section == ".hyp.text":
                yield max(n for n in names if n[0] <= place)[1], "R06"
                continue
            base, _, offset = aim.partition("+")
            held, start = self.symbols.get(base, (base, 0))
            if held != ".hyp.text":
                yield "hyp_name", "R02"
                continue
            at = start + int(offset or "0", 16)
            owner = max((n for n in names if n[0] <= at), default=(0, ""))
            yield (owner[1], "R01") if at != owner[0] else ("hyp_dispatch", "R02")

    def besides(self) -> Iterator[tuple[str, str]]:
        """Yield what is as true but not what the source is about."""
        for name, rule in self.tables():
            if rule == "R06":  # the slot is in a hyp section, and what it points to is not
                yield from ((name, "R03"), (name, "R05"))
        for name, lines in self.functions.items():
            text = "\n".join(lines)
            if ".data.rel.ro" in text:  # tables that a relocation at run time fills
                yield name, "R05"
            if "__stack_chk_fail" in text:
                yield name, "R04"
            if "GOT" in text:
                yield name, "R05"

    def _of_relocation(self, kind: str, symbol: str) -> Iterator[str]:
        section = self.section_of(symbol)
        if "MOVW_UABS" in kind:
            yield "R07"
        if "GOT" in kind:
            yield "R08"
        if kind in ("R_AARCH64_CALL26", "R_AARCH64_JUMP26") and section == ".text":
            yield "R04"
        if kind in _ADDRESSES and section in (".data", ".text"):
            yield "R05"

    def _of_code(self, mnemonic: str, operands: str) -> Iterator[str]:
        text = f"{mnemonic} {operands}".replace("\t", " ")
        if text.startswith(("str x30, [x18]", "ldr x30, [x18, #-8]")):
            yield "R11"
        if re.match(r"mrs x\d+, sp_el0", text):
            yield "R12"
        # Addresses are printed in hexadecimal without a prefix.
        if not _NAMES_ADDRESS.match(mnemonic) and _FP_REGISTER.search(
            operands.split("<", maxsplit=1)[0]
        ):
            yield "R15"


def _lines(program: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [PREFIX + program, *arguments], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.splitlines()
