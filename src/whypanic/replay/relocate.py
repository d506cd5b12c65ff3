"""A subject laid out in memory: its words where they run, its tables and callees where its references reach them.

Everything of one image moves together: what a listing leaves open is placed beside the function, and an address kept as
data (an 8-byte entry of a table, a GOT slot) is the one the image was linked for, `link_at` apart from where it runs.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from whypanic.arch.relocations import BY_NAME, Operation, Relocation, relocate_data, relocate_word
from whypanic.model.errors import InputError
from whypanic.replay.contents import Contents, Patch
from whypanic.replay.protocol import MAX_MEMORY_BYTES, PAGE_BYTES, Permission, Region, Stub
from whypanic.replay.references import Target
from whypanic.replay.subject import Subject, Table

_MASK_64 = (1 << 64) - 1
_STACK_BYTES = 2 * PAGE_BYTES
_UNKNOWN_BYTES = PAGE_BYTES
"""Placed for an object that the text does not show."""
_MAX_OBJECT_BYTES = 1 << 20
_STUB_BYTES = 16
_POINTER_BYTES = 8
_MAX_ENTRIES = 4096
_FAR = 1 << 26
"""What is placed further away than this does not move what comes behind it: calls reach 128 MiB."""
_READ_ONLY = (".rodata", ".data.rel.ro", ".data..ro_after_init", ".hyp.rodata")


class Placement(NamedTuple):
    """What `place` yields."""

    regions: tuple[Region, ...]
    """The function first, the stack last."""
    stubs: tuple[Stub, ...]
    solved: tuple[tuple[str, int], ...]
    """Name and address of all that got a place: `function`, `link address`, `table #0`, symbols, `got`, `stack`."""
    entry: int
    sp: int
    """Top of the stack, 16-byte aligned."""

    def find(self, name: str) -> int | None:
        """Return an address of `solved` by name."""
        return next((value for known, value in self.solved if known == name), None)


def place(
    subject: Subject,
    *,
    at: int,
    link_at: int | None = None,
    table_at: int | None = None,
    entries: Mapping[int, int] | None = None,
    calls_at: int | None = None,
    stack_at: int | None = None,
    returns: int | None = 0,
) -> Placement:
    """Return the memory to run a subject in.

    :param at: VA at which the function's first byte runs.
    :param link_at: VA for which the addresses in tables were made. The one in the listing of an image, else `at`: then
        they are addresses of where the code runs.
    :param table_at: VA of the first table; None: two pages behind the function. In an image a table has its place.
    :param entries: index -> offset in the function, for the first table of addresses, instead of what the text tells.
    :param calls_at: VA of the first stub of a callee; None: behind the tables. In an image callees have their place.
    :param stack_at: VA of the lowest byte of the stack; None: behind the stubs.
    :param returns: x0 behind every call; None: unknown.
    :raises InputError: if a relocation is not understood or does not reach, addresses do not fit together, or there is
        no table for `entries`.
    """
    layout = _Layout(subject, at, link_at)
    layout.place_targets(table_at, calls_at)
    function = layout.function()
    objects = layout.objects(entries)
    top = layout.place_stack(stack_at)
    stack = Region(top - _STACK_BYTES, bytes(_STACK_BYTES), Permission.READ_WRITE, "stack", ())
    regions = (function, *objects, *layout.got(), stack)
    _check_overlap(regions)
    return Placement(
        regions=regions,
        stubs=tuple(Stub(va, name, returns) for name, va in layout.stubs.items()),
        solved=tuple(layout.solved.items()),
        entry=at + (subject.entry or 0),
        sp=top,
    )


def _page_up(address: int) -> int:
    return (address + PAGE_BYTES - 1) & -PAGE_BYTES


class _Layout:
    """Addresses first, bytes afterwards: every reference may lead to every object."""

    def __init__(self, subject: Subject, at: int, link_at: int | None) -> None:
        self.subject = subject
        self.at = at
        link = subject.link_address if link_at is None else link_at
        self.link_at = at if link is None else link
        known = subject.link_address
        for name, value in (("run", at), ("link", self.link_at)):
            if value % 4 or not 0 <= value <= _MASK_64:
                message = f"{name} address {value:#x} is not a multiple of 4 below 2^64"
                raise InputError(message)
        for name, value in (("link", self.link_at), ("listed", at if known is None else known)):
            if (value ^ at) % PAGE_BYTES:
                message = (
                    f"run address {at:#x} and {name} address {value:#x} differ in the low 12 bits"
                )
                hint = "code moves by whole pages: ADRP counts in them"
                raise InputError(message, hints=(hint,))
        self.addresses: dict[str, int] = {}
        self.slots: dict[tuple[str | None, int], int] = {}
        self.got_at = 0
        self.stubs: dict[str, int] = {}
        self.solved: dict[str, int] = {"function": at, "link address": self.link_at}
        self.next = 0

    # Places

    def place_targets(self, table_at: int | None, calls_at: int | None) -> None:
        """Give every target an address."""
        subject = self.subject
        if sum(_size(t) for t in subject.targets.values() if not t.is_call) > MAX_MEMORY_BYTES:
            message = f"the code refers to more than {MAX_MEMORY_BYTES >> 20} MiB of objects"
            raise InputError(message)
        self.next = _page_up(self.at + subject.size) + PAGE_BYTES
        if subject.link_address is not None:
            if table_at is not None or calls_at is not None:
                message = "the listing is of an image, where tables and callees have their places"
                raise InputError(message)
            for target in subject.targets.values():
                moved = (target.link_address or 0) - subject.link_address + self.at
                self.addresses[target.symbol] = moved & _MASK_64
        else:
            tables = [t for t in subject.tables if t.symbol is not None]
            for number, table in enumerate(tables):
                given = table_at if number == 0 else None
                if table.symbol is not None and table.symbol not in self.addresses:
                    self._put(subject.targets[table.symbol], given, table.offset)
            for target in subject.targets.values():
                if not target.is_call and target.symbol not in self.addresses:
                    self._put(target, table_at if not tables and not self.addresses else None, 0)
            self._place_got()
            self._place_calls(calls_at)
        for target in subject.targets.values():
            name = target.symbol
            self.solved[name] = self.addresses[name]
            if target.is_call:
                self.stubs[name] = self.addresses[name]
        for number, table in enumerate(subject.tables):
            if table.symbol is not None:
                self.solved[f"table #{number}"] = self.addresses[table.symbol] + table.offset
        self._place_own_callees()
        if subject.link_address is not None:
            ends = [
                address + _size(subject.targets[name]) for name, address in self.addresses.items()
            ]
            self.next = max([self.next, *map(_page_up, ends)])

    def _put(self, target: Target, given: int | None, into: int) -> None:
        """Place an object so that offset `into` of it lies at the given address."""
        base = self.next if given is None else given - into
        self.addresses[target.symbol] = base & _MASK_64
        end = base + _size(target)
        if base <= self.next + _FAR and end > self.next:
            self.next = _page_up(end) + PAGE_BYTES

    def _place_got(self) -> None:
        for patch in self.subject.patches:
            kind = BY_NAME.get(patch.type)
            if kind is not None and kind.is_got:
                self.slots.setdefault((patch.symbol, patch.addend), len(self.slots))
        if self.slots:
            self.got_at = self.solved["got"] = self.next
            self.next = _page_up(self.next + len(self.slots) * _POINTER_BYTES) + PAGE_BYTES

    def _place_calls(self, calls_at: int | None) -> None:
        base = self.next if calls_at is None else calls_at
        names = [t.symbol for t in self.subject.targets.values() if t.is_call]
        for number, name in enumerate(names):
            self.addresses[name] = (base + number * _STUB_BYTES) & _MASK_64
        if calls_at is None and names:
            self.next = _page_up(base + len(names) * _STUB_BYTES) + PAGE_BYTES

    def _place_own_callees(self) -> None:
        """Callees in the function's own section, beside what is listed: they have their place."""
        for patch in self.subject.patches:
            kind = BY_NAME.get(patch.type)
            is_branch = kind is not None and kind.operation is Operation.PLACE and not kind.is_data
            outside = patch.symbol is None and not 0 <= patch.addend < self.subject.size
            if is_branch and outside:
                sign = "-" if patch.addend < 0 else "+"
                name = f"{self.subject.function}{sign}{abs(patch.addend):#x}"
                self.stubs[name] = self.solved[name] = (self.at + patch.addend) & _MASK_64

    def place_stack(self, stack_at: int | None) -> int:
        """Return the address behind the stack."""
        base = self.next if stack_at is None else stack_at
        self.solved["stack"] = (base + _STACK_BYTES) & -16
        return self.solved["stack"]

    # Bytes

    def function(self) -> Region:
        """Return the function's words, relocated."""
        subject = self.subject
        data = bytearray(subject.size)
        known = bytearray(subject.size)
        for offset, word in subject.words.items():
            data[offset : offset + 4] = word.to_bytes(4, "little")
            known[offset : offset + 4] = b"\x01" * 4
        for patch in subject.patches:
            kind = _kind(patch, subject.function)
            if kind is None or patch.offset not in subject.words:
                continue
            target = self._target(patch, kind)
            where = self.at + patch.offset
            try:
                if kind.is_data:
                    changed = relocate_data(kind, target=target, place=where)
                    changed = changed[: subject.size - patch.offset]
                else:
                    current = int.from_bytes(data[patch.offset : patch.offset + 4], "little")
                    word = relocate_word(current, kind, target=target, place=where)
                    changed = word.to_bytes(4, "little")
            except ValueError as error:
                raise _reject(patch, subject.function, str(error)) from error
            data[patch.offset : patch.offset + len(changed)] = changed
        name = f"text of {subject.function}"
        return Region(self.at, bytes(data), Permission.EXECUTE, name, _ranges(known))

    def _target(self, patch: Patch, kind: Relocation) -> int:
        """Return S+A, or the GOT slot's address."""
        if kind.is_got:
            return self.got_at + _POINTER_BYTES * self.slots[patch.symbol, patch.addend]
        base = self.at if patch.symbol is None else self.addresses[patch.symbol]
        is_stored = kind.operation is Operation.TARGET
        return base + patch.addend + (self.link_at - self.at if is_stored else 0) & _MASK_64

    def objects(self, entries: Mapping[int, int] | None) -> list[Region]:
        """Return a region for every object."""
        subject = self.subject
        chosen = next((t for t in subject.tables if t.is_absolute and t.symbol is not None), None)
        if entries is not None and chosen is None:
            message = f"`{subject.function}` branches through no table of addresses"
            raise InputError(message)
        found = []
        for target in subject.targets.values():
            if target.is_call:
                continue
            tables = [t for t in subject.tables if t.symbol == target.symbol]
            given = None if chosen is None or chosen not in tables else entries
            data = _Bytes(_extent(target, chosen if given else None, given or {}))
            self._fill(data, target.contents, target.symbol)
            for table in tables:
                mine = given if table is chosen and given is not None else None
                self._fill_table(data, table, mine)
            is_read_only = bool(tables) or target.symbol.startswith(_READ_ONLY)
            found.append(
                Region(
                    self.addresses[target.symbol],
                    bytes(data.data),
                    Permission.READ if is_read_only else Permission.READ_WRITE,
                    target.symbol,
                    _ranges(data.known),
                )
            )
        return found

    def _fill(self, data: "_Bytes", contents: Contents, name: str) -> None:
        for offset, part in contents.parts:
            data.put(offset, part)
        for patch in contents.patches:
            kind = _kind(patch, name)
            if kind is None:
                continue
            if patch.symbol is not None and patch.symbol not in self.addresses:
                data.forget(patch.offset, kind.width // 8)
                continue
            where = self.addresses[name] + patch.offset
            try:
                value = relocate_data(kind, target=self._target(patch, kind), place=where)
            except ValueError as error:
                raise _reject(patch, name, str(error)) from error
            data.put(patch.offset, value)

    def _fill_table(self, data: "_Bytes", table: Table, entries: Mapping[int, int] | None) -> None:
        """Write a table's addresses; those that no text tells are unknown and not zero."""
        if not table.is_absolute:
            return
        for index in range(table.slots):
            at = table.offset + index * _POINTER_BYTES
            if not any(data.data[at : at + _POINTER_BYTES]) or entries is not None:
                data.forget(at, _POINTER_BYTES)
        for index, offset in (table.entries if entries is None else entries).items():
            value = self.link_at + offset & _MASK_64
            data.put(table.offset + index * _POINTER_BYTES, value.to_bytes(8, "little"))

    def got(self) -> list[Region]:
        """Return the GOT, where the code uses one: its slots hold link addresses."""
        if not self.slots:
            return []
        data = b""
        for symbol, addend in self.slots:
            base = self.at if symbol is None else self.addresses[symbol]
            data += (base + addend + self.link_at - self.at & _MASK_64).to_bytes(8, "little")
        return [Region(self.got_at, data, Permission.READ, "GOT")]


class _Bytes:
    """An object's bytes and which of them are known."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self.known = bytearray(size)

    def put(self, offset: int, value: bytes) -> None:
        """Write bytes; what lies outside is left out."""
        value = value[: max(0, len(self.data) - offset)] if offset >= 0 else b""
        self.data[offset : offset + len(value)] = value
        self.known[offset : offset + len(value)] = b"\x01" * len(value)

    def forget(self, offset: int, n_bytes: int) -> None:
        """Mark bytes as unknown."""
        last = min(offset + n_bytes, len(self.data))
        if 0 <= offset < last:
            self.data[offset:last] = self.known[offset:last] = bytes(last - offset)


def _size(target: Target) -> int:
    """Return the bytes placed for an object."""
    return min(target.contents.size, _MAX_OBJECT_BYTES) or _UNKNOWN_BYTES


def _extent(target: Target, table: Table | None, entries: Mapping[int, int]) -> int:
    if any(not 0 <= index < _MAX_ENTRIES for index in entries):
        message = f"index of a table entry outside 0..{_MAX_ENTRIES - 1}"
        raise InputError(message)
    last = 0 if table is None else table.offset + (max(entries, default=-1) + 1) * _POINTER_BYTES
    return max(min(target.contents.size, _MAX_OBJECT_BYTES), last) or _UNKNOWN_BYTES


def _kind(patch: Patch, where: str) -> Relocation | None:
    """Return the row of a relocation; None where it changes nothing.

    :raises InputError: if it is not in the table.
    """
    if patch.type == "R_AARCH64_NONE":
        return None
    kind = BY_NAME.get(patch.type)
    if kind is None:
        raise _reject(patch, where, "this relocation is not understood")
    return kind


def _reject(patch: Patch, where: str, reason: str) -> InputError:
    symbol = where if patch.symbol is None else patch.symbol
    message = f"{patch.type} at {where}+{patch.offset:#x} to `{symbol}`: {reason}"
    return InputError(message)


def _ranges(known: bytes | bytearray) -> tuple[tuple[int, int], ...] | None:
    """Return the runs of known bytes; None where all are."""
    if all(known):
        return None
    found, start = [], None
    for offset, flag in enumerate([*known, 0]):
        if flag and start is None:
            start = offset
        elif not flag and start is not None:
            found.append((start, offset))
            start = None
    return tuple(found)


def _check_overlap(regions: Sequence[Region]) -> None:
    spans = sorted((region.va, region.va + len(region.data), region.name) for region in regions)
    for (_, last, name), (first, _, other) in pairwise(spans):
        if first < last:
            message = f"{other} at {first:#x} overlaps {name}"
            raise InputError(message)
