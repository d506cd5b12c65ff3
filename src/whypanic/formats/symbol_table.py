"""Symbols of one image as arrays, found by address or by name.

Mapping symbols (`$x`, `$d`, and those that a prefix was put before, `__kvm_nvhe_$d`) are kept apart: they say what is
code and what is data and are never names of functions.

Source: ELF for the Arm 64-bit Architecture (aaelf64.rst), Mapping symbols; Linux arch/arm64/kvm/hyp/nvhe/Makefile
(objcopy --prefix-symbols).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FUNCTION, OBJECT, OTHER = 1, 2, 0
_KINDS = {FUNCTION: "function", OBJECT: "object", OTHER: "other"}
_LOOK_BACK = 64
"""How many symbols before an address are looked at for one that spans it."""


_MAX_NAME = 1 << 10
"""Bytes of a name that are given; the kernel's own KSYM_NAME_LEN is 512."""
_LABELS = (".L", "__kvm_nvhe_.L", "__pi_.L", "__efistub_.L")


def is_local_label(name: str) -> bool:
    """Tell whether a symbol is a label of the compiler's own, which says nothing to a reader."""
    return name.startswith(_LABELS)


_KEY_BYTES = 8
"""Of a name that are compared for all symbols at once."""


class Symbol(NamedTuple):
    name: str
    address: int
    size: int
    """Bytes; 0: not known."""
    kind: str
    """function, object, other."""
    is_global: bool = False

    @property
    def end(self) -> int:
        return self.address + self.size


class SymbolTable:
    """Symbols sorted by address."""

    def __init__(
        self,
        addresses: NDArray[np.uint64],
        sizes: NDArray[np.uint64],
        kinds: NDArray[np.uint8],
        name_offsets: NDArray[np.uint32],
        blob: bytes,
        is_global: NDArray[np.bool_] | None = None,
    ) -> None:
        """Sort symbols and take mapping symbols out.

        :param name_offsets: where each name begins in `blob`; every one is NUL-terminated there, and an offset behind
            its end is an empty name.
        :param kinds: FUNCTION, OBJECT or OTHER.
        """
        self._blob = blob if blob.endswith(b"\0") else blob + b"\0"
        offsets = np.minimum(name_offsets.astype(np.int64), len(self._blob) - 1)
        mapping = _mapping(offsets, self._blob)
        marks = mapping > 0
        order = np.argsort(addresses[marks], kind="stable")
        self.mapping_addresses = addresses[marks][order]
        """Sorted addresses of mapping symbols."""
        self.mapping_is_data = mapping[marks][order] == ord("d")
        keep = ~marks
        order = np.argsort(addresses[keep], kind="stable")
        self.addresses = addresses[keep][order]
        self.sizes = sizes[keep][order]
        self.kinds = kinds[keep][order]
        self._offsets = offsets[keep][order]
        everywhere = np.zeros(len(addresses), np.bool_) if is_global is None else is_global
        self.is_global = everywhere[keep][order]
        self._known: dict[bytes, tuple[Symbol, ...]] = {}

    def __len__(self) -> int:
        return len(self.addresses)

    def __iter__(self) -> Iterator[Symbol]:
        return (self.symbol(i) for i in range(len(self)))

    def name(self, i: int) -> str:
        """Return the name of symbol number `i`."""
        start = int(self._offsets[i])
        end = self._blob.index(b"\0", start)
        return self._blob[start : min(end, start + _MAX_NAME)].decode("utf-8", "backslashreplace")

    def symbol(self, i: int) -> Symbol:
        """Return symbol number `i` in the order of addresses."""
        return Symbol(
            self.name(i),
            int(self.addresses[i]),
            int(self.sizes[i]),
            _KINDS.get(int(self.kinds[i]), "other"),
            bool(self.is_global[i]),
        )

    def find(self, name: str) -> tuple[Symbol, ...]:
        """Return all symbols of this name, by address."""
        return self.find_each((name,)).get(name, ())

    def find_each(self, names: Iterable[str]) -> dict[str, tuple[Symbol, ...]]:
        """Return all symbols of each name; names without one are left out."""
        return self._find({name: name.encode("utf-8", "replace") + b"\0" for name in names if name})

    def find_starting(self, starts: Iterable[str]) -> dict[str, tuple[Symbol, ...]]:
        """Return all symbols whose names begin so, by address; beginnings without one are left out."""
        return self._find({start: start.encode("utf-8", "replace") for start in starts if start})

    def _find(self, wanted: dict[str, bytes]) -> dict[str, tuple[Symbol, ...]]:
        """Return the symbols whose names begin with each text; what was asked before is remembered."""
        for text in wanted.values():
            if text not in self._known:
                self._known[text] = tuple(self.symbol(i) for i in self._beginning(text))
        return {key: found for key, text in wanted.items() if (found := self._known[text])}

    def _beginning(self, text: bytes) -> list[int]:
        """Return the numbers of the symbols whose names begin with a text; its NUL belongs to it."""
        start = text[:_KEY_BYTES]
        mask = np.uint64((1 << 8 * len(start)) - 1)
        hits = np.flatnonzero((self._keys & mask) == np.uint64(int.from_bytes(start, "little")))
        if len(text) <= _KEY_BYTES:
            return hits.tolist()
        places = self._offsets[hits].tolist()
        return [
            i
            for i, at in zip(hits.tolist(), places, strict=True)
            if self._blob.startswith(text, at)
        ]

    @cached_property
    def _keys(self) -> NDArray[np.uint64]:
        """The first eight bytes of every name, as a little-endian number."""
        text = np.frombuffer(self._blob + bytes(_KEY_BYTES), np.uint8)
        keys = np.zeros(len(self._offsets), np.uint64)
        for n in range(_KEY_BYTES):
            keys |= text[self._offsets + n].astype(np.uint64) << np.uint64(8 * n)
        return keys

    def has_text(self, text: str) -> bool:
        """Tell whether some name may hold a text: quick, and sure only where it is False."""
        return text.encode("utf-8", "replace") in self._blob

    def names_containing(self, part: str, limit: int) -> list[str]:
        """Return up to `limit` names that contain some text, in whatever order the names are stored."""
        found: dict[str, None] = {}
        wanted = part.encode("utf-8", "replace")
        at = self._blob.find(wanted)
        while at >= 0 and len(found) < limit:
            start = self._blob.rfind(b"\0", 0, at) + 1
            end = self._blob.index(b"\0", at)
            name = self._blob[start : min(end, start + _MAX_NAME)].decode(
                "utf-8", "backslashreplace"
            )
            if "$" not in name:
                found[name] = None
            at = self._blob.find(wanted, end)
        return list(found)

    def index_at(self, address: int) -> int:
        """Return the number of the last symbol at or before an address; -1: none."""
        return int(np.searchsorted(self.addresses, np.uint64(address), side="right")) - 1

    def at(self, address: int) -> Symbol | None:
        """Return the symbol whose span holds an address, else the last one before it.

        Of several with one address that which has a size, then a function, then a global one, then the first.
        """
        last = self.index_at(address)
        if last < 0:
            return None
        best: int | None = None
        for i in range(last, max(last - _LOOK_BACK, -1), -1):
            start, size = int(self.addresses[i]), int(self.sizes[i])
            if not start <= address < start + size:
                continue
            if best is None or (
                start == int(self.addresses[best]) and self._rank(i) > self._rank(best)
            ):
                best = i
        if best is None:
            start = int(self.addresses[last])
            same = [
                i
                for i in range(max(last - _LOOK_BACK, 0), last + 1)
                if int(self.addresses[i]) == start
            ]
            best = max(same, key=self._rank)
        return self.symbol(best)

    def _rank(self, i: int) -> tuple[bool, bool, bool, int]:
        return (
            bool(self.sizes[i]),
            int(self.kinds[i]) == FUNCTION,
            bool(self.is_global[i]),
            -i,
        )

    def all_at(self, address: int) -> tuple[Symbol, ...]:
        """Return every symbol that begins at an address: a function and its aliases."""
        lo = int(np.searchsorted(self.addresses, np.uint64(address), side="left"))
        hi = int(np.searchsorted(self.addresses, np.uint64(address), side="right"))
        return tuple(self.symbol(i) for i in range(lo, hi))

    def between(self, first: int, end: int) -> Iterator[Symbol]:
        """Yield symbols that begin in [first, end)."""
        lo, hi = np.searchsorted(self.addresses, np.array([first, end], dtype=np.uint64))
        return (self.symbol(i) for i in range(int(lo), int(hi)))

    def is_data(self, address: int) -> bool | None:
        """Tell by mapping symbols whether the word at an address is data; None: there are none before it."""
        i = int(np.searchsorted(self.mapping_addresses, np.uint64(address), side="right")) - 1
        return None if i < 0 else bool(self.mapping_is_data[i])


def symbol_table(symbols: Sequence[Symbol]) -> SymbolTable:
    """Return a table of listed symbols: for small ones, and tests."""
    blob, offsets = bytearray(), []
    for symbol in symbols:
        offsets.append(len(blob))
        blob += symbol.name.encode() + b"\0"
    numbers = {word: number for number, word in _KINDS.items()}
    return SymbolTable(
        np.array([s.address for s in symbols], np.uint64),
        np.array([s.size for s in symbols], np.uint64),
        np.array([numbers[s.kind] for s in symbols], np.uint8),
        np.array(offsets, np.uint32),
        bytes(blob),
        np.array([s.is_global for s in symbols], np.bool_),
    )


def _mapping(offsets: NDArray[np.int64], blob: bytes) -> NDArray[np.uint8]:
    """Return `x` or `d` for mapping symbols and 0 for others, uint8[n]."""
    text = np.frombuffer(blob, np.uint8)
    dollars, ends = np.flatnonzero(text == ord("$")), np.flatnonzero(text == 0)
    found = np.zeros(len(offsets), np.uint8)
    if not len(dollars) or not len(offsets):
        return found
    at = np.searchsorted(dollars, offsets)
    has = at < len(dollars)
    dollar = dollars[np.minimum(at, len(dollars) - 1)]
    end = ends[np.searchsorted(ends, offsets)]
    letter = text[np.minimum(dollar + 1, len(text) - 1)]
    after = text[np.minimum(dollar + 2, len(text) - 1)]
    before = text[np.maximum(dollar - 1, 0)]
    fits = (
        has
        & (dollar + 1 < end)
        & ((letter == ord("x")) | (letter == ord("d")))
        & ((dollar + 2 == end) | (after == ord(".")))
        & ((dollar == offsets) | (before == ord("_")))
    )
    found[fits] = letter[fits]
    return found
