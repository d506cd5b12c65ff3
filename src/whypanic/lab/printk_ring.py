"""Records of printk's ring buffer in a stopped kernel's memory.

Since 5.10 it is a `struct printk_ringbuffer`: descriptors with an id and a state, beside each an info with time and
length, and a ring of text. Where its members lie VMCOREINFO says; without it the layout is that of 5.10 to 6.12, whose
one variable part (`last_finalized_id`, 6.0) is told by what lies there. Before 5.10 it is `log_buf`, records one behind
the other, found by its variables (`log_records`).

A stopped kernel may have been writing, and a broken one may have written over it: every number is held against the
ring's size, and a record whose parts do not fit together is left out.

Source: Linux kernel/printk/printk_ringbuffer.h and .c of 6.1; kernel/printk/printk.c, log_buf_vmcoreinfo_setup; for
`struct printk_log` of kernels before 5.10 kernel/printk/printk.c, from memory.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

_MIN_COUNT_BITS, _MAX_COUNT_BITS = 4, 18
_MIN_SIZE_BITS, _MAX_SIZE_BITS = 9, 25
_MAX_PLACES = 1000
_STATE_SHIFT = 62
_ID_MASK = (1 << _STATE_SHIFT) - 1
_COMMITTED, _FINALIZED = 1, 2
_ID_BYTES = 8
_NO_TEXT = 1
"""Bit 0 of a position: FAILED_LPOS and NO_LPOS have it, those of blocks are multiples of 8."""
_U64 = (1 << 64) - 1
_U32 = (1 << 32) - 1
_MAX_TEXT_BYTES = 4 << 20
HEAD_BYTES = 128
"""As large as `struct printk_ringbuffer` is, and some."""


class Record(NamedTuple):
    """One record, which may have several lines."""

    seq: int
    ts_ns: int
    level: int
    text: str

    def lines(self) -> Iterator[str]:
        """Yield its lines as `dmesg` prints them, with the time."""
        prefix = f"[{self.ts_ns // 10**9:5d}.{self.ts_ns // 1000 % 10**6:06d}] "
        return (prefix + line for line in self.text.split("\n"))


class Memory(Protocol):
    """Memory by virtual address."""

    def read(self, va: int, n_bytes: int) -> bytes | None: ...


class Offsets(Protocol):
    """What VMCOREINFO says of structures."""

    def size(self, structure: str) -> int | None: ...

    def offset(self, member: str) -> int | None: ...


class RingLayout(NamedTuple):
    """Offsets and sizes in bytes; those by default are of 6.0 to 6.12 on a 64-bit kernel."""

    # fmt: off
    ring_bytes: int = 88
    desc_ring:  int = 0
    text_ring:  int = 48
    count_bits: int = 0
    descs:      int = 8
    infos:      int = 16
    head_id:    int = 24
    tail_id:    int = 32
    size_bits:  int = 0
    data:       int = 8
    desc_bytes: int = 24
    state_var:  int = 0
    text_blk:   int = 8
    blk_next:   int = 8
    info_bytes: int = 88
    seq:        int = 0
    ts_nsec:    int = 8
    text_len:   int = 16
    # fmt: on

    @property
    def level(self) -> int:
        """Offset of the byte with the level in bits 7:5, behind text_len and facility."""
        return self.text_len + 3


_NEW = RingLayout()
_OLD = RingLayout(ring_bytes=80, text_ring=40)
"""5.10 to 5.19, without `last_finalized_id`."""
_NEWEST = RingLayout(info_bytes=112)
"""7.x with CONFIG_PRINTK_EXECUTION_CTX: `caller_id2` and `comm` in the info."""
_KEYS = {
    "ring_bytes": "printk_ringbuffer",
    "desc_bytes": "prb_desc",
    "info_bytes": "printk_info",
    "desc_ring": "printk_ringbuffer.desc_ring",
    "text_ring": "printk_ringbuffer.text_data_ring",
    "count_bits": "prb_desc_ring.count_bits",
    "descs": "prb_desc_ring.descs",
    "infos": "prb_desc_ring.infos",
    "head_id": "prb_desc_ring.head_id",
    "tail_id": "prb_desc_ring.tail_id",
    "size_bits": "prb_data_ring.size_bits",
    "data": "prb_data_ring.data",
    "state_var": "prb_desc.state_var",
    "text_blk": "prb_desc.text_blk_lpos",
    "blk_next": "prb_data_blk_lpos.next",
    "seq": "printk_info.seq",
    "ts_nsec": "printk_info.ts_nsec",
    "text_len": "printk_info.text_len",
}


def layout_from(info: Offsets) -> RingLayout | None:
    """Return the layout that VMCOREINFO tells; None where it lacks a part."""
    found = {
        field: info.size(key) if field.endswith("_bytes") else info.offset(key)
        for field, key in _KEYS.items()
    }
    known = {field: value for field, value in found.items() if value is not None}
    if len(known) < len(_KEYS) or max(known.values()) > 4096 or min(known.values()) < 0:
        return None
    return RingLayout(**known)


class _Ring(NamedTuple):
    layout: RingLayout
    count_bits: int
    size_bits: int
    head_id: int
    tail_id: int
    descs: bytes
    infos: bytes
    text: bytes


def read_ring(
    memory: Memory, head: bytes, layout: RingLayout | None = None
) -> tuple[Record, ...] | None:
    """Return the records of a ring buffer, oldest first; None where there is no ring.

    :param head: the bytes of its `struct printk_ringbuffer`, `HEAD_BYTES` of them do.
    :param layout: None: whichever of those known fits.
    """
    tried = (_NEW, _NEWEST, _OLD) if layout is None else (layout,)
    rings = [ring for candidate in tried if (ring := _open(memory, head, candidate)) is not None]
    if not rings:
        return None
    return tuple(_records(max(rings, key=_n_in_order)))


def _open(memory: Memory, head: bytes, layout: RingLayout) -> _Ring | None:
    """Return the ring with its arrays read; None where the numbers are not those of a ring."""

    def number(offset: int, n_bytes: int = 8) -> int:
        return _number(head, offset, n_bytes)

    descs, texts = layout.desc_ring, layout.text_ring
    count_bits = number(descs + layout.count_bits, 4)
    size_bits = number(texts + layout.size_bits, 4)
    if not _MIN_COUNT_BITS <= count_bits <= _MAX_COUNT_BITS:
        return None
    if not _MIN_SIZE_BITS <= size_bits <= _MAX_SIZE_BITS:
        return None
    head_id, tail_id = number(descs + layout.head_id), number(descs + layout.tail_id)
    if (head_id - tail_id & _ID_MASK) >= 1 << count_bits:
        return None
    arrays = (
        memory.read(number(descs + layout.descs), layout.desc_bytes << count_bits),
        memory.read(number(descs + layout.infos), layout.info_bytes << count_bits),
        memory.read(number(texts + layout.data), 1 << size_bits),
    )
    if arrays[0] is None or arrays[1] is None or arrays[2] is None:
        return None
    return _Ring(layout, count_bits, size_bits, head_id, tail_id, arrays[0], arrays[1], arrays[2])


def _n_in_order(ring: _Ring) -> int:
    """Return how many infos have a number that fits their place: it goes up by the count when one is used again."""
    mask = (1 << ring.count_bits) - 1
    step = ring.layout.info_bytes
    seqs = (_number(ring.infos, i * step + ring.layout.seq) for i in range(mask + 1))
    return sum(seq & mask == i for i, seq in enumerate(seqs) if seq)


def _records(ring: _Ring) -> Iterator[Record]:
    n_bytes = 0
    mask = (1 << ring.count_bits) - 1
    for i in range((ring.head_id - ring.tail_id & _ID_MASK) + 1):
        record_id = ring.tail_id + i & _ID_MASK
        record = _record(ring, record_id, record_id & mask)
        if record is not None:
            n_bytes += len(record.text)
            yield record
        if n_bytes > _MAX_TEXT_BYTES:
            return


def _record(ring: _Ring, record_id: int, index: int) -> Record | None:
    """Return the record of an id; None where it is not there any more, not there yet, or damaged."""
    layout = ring.layout
    at = index * layout.desc_bytes
    state = _number(ring.descs, at + layout.state_var)
    if state & _ID_MASK != record_id or state >> _STATE_SHIFT not in (_COMMITTED, _FINALIZED):
        return None
    begin = _number(ring.descs, at + layout.text_blk)
    following = _number(ring.descs, at + layout.text_blk + layout.blk_next)
    at = index * layout.info_bytes
    n_bytes = _number(ring.infos, at + layout.text_len, 2)
    text = b""
    if not begin & _NO_TEXT:
        block = _block(ring, begin, following)
        if block is None or _number(block, 0) & _ID_MASK != record_id:
            return None
        text = block[_ID_BYTES : _ID_BYTES + n_bytes]
    return Record(
        _number(ring.infos, at + layout.seq),
        _number(ring.infos, at + layout.ts_nsec),
        _number(ring.infos, at + layout.level, 1) >> 5,
        text.decode(errors="backslashreplace"),
    )


def _block(ring: _Ring, begin: int, following: int) -> bytes | None:
    """Return the bytes from one position to another; a block that would run over the end begins at 0 instead."""
    size = 1 << ring.size_bits
    last = following - 1 & _U64
    if begin >> ring.size_bits == last >> ring.size_bits:
        start = begin % size
    elif (begin >> ring.size_bits) + 1 & (_U64 >> ring.size_bits) == last >> ring.size_bits:
        start = 0
    else:
        return None
    end = last % size + 1
    return ring.text[start:end] if start + _ID_BYTES <= end else None


def _number(data: bytes, at: int, n_bytes: int = 8) -> int:
    return int.from_bytes(data[at : at + n_bytes], "little")


def initial_ring_offset(image: bytes | memoryview) -> int | None:
    """Return where in an Image the `printk_rb_static` lies with which a kernel begins; None where it is not found.

    It needs no symbols: its first ids and positions are negative powers of two, chosen so that they soon overflow.
    Source: printk_ringbuffer.h, DESC0_ID and BLK0_LPOS; the count is an `unsigned int` until it became a long.
    """
    data = bytes(image)
    for count_bits in range(_MIN_COUNT_BITS, _MAX_COUNT_BITS + 1):
        for width in (_U32, _ID_MASK):
            first_id = (-(1 << count_bits) - 1) & width
            both = first_id.to_bytes(8, "little") * 2
            at = data.find(both)
            for _ in range(_MAX_PLACES):
                start = at - _NEW.head_id
                if start >= 0 and _is_initial(data, start, count_bits):
                    return start
                if at < 0:
                    break
                at = data.find(both, at + 1)
    return None


def _is_initial(data: bytes, start: int, count_bits: int) -> bool:
    if _number(data, start, 4) != count_bits:
        return False
    for layout in (_NEW, _OLD):
        at = start + layout.text_ring
        size_bits = _number(data, at, 4)
        if not _MIN_SIZE_BITS <= size_bits <= _MAX_SIZE_BITS:
            continue
        first = -(1 << size_bits) & _U64
        if _number(data, at + 16) == first == _number(data, at + 24):
            return True
    return False


def read_log_buf(
    memory: Memory, values: Mapping[str, int], head_bytes: int = 16
) -> tuple[Record, ...] | None:
    """Return the records of a kernel before 5.10, oldest first; None where there are none that can be read.

    :param values: `log_buf` (where the records begin), `log_buf_len`, `log_first_idx`, `log_next_idx`.
    :param head_bytes: of `struct printk_log`: 16, and 20 with a `caller_id`.
    """
    size, first = values.get("log_buf_len", 0), values.get("log_first_idx", 0)
    end = values.get("log_next_idx", 0)
    if not 1 << _MIN_SIZE_BITS <= size <= 1 << _MAX_SIZE_BITS or max(first, end) > size:
        return None
    data = memory.read(values.get("log_buf", 0), size)
    return None if data is None else tuple(_old_records(data, first, end, max(head_bytes, 16)))


def _old_records(data: bytes, at: int, end: int, head_bytes: int) -> Iterator[Record]:
    # A record has 16 bytes at least, so this comes to its end whatever the lengths say.
    for seq in range(len(data) // 16 + 1):
        if at == end and seq:
            return
        n_bytes, text_bytes = _number(data, at + 8, 2), _number(data, at + 10, 2)
        if not n_bytes:
            # What follows begins at 0 again.
            if at == 0:
                return
            at = 0
            continue
        if n_bytes < head_bytes + text_bytes or at + n_bytes > len(data):
            return
        text = data[at + head_bytes : at + head_bytes + text_bytes]
        level = _number(data, at + 15, 1) >> 5
        yield Record(seq, _number(data, at), level, text.decode(errors="backslashreplace"))
        at += n_bytes
