"""A real vmlinux without its debug information, and where in it a defect can be planted.

Everything is read here from the ELF file itself; no code under test is used.
"""

import hashlib
import struct
import subprocess
import tempfile
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section as ElfSection
from numpy.typing import NDArray

PREFIX = "aarch64-linux-gnu-"
SYMBOL = np.dtype(
    [
        ("name", "<u4"),
        ("info", "u1"),
        ("other", "u1"),
        ("section", "<u2"),
        ("value", "<u8"),
        ("size", "<u8"),
    ]
)
RELATIVE, NONE = 1027, 0
_FUNCTION, _OBJECT = 2, 1
_NOP = 0xD503201F
_MIN_FUNCTION_BYTES = 64
_MIN_TABLE_ROOM_BYTES = 2048
# Of the kernel's own: what it may save and restore of FP and SVE at EL2 is in these functions of fpsimd.S.
_FP_FUNCTIONS = ("fpsimd", "sve")

HYP = "hyp"
BOUNDS = {
    "hyp-idmap": ("__hyp_idmap_text_start", "__hyp_idmap_text_end"),
    "hyp-stub": ("__hyp_stub_vectors", "__kvm_nvhe___hyp_section_.hyp.text"),
    HYP: ("__kvm_nvhe___hyp_section_.hyp.text", "__hyp_text_end"),
    "idmap": ("__idmap_text_start", "__idmap_text_end"),
    "trampoline": ("__entry_tramp_text_start", "__entry_tramp_text_end"),
    "kexec": ("__relocate_new_kernel_start", "__relocate_new_kernel_end"),
    "hibernate": ("__hibernate_exit_text_start", "__hibernate_exit_text_end"),
}

PREFIXES = {"early": "__pi_", "efi-stub": "__efistub_"}
"""Domains whose functions are named so, in .init.text."""


def section_of(elf: ELFFile, name: str) -> ElfSection:
    """Return a section that the file must have."""
    found = elf.get_section_by_name(name)
    assert found is not None, name
    return found


class Section(NamedTuple):
    name: str
    address: int
    offset: int
    size: int
    has_bits: bool


class Function(NamedTuple):
    name: str
    address: int
    size: int
    domain: str

    @property
    def end(self) -> int:
        return self.address + self.size


def reduced(vmlinux: Path) -> Path:
    """Return a copy without debug information, made once for each file."""
    stat = vmlinux.stat()
    key = hashlib.sha256(f"{vmlinux} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / "whypanic-planting" / f"{key}.elf"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            made = Path(scratch) / "reduced"
            subprocess.run(
                [f"{PREFIX}objcopy", "--strip-debug", str(vmlinux), str(made)], check=True
            )
            made.replace(path)
    return path


class Ground:
    """The bytes of a clean image, and what is where."""

    def __init__(self, vmlinux: Path) -> None:
        self.path = reduced(vmlinux)
        self.data = self.path.read_bytes()
        with self.path.open("rb") as file:
            elf = ELFFile(file)
            self.sections = tuple(
                Section(
                    s.name, s["sh_addr"], s["sh_offset"], s["sh_size"], s["sh_type"] != "SHT_NOBITS"
                )
                for s in elf.iter_sections()
                if s["sh_flags"] & 2
            )
            table = section_of(elf, ".symtab")
            self.symbols_offset: int = table["sh_offset"]
            self.symbols = np.frombuffer(table.data(), SYMBOL)
            strings = elf.get_section(table["sh_link"])
            self.strings_offset: int = strings["sh_offset"]
            self._strings: bytes = strings.data()
            self.indexes = {s.name: n for n, s in enumerate(elf.iter_sections())}
        self.rela = self.section(".rela.dyn")
        self.records: NDArray[np.uint64] = np.frombuffer(
            self.data, "<u8", self.rela.size // 8, self.rela.offset
        ).reshape(-1, 3)

    def section(self, name: str) -> Section:
        return next(s for s in self.sections if s.name == name)

    def name_of(self, offset: int) -> str:
        return self._strings[offset : self._strings.index(b"\0", offset)].decode()

    @cached_property
    def named(self) -> dict[str, int]:
        """Addresses of all symbols; of equal names the last."""
        return {self.name_of(int(s["name"])): int(s["value"]) for s in self.symbols if s["name"]}

    @cached_property
    def slots(self) -> NDArray[np.uint64]:
        """Addresses that RELATIVE records fill, sorted."""
        return np.sort(self.records[self.records[:, 1] == RELATIVE][:, 0])

    @cached_property
    def n_spare_records(self) -> int:
        return int((self.records[:, 1] == NONE).sum())

    def offset(self, address: int) -> int:
        """Return the place in the file of a link VA."""
        for s in self.sections:
            if s.has_bits and s.address <= address < s.address + s.size:
                return s.offset + address - s.address
        message = f"no bytes at {address:#x}"
        raise ValueError(message)

    def index_at(self, address: int) -> int:
        """Return the number of the section at an address."""
        held = (s for s in self.sections if s.address <= address <= s.address + s.size)
        return self.indexes[next(held).name]

    def word(self, address: int) -> int:
        return int(struct.unpack_from("<I", self.data, self.offset(address))[0])

    def bounds(self, domain: str) -> tuple[int, int]:
        first, end = BOUNDS[domain]
        return self.named[first], self.named[end]

    @cached_property
    def alternatives(self) -> tuple[tuple[int, int, int, int], ...]:
        """Place, length, place of the replacement and its length, of every alternative."""
        section = self.section(".altinstructions")
        found = []
        for at in range(0, section.size // 12 * 12, 12):
            row = struct.unpack_from("<iiHBB", self.data, section.offset + at)
            base = section.address + at
            found.append((base + row[0], row[3], base + 4 + row[1], row[4]))
        return tuple(found)

    @cached_property
    def hyp_slots(self) -> tuple[tuple[int, int], ...]:
        """Address of each entry of .hyp.reloc and the slot that it names."""
        section = self.section(".hyp.reloc")
        distances = struct.unpack_from(f"<{section.size // 4}i", self.data, section.offset)
        places = range(section.address, section.address + section.size, 4)
        return tuple((at, at + d) for at, d in zip(places, distances, strict=True))

    def domain_of(self, address: int) -> str | None:
        """Return the domain of code at an address, as far as boundary symbols tell."""
        for domain in BOUNDS:
            first, end = self.bounds(domain)
            if first <= address < end:
                return domain
        return None

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Functions of all domains by address; of those that share an address the longest."""
        found: dict[int, Function] = {}
        chosen = self.symbols[(self.symbols["info"] & 15 == _FUNCTION) & (self.symbols["size"] > 0)]
        chosen = chosen[np.argsort(chosen["size"], kind="stable")]
        for domain in BOUNDS:
            first, end = self.bounds(domain)
            for s in _within(chosen, first, end):
                at = int(s["value"])
                found[at] = Function(self.name_of(int(s["name"])), at, int(s["size"]), domain)
        init = self.section(".init.text")
        for s in _within(chosen, init.address, init.address + init.size):
            name, at = self.name_of(int(s["name"])), int(s["value"])
            for domain, prefix in PREFIXES.items():
                if name.startswith(prefix):
                    found[at] = Function(name, at, int(s["size"]), domain)
        return tuple(found[at] for at in sorted(found))

    @cached_property
    def _taken(self) -> frozenset[int]:
        """Words of the domains that are more than code: alternatives, jump labels, literals, slots."""
        taken: set[int] = set()
        for place, length, other, size in self.alternatives:
            taken.update(range(place, place + length, 4), range(other, other + size, 4))
        first, end = self.named["__start___jump_table"], self.named["__stop___jump_table"]
        for at in range(first, end, 16):
            code, target = struct.unpack_from("<ii", self.data, self.offset(at))
            taken.update((at + code, at + 4 + target))
        taken.update(a & ~3 for a in self.slots.tolist())
        for domain in (".text", ".rodata.text", ".init.text"):
            taken.update(self._literals(self.section(domain)))
        return frozenset(taken)

    def _literals(self, section: Section) -> list[int]:
        """Return the words of a section that mapping symbols call data."""
        end = section.address + section.size
        plain = self.symbols[(self.symbols["info"] == 0) & (self.symbols["size"] == 0)]
        marks = sorted(
            (int(s["value"]), name[-1])
            for s in _within(plain, section.address, end)
            if (name := self.name_of(int(s["name"])))[-2:] in ("$x", "$d")
        )
        marks.append((end, "x"))
        return [
            a
            for (at, kind), (after, _) in pairwise(marks)
            if kind == "d"
            for a in range(at & ~3, after, 4)
        ]

    @cached_property
    def whole_functions(self) -> tuple[Function, ...]:
        """Functions that can be replaced as a whole: nothing else refers to their insides."""
        return tuple(
            f
            for f in self.functions
            if f.size >= _MIN_FUNCTION_BYTES
            and not any(part in f.name for part in _FP_FUNCTIONS)
            and self._taken.isdisjoint(range(f.address, f.end, 4))
        )

    def runs(self, domain: str, n_words: int) -> list[Function]:
        """Return where so many instructions in a row can be written over in a domain, as if each were a function."""
        first, end = self.bounds(domain)
        words = np.frombuffer(self.data, "<u4", (end - first) // 4, self.offset(first))
        # What is only padding is no code.
        used = (words != 0) & (words != _NOP)
        free = used & np.array([a not in self._taken for a in range(first, end, 4)])
        lengths = np.convolve(free, np.ones(n_words, np.int64), "valid")
        return [
            Function(f"{domain}+{4 * i:#x}", first + 4 * i, 4 * n_words, domain)
            for i in np.flatnonzero(lengths == n_words).tolist()
        ]

    def plain_words(self, function: Function) -> tuple[int, ...]:
        """Return places of instructions that alternatives, labels and literals leave alone."""
        return tuple(a for a in range(function.address, function.end, 4) if a not in self._taken)

    @cached_property
    def hyp_room(self) -> tuple[int, int]:
        """What is free at the end of .hyp.rodata, which is padded to a page."""
        section = self.section(".hyp.rodata")
        used = self.data[section.offset : section.offset + section.size].rstrip(b"\0")
        symbols = self.symbols["value"] + self.symbols["size"]
        inside = (self.symbols["value"] >= section.address) & (
            self.symbols["value"] < section.address + section.size
        )
        slots = self.slots[self.slots < section.address + section.size]
        last = max(section.address + len(used), int(symbols[inside].max()), int(slots[-1]) + 8)
        return (last + 15) & ~15, section.address + section.size

    @cached_property
    def kernel_rooms(self) -> tuple[tuple[int, int], ...]:
        """Big constant objects of the kernel without pointers: what stands there may be anything."""
        section = self.section(".rodata")
        symbols = self.symbols
        chosen = symbols[
            (symbols["info"] & 15 == _OBJECT)
            & (symbols["size"] >= _MIN_TABLE_ROOM_BYTES)
            & (symbols["value"] >= section.address)
            & (symbols["value"] < section.address + section.size)
        ]
        rooms = {(int(s["value"]) + 15 & ~15, int(s["value"] + s["size"]) & ~15) for s in chosen}
        bounds = np.array(sorted(rooms), np.uint64)
        inside = np.searchsorted(self.slots, bounds)
        return tuple(map(tuple, bounds[inside[:, 0] == inside[:, 1]].tolist()))

    @cached_property
    def spare_symbols(self) -> tuple[int, ...]:
        """Numbers of local symbols that nothing needs, with names long enough to be written over."""
        local = np.flatnonzero((self.symbols["info"] >> 4 == 0) & (self.symbols["name"] > 0))
        found = []
        for n in local.tolist():
            name = self.name_of(int(self.symbols[n]["name"]))
            # The linker shares the ends of names; nothing ends as these do.
            if name.startswith("__UNIQUE_ID_") and len(name) > 20:
                found.append(n)
        return tuple(found)

    def objects(self, section: str, least_bytes: int = 16) -> tuple[tuple[int, int], ...]:
        """Return address and size of the named objects of a section."""
        bounds = self.section(section)
        s = self.symbols
        chosen = s[
            (s["info"] & 15 == _OBJECT)
            & (s["size"] >= least_bytes)
            & (s["value"] >= bounds.address)
            & (s["value"] + s["size"] <= bounds.address + bounds.size)
        ]
        return tuple((int(x["value"]), int(x["size"])) for x in chosen)

    def starts(self, section: str) -> tuple[int, ...]:
        """Return where the functions of a section begin that belong to no domain."""
        bounds = self.section(section)
        s = self.symbols
        chosen = s[
            (s["info"] & 15 == _FUNCTION)
            & (s["size"] >= _MIN_FUNCTION_BYTES)
            & (s["value"] >= bounds.address)
            & (s["value"] < bounds.address + bounds.size)
        ]
        return tuple(a for a in chosen["value"].tolist() if self.domain_of(a) is None)


def _within(symbols: NDArray[np.void], first: int, end: int) -> NDArray[np.void]:
    return symbols[(symbols["value"] >= first) & (symbols["value"] < end)]
