"""Places of an image that the running kernel patches apart from alternatives, and places that it knows as special.

Patched: calls of ftrace, jump labels, PAC instructions that dynamic shadow call stacks replace, run-time constants.
Special: BUG and WARN (`brk`), accesses with a fix-up. Each kind has a table of its own in the image; of a table only
rows that fall into the asked range become objects.

Sources, opened: Debian linux-source-6.1 6.1.192-2 and 6.12.117-1, arch/arm64/kernel/ftrace.c (ftrace_init_nop,
ftrace_call_adjust), kernel/jump_label.c, kernel/pi/patch-scs.c, include/asm/{asm-bug,asm-extable,runtime-const}.h;
include/linux/jump_label.h; include/asm-generic/bug.h. Older forms of the tables: from memory (jump_entry of absolute
addresses before 4.20, exception_table_entry of eight bytes before 5.16, `bl _mcount` before 5.5).
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whypanic.code.alternative_callbacks import NOP, WordShape
from whypanic.code.table_search import find_jump_labels
from whypanic.formats.kernel_image import Addresses, ImageKind, KernelImage, ObjectRelocation

MOV_X9_LR = 0xAA1E03E9
_BTI_C = 0xD503245F
_BL = WordShape(0xFC000000, 0x94000000)
_B_OR_BL = WordShape(0x7C000000, 0x14000000)
_B = 0x14000000
_BUG_BRK = 0xD4210000
_ANY = WordShape(0, 0)
_WIDE_MOVE, _SHIFT = 0xFFE0001F, 0xFFC0FFFF
_SHADOW_STACK = {
    0xD503233F: 0xF800865E,  # paciasp: str x30, [x18], #8
    0xD50323BF: 0xF85F8E5E,  # autiasp: ldr x30, [x18, #-8]!
}
_DYNAMIC_SCS = (
    "dynamic_scs_is_enabled",
    "__pi_dynamic_scs_is_enabled",
    "dynamic_scs_enabled",
    "scs_patch_vmlinux",
    "__pi_scs_patch_vmlinux",
)
_MAX_BYTES = 1 << 25
_LAST = (1 << 64) - 64
_WARNING = 1 << 0

# Name of a table: section, and symbols around it.
_TABLES = {
    "ftrace": ("__mcount_loc", "__start_mcount_loc", "__stop_mcount_loc"),
    "patchable": ("__patchable_function_entries", "", ""),
    "jump-label": ("__jump_table", "__start___jump_table", "__stop___jump_table"),
    "bug": ("__bug_table", "__start___bug_table", "__stop___bug_table"),
    "fixup": ("__ex_table", "__start___ex_table", "__stop___ex_table"),
    "kvm-fixup": ("__kvm_ex_table", "__start___kvm_ex_table", "__stop___kvm_ex_table"),
}


class PatchSite(NamedTuple):
    """One word of code that is known to some table."""

    address: int
    kind: str
    """ftrace, ftrace-literal, jump-label, shadow-call-stack, runtime-constant, bug, fixup, kvm-fixup."""
    words: tuple[int, ...]
    """What it may become, the built word apart; () where nothing changes it."""
    text: str
    shapes: tuple[WordShape, ...] = ()
    """Further words it may become."""
    target: int | None = None
    """Link VA that a jump label leads to, or that a fix-up goes on at."""

    def allows(self, word: int) -> bool:
        """Tell whether the site may hold a word."""
        return word in self.words or any(shape.fits(word) for shape in self.shapes)


class PatchSites:
    """Tables of one image; each is looked for when it is first needed."""

    def __init__(self, image: KernelImage) -> None:
        self._image = image

    def within(self, first: int, end: int) -> tuple[PatchSite, ...]:
        """Return the sites of [first, end), by address."""
        first, end = max(first, 0), min(end, _LAST)
        found: list[PatchSite] = []
        for read in (
            self._ftrace,
            self._trampolines,
            self._jump_labels,
            self._shadow_stacks,
            self._runtime_constants,
            self._bugs,
            self._fixups,
        ):
            found.extend(read(first, end))
        return tuple(sorted(found))

    @property
    def is_known(self) -> bool:
        """False: code may be patched at places that no table which could be found names."""
        return self._image.lists_tables or "jump-label" in self._bounds

    @cached_property
    def _bounds(self) -> dict[str, tuple[int, int]]:
        """Return (first, end) link VAs by kind of table: of its section, else between its symbols."""
        bounds = {}
        for kind, (section_name, _, _) in _TABLES.items():
            section = self._image.section(section_name)
            if section is not None and section.has_bytes:
                bounds[kind] = (section.address, section.end)
        missing = [kind for kind in _TABLES if kind not in bounds]
        names = [name for kind in missing for name in _TABLES[kind][1:] if name]
        found = self._image.symbols.find_each(names)
        for kind in missing:
            _, start, stop = _TABLES[kind]
            if start in found and stop in found:
                bounds[kind] = (found[start][0].address, found[stop][0].address)
        if "jump-label" not in bounds and self._image.kind is ImageKind.RAW:
            seen = find_jump_labels(self._image)
            if seen is not None:
                bounds["jump-label"] = (seen[0], seen[0] + seen[1])
        return {
            kind: (first, min(end, first + _MAX_BYTES))
            for kind, (first, end) in bounds.items()
            if end > first
        }

    @cached_property
    def _open(self) -> dict[int, ObjectRelocation]:
        """Relocations of an object by their place, inside tables: what the file itself could not be filled with."""
        return {
            r.place: r
            for first, end in self._bounds.values()
            for r in self._image.relocations_within(first, end)
        }

    def _table(self, kind: str, stride: int) -> tuple[int, NDArray[np.uint8]] | None:
        """Return where a table begins, and its rows, uint8[n, stride]."""
        if kind not in self._bounds:
            return None
        first, end = self._bounds[kind]
        data = self._image.raw(first, (end - first) // stride * stride)
        if not data:
            return None
        return first, np.frombuffer(data, np.uint8).reshape(-1, stride)

    def _relative(self, first: int, rows: NDArray[np.uint8], offset: int) -> Addresses:
        """Return the addresses that a field of four bytes, relative to itself, gives in every row."""
        values = np.ascontiguousarray(rows[:, offset : offset + 4]).view("<i4")[:, 0]
        stride = rows.shape[1]
        places = np.uint64(first + offset & (1 << 64) - 1) + np.arange(
            len(rows), dtype=np.uint64
        ) * np.uint64(stride)
        found: Addresses = places + values.astype(np.int64).view(np.uint64)
        for place, relocation in self._open.items():
            row, at = divmod(place - first, stride)
            if at == offset and 0 <= row < len(rows):
                found[row] = relocation.target or 0
        return found

    def _absolute(self, kind: str) -> Addresses:
        """Return a table of addresses of eight bytes, as relocated."""
        if kind not in self._bounds:
            return np.empty(0, np.uint64)
        first, end = self._bounds[kind]
        # A table of no whole number of addresses is cut.
        end -= (end - first) % 8
        data = self._image.raw(first, end - first)
        if not data:
            return np.empty(0, np.uint64)
        values = np.frombuffer(data, "<u8").astype(np.uint64)
        slots = self._image.relative.within(first, end)
        values[(slots.slots - np.uint64(first)) // np.uint64(8)] = slots.values
        for place, relocation in self._open.items():
            if first <= place < end:
                values[(place - first) // 8] = relocation.target or 0
        return values

    def _ftrace(self, first: int, end: int) -> Iterator[PatchSite]:
        # The literal of a function lies up to 20 bytes before the call that goes with it.
        if not self._image.lists_tables and "ftrace" not in self._bounds:
            yield from self._seen_ftrace(first, end)
        for kind in ("ftrace", "patchable"):
            places = self._absolute(kind)
            near = places[(places >= np.uint64(max(first - 20, 0))) & (places < np.uint64(end))]
            for place in sorted(set(near.tolist())):
                yield from (s for s in self._ftrace_at(place) if first <= s.address < end)

    def _seen_ftrace(self, first: int, end: int) -> Iterator[PatchSite]:
        """Yield the sites of functions that begin as those for ftrace do: a raw Image has no name for their table."""
        for symbol in self._image.symbols.between(max(first - 8, 0), end + 8):
            if symbol.kind != "function" or symbol.address % 4:
                continue
            sites = [] if symbol.address % 8 else list(self._patchable(symbol.address - 8))
            if len(sites) < 4:
                entry = self._image.words(symbol.address, symbol.address + 4)
                has_bti = entry is not None and int(entry[0]) == _BTI_C
                sites = list(self._patchable(symbol.address + 4 * has_bti))
            yield from (site for site in sites if first <= site.address < end)

    def _ftrace_at(self, place: int) -> Iterator[PatchSite]:
        built = None if place % 4 else self._image.words(place, place + 4)
        if built is not None and _BL.fits(int(built[0])):
            yield PatchSite(place, "ftrace", (NOP,), "ftrace call site", (_BL,))
        elif built is not None:
            yield from self._patchable(place)

    def _patchable(self, place: int) -> Iterator[PatchSite]:
        """Yield the sites of a function whose first NOP is at `place`: before its entry there may be a literal."""
        built = self._image.words(place, place + 20)
        if built is None:
            built = self._image.words(place, place + 8)
        words = [] if built is None else built.tolist()
        if words[:2] != [NOP, NOP]:
            return
        start = self._image.symbols.all_at(place + 8) if words[2:] else ()
        if any(s.kind == "function" for s in start):
            for at in (place, place + 4):
                yield PatchSite(at, "ftrace-literal", (), "ftrace operations", (_ANY,))
            skip = 3 if words[2] == _BTI_C else 2
            place, words = place + 4 * skip, words[skip:]
        if words[:2] == [NOP, NOP]:
            yield PatchSite(place, "ftrace", (MOV_X9_LR,), "ftrace keeps lr")
            yield PatchSite(place + 4, "ftrace", (), "ftrace call site", (_BL,))

    def _trampolines(self, first: int, end: int) -> Iterator[PatchSite]:
        for symbol in self._image.symbols.between(first, end):
            if symbol.name in ("ftrace_call", "ftrace_graph_call"):
                yield PatchSite(
                    symbol.address, "ftrace", (NOP,), f"{symbol.name} of ftrace", (_B_OR_BL,)
                )

    def _jump_labels(self, first: int, end: int) -> Iterator[PatchSite]:
        if "jump-label" not in self._bounds:
            return
        start, stop = self._bounds["jump-label"]
        slots = len(self._image.relative.within(start, stop).slots)
        if (stop - start) % 24 == 0 and slots == (stop - start) // 8:
            rows = self._absolute("jump-label").reshape(-1, 3)
            code, target, keys = rows[:, 0], rows[:, 1], rows[:, 2]
            stride, key_at = 24, 16
        else:
            table = self._table("jump-label", 16)
            if table is None:
                return
            code = self._relative(start, table[1], 0)
            target = self._relative(start, table[1], 4)
            offsets = np.ascontiguousarray(table[1][:, 8:]).view("<u8")[:, 0]
            places = np.uint64(start + 8) + np.arange(len(offsets), dtype=np.uint64) * np.uint64(16)
            keys = offsets + places
            stride, key_at = 16, 8
        for i in _hits(code, first, end):
            place, leads_to = int(code[i]), int(target[i])
            offset = leads_to - place
            word = _B | offset >> 2 & 0x03FFFFFF
            key = self._key_name(int(keys[i]), start + stride * i + key_at)
            text = f"jump label {key}, to {leads_to:#x}"
            if offset % 4 == 0 and -(1 << 27) <= offset < 1 << 27:
                yield PatchSite(place, "jump-label", (NOP, word), text, target=leads_to)

    def _key_name(self, key: int, place: int) -> str:
        relocation = self._open.get(place)
        if relocation is not None:
            if relocation.target is None:
                return relocation.symbol
            key = relocation.target
        # The two low bits tell the default and the kind of branch.
        key &= ~3
        symbol = self._image.symbols.at(key)
        if symbol is None or not self._image.contains(key):
            return f"{key:#x}"
        offset = key - symbol.address
        return f"{symbol.name}+{offset:#x}" if offset else symbol.name

    @cached_property
    def _has_dynamic_scs(self) -> bool:
        return bool(self._image.symbols.find_each(_DYNAMIC_SCS))

    def _shadow_stacks(self, first: int, end: int) -> Iterator[PatchSite]:
        for extent in self._image.extents:
            low, high = max(first, extent.address) + 3 & ~3, min(end, extent.end)
            words = self._image.words(low, high) if low < high else None
            if words is None:
                continue
            hits = np.flatnonzero(np.isin(words, list(_SHADOW_STACK))).tolist()
            for i in hits if self._has_dynamic_scs else ():
                yield PatchSite(
                    low + 4 * i,
                    "shadow-call-stack",
                    (_SHADOW_STACK[int(words[i])],),
                    "shadow call stack instead of pointer authentication",
                )

    def _runtime_constants(self, first: int, end: int) -> Iterator[PatchSite]:
        for section in self._image.sections:
            _, is_constant, kind = section.name.partition("runtime_")
            if not is_constant or not kind.startswith(("ptr_", "shift_")) or not section.has_bytes:
                continue
            n_words, mask = (4, _WIDE_MOVE) if kind.startswith("ptr_") else (1, _SHIFT)
            data = self._image.raw(section.address, min(section.size, _MAX_BYTES) & ~3)
            if not data:
                continue
            rows = np.frombuffer(data, np.uint8).reshape(-1, 4)
            places = self._relative(section.address, rows, 0)
            for i in _hits(places, first - 4 * n_words, end):
                yield from self._constant(int(places[i]), n_words, mask, kind, first, end)

    def _constant(
        self, place: int, n_words: int, mask: int, kind: str, first: int, end: int
    ) -> Iterator[PatchSite]:
        built = self._image.words(place, place + 4 * n_words)
        for i, word in enumerate([] if built is None else built.tolist()):
            if first <= place + 4 * i < end:
                text = f"run-time constant {kind.partition('_')[2]}"
                shape = WordShape(mask, word & mask)
                yield PatchSite(place + 4 * i, "runtime-constant", (), text, (shape,))

    def _bugs(self, first: int, end: int) -> Iterator[PatchSite]:
        for stride in (12, 8):
            # With CONFIG_DEBUG_BUGVERBOSE a row has file and line.
            table = self._table("bug", stride)
            if table is None or not self._is_bug_table(*table):
                continue
            start, rows = table
            places = self._relative(start, rows, 0)
            hits = _hits(places, first, end)
            files = self._relative(start, rows, 4) if hits and stride == 12 else None
            for i in hits:
                flags = int.from_bytes(rows[i, stride - 2 if stride == 12 else 4 :][:2], "little")
                what = "WARN" if flags & _WARNING else "BUG"
                where = ""
                if files is not None:
                    line = int.from_bytes(rows[i, 8:10], "little")
                    where = f" at {self._image.string_at(int(files[i])) or '?'}:{line}"
                yield PatchSite(int(places[i]), "bug", (), what + where)
            return

    def _is_bug_table(self, first: int, rows: NDArray[np.uint8]) -> bool:
        if self._bounds["bug"][1] != first + rows.size:
            return False
        places = self._relative(first, rows, 0)
        for i in (0, len(rows) // 2, len(rows) - 1):
            place = int(places[i])
            words = self._image.words(place, place + 4)
            if words is None or int(words[0]) != _BUG_BRK:
                return False
        return True

    def _fixups(self, first: int, end: int) -> Iterator[PatchSite]:
        for kind, strides in (("fixup", (12, 8)), ("kvm-fixup", (8,))):
            for stride in strides:
                table = self._table(kind, stride)
                if table is None or not self._is_sound(*table):
                    continue
                places = self._relative(*table, 0)
                targets = self._relative(*table, 4)
                for i in _hits(places, first, end):
                    target = int(targets[i])
                    text = f"faults here go on at {target:#x}"
                    yield PatchSite(int(places[i]), kind, (), text, target=target)
                break

    def _is_sound(self, first: int, rows: NDArray[np.uint8]) -> bool:
        """Tell whether both fields of every row lie in the image, and the first ones at instructions."""
        low, high = np.uint64(self._image.base), np.uint64(min(self._image.end, _LAST))
        fields = [self._relative(first, rows, at) for at in (0, 4)]
        return all(bool(((f >= low) & (f < high) & (f % 4 == 0)).all()) for f in fields)


def _hits(places: Addresses, first: int, end: int) -> list[int]:
    low, high = np.uint64(max(first, 0)), np.uint64(max(end, 0))
    found: list[int] = np.flatnonzero((places >= low) & (places < high)).tolist()
    return found
