"""What readelf, nm and objdump print of a vmlinux: a recount of what an audit counts, from text alone."""

import re
import subprocess
from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

PREFIX = "aarch64-linux-gnu-"
_LINE = re.compile(r"^\s*([0-9a-f]{8,16}):\t([0-9a-f]{8}) \t(\S+)(?:\t([^/<]*))?")
_CODE_BOUNDS = {
    "hyp-idmap": ("__hyp_idmap_text_start", "__hyp_idmap_text_end"),
    "hyp-stub": ("__hyp_stub_vectors", "__kvm_nvhe___hyp_section_.hyp.text"),
    "hyp": ("__kvm_nvhe___hyp_section_.hyp.text", "__hyp_text_end"),
    "idmap": ("__idmap_text_start", "__idmap_text_end"),
    "trampoline": ("__entry_tramp_text_start", "__entry_tramp_text_end"),
    "hibernate": ("__hibernate_exit_text_start", "__hibernate_exit_text_end"),
    "kexec": ("__relocate_new_kernel_start", "__relocate_new_kernel_end"),
}
_CALLBACK = 1 << 15
_BACK = 30
_EXTEND = {"sxtb #2": 1, "sxth #2": 2, "sxtw #2": 4}


class Line(NamedTuple):
    """One instruction as objdump prints it."""

    address: int
    word: int
    mnemonic: str
    operands: tuple[str, ...]


class Switch(NamedTuple):
    """A branch through distances that GCC made."""

    branch: int
    table: int
    targets: tuple[int, ...]
    """As far as a compare before it says; () where none does."""


class ObjdumpView:
    """One relocatable vmlinux with the hyp sections of 5.12 and later."""

    def __init__(self, vmlinux: Path) -> None:
        self.path = str(vmlinux)

    def _run(self, program: str, *arguments: str) -> list[str]:
        done = subprocess.run(
            [PREFIX + program, *arguments, self.path], check=True, capture_output=True, text=True
        )
        return done.stdout.splitlines()

    @cached_property
    def symbols(self) -> dict[str, int]:
        rows = (line.split() for line in self._run("nm"))
        return {row[2]: int(row[0], 16) for row in rows if len(row) == 3}

    def bounds(self, domain: str) -> tuple[int, int]:
        first, end = _CODE_BOUNDS[domain]
        return self.symbols[first], self.symbols[end]

    @cached_property
    def relative_slots(self) -> list[int]:
        """Addresses of R_AARCH64_RELATIVE records, sorted."""
        rows = (line.split() for line in self._run("readelf", "-rW"))
        return sorted(int(r[0], 16) for r in rows if len(r) > 2 and r[2] == "R_AARCH64_RELATIVE")

    @cached_property
    def sections(self) -> dict[str, tuple[int, int]]:
        """Address and size by name."""
        found = {}
        for line in self._run("readelf", "-SW"):
            match = re.match(
                r"\s*\[\s*\d+\] (\S+)\s+\S+\s+([0-9a-f]{16}) [0-9a-f]+ ([0-9a-f]+)", line
            )
            if match:
                found[match[1]] = (int(match[2], 16), int(match[3], 16))
        return found

    def slots_in(self, first: int, end: int) -> list[int]:
        return [a for a in self.relative_slots if first <= a < end]

    @cached_property
    def hyp_slots(self) -> list[int]:
        """Slots that RELATIVE records fill inside the hyp sections and the hyp code, sorted."""
        ranges = [self.bounds("hyp-idmap"), self.bounds("hyp")]
        for name in (".hyp.rodata", ".hyp.data", ".hyp.data..percpu"):
            if name in self.sections:
                start, size = self.sections[name]
                ranges.append((start, start + size))
        ranges.append((self.symbols["__hyp_bss_start"], self.symbols["__hyp_bss_end"]))
        return sorted(a for first, end in ranges for a in self.slots_in(first, end))

    def contents(self, section: str) -> bytes:
        """Return a section as `objdump -s` prints it."""
        found = bytearray()
        for line in self._run("objdump", "-s", "-j", section):
            if re.match(r" [0-9a-f]{12,16} ", line):
                # An address, four groups of up to eight digits, two blanks, the same as characters.
                found += bytes.fromhex(line.split(" ", 2)[2][:35].replace(" ", ""))
        return bytes(found)

    @cached_property
    def listed_slots(self) -> list[int]:
        """Slots that .hyp.reloc names, sorted."""
        data, (start, _) = self.contents(".hyp.reloc"), self.sections[".hyp.reloc"]
        return sorted(
            start + at + int.from_bytes(data[at : at + 4], "little", signed=True)
            for at in range(0, len(data), 4)
        )

    def code(self, domain: str) -> list[Line]:
        """Return the instructions of a domain; what its mapping symbols call data is left out."""
        first, end = self.bounds(domain)
        found = []
        for text in self._run("objdump", "-d", f"--start-address={first}", f"--stop-address={end}"):
            match = _LINE.match(text)
            if match and not self.is_data(int(match[1], 16)):
                operands = tuple(p.strip() for p in re.split(r",(?![^\[]*\])", match[4] or ""))
                found.append(Line(int(match[1], 16), int(match[2], 16), match[3], operands))
        return found

    @cached_property
    def _marks(self) -> tuple[list[int], list[bool]]:
        rows = (line.split() for line in self._run("nm", "-n", "--special-syms"))
        marks = [
            (int(r[0], 16), r[2][-1] == "d")
            for r in rows
            if len(r) == 3 and r[2][-2:] in ("$x", "$d")
        ]
        return [a for a, _ in marks], [d for _, d in marks]

    def is_data(self, address: int) -> bool:
        places, kinds = self._marks
        i = bisect_right(places, address) - 1
        return i >= 0 and kinds[i]

    def indirect(self, domain: str) -> dict[str, list[int]]:
        """Return the addresses of indirect branches and calls of a domain, by class."""
        lines = self.code(domain)
        return {
            "br": [
                x.address for x in lines if x.mnemonic in ("br", "braa", "braaz", "brab", "brabz")
            ],
            "blr": [
                x.address
                for x in lines
                if x.mnemonic in ("blr", "blraa", "blraaz", "blrab", "blrabz")
            ],
        }

    def switches(self, domain: str) -> list[Switch]:
        """Return GCC's relative switches of a domain, found by their five instructions."""
        lines = self.code(domain)
        found = []
        for i, line in enumerate(lines):
            if line.mnemonic == "br":
                switch = self._switch(lines, i)
                if switch is not None:
                    found.append(switch)
        return found

    def _switch(self, lines: list[Line], i: int) -> Switch | None:
        target = lines[i].operands[0]
        add = _last(lines, i, "add", target)
        if add is None or add.operands[-1] not in _EXTEND:
            return None
        at = lines.index(add)
        base = _last(lines, at, "adr", add.operands[1])
        width = _EXTEND[add.operands[-1]]
        loaded = add.operands[2]
        load = next(
            (
                x
                for x in reversed(lines[max(at - _BACK, 0) : at])
                if x.operands[0] == loaded and x.mnemonic.startswith("ldr")
            ),
            None,
        )
        if base is None or load is None:
            return None
        registers = load.operands[1].strip("[]").split(",")
        pointer, index = registers[0], registers[1].strip()
        here = lines.index(load)
        low, page = _last(lines, here, "add", pointer), _last(lines, here, "adrp", None)
        while page is not None and low is not None and page.operands[0] != low.operands[1]:
            page = _last(lines, lines.index(page), "adrp", None)
        if low is None or page is None:
            return None
        table = int(page.operands[1], 16) + int(low.operands[2].lstrip("#"), 16)
        n = self._bound(lines, here, index)
        start = int(base.operands[1], 16)
        return Switch(lines[i].address, table, tuple(self._targets(start, table, width, n)))

    def _bound(self, lines: list[Line], at: int, index: str) -> int:
        for x in reversed(lines[max(at - _BACK, 0) : at]):
            if x.mnemonic == "cmp" and x.operands[0] == index and x.operands[1].startswith("#"):
                return int(x.operands[1].lstrip("#"), 16) + 1
            if x.operands[0] == index:
                return 0
        return 0

    def _targets(self, start: int, table: int, width: int, n: int) -> list[int]:
        if not n:
            return []
        for name, (address, size) in self.sections.items():
            if address <= table < address + size:
                data = self.contents(name)[table - address :]
                rows = (data[k * width : (k + 1) * width] for k in range(n))
                return [start + 4 * int.from_bytes(r, "little", signed=True) for r in rows]
        return []

    @cached_property
    def alternatives(self) -> list[tuple[int, int, int, bool]]:
        """Place, length, length of the replacement and whether a callback makes it, of each alternative."""
        data, (start, _) = self.contents(".altinstructions"), self.sections[".altinstructions"]
        found = []
        for at in range(0, len(data) // 12 * 12, 12):
            place = start + at + int.from_bytes(data[at : at + 4], "little", signed=True)
            capability = int.from_bytes(data[at + 8 : at + 10], "little")
            found.append((place, data[at + 10], data[at + 11], bool(capability & _CALLBACK)))
        return found


def _last(lines: list[Line], at: int, mnemonic: str, register: str | None) -> Line | None:
    """Return the last instruction before a place of a name that writes a register; None: any."""
    for x in reversed(lines[max(at - _BACK, 0) : at]):
        if x.mnemonic == mnemonic and (register is None or x.operands[0] == register):
            return x
    return None
