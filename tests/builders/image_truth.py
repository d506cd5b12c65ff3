"""What a real vmlinux says, read by other people's programs: the truth that composed crashes are checked against.

Functions, lines and columns come from llvm-symbolizer, variables and structures from pyelftools, symbols as the kernel
prints them from System.map (Linux scripts/kallsyms.c). None of the code under test is used here.
"""

import json
import mmap
import re
import subprocess
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.dwarf.typeunit import TypeUnit
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section
from numpy.typing import NDArray

from builders.dwarf_types import (
    STRUCTS,
    Leaf,
    bare,
    enclosing_function,
    leaves,
    name_of,
    origin_of,
    type_name,
    type_of,
)

SYMBOLIZER = "llvm-symbolizer"
_IGNORED = re.compile(
    r"(__efistub_|__kvm_nvhe_\$|__kvm_nvhe_\.L|__AArch64ADRPThunk_|__kcfi_typeid_)|.*_veneer$"
)
_REG0, _BREG0 = 0x50, 0x70  # DW_OP_reg0, DW_OP_breg0
_BLOCKS = ("DW_TAG_lexical_block", "DW_TAG_inlined_subroutine")
_SYMBOL = np.dtype(
    [
        ("name", "<u4"),
        ("info", "u1"),
        ("other", "u1"),
        ("section", "<u2"),
        ("value", "<u8"),
        ("size", "<u8"),
    ]
)


class Position(NamedTuple):
    function: str
    file: str
    line: int
    column: int


class PrintedName(NamedTuple):
    """What `%pS` makes of an address."""

    name: str
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.name}+{self.offset:#x}/{self.size:#x}"


@dataclass(frozen=True)
class HeldVariable:
    """A variable that one register holds, or that a constant distance makes of it."""

    function: str
    name: str
    type: str
    distance: int
    """The variable is the register plus this; 0 where the register holds it."""
    struct: str | None
    """Where it points to a structure that has a name."""
    leaves: tuple[Leaf, ...] = field(repr=False)

    def at(self, offset: int, n_bytes: int) -> tuple[Leaf, ...]:
        """Return the members that begin at an offset from the register and have this size."""
        begin = offset - self.distance
        return tuple(m for m in self.leaves if m.begin == begin and m.size == n_bytes)


class ImageTruth:
    """One vmlinux with DWARF, and its System.map."""

    def __init__(self, vmlinux: Path, system_map: Path) -> None:
        self.vmlinux = vmlinux
        self._file = vmlinux.open("rb")
        self._data = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        self._elf = ELFFile(self._file)
        rows = [line.split() for line in system_map.read_text().splitlines()]
        self.marks = {name: int(address, 16) for address, _, name in rows}
        self.data_symbols = [
            (int(address, 16), name) for address, kind, name in rows if kind in "DdRr"
        ]
        self._kallsyms = _kallsyms(rows, self.marks)
        self._starts = [address for address, _ in self._kallsyms]
        text = self._section(".text")
        self.text = int(text["sh_addr"])
        self.words: NDArray[np.uint32] = np.frombuffer(
            self._data, "<u4", int(text["sh_size"]) // 4, int(text["sh_offset"])
        )
        self.text_end = self.text + 4 * len(self.words)

    def close(self) -> None:
        self._file.close()

    def _section(self, name: str) -> Section:
        found = self._elf.get_section_by_name(name)
        assert found is not None, name
        return found

    # --- symbols and bytes

    def printed(self, address: int, *, back: int = 0) -> PrintedName:
        """Return how the kernel prints an address: `%pS`, or with `back=1` `%pSb`, which looks one byte before it."""
        at = bisect_right(self._starts, address - back) - 1
        start, name = self._kallsyms[at]
        return PrintedName(name, address - start, self._starts[at + 1] - start)

    @cached_property
    def functions(self) -> dict[int, int]:
        """Start and size of what ELF calls a function in .text."""
        table = self._section(".symtab")
        hyp = self.marks["__hyp_text_start"], self.marks["__hyp_text_end"]
        symbols = np.frombuffer(
            self._data, _SYMBOL, int(table["sh_size"]) // 24, int(table["sh_offset"])
        )
        wanted = symbols[
            ((symbols["info"] & 15) == 2)
            & (symbols["size"] >= 16)
            & (symbols["value"] >= self.text)
            & (symbols["value"] < self.text_end)
            & ~((symbols["value"] >= hyp[0]) & (symbols["value"] < hyp[1]))
        ]
        return dict(zip(wanted["value"].tolist(), wanted["size"].tolist(), strict=True))

    @cached_property
    def function_starts(self) -> list[int]:
        return sorted(self.functions)

    def function_at(self, address: int) -> int | None:
        """Return the start of the function that spans an address."""
        at = bisect_right(self.function_starts, address) - 1
        start = self.function_starts[at]
        return start if at >= 0 and address < start + self.functions[start] else None

    def word(self, address: int) -> int:
        return int(self.words[(address - self.text) // 4])

    def read(self, address: int, n_bytes: int) -> bytes:
        """Return bytes of the file at a link VA."""
        for section in self._elf.iter_sections():
            start = int(section["sh_addr"])
            if start and start <= address and address + n_bytes <= start + int(section["sh_size"]):
                offset = int(section["sh_offset"]) + address - start
                return self._data[offset : offset + n_bytes]
        raise LookupError(hex(address))

    def rows_between(self, first: str, end: str, row_bytes: int) -> list[tuple[int, bytes]]:
        """Return address and bytes of each row of a table that two symbols enclose."""
        start = self.marks[first]
        data = self.read(start, self.marks[end] - start)
        return [(start + i, data[i : i + row_bytes]) for i in range(0, len(data), row_bytes)]

    @cached_property
    def callers(self) -> dict[int, list[int]]:
        """Addresses of the `bl` that lead to each start of a function."""
        hits = np.flatnonzero((self.words & 0xFC000000) == 0x94000000)
        steps = (self.words[hits] & 0x03FFFFFF).astype(np.int64)
        steps -= (steps >> 25) << 26
        found: dict[int, list[int]] = {}
        for at, target in zip(hits.tolist(), (hits + steps).tolist(), strict=True):
            found.setdefault(self.text + 4 * target, []).append(self.text + 4 * at)
        return found

    # --- lines

    def positions(
        self, addresses: Sequence[int], file: Path | None = None
    ) -> list[tuple[Position, ...]]:
        """Return for each link VA the chain of functions there, innermost first, as llvm-symbolizer has it.

        :param file: another file than vmlinux; of a module, the addresses are offsets in .text.
        """
        done = subprocess.run(
            [
                *(SYMBOLIZER, f"--obj={file or self.vmlinux}", "--inlines", "--functions=linkage"),
                "--output-style=JSON",
            ],
            input="".join(f"{a:#x}\n" for a in addresses),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return [
            tuple(
                Position(s["FunctionName"], s["FileName"], s["Line"], s["Column"])
                for s in json.loads(line)["Symbol"]
            )
            for line in done.stdout.splitlines()
        ]

    # --- DWARF

    @cached_property
    def _dwarf(self) -> Any:  # pyelftools has no types
        return self._elf.get_dwarf_info(relocate_dwarf_sections=False)

    @cached_property
    def _aranges(self) -> Any:
        return self._dwarf.get_aranges()

    def has_lines(self, address: int) -> bool:
        """Tell whether a unit compiled from C spans an address."""
        unit = self._unit(address)
        if unit is None:
            return False
        language = unit.get_top_DIE().attributes.get("DW_AT_language")
        return language is not None and language.value != 0x8001  # DW_LANG_Mips_Assembler

    def unit_name(self, address: int) -> str:
        """Return the file that was compiled for an address, as the compiler was given it."""
        unit = self._unit(address)
        return "" if unit is None else unit.get_top_DIE().attributes["DW_AT_name"].value.decode()

    def _unit(self, address: int) -> CompileUnit | None:
        offset = self._aranges.cu_offset_at_addr(address)
        return None if offset is None else self._dwarf.get_CU_at(offset)

    def held(self, pc: int, register: int) -> list[HeldVariable]:
        """Return the variables in scope at a link VA that this register holds."""
        unit = self._unit(pc)
        if unit is None:
            return []
        found = []
        for program in unit.get_top_DIE().iter_children():
            if program.tag == "DW_TAG_subprogram" and self._spans(program, pc):
                found += list(self._held_in(program, pc, register))
        return found

    def _held_in(self, die: DIE, pc: int, register: int) -> Iterator[HeldVariable]:
        for child in die.iter_children():
            if child.tag in _BLOCKS:
                if self._spans(child, pc):
                    yield from self._held_in(child, pc, register)
            elif child.tag in {"DW_TAG_variable", "DW_TAG_formal_parameter"}:
                place = self._register_of(child, pc)
                if place is None or place[0] != register:
                    continue
                origin = origin_of(child)
                pointee = _structure_behind(type_of(origin))
                yield HeldVariable(
                    name_of(enclosing_function(die)),
                    name_of(origin),
                    type_name(type_of(origin)),
                    place[1],
                    None if pointee is None else type_name(pointee),
                    () if pointee is None else tuple(leaves(pointee, "", 0)),
                )

    def _spans(self, die: DIE, pc: int) -> bool:
        low, ranges = die.attributes.get("DW_AT_low_pc"), die.attributes.get("DW_AT_ranges")
        if ranges is not None:
            base = self._base(die.cu)
            lists = self._dwarf.range_lists()
            for entry in lists.get_range_list_at_offset(ranges.value, cu=die.cu):
                if hasattr(entry, "base_address"):
                    base = entry.base_address
                    continue
                extra = 0 if entry.is_absolute else base
                if entry.begin_offset + extra <= pc < entry.end_offset + extra:
                    return True
            return False
        high = die.attributes.get("DW_AT_high_pc")
        if low is None or high is None:
            return False
        end = high.value if high.form == "DW_FORM_addr" else low.value + high.value
        return bool(low.value <= pc < end)

    @staticmethod
    def _base(unit: CompileUnit | TypeUnit) -> int:
        low = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
        return 0 if low is None else int(low.value)

    def _register_of(self, die: DIE, pc: int) -> tuple[int, int] | None:
        """Return the register that makes this variable at an address, and what is added to it."""
        location = die.attributes.get("DW_AT_location")
        if location is None:
            return None
        if location.form == "DW_FORM_exprloc":
            return self._plain_register(die, location.value)
        base = self._base(die.cu)
        lists = self._dwarf.location_lists()
        for entry in lists.get_location_list_at_offset(location.value, die):
            if hasattr(entry, "base_address"):
                base = entry.base_address
            elif hasattr(entry, "loc_expr") and hasattr(entry, "begin_offset"):
                extra = 0 if entry.is_absolute else base
                if entry.begin_offset + extra <= pc < entry.end_offset + extra:
                    return self._plain_register(die, entry.loc_expr)
        return None

    @staticmethod
    def _plain_register(die: DIE, expression: list[int]) -> tuple[int, int] | None:
        operations = DWARFExprParser(die.cu.structs).parse_expr(expression)
        first = operations[0] if operations else None
        if first is None:
            return None
        if len(operations) == 1 and _REG0 <= first.op < _REG0 + 31:
            return int(first.op) - _REG0, 0
        if (
            len(operations) == 2
            and _BREG0 <= first.op < _BREG0 + 31
            and operations[1].op_name == "DW_OP_stack_value"
        ):
            return int(first.op) - _BREG0, int(first.args[0])
        return None


def _structure_behind(die: DIE | None) -> DIE | None:
    """Return the structure that a type points to, if it has a name."""
    pointer = bare(die)
    if pointer is None or pointer.tag != "DW_TAG_pointer_type":
        return None
    found = bare(type_of(pointer))
    if found is None or found.tag not in STRUCTS or "DW_AT_name" not in found.attributes:
        return None
    return found


def _kallsyms(rows: Sequence[Sequence[str]], marks: dict[str, int]) -> list[tuple[int, str]]:
    """Return address and name as the kernel's own table has them: text only, the first of those at one address.

    Source: Linux scripts/kallsyms.c (symbol_valid, compare_symbols) of 6.1, CONFIG_KALLSYMS_ALL off.
    """
    spans = [(marks[f"_s{part}text"], marks[f"_e{part}text"]) for part in ("", "init")]
    best: dict[int, tuple[bool, int, int, str]] = {}
    for order, (word, kind, name) in enumerate(rows):
        address = int(word, 16)
        if not any(first <= address <= end for first, end in spans) or _IGNORED.match(name):
            continue
        rank = (kind in "wW", len(name) - len(name.lstrip("_")), order, name)
        best[address] = min(best.get(address, rank), rank)
    return [(address, best[address][3]) for address in sorted(best)]
