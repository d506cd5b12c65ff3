"""RAM of a machine that stands still: page tables, a ring buffer of printk and a stack, as a kernel would leave them."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

RAM_PA = 0x40000000
IMAGE_PA = 0x40200000
LINK = 0xFFFF800008000000
SLIDE = 0x1234560000
RUN = LINK + SLIDE
TCR = 16 | 16 << 16 | 2 << 30
"""T0SZ and T1SZ of 48 bits, pages of 4 KiB in both halves."""
_PAGE = 0x1000
_DESCRIPTOR = 0x403
COMMITTED, FINALIZED, RESERVED, REUSABLE = 1, 2, 0, 3
COUNT_BITS, SIZE_BITS = 5, 10


class Words(NamedTuple):
    """A record to be written."""

    text: str
    ts_ns: int = 0
    level: int = 6
    state: int = FINALIZED


class GuestRam:
    """Bytes from RAM_PA up, with page tables that grow from the end of the first MiB."""

    def __init__(self, n_bytes: int = 4 << 20) -> None:
        self.data = bytearray(n_bytes)
        self._free = RAM_PA + (1 << 20)
        self.root = self._table()

    def read(self, pa: int, n_bytes: int) -> bytes | None:
        at = pa - RAM_PA
        if at < 0 or at + n_bytes > len(self.data):
            return None
        return bytes(self.data[at : at + n_bytes])

    def put(self, pa: int, data: bytes) -> None:
        at = pa - RAM_PA
        assert at >= 0
        assert at + len(data) <= len(self.data)
        self.data[at : at + len(data)] = data

    def _table(self) -> int:
        table, self._free = self._free, self._free + _PAGE
        return table

    def map(self, va: int, pa: int, n_bytes: int = _PAGE, *, root: int | None = None) -> None:
        """Map pages of 4 KiB through four levels."""
        for offset in range(0, n_bytes, _PAGE):
            table = self.root if root is None else root
            for shift in (39, 30, 21):
                entry = table + ((va + offset) >> shift & 0x1FF) * 8
                (value,) = struct.unpack("<Q", self.read(entry, 8) or b"")
                if not value:
                    value = self._table() | 3
                    self.put(entry, struct.pack("<Q", value))
                table = value & 0xFFFFFFFFF000
            entry = table + ((va + offset) >> 12 & 0x1FF) * 8
            self.put(entry, struct.pack("<Q", pa + offset | _DESCRIPTOR))

    def new_root(self) -> int:
        """Return other tables, with nothing in them."""
        return self._table()

    def core(self, *, off: int = 0) -> bytes:
        """Return RAM as QEMU dumps it.

        :param off: bytes by which notes are longer than the headers say.
        """
        note_bytes = 64
        start = 64 + 64 * 2 + 56 * 2 + note_bytes
        head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
            "<HHIQQQIHHHHHH", 4, 183, 1, 0, 192, 64, 0, 64, 56, 2, 64, 2, 1
        )
        names = b"\0.shstrtab\0"
        sections = bytes(64) + struct.pack(
            "<IIQQQQIIQQ", 1, 3, 0, 0, start + len(self.data), len(names), 0, 0, 0, 0
        )
        note = struct.pack("<IIQQQQQQ", 4, 0, start - note_bytes, 0, 0, note_bytes, note_bytes, 0)
        load = struct.pack("<IIQQQQQQ", 1, 0, start, 0, RAM_PA, len(self.data), len(self.data), 0)
        return head + sections + note + load + bytes(note_bytes + off) + bytes(self.data) + names


def put_ring(
    ram: GuestRam,
    records: Sequence[Words],
    *,
    pa: int = IMAGE_PA + 0x10000,
    va: int = RUN + 0x10000,
    old: bool = False,
    first_seq: int = 0,
    info_bytes: int = 88,
    begin: int = -(1 << SIZE_BITS),
) -> bytes:
    """Write a ring buffer whose arrays lie behind `pa`, and return its `struct printk_ringbuffer`.

    :param old: without `last_finalized_id`.
    :param begin: position of the first text.
    """
    count, size = 1 << COUNT_BITS, 1 << SIZE_BITS
    descs, infos, text = bytearray(24 * count), bytearray(info_bytes * count), bytearray(size)
    tail = first_seq
    position = begin
    mask64, id_mask = (1 << 64) - 1, (1 << 62) - 1
    for i, record in enumerate(records):
        number = tail + i
        data = record.text.encode()
        n_bytes = 8 + (len(data) + 7) // 8 * 8
        start = position
        if start // size != (start + n_bytes - 1) // size:
            place = 0
            position = (start // size + 1) * size + n_bytes
        else:
            place = start % size
            position = start + n_bytes
        block = struct.pack("<Q", number & id_mask) + data
        text[place : place + len(block)] = block
        index = number % count
        struct.pack_into(
            "<QQQ",
            *(descs, 24 * index, record.state << 62 | number & id_mask),
            *(start & mask64, position & mask64),
        )
        struct.pack_into(
            "<QQHBB",
            *(infos, info_bytes * index, number, record.ts_ns, len(data), 0, record.level << 5),
        )
    head_id = (tail + len(records) - 1) & id_mask
    places = [0, len(descs), len(descs) + len(infos)]
    for place, array in zip(places, (descs, infos, text), strict=True):
        ram.put(pa + place, bytes(array))
    ring = struct.pack("<IIQQQQ", COUNT_BITS, 0, va, va + places[1], head_id, tail & id_mask)
    ring += b"" if old else struct.pack("<Q", head_id)
    ring += struct.pack("<IIQQQ", SIZE_BITS, 0, va + places[2], 0, 0)
    return ring + bytes(8)
