"""The tables that the indirect branches of a function go through, read from the image."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import NamedTuple

import numpy as np

from whypanic.code.flow import ENTRY, Flow
from whypanic.code.hyp_relocations import hyp_relocations
from whypanic.code.image_code import (
    MAX_FUNCTION,
    cold_parts,
    data_mask,
    function_span,
    linked_bytes,
    linked_words,
)
from whypanic.code.masks import MASKS
from whypanic.code.register_values import RegisterValues, Sum
from whypanic.code.sweep import ends_of, formed_addresses
from whypanic.code.table_bounds import Bound, index_bound
from whypanic.code.table_idioms import POINTER_BYTES, TableForm, idiom_of, table_form
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.image import JumpTable, TableEntryKind
from whypanic.model.provenance import Origin, Source

MAX_ENTRIES = 4096
_MAX_BRANCHES = 4096
_MAX_DEFINITIONS = 16
_MAX_PASSES = 4
_WRITABLE = (".data", ".bss", ".init.data", ".hyp.data", ".hyp.bss", ".sdata", ".mmuoff")
_RELOCATED_ONCE = ".data.rel.ro"


class _Found(NamedTuple):
    place: int
    form: TableForm
    bound: Bound | None
    call: bool


def find_tables(image: KernelImage, first: int, end: int) -> tuple[JumpTable, ...]:
    """Return the tables of one function, [first, end), in the order of its branches.

    A branch is left out where some way to it does not go through a table, where the table's bytes are not in the
    file, or where an entry leads to no code. Arrays of structures and pointers in them are no tables.
    """
    end = min(end, first + MAX_FUNCTION)
    words = linked_words(image, first, end)
    if words is None or not len(words):
        return ()
    data = data_mask(image, first, words)
    branches = np.flatnonzero(MASKS["br|blr"].hits(words) & ~data)[:_MAX_BRANCHES]
    if not len(branches):
        return ()
    ends = ends_of(image, words, first, data)
    known: dict[int, tuple[int, ...]] = {}
    for _ in range(_MAX_PASSES):
        flow = Flow(words, first, data, ends, known)
        found = _branches(image, flow, branches.tolist())
        reader = _Reader(image, flow, end, [each.form.table for each in found])
        told = _told(reader, found)
        # What one table says of the ways through the function may bound another.
        is_open = flow.landings and any(place not in told for place in flow.indirect_places())
        if not is_open or len(told) == len(known):
            break
        known = {
            place: tuple((target - first) // 4 for target in targets)
            for place, targets in told.items()
        }
    tables = (reader.table(each) for each in found)
    return tuple(table for table in tables if table is not None)


def _branches(image: KernelImage, flow: Flow, branches: list[int]) -> list[_Found]:
    """Return the branches that go through tables, with each table's form and bound."""
    values = RegisterValues(flow, lambda address: _constant_slot(image, address))
    found: list[_Found] = []
    for place in branches:
        insn = flow.insn(place)
        if insn.branch is None or insn.branch.register is None:
            continue
        for form in _forms(values, insn.branch.register, place):
            bound = index_bound(values, form)
            found.append(_Found(place, form, bound, insn.branch.link))
    return found


def _told(reader: "_Reader", found: list[_Found]) -> dict[int, tuple[int, ...]]:
    """Return by number the targets of each BR that are all known, and all in the function."""
    ways = Counter(each.place for each in found)
    told: dict[int, tuple[int, ...]] = {}
    for each in found:
        if each.bound is None or each.call or ways[each.place] > 1:
            continue
        table = reader.table(each)
        if table is not None and table.in_function and _is_certain(table.bound):
            told[each.place] = table.targets
    return told


def _is_certain(bound: str) -> bool:
    """Tell whether a table ends where it is said to, not only somewhere before."""
    return bound.startswith("cmp ") or "-bit index at " in bound


def _forms(values: RegisterValues, register: str, place: int) -> list[TableForm]:
    """Return the tables that a branch can go through; empty where one way goes through none."""
    flow = values.flow
    definitions = flow.definitions(register, place)
    if not 0 < len(definitions) <= _MAX_DEFINITIONS:
        return []
    found: dict[tuple[int, int, int | None], TableForm] = {}
    for definition in definitions:
        value = Sum(1) if definition == ENTRY else values.made(register, definition)
        if not value.terms and flow.place(value.constant) is not None:
            continue  # a label, on the way into a computed goto
        form = table_form(value)
        if form is None:
            return []
        found.setdefault((form.table, form.entry_bytes, form.base), form)
    return list(found.values())


def _constant_slot(image: KernelImage, address: int) -> int | None:
    """Return what a literal or a slot of the GOT holds; None for other memory, which code may change."""
    section = image.section_at(address)
    if section is None or not (section.executable or section.name.startswith(".got")):
        return None
    if section.executable:
        around = image.words(address, address + POINTER_BYTES)
        by_symbols = image.symbols.is_data(address)
        if around is None or by_symbols is False:
            return None
    data = linked_bytes(image, address, POINTER_BYTES)
    return None if data is None else int.from_bytes(data, "little")


class _Reader:
    """Reads tables of one function."""

    def __init__(self, image: KernelImage, flow: Flow, end: int, tables: Iterable[int]) -> None:
        self.image = image
        self.flow = flow
        self.first = flow.first
        self.end = end
        self.tables = sorted(set(tables))
        span = function_span(image, flow.first)
        self.name = span.name if span is not None else f"{flow.first:#x}"
        self._read: dict[Hashable, tuple[tuple[int, ...], str, bool] | None] = {}
        self._parts: tuple[tuple[int, int], ...] | None = None

    def _is_inside(self, target: int) -> bool:
        if target % 4:
            return False
        if self.first <= target < self.end:
            return True
        if self._parts is None:
            self._parts = tuple((s.first, s.end) for s in cold_parts(self.image, self.name))
        return any(first <= target < end for first, end in self._parts)

    def _is_code(self, target: int) -> bool:
        section = self.image.section_at(target)
        return target % 4 == 0 and section is not None and section.executable

    def table(self, found: _Found) -> JumpTable | None:
        """Return the table of one branch, read; None where it is none after all."""
        form, bound = found.form, found.bound
        limit = None if bound is None else (bound.entries, bound.text.partition(" at ")[0])
        key = (
            form.table,
            form.entry_bytes,
            form.base,
            form.signed_bits,
            form.shift,
            limit,
            found.call,
        )
        if key not in self._read:
            self._read[key] = self._contents(found)
        contents = self._read[key]
        if contents is None:
            return None
        targets, text, in_function = contents
        if bound is not None and bound.entries == len(targets):
            text = bound.text
        absolute = form.kind is TableEntryKind.ABSOLUTE
        size = len(targets) * form.entry_bytes
        listed = hyp_relocations(self.image) if absolute else None
        idiom = idiom_of(
            form, call=found.call, in_function=in_function, bounded=text.startswith("cmp")
        )
        section = self.image.section_at(form.table)
        if not in_function and section is not None and _is_writable(section.name):
            idiom += ", in writable data: as built"
        places = form.places | (frozenset() if bound is None else bound.places)
        flow = self.flow
        branch = flow.address(found.place)
        return JumpTable(
            source=Source(
                origin=Origin.IMAGE,
                address=branch,
                text=f"{self.name}+{branch - self.first:#x} of {self.image.name}",
            ),
            function=self.name,
            branch=branch,
            call=found.call,
            table=form.table,
            section=section.name if section is not None else None,
            entry_bytes=form.entry_bytes,
            entry_kind=form.kind,
            base=form.base,
            targets=targets,
            bound=text,
            idiom=idiom,
            slice=tuple(flow.address(p) for p in sorted(places - {ENTRY} | {found.place})),
            in_function=in_function,
            fixed_up=0 if listed is None else listed.count_in(form.table, form.table + size),
        )

    def _contents(self, found: _Found) -> tuple[tuple[int, ...], str, bool] | None:
        """Return targets, what ends them, and whether all lie in the function; None where they are no code."""
        form = found.form
        bound = found.bound
        if bound is not None and not bound.loose and bound.entries <= MAX_ENTRIES:
            count, text, exact = bound.entries, bound.text, True
        else:
            count, text = self._limit(form)
            exact = text.startswith("end of")
            if bound is not None and bound.entries <= count:
                same = exact and bound.entries == count
                count, text = bound.entries, bound.text
                exact = same or self._all_lead(form, count)
        raw = self._entries(form, count)
        if not raw or (exact and len(raw) < count):
            return None
        if not exact and form.kind is TableEntryKind.RELATIVE:
            # What aligns the next object is zero; an entry that is zero as well is given up with it.
            while raw and not raw[-1]:
                raw.pop()
        targets = [form.target(value) for value in raw]
        if not exact:
            belongs = (
                self._is_code if found.call or not self._is_inside(targets[0]) else self._is_inside
            )
            n = next((i for i, t in enumerate(targets) if not belongs(t)), len(targets))
            if n < len(targets):
                inside = "inside the function" if belongs == self._is_inside else "that is code"
                text = f"last entry {inside}"
            targets = targets[:n]
        in_function = all(self._is_inside(target) for target in targets)
        if not targets or not self._is_plausible(form, targets, in_function=in_function):
            return None
        return tuple(targets), text, in_function

    def _all_lead(self, form: TableForm, count: int) -> bool:
        """Tell whether so many entries all lead into the function, or to functions where they are addresses."""
        raw = self._entries(form, count)
        targets = [form.target(value) for value in raw]
        if len(raw) < count:
            return False
        if form.kind is TableEntryKind.ABSOLUTE:
            return any(targets) and all(not t or self._is_code(t) for t in targets)
        return all(self._is_inside(t) for t in targets)

    def _is_plausible(self, form: TableForm, targets: list[int], *, in_function: bool) -> bool:
        if in_function:
            return True
        if form.kind is TableEntryKind.RELATIVE:
            return False
        # An array of functions: entries may be left out of it.
        return any(targets) and all(not t or self._is_code(t) for t in targets)

    def _limit(self, form: TableForm) -> tuple[int, str]:
        """Return how many entries the table has room for where the code does not say, and what ends it."""
        image, table = self.image, form.table
        section = image.section_at(table)
        ends = [(table + MAX_ENTRIES * form.entry_bytes, "limit")]
        if section is not None:
            ends.append((section.end, "section"))
        symbol = image.symbol_at(table)
        if symbol is not None and symbol.size and symbol.address <= table < symbol.end:
            ends.append((symbol.end, f"end of {symbol.name}"))
        ends += [(other, "next table") for other in self.tables if other > table]
        i = int(np.searchsorted(image.symbols.addresses, np.uint64(table), side="right"))
        if i < len(image.symbols):
            ends.append((int(image.symbols.addresses[i]), "next symbol"))
        after = _next_reference(image, table)
        if after is not None:
            ends.append((after, "next address that code forms"))
        end, text = min(ends)
        return max((end - table) // form.entry_bytes, 0), text

    def _entries(self, form: TableForm, count: int) -> list[int]:
        count = min(count, MAX_ENTRIES)
        data = linked_bytes(self.image, form.table, count * form.entry_bytes)
        if data is None:
            return []
        array: list[int] = np.frombuffer(data, f"<u{form.entry_bytes}").tolist()
        return array


def _is_writable(section: str) -> bool:
    return section.startswith(_WRITABLE) and not section.startswith(_RELOCATED_ONCE)


def _next_reference(image: KernelImage, address: int) -> int | None:
    """Return the next greater address that code of the image forms: another table begins there, or something else."""
    formed = formed_addresses(image)
    i = int(np.searchsorted(formed, np.uint64(address), side="right"))
    return int(formed[i]) if i < len(formed) else None
